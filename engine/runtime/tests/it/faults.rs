//! Disks that fail as planned.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use runtime::sim::{DiskError, DiskFault, DiskPlan, Operation, Simulation, this_node};
use runtime::{AlignedBuffer, File, Mesh, OpenMode, disk_space, now, remove_file};
use types::ByteCount;

const EIO: i32 = 5;

fn filled(byte: u8) -> AlignedBuffer {
    let mut buffer = AlignedBuffer::zeroed(4096);
    buffer.fill(byte);
    buffer
}

/// Runs a body on a node's only shard, for several seeds.
fn on_nodes<F: Future<Output = ()> + 'static>(body: fn(File) -> F) {
    for seed in 0..20 {
        let simulation = Simulation::new(seed);
        let node = simulation.spawn_node("node", 1, move |_mesh: Mesh<(), ()>| async move {
            let file = File::open(Path::new("/f"), OpenMode::CreateNew).await;
            body(file.expect("the disk is healthy so far")).await;
        });
        simulation.join(&node);
    }
}

fn fail(operation: Operation, after: u64, error: DiskError) {
    this_node().set_disk(DiskPlan {
        faults: vec![DiskFault::once(operation, after, error)],
        ..DiskPlan::default()
    });
}

#[test]
fn the_planned_write_fails_and_the_next_succeeds() {
    on_nodes(|file| async move {
        fail(Operation::Write, 1, DiskError::Io);
        file.write_at(filled(1), 0).await.unwrap();
        let failed = file.write_at(filled(2), 0).await.unwrap_err();
        assert_eq!(failed.raw_os_error(), Some(EIO));
        let read = file.read_at(0, 4096).await.unwrap();
        assert!(
            read.iter().all(|byte| [1, 2].contains(byte)),
            "each sector old or new"
        );
        file.write_at(filled(3), 0).await.unwrap();
        assert_eq!(file.read_at(0, 4096).await.unwrap()[..], [3; 4096]);
    });
}

#[test]
fn a_write_cut_short_is_an_error() {
    on_nodes(|file| async move {
        file.write_at(filled(1), 0).await.unwrap();
        fail(Operation::Write, 0, DiskError::Short);
        let failed = file.write_at(filled(2), 0).await.unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::WriteZero);
        let read = file.read_at(0, 4096).await.unwrap();
        let new = read.iter().take_while(|byte| **byte == 2).count();
        assert!(new < 4096, "not all was written");
        assert!(
            read[new..].iter().all(|byte| *byte == 1),
            "a prefix was written"
        );
    });
}

#[test]
fn every_other_operation_can_fail_too() {
    on_nodes(|file| async move {
        fail(Operation::Read, 0, DiskError::Io);
        assert!(file.read_at(0, 1).await.is_err());
        fail(Operation::Sync, 0, DiskError::Io);
        assert!(file.sync_data().await.is_err());
        fail(Operation::Sync, 0, DiskError::Io);
        assert!(file.write_at_synced(filled(1), 0).await.is_err());
        fail(Operation::Resize, 0, DiskError::Io);
        assert!(file.allocate(0, 4096).await.is_err());
        fail(Operation::SyncDir, 0, DiskError::Io);
        assert!(runtime::sync_dir(Path::new("/")).await.is_err());
        fail(Operation::Name, 0, DiskError::Io);
        assert!(
            runtime::rename(Path::new("/f"), Path::new("/g"))
                .await
                .is_err()
        );
        assert!(
            runtime::exists(Path::new("/f")).await.unwrap(),
            "nothing was renamed"
        );
        fail(Operation::Open, 0, DiskError::Io);
        assert!(
            File::open(Path::new("/f"), OpenMode::Existing)
                .await
                .is_err()
        );
    });
}

#[test]
fn a_delayed_operation_succeeds_later() {
    on_nodes(|file| async move {
        fail(Operation::Sync, 0, DiskError::Delay(Duration::from_secs(3)));
        let start = now();
        file.sync_data().await.unwrap();
        assert!(now().since(start) >= Duration::from_secs(3));
    });
}

#[test]
fn what_a_failed_sync_covered_is_not_saved_by_the_next() {
    let mut lost = 0;
    for seed in 0..60 {
        let simulation = Simulation::new(seed);
        let node = simulation.spawn_node("node", 1, |_mesh: Mesh<(), ()>| async {
            let file = File::open(Path::new("/f"), OpenMode::CreateNew)
                .await
                .unwrap();
            file.write_at_synced(filled(1), 0).await.unwrap();
            runtime::sync_dir(Path::new("/")).await.unwrap();
            file.write_at(filled(2), 0).await.unwrap();
            fail(Operation::Sync, 0, DiskError::Io);
            assert!(file.sync_data().await.is_err());
            file.sync_data()
                .await
                .expect("it succeeds, and means nothing");
        });
        simulation.join(&node);
        simulation.crash(&node, runtime::sim::Crash::Power);
        let main = |_mesh: Mesh<(), ()>| async {
            let file = File::open(Path::new("/f"), OpenMode::Existing)
                .await
                .unwrap();
            let read = file.read_at(0, 4096).await.unwrap();
            // Told through the file, since a node gives nothing back.
            let survived = read.iter().all(|byte| *byte == 2);
            file.set_len(if survived { 1 } else { 2 }).await.unwrap();
        };
        simulation.restart(&node, main);
        simulation.join(&node);
        let seen = std::rc::Rc::new(std::cell::Cell::new(0));
        let showing = std::rc::Rc::clone(&seen);
        simulation.restart(&node, move |_mesh: Mesh<(), ()>| {
            let seen = std::rc::Rc::clone(&showing);
            async move {
                let file = File::open(Path::new("/f"), OpenMode::Existing)
                    .await
                    .unwrap();
                seen.set(file.size().await.unwrap());
            }
        });
        simulation.join(&node);
        lost += u32::from(seen.get() == 2);
    }
    assert!(lost > 10, "{lost}");
}

#[test]
fn a_full_disk_refuses_writes_until_something_is_removed() {
    on_nodes(|file| async move {
        this_node().set_disk(DiskPlan {
            capacity: ByteCount(4 * 4096),
            ..DiskPlan::default()
        });
        let other = File::open(Path::new("/other"), OpenMode::CreateNew)
            .await
            .unwrap();
        other.allocate(0, 3 * 4096).await.unwrap();
        let space = || async { disk_space(Path::new("/")).await.unwrap() };
        assert_eq!(space().await.total, ByteCount(4 * 4096));
        assert_eq!(space().await.free, ByteCount(4096));
        let full = file.allocate(0, 2 * 4096).await.unwrap_err();
        assert_eq!(full.kind(), ErrorKind::StorageFull);
        assert_eq!(file.size().await.unwrap(), 0, "nothing is reserved then");
        file.write_at(filled(1), 0).await.unwrap();
        let full = file.write_at(filled(1), 4096).await.unwrap_err();
        assert_eq!(full.kind(), ErrorKind::StorageFull);
        // What has its space can be written, again and again.
        other.write_at(filled(1), 8192).await.unwrap();
        file.write_at(filled(2), 0).await.unwrap();

        remove_file(Path::new("/other")).await.unwrap();
        assert!(
            file.write_at(filled(1), 4096).await.is_err(),
            "an open file keeps its space"
        );
        other.close().await.unwrap();
        file.write_at(filled(1), 4096).await.unwrap();
        file.set_len(0).await.unwrap();
        assert_eq!(space().await.free, ByteCount(4 * 4096));
    });
}

//! What a crash may leave of files and names, and what it must.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use runtime::sim::{Crash, NodeHandle, Simulation};
use runtime::{
    AlignedBuffer, File, LockError, Mesh, OpenMode, create_dir_all, exists, list_dir, lock_file,
    read_file, remove_file, rename, sync_dir, write_file_durably,
};
use types::ByteCount;

const BLOCK: usize = 4096;
const SECTOR: usize = 512;

fn filled(byte: u8) -> AlignedBuffer {
    let mut buffer = AlignedBuffer::zeroed(BLOCK);
    buffer.fill(byte);
    buffer
}

async fn create(path: &Path) -> File {
    let file = File::open(path, OpenMode::CreateNew).await;
    let file = file.expect("the name is free");
    sync_dir(Path::new("/")).await.expect("the disk is healthy");
    file
}

fn path() -> PathBuf {
    PathBuf::from("/f")
}

/// Runs `before` on a node to its end, crashes the node, and returns what `after` sees.
fn across<B, A, T>(
    seed: u64,
    crash: Crash,
    before: impl Fn() -> B + 'static,
    after: impl Fn() -> A + 'static,
) -> T
where
    B: Future<Output = ()> + 'static,
    A: Future<Output = T> + 'static,
    T: 'static,
{
    let simulation = Simulation::new(seed);
    let node = simulation.spawn_node("node", 1, move |_mesh: Mesh<(), ()>| before());
    simulation.join(&node);
    simulation.crash(&node, crash);
    seen_by(&simulation, &node, after)
}

/// Restarts a node with `after` and returns what that sees.
fn seen_by<A, T>(simulation: &Simulation, node: &NodeHandle, after: impl Fn() -> A + 'static) -> T
where
    A: Future<Output = T> + 'static,
    T: 'static,
{
    let seen = Rc::new(std::cell::Cell::new(None));
    let showing = Rc::clone(&seen);
    simulation.restart(node, move |_mesh: Mesh<(), ()>| {
        let seen = Rc::clone(&showing);
        let after = after();
        async move { seen.set(Some(after.await)) }
    });
    simulation.join(node);
    seen.take().expect("the node has looked")
}

/// Reads the first byte of every sector of a file.
async fn sectors() -> Vec<u8> {
    let content = read_file(&path(), ByteCount::mib(1)).await;
    let content = content.expect("the file is there");
    for sector in content.chunks(SECTOR) {
        assert!(
            sector.iter().all(|byte| *byte == sector[0]),
            "no sector is torn"
        );
    }
    content.chunks(SECTOR).map(|sector| sector[0]).collect()
}

#[test]
fn what_was_synced_survives_every_power_failure() {
    for seed in 0..200 {
        let before = || async {
            let file = create(&path()).await;
            file.write_at(filled(1), 0).await.unwrap();
            file.sync_data().await.unwrap();
            file.write_at_synced(filled(2), 4096).await.unwrap();
        };
        let seen = across(seed, Crash::Power, before, sectors);
        assert_eq!(seen, [[1; 8], [2; 8]].concat(), "seed {seed}");
    }
}

#[test]
fn what_was_not_synced_survives_wholly_partly_or_not() {
    let (mut none, mut part, mut all, mut torn) = (0, 0, 0, 0);
    for seed in 0..200 {
        let before = || async {
            let file = create(&path()).await;
            file.write_at(filled(1), 0).await.unwrap();
            file.write_at(filled(1), 4096).await.unwrap();
            file.sync_data().await.unwrap();
            file.write_at(filled(2), 0).await.unwrap();
            file.write_at(filled(2), 4096).await.unwrap();
        };
        let seen = across(seed, Crash::Power, before, sectors);
        assert_eq!(seen.len(), 16);
        assert!(seen.iter().all(|byte| [1, 2].contains(byte)), "{seen:?}");
        let new = seen.iter().map(|byte| u32::from(*byte == 2)).sum::<u32>();
        none += u32::from(new == 0);
        all += u32::from(new == 16);
        part += u32::from(new > 0 && new < 16);
        torn += u32::from(seen[0] != seen[7]);
    }
    assert!(
        none > 10 && all > 10 && part > 50 && torn > 20,
        "{none} {part} {all} {torn}"
    );
}

#[test]
fn a_later_write_may_survive_an_earlier_one() {
    let mut reordered = 0;
    for seed in 0..200 {
        let before = || async {
            let file = create(&path()).await;
            file.allocate(0, 8192).await.unwrap();
            file.sync_data().await.unwrap();
            file.write_at(filled(1), 0).await.unwrap();
            file.write_at(filled(2), 4096).await.unwrap();
        };
        let seen = across(seed, Crash::Power, before, sectors);
        reordered += u32::from(seen[..8] == [0; 8] && seen[8..].contains(&2));
    }
    assert!(reordered > 5, "{reordered}");
}

#[test]
fn a_synced_write_covers_itself_and_no_other() {
    let mut lost = 0;
    for seed in 0..200 {
        let before = || async {
            let file = create(&path()).await;
            file.allocate(0, 8192).await.unwrap();
            file.sync_data().await.unwrap();
            file.write_at(filled(1), 0).await.unwrap();
            file.write_at_synced(filled(2), 4096).await.unwrap();
        };
        let seen = across(seed, Crash::Power, before, sectors);
        assert_eq!(seen[8..], [2; 8], "seed {seed}");
        lost += u32::from(seen[..8] != [1; 8]);
    }
    assert!(lost > 50, "{lost}");
}

#[test]
fn a_sync_covers_what_had_completed_when_it_began() {
    let mut lost = 0;
    for seed in 0..300 {
        let before = || async {
            let file = create(&path()).await;
            file.allocate(0, 8192).await.unwrap();
            file.sync_data().await.unwrap();
            file.write_at(filled(1), 0).await.unwrap();
            // In flight together: the sync may end first, or begin first and end last.
            let write = std::pin::pin!(file.write_at(filled(2), 4096));
            let sync = std::pin::pin!(file.sync_data());
            match runtime::race(sync, write).await {
                runtime::Either::Left(synced) => synced.unwrap(),
                runtime::Either::Right(written) => {
                    written.unwrap();
                    file.sync_data().await.unwrap();
                }
            }
        };
        let seen = across(seed, Crash::Power, before, sectors);
        assert_eq!(seen[..8], [1; 8], "seed {seed}");
        lost += u32::from(seen[8..] != [2; 8]);
    }
    assert!(lost > 0, "{lost}");
}

#[test]
fn a_cut_survives_as_a_whole_or_not_at_all() {
    let (mut cut, mut whole) = (0, 0);
    for seed in 0..100 {
        let before = || async {
            let file = create(&path()).await;
            file.write_at(filled(1), 0).await.unwrap();
            file.write_at(filled(1), 4096).await.unwrap();
            file.sync_data().await.unwrap();
            file.set_len(512).await.unwrap();
        };
        let seen = across(seed, Crash::Power, before, sectors);
        cut += u32::from(seen == [1]);
        whole += u32::from(seen == [1; 16]);
        assert!(seen == [1] || seen == [1; 16], "seed {seed}: {seen:?}");
    }
    assert!(cut > 10 && whole > 10, "{cut} {whole}");
}

#[test]
fn a_killed_process_leaves_all_that_had_completed() {
    for seed in 0..50 {
        let before = || async {
            let file = create(&path()).await;
            file.write_at(filled(1), 0).await.unwrap();
            let second = File::open(Path::new("/g"), OpenMode::CreateNew)
                .await
                .unwrap();
            second.close().await.unwrap();
        };
        let after = || async { (sectors().await, exists(Path::new("/g")).await.unwrap()) };
        let seen = across(seed, Crash::Process, before, after);
        assert_eq!(seen, (vec![1; 8], true), "seed {seed}");
    }
}

#[test]
fn a_write_under_way_when_the_process_dies_is_done_or_not() {
    let (mut done, mut not) = (0, 0);
    for seed in 0..60 {
        let before = || async {
            let file = create(&path()).await;
            file.write_at_synced(filled(1), 0).await.unwrap();
            let write = file.write_at(filled(2), 0);
            // Begun and left alone.
            assert!(
                runtime::timeout(std::time::Duration::ZERO, write)
                    .await
                    .is_err()
            );
        };
        let seen = across(seed, Crash::Process, before, sectors);
        done += u32::from(seen.contains(&2));
        not += u32::from(seen == [1; 8]);
    }
    assert!(done > 5 && not > 5, "{done} {not}");
}

#[test]
fn a_name_is_durable_when_its_directory_was_synced() {
    let (mut kept, mut lost, mut back) = (0, 0, 0);
    for seed in 0..100 {
        let before = || async {
            create_dir_all(Path::new("/d/e")).await.unwrap();
            for name in ["/d/e/synced", "/d/e/removed"] {
                drop(
                    File::open(Path::new(name), OpenMode::CreateNew)
                        .await
                        .unwrap(),
                );
            }
            sync_dir(Path::new("/d/e")).await.unwrap();
            let new = File::open(Path::new("/d/e/new"), OpenMode::CreateNew)
                .await
                .unwrap();
            // The content's sync says nothing about the name.
            new.write_at_synced(filled(1), 0).await.unwrap();
            remove_file(Path::new("/d/e/removed")).await.unwrap();
        };
        let after = || async { list_dir(Path::new("/d/e")).await.unwrap() };
        let entries = across(seed, Crash::Power, before, after);
        let names: Vec<&str> = entries.iter().map(|entry| &*entry.name).collect();
        assert!(names.contains(&"synced"), "seed {seed}: {names:?}");
        kept += u32::from(names.contains(&"new"));
        lost += u32::from(!names.contains(&"new"));
        back += u32::from(names.contains(&"removed"));
    }
    assert!(kept > 10 && lost > 10 && back > 10, "{kept} {lost} {back}");
}

#[test]
fn a_directory_that_was_not_synced_into_its_parent_may_vanish() {
    let mut vanished = 0;
    for seed in 0..60 {
        let before = || async {
            create_dir_all(Path::new("/a/b")).await.unwrap();
            rename(Path::new("/a/b"), Path::new("/a/c")).await.unwrap();
            drop(
                File::open(Path::new("/a/c/f"), OpenMode::CreateNew)
                    .await
                    .unwrap(),
            );
            sync_dir(Path::new("/a/c")).await.unwrap();
        };
        let after = || async {
            let (old, new) = (Path::new("/a/b/f"), Path::new("/a/c/f"));
            (exists(old).await.unwrap(), exists(new).await.unwrap())
        };
        let (old, new) = across(seed, Crash::Power, before, after);
        assert!(
            old != new,
            "the file is under one of the names, seed {seed}"
        );
        vanished += u32::from(old);
    }
    assert!((5..55).contains(&vanished), "{vanished}");
}

#[test]
fn a_file_replaced_durably_is_never_a_mixture() {
    for seed in 0..100 {
        let before = || async {
            write_file_durably(&path(), &[1; 1000]).await.unwrap();
            let path = path();
            let replacing = write_file_durably(&path, &[2; 1500]);
            let cut = std::time::Duration::from_micros(runtime::random_u64() % 4000);
            // Whether or not it was done in time: both are tried.
            drop(runtime::timeout(cut, replacing).await);
        };
        let after = || async { read_file(&path(), ByteCount::kib(4)).await.unwrap() };
        let seen = across(seed, Crash::Power, before, after);
        assert!(
            seen == [1; 1000] || seen == [2; 1500],
            "seed {seed}: {} bytes",
            seen.len()
        );
    }
}

#[test]
fn a_lock_goes_with_the_process_that_held_it() {
    let before = || async {
        let lock = lock_file(Path::new("/lock")).await.unwrap();
        assert!(matches!(
            lock_file(Path::new("/lock")).await,
            Err(LockError::HeldBy { pid: 1 })
        ));
        // The process dies with the lock held.
        std::future::pending::<()>().await;
        drop(lock);
    };
    let simulation = Simulation::new(1);
    let node = simulation.spawn_node("node", 1, move |_mesh: Mesh<(), ()>| before());
    simulation.run_for(std::time::Duration::from_secs(1));
    assert!(node.is_running());
    simulation.crash(&node, Crash::Process);
    let taken = seen_by(&simulation, &node, || async {
        lock_file(Path::new("/lock")).await.is_ok()
    });
    assert!(taken);
}

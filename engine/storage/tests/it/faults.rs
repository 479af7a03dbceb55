//! What a disk may do: fail, be full, lose or change bytes at rest.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use runtime::sim::{DiskError, DiskFault, DiskPlan, Operation, Simulation};
use runtime::{Queue, both_arms};
use storage::{AppendError, Error, FirstBatch, Offline, ReadLimits};
use types::ByteCount;

use crate::support::*;

/// Where the chunks of a fresh journal file begin, and a place inside the first one's payload.
const FIRST_CHUNK: u64 = 4096;

both_arms!(
    a_hole_in_the_journal_is_reported_and_never_cut_away,
    |dir| async move {
        let node = Node::open(&dir, 1).await;
        let log = node.log(0);
        for seed in 0..10 {
            append_durably(&log, &batch(1, 1_000, seed)).await;
        }
        let layout = node.dir.layout().path().to_path_buf();
        node.kill();
        flip(
            &layout.join("shard-0/journal-0"),
            FIRST_CHUNK + 2 * 4096 + 500,
        )
        .await;
        let opened = Node::open_with(&dir, tiny_options(), 1, config()).await;
        let error = opened.err().expect("acknowledged bytes are missing");
        assert!(matches!(error, Error::JournalDamaged { .. }), "{error:?}");
    }
);

both_arms!(a_torn_last_round_is_no_damage, |dir| async move {
    let node = Node::open(&dir, 1).await;
    let log = node.log(0);
    for seed in 0..10 {
        append_durably(&log, &batch(1, 1_000, seed)).await;
    }
    let layout = node.dir.layout().path().to_path_buf();
    node.kill();
    flip(
        &layout.join("shard-0/journal-0"),
        FIRST_CHUNK + 9 * 4096 + 500,
    )
    .await;
    let node = Node::open(&dir, 1).await;
    assert_eq!(read_all(&node.log(0)).await.len(), 9);
    node.close().await;
});

both_arms!(a_lost_index_is_made_again, |dir| async move {
    let config = small_segments(ByteCount::kib(64));
    let node = Node::open_with(&dir, tiny_options(), 1, config)
        .await
        .unwrap();
    let log = node.log(0);
    for seed in 0..200 {
        append_durably(&log, &batch(1, 1_000, seed)).await;
    }
    let before = read_all(&log).await;
    node.close().await;
    let directory = dir.join("data/logs").join(log_id(0).directory_name());
    let mut removed = 0;
    for entry in runtime::list_dir(&directory).await.unwrap() {
        if entry.name.contains(".index") {
            runtime::remove_file(&directory.join(entry.name))
                .await
                .unwrap();
            removed += 1;
        }
    }
    assert!(removed > 2);
    let node = Node::open_with(&dir, tiny_options(), 1, config)
        .await
        .unwrap();
    let log = node.log(0);
    assert_eq!(read_all(&log).await, before);
    assert_eq!(
        read_from(&log, offset(150), 3_000).await.unwrap(),
        before[150..]
    );
    node.close().await;
});

/// Runs a body on one simulated node, with the means to change its disk.
fn on_node<F>(body: impl Fn(Rc<dyn Fn(DiskPlan)>) -> F + Clone + 'static)
where
    F: Future<Output = ()> + 'static,
{
    for seed in 0..4 {
        let simulation = Simulation::new(seed);
        let handle = Rc::new(std::cell::OnceCell::<runtime::sim::NodeHandle>::new());
        let (body, disk) = (body.clone(), Rc::clone(&handle));
        let main = move |_mesh: runtime::Mesh<(), ()>| {
            let disk = Rc::clone(&disk);
            let set: Rc<dyn Fn(DiskPlan)> = Rc::new(move |plan| disk.get().unwrap().set_disk(plan));
            body(set)
        };
        let node = simulation.spawn_node("node", 1, main);
        assert!(handle.set(node).is_ok());
        simulation.join(handle.get().unwrap());
    }
}

/// Appends until one fails; returns how many were acknowledged and why it ended.
async fn append_until_offline(node: &Node) -> (u64, Offline) {
    let log = node.log(0);
    for seed in 0..10_000 {
        let appended = match append(&log, &batch(1, 3_000, seed)).await {
            Ok(appended) => appended,
            Err(AppendError::Offline(why)) => return (seed, why),
            Err(other) => unreachable!("{other}"),
        };
        if let Err(why) = log.durable_to(appended.end).await {
            return (seed, why);
        }
    }
    unreachable!("the fault was planned")
}

#[test]
fn a_failed_write_or_sync_takes_the_store_offline_and_loses_nothing() {
    let places = [
        (Operation::Write, "journal"),
        (Operation::Write, ".log"),
        (Operation::Sync, ".log"),
        (Operation::SyncDir, "logs"),
    ];
    for (operation, place) in places {
        on_node(move |set_disk| async move {
            let dir = PathBuf::from("/disk");
            let node = Node::open(&dir, 2).await;
            let fault = DiskFault {
                path_contains: place.to_owned(),
                ..DiskFault::once(operation, 1, DiskError::Io)
            };
            set_disk(DiskPlan {
                faults: vec![fault],
                ..DiskPlan::default()
            });
            let (count, why) = append_until_offline(&node).await;
            assert_eq!(why, Offline::Failed);
            // For ever, and for every log of the shard.
            let other = append(&node.log(1), &batch(1, 10, 1)).await;
            assert_eq!(other, Err(AppendError::Offline(Offline::Failed)));
            assert!(node.store.metrics().offline.is_some());
            assert!(node.store.close().await.is_err());
            node.kill();
            let node = Node::open(&dir, 2).await;
            let found = u64::try_from(read_all(&node.log(0)).await.len()).unwrap();
            assert!(found >= count, "{found} of {count}");
        });
    }
}

/// A reader in order is answered with file ranges out of the index: no read for the header of the batch
/// that does not fit any more.
#[test]
fn what_this_run_wrote_is_told_without_asking_the_disk() {
    on_node(|set_disk| async move {
        let dir = PathBuf::from("/disk");
        let node = Node::open(&dir, 1).await;
        let log = node.log(0);
        // Three times what the tail holds.
        for seed in 0..300 {
            append_durably(&log, &batch(1, 10_000, seed)).await;
        }
        let limits = ReadLimits {
            size_max: ByteCount(25_000),
            until: log.positions().durable,
            first_batch: FirstBatch::Whole,
        };
        let (first, end) = (log.positions().start, offset(100));
        // Finds the place, and has the index in memory.
        log.read(first, limits).await.unwrap();
        let slow = DiskFault {
            times: u64::MAX,
            ..DiskFault::once(Operation::Read, 0, DiskError::Delay(Duration::from_secs(1)))
        };
        set_disk(DiskPlan {
            faults: vec![slow],
            ..DiskPlan::default()
        });
        let began = runtime::now();
        let mut next = offset(2);
        while next < end {
            next = log.read(next, limits).await.unwrap().end.unwrap();
        }
        let took = runtime::now().since(began);
        assert!(took < Duration::from_secs(1), "a read was made: {took:?}");
        set_disk(DiskPlan::default());
        node.close().await;
    });
}

/// What an operation of some files takes from now on: a second.
fn slow(operation: Operation, path_contains: &str) -> DiskPlan {
    let fault = DiskFault {
        path_contains: path_contains.to_owned(),
        times: u64::MAX,
        ..DiskFault::once(operation, 0, DiskError::Delay(Duration::from_secs(1)))
    };
    DiskPlan {
        faults: vec![fault],
        ..DiskPlan::default()
    }
}

/// A log of many segments, started again: nothing of its past is in memory.
async fn started_again(dir: &Path, segment_size: ByteCount, batches: u64) -> Node {
    let config = small_segments(segment_size);
    let open = || Node::open_with(dir, tiny_options(), 2, config);
    let node = open().await.unwrap();
    for seed in 0..batches {
        append_durably(&node.log(0), &batch(1, 1_000, seed)).await;
    }
    node.close().await;
    open().await.unwrap()
}

#[test]
fn a_log_that_is_removed_while_its_index_is_made_again_costs_nobody_else() {
    // Each read takes a second: before, while and after the segment is read for its index.
    for half_seconds in 1..8 {
        on_node(move |set_disk| async move {
            let dir = PathBuf::from("/disk");
            let node = started_again(&dir, ByteCount::kib(64), 200).await;
            let index = dir.join("data/logs").join(log_id(0).directory_name());
            let index = index.join("00000000000000000000.index");
            runtime::remove_file(&index).await.unwrap();
            set_disk(slow(Operation::Read, ".log"));
            let log = node.log(0);
            let reading = runtime::spawn(Queue::Latency, async move {
                let _it_may_be_gone = read_from(&log, offset(0), 1_000).await;
            });
            runtime::sleep(Duration::from_millis(500 * half_seconds)).await;
            node.store.remove_log(log_id(0).incarnation).await.unwrap();
            reading.await;
            set_disk(DiskPlan::default());
            append_durably(&node.log(1), &batch(1, 1_000, 0)).await;
            node.store.close().await.unwrap();
        });
    }
}

#[test]
fn a_segment_that_is_closed_while_the_past_is_read_is_known_whole() {
    // Each sync takes a second: the past is read before, while and after the segment is closed.
    for half_seconds in 1..8 {
        on_node(move |set_disk| async move {
            let dir = PathBuf::from("/disk");
            let node = started_again(&dir, ByteCount::kib(160), 100).await;
            let log = node.log(0);
            let newest = NOW.0 + 1_000;
            append_durably(&log, &batch_of(&[newest], 1_000, 1, None)).await;
            set_disk(slow(Operation::Sync, ".log"));
            let appending = runtime::spawn(Queue::Latency, {
                let log = Rc::clone(&log);
                async move {
                    for seed in 0..400 {
                        append_durably(&log, &batch(1, 1_000, seed)).await;
                    }
                }
            });
            runtime::sleep(Duration::from_millis(500 * half_seconds)).await;
            log.size().await.unwrap();
            appending.await;
            set_disk(DiskPlan::default());
            // The newest record is in the middle of the closed segment.
            let found = log.max_timestamp(log.positions().durable).await.unwrap();
            assert_eq!(found.map(|found| found.timestamp.0), Some(newest));
            node.close().await;
        });
    }
}

/// Stores of one shard share nothing: so a node can keep several directories, each with its own health.
#[test]
fn a_failed_directory_takes_no_other_with_it() {
    for (operation, place) in [
        (Operation::Write, "/bad/data/shard-0"),
        (Operation::Sync, "/bad/data/logs"),
    ] {
        on_node(move |set_disk| async move {
            let (good, bad) = (PathBuf::from("/good"), PathBuf::from("/bad"));
            let healthy = Node::open(&good, 1).await;
            let failing = Node::open(&bad, 1).await;
            let fault = DiskFault {
                path_contains: place.to_owned(),
                times: u64::MAX,
                ..DiskFault::once(operation, 1, DiskError::Io)
            };
            set_disk(DiskPlan {
                faults: vec![fault],
                ..DiskPlan::default()
            });
            let (_, why) = append_until_offline(&failing).await;
            assert_eq!(why, Offline::Failed);
            let log = healthy.log(0);
            for seed in 0..200 {
                append_durably(&log, &batch(1, 3_000, seed)).await;
            }
            assert!(healthy.store.metrics().offline.is_none());
            failing.kill();
            healthy.close().await;
            let healthy = Node::open(&good, 1).await;
            assert!(healthy.dir.was_clean_shutdown());
            assert_eq!(read_all(&healthy.log(0)).await.len(), 200);
            healthy.close().await;
        });
    }
}

#[test]
fn a_full_disk_refuses_appends_serves_reads_and_deletions_and_goes_on_by_itself() {
    on_node(|set_disk| async move {
        let dir = PathBuf::from("/disk");
        let config = small_segments(ByteCount::kib(128));
        let node = Node::open_with(&dir, tiny_options(), 1, config)
            .await
            .unwrap();
        let log = node.log(0);
        set_disk(DiskPlan {
            capacity: ByteCount::mib(3),
            ..DiskPlan::default()
        });
        let mut count = 0;
        let refused = loop {
            match append(&log, &batch(1, 8_000, count)).await {
                Ok(appended) => log.durable_to(appended.end).await.unwrap(),
                Err(error) => break error,
            }
            count += 1;
            assert!(count < 2_000, "the disk is smaller than that");
        };
        assert_eq!(refused, AppendError::Full);
        assert!(node.store.metrics().is_full);
        assert_eq!(u64::try_from(read_all(&log).await.len()).unwrap(), count);
        // Half of it is deleted: there is space again.
        let half = offset(i64::try_from(count / 2).unwrap());
        log.delete_prefix(half).await.unwrap();
        let resumed = async {
            while append(&log, &batch(1, 10, 0)).await.is_err() {
                runtime::sleep(Duration::from_millis(100)).await;
            }
        };
        runtime::timeout(Duration::from_mins(1), resumed)
            .await
            .unwrap();
        let all = read_all(&log).await;
        node.kill();
        let node = Node::open_with(&dir, tiny_options(), 1, config)
            .await
            .unwrap();
        let found = read_all(&node.log(0)).await;
        assert!(found.starts_with(&all[..all.len() - 1]));
    });
}

//! Epochs, truncation, deletion, retention and lookups by time, before and after a restart.

use std::time::Duration;

#[cfg(feature = "uring")]
use runtime::testing::on_uring;
use runtime::{Either, Queue, both_arms, race};
use storage::{Durability, EpochEnd, Log, LogConfig, ReadError};
use types::{ByteCount, Offset, TimestampMs};

use crate::support::*;

fn until() -> Offset {
    offset(i64::MAX)
}

both_arms!(
    an_epoch_ends_where_the_next_starts_also_after_a_kill,
    |dir| async move {
        let node = Node::open(&dir, 1).await;
        let log = node.log(0);
        append_durably(&log, &batch(3, 10, 1)).await;
        log.start_epoch(epoch(2)).await.unwrap();
        append_durably(&log, &batch(2, 10, 2)).await;
        log.start_epoch(epoch(5)).await.unwrap();
        let end = |e, o| {
            Some(EpochEnd {
                epoch: epoch(e),
                end: offset(o),
            })
        };
        assert_eq!(log.epoch_end(epoch(1)).await.unwrap(), end(0, 3));
        assert_eq!(log.epoch_end(epoch(2)).await.unwrap(), end(2, 5));
        node.kill();
        let node = Node::open(&dir, 1).await;
        let log = node.log(0);
        assert_eq!(log.latest_epoch(), epoch(5));
        assert_eq!(log.epoch_end(epoch(0)).await.unwrap(), end(0, 3));
        assert_eq!(log.epoch_end(epoch(4)).await.unwrap(), end(2, 5));
        assert_eq!(log.epoch_end(epoch(5)).await.unwrap(), end(5, 5));
        let stored = read_all(&log).await;
        assert_eq!(
            stored.iter().map(|batch| batch.epoch).collect::<Vec<_>>(),
            vec![0, 2]
        );
        node.close().await;
    }
);

both_arms!(
    a_log_is_cut_in_the_tail_and_in_its_segments,
    |dir| async move {
        let config = small_segments(ByteCount::kib(32));
        let node = Node::open_with(&dir, tiny_options(), 1, config)
            .await
            .unwrap();
        let log = node.log(0);
        for seed in 0..40 {
            append_durably(&log, &batch(2, 2_000, seed)).await;
        }
        // In the tail, through a batch: the whole batch goes.
        log.truncate(offset(77), epoch(1)).await.unwrap();
        assert_eq!(log.positions().end, offset(76));
        append_durably(&log, &batch(1, 10, 100)).await;
        // Far back, into a segment that was closed.
        log.truncate(offset(10), epoch(2)).await.unwrap();
        assert_eq!(log.positions().end, offset(10));
        assert_eq!(read_all(&log).await.len(), 5);
        append_durably(&log, &batch(1, 10, 101)).await;
        let before = read_all(&log).await;
        node.kill();
        let node = Node::open_with(&dir, tiny_options(), 1, config)
            .await
            .unwrap();
        let log = node.log(0);
        assert_eq!(read_all(&log).await, before);
        assert_eq!(
            log.epoch_end(epoch(1)).await.unwrap().unwrap().end,
            offset(10)
        );
        node.close().await;
    }
);

both_arms!(
    truncation_and_deletion_of_one_log_take_turns,
    |dir| async move {
        let node = Node::open(&dir, 1).await;
        let log = node.log(0);
        for seed in 0..20 {
            append_durably(&log, &batch(5, 100, seed)).await;
        }
        let other = node.log(0);
        let deletion = runtime::spawn(Queue::Latency, async move {
            other.delete_prefix(offset(88)).await.unwrap();
        });
        log.truncate(offset(60), epoch(1)).await.unwrap();
        deletion.await;
        let positions = log.positions();
        assert!(positions.start <= positions.end);
        append_durably(&log, &batch(1, 10, 1)).await;
        node.kill();
        let node = Node::open(&dir, 1).await;
        assert_eq!(node.log(0).positions().start, positions.start);
        node.close().await;
    }
);

both_arms!(a_deleted_prefix_stays_deleted, |dir| async move {
    let config = small_segments(ByteCount::kib(16));
    let node = Node::open_with(&dir, tiny_options(), 1, config)
        .await
        .unwrap();
    let log = node.log(0);
    for seed in 0..50 {
        append_durably(&log, &batch(2, 1_000, seed)).await;
    }
    let before = log.size().await.unwrap();
    assert_eq!(log.delete_prefix(offset(51)).await.unwrap(), offset(51));
    assert!(log.size().await.unwrap() < before);
    let below = read_from(&log, offset(50), 1000).await;
    assert!(matches!(below, Err(ReadError::OutOfRange { .. })));
    // The start lies inside a batch, which is returned whole.
    assert_eq!(
        read_from(&log, offset(51), 1000).await.unwrap()[0].first,
        offset(50)
    );
    assert_eq!(log.delete_prefix(offset(3)).await.unwrap(), offset(51));
    node.kill();
    let node = Node::open_with(&dir, tiny_options(), 1, config)
        .await
        .unwrap();
    let log = node.log(0);
    assert_eq!(log.positions().start, offset(51));
    assert_eq!(log.delete_prefix(until()).await.unwrap(), offset(100));
    assert_eq!(read_all(&log).await, vec![]);
    append_durably(&log, &batch(1, 10, 7)).await;
    assert_eq!(read_all(&log).await[0].first, offset(100));
    node.close().await;
});

both_arms!(retention_deletes_by_size_and_by_age, |dir| async move {
    let by_size = LogConfig {
        retention_size: Some(ByteCount::kib(40)),
        retention_age: None,
        ..small_segments(ByteCount::kib(16))
    };
    let node = Node::open_with(&dir, tiny_options(), 1, by_size)
        .await
        .unwrap();
    let log = node.log(0);
    for number in 0..60 {
        let bytes = batch_of(&[NOW.0 + number * 1_000], 2_000, 1, None);
        append_durably(&log, &bytes).await;
    }
    log.apply_retention(NOW).await.unwrap();
    let size = log.size().await.unwrap();
    assert!(
        (ByteCount::kib(40)..ByteCount::kib(60)).contains(&size),
        "{size}"
    );
    let by_age = LogConfig {
        retention_size: None,
        retention_age: Some(Duration::from_secs(100)),
        ..by_size
    };
    log.set_config(by_age);
    // Nothing is older than 100 s yet, then all of it is.
    let start = log.positions().start;
    log.apply_retention(TimestampMs(NOW.0 + 60_000))
        .await
        .unwrap();
    assert_eq!(log.positions().start, start);
    log.apply_retention(TimestampMs(NOW.0 + 1_000_000))
        .await
        .unwrap();
    assert_eq!(log.positions().start, offset(60));
    append_durably(&log, &batch(1, 10, 7)).await;
    node.kill();
    let node = Node::open_with(&dir, tiny_options(), 1, by_age)
        .await
        .unwrap();
    let all = read_all(&node.log(0)).await;
    assert_eq!(
        all.iter().map(|batch| batch.first).collect::<Vec<_>>(),
        vec![offset(60)]
    );
    node.close().await;
});

both_arms!(
    records_without_timestamps_go_with_those_behind_them,
    |dir| async move {
        let by_age = LogConfig {
            retention_age: Some(Duration::from_secs(100)),
            ..small_segments(ByteCount::kib(16))
        };
        let node = Node::open_with(&dir, tiny_options(), 1, by_age)
            .await
            .unwrap();
        let log = node.log(0);
        for number in 0..20 {
            append_durably(&log, &batch_of(&[-1], 2_000, number, None)).await;
        }
        let later = TimestampMs(NOW.0 + 1_000_000);
        log.apply_retention(later).await.unwrap();
        assert_eq!(log.positions().start, offset(0));
        for number in 0..20 {
            append_durably(&log, &batch_of(&[NOW.0], 2_000, number, None)).await;
        }
        log.apply_retention(NOW).await.unwrap();
        assert_eq!(log.positions().start, offset(0));
        log.apply_retention(later).await.unwrap();
        assert_eq!(log.positions().start, offset(40));
        node.close().await;
    }
);

both_arms!(a_time_finds_the_exact_record, |dir| async move {
    let config = small_segments(ByteCount::kib(24));
    let node = Node::open_with(&dir, tiny_options(), 1, config)
        .await
        .unwrap();
    let log = node.log(0);
    // Three records a batch, 10 ms apart; one late record in the middle.
    for number in 0..60_i64 {
        let base = 1_000 + number * 30;
        let late = if number == 30 { 90_000 } else { base + 20 };
        let bytes = batch_of(&[base, base + 10, late], 400, number.unsigned_abs(), None);
        append_durably(&log, &bytes).await;
    }
    for _life in 0..2 {
        let log = node.log(0);
        let find = |timestamp| {
            let log = log.clone();
            async move {
                let found = log
                    .offset_for_timestamp(TimestampMs(timestamp), until())
                    .await;
                found
                    .unwrap()
                    .map(|found| (found.timestamp.0, found.offset.get()))
            }
        };
        assert_eq!(find(0).await, Some((1_000, 0)));
        assert_eq!(find(1_011).await, Some((1_020, 2)));
        assert_eq!(find(1_030 + 300).await, Some((1_330, 33)));
        assert_eq!(find(2_780).await, Some((90_000, 92)));
        assert_eq!(find(90_001).await, None);
        let newest = log.max_timestamp(until()).await.unwrap().unwrap();
        assert_eq!((newest.timestamp.0, newest.offset.get()), (90_000, 92));
        let below = log
            .offset_for_timestamp(TimestampMs(1_020), offset(2))
            .await
            .unwrap();
        assert_eq!(below, None);
        for from in [0, 1, 2, 3, 91, 100, 179] {
            let offsets: Vec<_> = (from..from + 5).map(offset).collect();
            let found = log.timestamps_of(&offsets, until()).await.unwrap();
            let found = found.iter().map(|it| (it.timestamp.0, it.offset.get()));
            let rest_of_batch = from..from - from % 3 + 3;
            let time = |offset| {
                if offset == 92 {
                    90_000
                } else {
                    1_000 + 10 * offset
                }
            };
            assert!(found.eq(rest_of_batch.map(|it| (time(it), it))), "{from}");
        }
        let twice = [offset(3), offset(3), offset(4)];
        let below = log.timestamps_of(&twice, offset(4)).await.unwrap();
        assert_eq!(below.len(), 2);
        for (from, until) in [(offset(2), offset(2)), (offset(180), until())] {
            assert_eq!(log.timestamps_of(&[from], until).await.unwrap(), []);
        }
    }
    node.kill();
    let node = Node::open_with(&dir, tiny_options(), 1, config)
        .await
        .unwrap();
    let newest = node.log(0).max_timestamp(until()).await.unwrap().unwrap();
    assert_eq!(newest.offset, offset(92));
    node.close().await;
});

/// A batch at offset 0 that is small inside, one at 1 to 3 that is not, and a small one at 4.
async fn append_one_that_is_large_inside(log: &Log) {
    append_durably(log, &batch_of(&[1_000], 10, 1, None)).await;
    append_durably(log, &large_inside(&[2_000, 3_000, 2_500])).await;
    append_durably(log, &batch_of(&[1_500], 10, 2, None)).await;
}

async fn find(log: &Log, timestamp: i64) -> Option<i64> {
    let timestamp = TimestampMs(timestamp);
    let found = log.offset_for_timestamp(timestamp, until()).await;
    found.unwrap().map(|found| found.offset.get())
}

both_arms!(
    a_time_finds_the_exact_record_in_a_batch_that_is_large_inside,
    |dir| async move {
        let node = Node::open(&dir, 1).await;
        let log = node.log(0);
        append_one_that_is_large_inside(&log).await;
        assert_eq!(find(&log, 900).await, Some(0));
        // All of it is in memory: nothing else makes this wait.
        let looked = race(find(&log, 2_100), async {}).await;
        assert_eq!(looked, Either::Right(()));
        let found = (find(&log, 2_000).await, find(&log, 2_100).await);
        assert_eq!(found, (Some(1), Some(2)));
        node.close().await;
        let node = Node::open(&dir, 1).await;
        let log = node.log(0);
        let found = (find(&log, 2_000).await, find(&log, 2_100).await);
        assert_eq!(found, (Some(1), Some(2)));
        assert_eq!(find(&log, 3_001).await, None);
        let newest = log.max_timestamp(until()).await.unwrap().unwrap();
        assert_eq!((newest.timestamp.0, newest.offset), (3_000, offset(2)));
        let offsets: Vec<_> = (0..5).map(offset).collect();
        let mut times = Vec::new();
        while times.len() < offsets.len() {
            let found = log.timestamps_of(&offsets[times.len()..], until()).await;
            times.extend(found.unwrap().iter().map(|found| found.timestamp.0));
        }
        assert_eq!(times, [1_000, 2_000, 3_000, 2_500, 1_500]);
        node.close().await;
    }
);

#[cfg(feature = "uring")]
#[test]
fn whoever_looks_through_a_large_batch_of_a_segment_waits_for_the_turn_and_holds_up_nobody() {
    on_uring("turn", |dir| async move {
        let node = Node::open(&dir, 1).await;
        append_one_that_is_large_inside(&node.log(0)).await;
        node.close().await;
        let node = Node::open(&dir, 1).await;
        let log = node.log(0);
        let (done, doing) = std::sync::mpsc::channel();
        let turn = node.long_work.clone();
        let before = runtime::spawn(Queue::Latency, async move {
            turn.run(move || doing.recv()).await.unwrap();
        });
        let mut looking = Box::pin(find(&log, 2_100));
        let others = async {
            for _ in 0..10 {
                assert_eq!(find(&log, 1_000).await, Some(0));
            }
        };
        assert_eq!(race(&mut looking, others).await, Either::Right(()));
        done.send(()).unwrap();
        before.await;
        assert_eq!(looking.await, Some(2));
        node.close().await;
    });
}

both_arms!(
    a_log_of_durability_os_is_acknowledged_before_it_is_durable,
    |dir| async move {
        let config = LogConfig {
            durability: Durability::Os,
            ..config()
        };
        let node = Node::open_with(&dir, tiny_options(), 2, config)
            .await
            .unwrap();
        let log = node.log(0);
        for seed in 0..50 {
            let appended = append(&log, &batch(1, 500, seed)).await.unwrap();
            log.acknowledged_to(appended.end).await.unwrap();
            let positions = log.positions();
            assert!(positions.acknowledged >= appended.end && positions.durable <= appended.end);
        }
        // The sync follows by itself.
        log.durable_to(offset(50)).await.unwrap();
        node.kill();
        let node = Node::open_with(&dir, tiny_options(), 2, config)
            .await
            .unwrap();
        assert_eq!(read_all(&node.log(0)).await.len(), 50);
        node.close().await;
    }
);

both_arms!(
    a_removed_log_is_gone_and_its_successor_is_empty,
    |dir| async move {
        let node = Node::open(&dir, 2).await;
        let log = node.log(1);
        for seed in 0..30 {
            append_durably(&log, &batch(1, 10_000, seed)).await;
        }
        node.store.remove_log(log_id(1).incarnation).await.unwrap();
        let waiting = log.durable_to(offset(1_000)).await;
        assert_eq!(waiting, Err(storage::Offline::Removed));
        append_durably(&node.log(0), &batch(1, 10, 0)).await;
        node.kill();
        // The metadata knows the first log alone, and a later life of the second partition.
        let node = Node::open(&dir, 1).await;
        let mut later = log_id(1);
        later.incarnation = types::Incarnation(9);
        let log = node.store.create_log(later, config());
        append_durably(&log, &batch(1, 10, 1)).await;
        assert_eq!(read_all(&log).await[0].first, offset(0));
        assert_eq!(read_all(&node.log(0)).await.len(), 1);
        node.close().await;
    }
);

//! What is appended is read back: from the tail, from the segments, after a restart, after a kill.

use std::time::Duration;

use runtime::{Queue, TaskGroup, both_arms};
use storage::{FirstBatch, ReadError, ReadLimits, StoreOptions};
use types::{ByteCount, Offset};

use crate::support::*;

both_arms!(a_batch_is_read_back_from_the_tail, |dir| async move {
    let node = Node::open(&dir, 1).await;
    let log = node.log(0);
    let bytes = batch(3, 100, 1);
    let appended = append_durably(&log, &bytes).await;
    assert_eq!((appended.first, appended.end), (offset(0), offset(3)));
    let all = read_all(&log).await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].body, checked(&bytes).body());
    node.close().await;
});

both_arms!(what_was_acknowledged_survives_a_kill, |dir| async move {
    let node = Node::open(&dir, 3).await;
    let mut sent = Vec::new();
    for round in 0..60 {
        let bytes = batch(1 + round % 4, 10 + round * 7, round as u64);
        let appended = append_durably(&node.log(round as u64 % 3), &bytes).await;
        sent.push((round as u64 % 3, appended.first, bytes));
    }
    node.kill();
    let node = Node::open(&dir, 3).await;
    for number in 0..3 {
        let all = read_all(&node.log(number)).await;
        let expected: Vec<_> = sent.iter().filter(|(of, ..)| *of == number).collect();
        assert_eq!(all.len(), expected.len());
        for (found, (_, first, bytes)) in all.iter().zip(expected) {
            assert_eq!(found.first, *first);
            assert_eq!(found.body, checked(bytes).body());
        }
    }
    node.close().await;
});

both_arms!(a_ring_laps_and_segments_roll, |dir| async move {
    let config = small_segments(ByteCount::kib(200));
    let options = tiny_options();
    let node = Node::open_with(&dir, options, 4, config).await.unwrap();
    let mut sent: Vec<Vec<Vec<u8>>> = vec![Vec::new(); 4];
    for round in 0..600_usize {
        let number = round % 4;
        let bytes = batch(1, 100 + (round * 977) % 12_000, round as u64);
        let log = node.log(number as u64);
        let appended = append(&log, &bytes).await.unwrap();
        if round % 7 == 0 {
            log.durable_to(appended.end).await.unwrap();
        }
        sent[number].push(checked(&bytes).body().to_vec());
    }
    for (number, bodies) in sent.iter().enumerate() {
        let log = node.log(number as u64);
        log.durable_to(log.positions().end).await.unwrap();
        let all = read_all(&log).await;
        let found: Vec<_> = all.iter().map(|stored| stored.body.clone()).collect();
        assert!(found == *bodies);
    }
    let metrics = node.store.metrics();
    assert!(metrics.checkpoints > 3, "{metrics:?}");
    node.close().await;

    let node = Node::open_with(&dir, options, 4, config).await.unwrap();
    assert!(node.dir.was_clean_shutdown());
    for (number, bodies) in sent.iter().enumerate() {
        let log = node.log(number as u64);
        let middle = offset(i64::try_from(bodies.len() / 2).unwrap());
        let half = read_from(&log, middle, 10_000).await.unwrap();
        let found: Vec<_> = half.iter().map(|stored| stored.body.clone()).collect();
        assert!(found == bodies[bodies.len() / 2..]);
        let all = read_all(&log).await;
        assert_eq!(all.len(), bodies.len());
        let size: u64 = all.iter().map(|stored| stored.body.len() as u64 + 61).sum();
        assert_eq!(log.size().await.unwrap(), ByteCount(size));
    }
    node.kill();
});

both_arms!(reads_obey_their_limits, |dir| async move {
    let node = Node::open(&dir, 1).await;
    let log = node.log(0);
    for seed in 0..10 {
        append_durably(&log, &batch(2, 1000, seed)).await;
    }
    let read = |from: i64, size: u64, until: i64, first_batch| {
        let log = &log;
        let limits = ReadLimits {
            size_max: ByteCount(size),
            until: offset(until),
            first_batch,
        };
        async move { log.read(offset(from), limits).await }
    };
    let end = |result: &storage::ReadResult| result.end.map(Offset::get);
    // An offset inside a batch is answered with the whole batch.
    let result = read(3, 5000, 20, FirstBatch::Whole).await.unwrap();
    let first = stored(&bytes_of(result.chunks).await)[0].clone();
    assert_eq!(first.first, offset(2));
    let result = read(0, 10, 20, FirstBatch::Whole).await.unwrap();
    assert_eq!(end(&result), Some(2));
    let result = read(0, 10, 20, FirstBatch::WithinLimit).await.unwrap();
    assert_eq!((end(&result), result.chunks.len()), (None, 0));
    let result = read(0, 1_000_000, 6, FirstBatch::Whole).await.unwrap();
    assert_eq!(end(&result), Some(6));
    let result = read(6, 1_000_000, 6, FirstBatch::Whole).await.unwrap();
    assert_eq!(end(&result), None);
    let outside = read(21, 10, 20, FirstBatch::Whole).await;
    assert!(matches!(outside, Err(ReadError::OutOfRange { .. })));
    node.close().await;
});

both_arms!(
    appends_that_all_wait_for_memory_are_given_some,
    |dir| async move {
        let options = StoreOptions {
            tail_size_max: ByteCount::kib(64),
            ..tiny_options()
        };
        let node = Node::open_with(&dir, options, 24, config()).await.unwrap();
        let writers = TaskGroup::new();
        for number in 0..24 {
            let log = node.log(number);
            writers.spawn(Queue::Latency, async move {
                for seed in 0..20 {
                    append(&log, &batch(1, 9_000, seed)).await.unwrap();
                }
            });
        }
        let written = runtime::timeout(Duration::from_mins(1), Box::pin(writers.join_all()));
        written.await.unwrap();
        node.close().await;
    }
);

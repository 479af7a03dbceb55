//! Damage at rest: it is told, it is never served, and whatever else there is stays readable.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use record::Producer;
use runtime::both_arms;
use storage::{AppendError, FirstBatch, Log, ReadError, ReadLimits, ReadResult, Repeated};
use types::{ByteCount, ProducerEpoch, ProducerId, Sequence};

use crate::support::*;

fn only_segment(dir: &Path, number: u64) -> PathBuf {
    let log = dir.join("data/logs").join(log_id(number).directory_name());
    log.join("00000000000000000000.log")
}

async fn read(log: &Log, from: i64, until: i64) -> Result<ReadResult, ReadError> {
    let limits = ReadLimits {
        size_max: ByteCount::mib(1),
        until: offset(until),
        first_batch: FirstBatch::Whole,
    };
    log.read(offset(from), limits).await
}

both_arms!(
    damage_at_rest_is_not_served_and_the_rest_is,
    |dir| async move {
        let node = Node::open(&dir, 1).await;
        let log = node.log(0);
        for seed in 0..60 {
            append_durably(&log, &batch(1, 4_000, seed)).await;
        }
        node.close().await;
        flip(&only_segment(&dir, 0), 100_000).await;

        let node = Node::open(&dir, 1).await;
        let log = node.log(0);
        // The batch with the bad byte is the 25th.
        let before = read_from(&log, offset(0), 50_000).await;
        assert!(
            matches!(before, Err(ReadError::Corrupt { .. })),
            "{before:?}"
        );
        let limits = ReadLimits {
            size_max: ByteCount::mib(1),
            until: offset(60),
            first_batch: FirstBatch::Whole,
        };
        let whole = log.read(offset(0), limits).await.unwrap();
        assert_eq!(whole.end, Some(offset(24)));
        let at = log.read(offset(24), limits).await;
        assert!(matches!(at, Err(ReadError::Corrupt { .. })), "{at:?}");
        assert_eq!(log.positions().end, offset(60), "nothing is cut away");
        let behind = read_from(&log, offset(40), 50_000).await.unwrap();
        assert_eq!(behind.len(), 20);
        append_durably(&log, &batch(1, 10, 99)).await;
        node.close().await;
    }
);

both_arms!(
    damage_before_the_snapshot_is_not_served_and_the_rest_is,
    |dir| async move {
        let config = || small_segments(ByteCount::mib(1));
        let node = Node::open_with(&dir, tiny_options(), 1, config())
            .await
            .unwrap();
        // More than lies between two snapshots: what is older is not read at the next load.
        for seed in 0..120 {
            append_durably(&node.log(0), &batch(1, 100_000, seed)).await;
        }
        node.close().await;
        // In the fifth batch of the first of many segments.
        flip(&only_segment(&dir, 0), 450_000).await;

        let node = Node::open_with(&dir, tiny_options(), 1, config())
            .await
            .unwrap();
        let log = node.log(0);
        let limits = ReadLimits {
            size_max: ByteCount::mib(1),
            until: offset(120),
            first_batch: FirstBatch::Whole,
        };
        let whole = log.read(offset(0), limits).await.unwrap();
        assert_eq!(whole.end, Some(offset(4)));
        let at = log.read(offset(4), limits).await;
        assert!(matches!(at, Err(ReadError::Corrupt { .. })), "{at:?}");
        let behind = read_from(&log, offset(20), 50_000).await.unwrap();
        assert_eq!(behind.len(), 100);
        node.close().await;
    }
);

/// A batch of one record with about 1,000 bytes: the index has a place for every fifth.
fn numbered(sequence: i32) -> Bytes {
    let producer = Producer {
        id: ProducerId(77),
        epoch: ProducerEpoch(0),
        base_sequence: Sequence::new(sequence).expect("sequences are not negative"),
    };
    let seed = u64::try_from(sequence).expect("sequences are not negative");
    batch_of(&[NOW.0], 920, seed, Some(producer))
}

fn eighth() -> Bytes {
    numbered(7)
}

async fn send(log: &Log, sequence: i32) -> Result<Repeated, AppendError> {
    let appended = append(log, &numbered(sequence)).await?;
    log.durable_to(appended.end).await?;
    Ok(appended.repeated)
}

/// Twelve batches in a segment without a snapshot: all of them are read again at the next load.
async fn twelve(dir: &Path) {
    let node = Node::open(dir, 1).await;
    for sequence in 0..12 {
        assert_eq!(send(&node.log(0), sequence).await, Ok(Repeated::No));
    }
    node.kill();
    // This start puts them into the segment.
    Node::open(dir, 1).await.kill();
}

both_arms!(
    damage_behind_the_snapshot_is_not_served_and_the_rest_is,
    |dir| async move {
        twelve(&dir).await;
        // In the value of the eighth.
        flip(&only_segment(&dir, 0), 7 * ByteCount::of(&eighth()).0 + 500).await;
        for _ in 0..2 {
            let node = Node::open(&dir, 1).await;
            let log = node.log(0);
            // Twice: the second time the log knows where reads of it stopped.
            for _ in 0..2 {
                let at = read(&log, 7, 12).await.map(|read| read.end);
                assert!(matches!(at, Err(ReadError::Corrupt { .. })), "{at:?}");
                assert_eq!(read(&log, 0, 12).await.unwrap().end, Some(offset(7)));
            }
            let small = ReadLimits {
                size_max: ByteCount(1_500),
                until: offset(12),
                first_batch: FirstBatch::Whole,
            };
            let before = log.read(offset(6), small).await.unwrap();
            assert_eq!(before.end, Some(offset(7)));
            for from in 8..12 {
                let behind = read_from(&log, offset(from), 50_000).await.unwrap();
                assert_eq!(behind.len(), usize::try_from(12 - from).unwrap());
            }
            // Neither are repeats taken for new, nor is anything written for nothing.
            assert_eq!(send(&log, 11).await, Ok(Repeated::Yes));
            assert_eq!(log.positions().end, offset(12));
            node.kill();
        }
        let node = Node::open(&dir, 1).await;
        let log = node.log(0);
        assert_eq!(send(&log, 12).await, Ok(Repeated::No));
        // Who deletes what is before it has a log without damage again.
        assert_eq!(log.delete_prefix(offset(8)).await.unwrap(), offset(8));
        assert_eq!(read_all(&log).await.len(), 5);
        node.close().await;
    }
);

both_arms!(
    damage_that_hides_its_own_end_is_not_passed,
    |dir| async move {
        twelve(&dir).await;
        let segment = only_segment(&dir, 0);
        let size = ByteCount::of(&eighth()).0;
        // The length in the eighth's header: what stands behind it may be anything, a batch within a
        // value for instance.
        flip(&segment, 7 * size + 10).await;
        let node = Node::open(&dir, 1).await;
        let log = node.log(0);
        for from in [0, 7, 9] {
            let read = read(&log, from, 12).await.map(|read| read.end);
            assert!(matches!(read, Err(ReadError::Corrupt { .. })), "{read:?}");
        }
        // What is acknowledged to others is kept, whoever is refused between.
        let plain = [batch(1, 900, 50), batch(1, 900, 51)];
        append_durably(&log, &plain[0]).await;
        assert!(send(&log, 12).await.is_err(), "its producers are not known");
        append_durably(&log, &plain[1]).await;
        assert_eq!(log.positions().end, offset(14));
        node.close().await;
        let bytes = runtime::read_file(&segment, ByteCount::mib(1)).await;
        let bytes = bytes.unwrap();
        for batch in plain {
            // The log sets what stands before: base offset, length, leader epoch.
            let kept = &batch[16..];
            assert!(bytes.windows(kept.len()).any(|window| window == kept));
        }
    }
);

//! What is written behind the batches, so that a load reads little: the index and the snapshots.

use std::path::{Path, PathBuf};
use std::time::Duration;

use record::Producer;
use runtime::both_arms;
use storage::StoreOptions;
use types::{ByteCount, ProducerEpoch, ProducerId, Sequence};

use crate::support::*;

/// The one log's directory.
async fn log_directory(dir: &Path) -> PathBuf {
    let logs = dir.join("data").join("logs");
    let listed = runtime::list_dir(&logs).await.expect("the log is there");
    logs.join(&listed.first().expect("there is one log").name)
}

/// Waits until a file has at least so many bytes.
async fn grown(path: &Path, size_min: usize) {
    let has_grown = async {
        loop {
            let read = runtime::read_file(path, ByteCount::mib(1)).await;
            if read.is_ok_and(|bytes| bytes.len() >= size_min) {
                return;
            }
            runtime::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = runtime::timeout(Duration::from_secs(20), has_grown).await;
    assert!(waited.is_ok(), "{} stays small", path.display());
}

both_arms!(
    large_batches_are_in_the_index_and_in_a_snapshot_every_8_mib,
    |dir| async move {
        let node = Node::open_with(&dir, StoreOptions::default(), 1, config())
            .await
            .unwrap();
        let log = node.log(0);
        // 20 MiB in as many batches: no block of entries.
        for number in 0..20 {
            let producer = Producer {
                id: ProducerId(77),
                epoch: ProducerEpoch(0),
                base_sequence: Sequence::new(number).unwrap(),
            };
            append_durably(&log, &batch_of(&[NOW.0], 1024 * 1024, 1, Some(producer))).await;
        }
        let directory = log_directory(&dir).await;
        // A header and eight entries of 32 bytes at least, and zeros up to a block.
        grown(&directory.join("00000000000000000000.index"), 4096).await;
        grown(&directory.join("snapshot-1"), 1).await;
        node.close().await;
    }
);

both_arms!(
    the_index_of_a_log_that_is_not_busy_is_written_after_32_entries,
    |dir| async move {
        let node = Node::open_with(&dir, StoreOptions::default(), 1, config())
            .await
            .unwrap();
        let log = node.log(0);
        // A second at least since the index was written, which it never was.
        runtime::sleep(Duration::from_millis(1100)).await;
        // Enough to be written out: 70 entries, less than a block and much less than 8 MiB.
        for seed in 0..70 {
            append_durably(&log, &batch(1, 16 * 1024, seed)).await;
        }
        let directory = log_directory(&dir).await;
        grown(&directory.join("00000000000000000000.index"), 4096).await;
        node.close().await;
    }
);

//! What a shard's store counts, as plain numbers.

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Duration;

use types::Latencies;

/// The counters of one shard's store since its start.
#[derive(Clone, Debug, Default)]
pub struct StoreMetrics {
    /// The data directory that the store is in.
    pub directory: PathBuf,
    /// Journal rounds: writes of one chunk each.
    pub rounds: u64,
    /// Journal syncs.
    pub syncs: u64,
    /// Bytes written to the journal, padding included.
    pub journal_written_bytes: u64,
    /// Payload bytes among them.
    pub journal_payload_bytes: u64,
    /// Time of a round's write and sync.
    pub sync_latencies: Latencies,
    /// The size of all journal files, in bytes.
    pub journal_size_bytes: u64,
    /// Bytes of journal files whose frames are not yet checkpointed.
    pub journal_live_bytes: u64,
    /// Rounds that waited for a free journal file: the ring is too small or the disk too slow.
    pub journal_stalls: u64,
    /// Journal files that were checkpointed.
    pub checkpoints: u64,
    /// The longest checkpoint, in microseconds.
    pub checkpoint_us_max: u64,
    /// Bytes written to segments.
    pub segment_written_bytes: u64,
    /// Bytes of batches in memory.
    pub tail_bytes: u64,
    /// Open segment files.
    pub open_files: u64,
    /// Idempotent producers that the logs remember.
    pub producers: u64,
    /// Logs of the shard.
    pub logs: u64,
    /// Whether the disk was found full and appends are refused.
    pub is_full: bool,
    /// Why the store is offline, if it is.
    pub offline: Option<String>,
}

/// Counters in the making.
#[derive(Debug, Default)]
pub(crate) struct Counters(RefCell<StoreMetrics>);

impl Counters {
    /// Changes the counters.
    pub(crate) fn count(&self, change: impl FnOnce(&mut StoreMetrics)) {
        change(&mut self.0.borrow_mut());
    }

    /// Counts one round's sync.
    pub(crate) fn count_sync(&self, took: Duration) {
        self.count(|counters| {
            counters.syncs += 1;
            counters.sync_latencies.record(took);
        });
    }

    /// Returns a copy.
    pub(crate) fn read(&self) -> StoreMetrics {
        self.0.borrow().clone()
    }
}

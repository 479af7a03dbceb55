//! What can be chosen: per log ([`LogConfig`]) and per shard ([`StoreOptions`]).

use std::time::Duration;

use record::TimestampType;
use types::ByteCount;

/// What an acknowledgement of a log promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The bytes are synced: appends of all logs of a shard share one sync per round.
    #[default]
    Group,
    /// The bytes are written; the sync follows within 50 ms or 1 MiB.
    Os,
}

/// The settings of one log; may change while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// A segment is closed before it grows beyond this size.
    pub segment_size_max: ByteCount,
    /// A segment is closed when its first batch is older than this.
    pub segment_age_max: Duration,
    /// Old segments are deleted while the log without them is at least this large.
    pub retention_size: Option<ByteCount>,
    /// Segments whose newest record is older than this are deleted.
    pub retention_age: Option<Duration>,
    /// One index entry per so many bytes of log.
    pub index_interval: ByteCount,
    /// Whose clock the timestamps are.
    pub timestamp_type: TimestampType,
    /// What an acknowledgement promises.
    pub durability: Durability,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            segment_size_max: ByteCount::mib(1024),
            segment_age_max: Duration::from_hours(7 * 24),
            retention_size: None,
            retention_age: Some(Duration::from_hours(7 * 24)),
            index_interval: ByteCount::kib(4),
            timestamp_type: TimestampType::CreateTime,
            durability: Durability::Group,
        }
    }
}

/// The bounds of one shard's store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// The size of the first journal files; later ones double up to `journal_file_size_max`.
    pub journal_file_size: ByteCount,
    /// The size of the largest journal file.
    pub journal_file_size_max: ByteCount,
    /// What all journal files of the shard may take: bounds what a restart must replay.
    pub journal_size_max: ByteCount,
    /// What the batches not yet in their segments may take in memory.
    pub tail_size_max: ByteCount,
    /// How many segment files may be open at a time.
    pub open_files_max: usize,
    /// What loaded indexes of segments may take in memory.
    pub index_cache_size_max: ByteCount,
    /// Space kept back on the disk, for what was accepted to be written out when the disk is full.
    pub reserve_size: ByteCount,
    /// An idempotent producer that was silent for so long is forgotten.
    pub producer_expiry: Duration,
    /// How many idempotent producers the logs remember together; one that is remembered by several
    /// logs counts for each.
    pub producers_max: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            journal_file_size: ByteCount::mib(4),
            journal_file_size_max: ByteCount::mib(16),
            journal_size_max: ByteCount::mib(64),
            tail_size_max: ByteCount::mib(32),
            open_files_max: 1_024,
            index_cache_size_max: ByteCount::mib(8),
            reserve_size: ByteCount::mib(16),
            producer_expiry: Duration::from_hours(24),
            producers_max: 200_000,
        }
    }
}

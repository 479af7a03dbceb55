//! What one shard reports.

use std::collections::BTreeMap;

use controller::quota::QuotaKind;
use storage::StoreMetrics;
use types::{Latencies, Offset, PartitionIndex, ShardId, TopicId};

/// What one shard counted since it started, and where its partitions stand.
#[derive(Clone, Debug)]
pub struct ShardReport {
    /// Which shard.
    pub shard: ShardId,
    /// Whether it serves its partitions.
    pub ready: bool,
    /// Its connections.
    pub server: server::Metrics,
    /// Its stores, once they are open, in the order of the data directories.
    pub stores: Vec<StoreMetrics>,
    /// Its fetch sessions.
    pub fetch_sessions: usize,
    /// How long clients with quotas were told to wait.
    pub quota_waits: BTreeMap<QuotaKind, Latencies>,
    /// How often it stopped turning.
    pub stalls: runtime::Stalls,
    /// Its partitions in service.
    pub partitions: Vec<PartitionReport>,
}

/// Where one partition stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionReport {
    /// The topic's name.
    pub topic: String,
    /// The topic.
    pub topic_id: TopicId,
    /// The partition.
    pub partition: PartitionIndex,
    /// The first offset.
    pub start: Offset,
    /// Below it consumers may read.
    pub high_watermark: Offset,
    /// The offset of the next record.
    pub end: Offset,
}

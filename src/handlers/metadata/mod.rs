//! What clients ask to find their way: versions, brokers, topics, partitions, the quorum.
//!
//! Answered from what this shard knows; only a topic created by asking for it goes further.

mod cluster;
mod partitions;
mod told;
mod topics;

pub(super) use cluster::{Address, api_versions, describe_cluster, describe_quorum, own_address};
pub(super) use partitions::describe_topic_partitions;
pub(super) use topics::metadata;

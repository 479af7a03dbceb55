//! OffsetCommit (8): how far a group has read.
//!
//! *Source*: KIP-211 (no retention time since version 5), KIP-345, KIP-848.

use types::ids::TopicId;

use crate::schema::{call, message};

call!(OffsetCommit);

/// The generation of a client that commits without being a member of a group.
pub const GENERATION_NONE: i32 = -1;

/// The retention time that leaves it to the broker's configuration.
pub const RETENTION_DEFAULT: i64 = -1;

message! {
    /// Orders offsets to be kept.
    pub struct Request {
        /// The group.
        pub group_id: String [0+],
        /// The generation that the member is of, or [`GENERATION_NONE`].
        pub generation_id_or_member_epoch: i32 [1+ ignorable] default (-1),
        /// The member; empty for a client that is none.
        pub member_id: String [1+ ignorable],
        /// The static member's own name; null for a dynamic one.
        pub group_instance_id: Option<String> [7+] null [7+],
        /// How long to keep the offsets, in milliseconds, or [`RETENTION_DEFAULT`].
        pub retention_time_ms: i64 [2-4 ignorable] default (-1),
        /// The topics.
        pub topics: Vec<Topic> [0+],
    }
}

message! {
    /// A topic of which offsets are to be kept.
    pub struct Topic {
        /// Its name.
        pub name: String [0-9 ignorable],
        /// Its id.
        pub topic_id: TopicId [10+ ignorable] default (TopicId::ZERO),
        /// Its partitions.
        pub partitions: Vec<Partition> [0+],
    }
}

message! {
    /// A partition of which the offset is to be kept.
    pub struct Partition {
        /// Its number.
        pub partition_index: i32 [0+],
        /// The offset of the next record that the group is to read.
        pub committed_offset: i64 [0+],
        /// The leader epoch of the last record that was read; -1 if unknown.
        pub committed_leader_epoch: i32 [6+ ignorable] default (-1),
        /// What the client wants to find beside the offset; null is kept as empty.
        pub committed_metadata: Option<String> [0+] null [0+],
    }
}

message! {
    /// Tells which offsets are kept.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [3+ ignorable],
        /// The topics, in the order of the request.
        pub topics: Vec<TopicResult> [0+],
    }
}

message! {
    /// What became of one topic.
    pub struct TopicResult {
        /// Its name.
        pub name: String [0-9 ignorable],
        /// Its id.
        pub topic_id: TopicId [10+ ignorable] default (TopicId::ZERO),
        /// Its partitions.
        pub partitions: Vec<PartitionResult> [0+],
    }
}

message! {
    /// What became of one partition.
    pub struct PartitionResult {
        /// Its number.
        pub partition_index: i32 [0+],
        /// 0, or why nothing was kept: 3 or 100 for a topic that nobody knows, 12 for too much
        /// metadata, 14 or 16 for a coordinator that is not ready or elsewhere, 22, 25 or 82 for
        /// a member that is none, 69 for a group that nobody knows (version 9 and up).
        pub error_code: i16 [0+],
    }
}

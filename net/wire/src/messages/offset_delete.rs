//! OffsetDelete (47): forgets offsets of a group.
//!
//! *Source*: KIP-496.

use crate::schema::{call, message};

call!(OffsetDelete);

message! {
    /// Orders offsets to be forgotten.
    pub struct Request {
        /// The group.
        pub group_id: String [0+],
        /// The topics.
        pub topics: Vec<Topic> [0+],
    }
}

message! {
    /// A topic of which offsets are to be forgotten.
    pub struct Topic {
        /// Its name.
        pub name: String [0+],
        /// Its partitions.
        pub partitions: Vec<Partition> [0+],
    }
}

message! {
    /// A partition of which the offset is to be forgotten.
    pub struct Partition {
        /// Its number.
        pub partition_index: i32 [0+],
    }
}

message! {
    /// Tells which offsets are forgotten.
    pub struct Response {
        /// 0, or why none is: 14, 15 or 16 for a coordinator that is not ready, unknown or
        /// elsewhere, 24 for a group id that is none, 68 for a group with members that are no
        /// consumers, 69 for a group that nobody knows.
        pub error_code: i16 [0+],
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+ ignorable],
        /// The topics.
        pub topics: Vec<TopicResult> [0+],
    }
}

message! {
    /// What became of one topic.
    pub struct TopicResult {
        /// Its name.
        pub name: String [0+],
        /// Its partitions.
        pub partitions: Vec<PartitionResult> [0+],
    }
}

message! {
    /// What became of one partition.
    pub struct PartitionResult {
        /// Its number.
        pub partition_index: i32 [0+],
        /// 0, or why its offset stays: 3 for a partition that nobody knows, 86 for a topic that
        /// members of the group read.
        pub error_code: i16 [0+],
    }
}

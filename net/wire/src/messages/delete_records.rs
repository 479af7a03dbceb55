//! DeleteRecords (21): moves the log start of partitions forward.

use crate::schema::{call, message};

call!(DeleteRecords);

/// Asks to delete everything below the high watermark.
pub const UP_TO_HIGH_WATERMARK: i64 = -1;

message! {
    /// Orders records to be deleted.
    pub struct Request {
        /// The topics.
        pub topics: Vec<Topic> [0+],
        /// How long the broker may take, in milliseconds.
        pub timeout_ms: i32 [0+],
    }
}

message! {
    /// A topic of which records are to be deleted.
    pub struct Topic {
        /// Its name.
        pub name: String [0+],
        /// Its partitions.
        pub partitions: Vec<Partition> [0+],
    }
}

message! {
    /// A partition of which records are to be deleted.
    pub struct Partition {
        /// Its number.
        pub partition_index: i32 [0+],
        /// The first offset to be kept, or [`UP_TO_HIGH_WATERMARK`].
        pub offset: i64 [0+],
    }
}

message! {
    /// Tells where the logs start now.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// The topics, in the order of the request.
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
        /// Where its log starts now; -1 with an error.
        pub low_watermark: i64 [0+],
        /// Why nothing was deleted, or 0.
        pub error_code: i16 [0+],
    }
}

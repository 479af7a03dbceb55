//! ListPartitionReassignments (46): the partitions that are on their way to other brokers.
//!
//! *Source*: KIP-455.

use crate::schema::{call, message};

call!(ListPartitionReassignments);

message! {
    /// Asks for moves.
    pub struct Request {
        /// How long the broker may take, in milliseconds.
        pub timeout_ms: i32 [0+] default (60_000),
        /// The topics; null for every move that there is.
        pub topics: Option<Vec<Topic>> [0+] null [0+],
    }
}

message! {
    /// A topic asked for.
    pub struct Topic {
        /// Its name.
        pub name: String [0+],
        /// Its partitions.
        pub partition_indexes: Vec<i32> [0+],
    }
}

message! {
    /// Tells moves.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// Why there is no answer, or 0.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [0+] null [0+],
        /// The topics of which partitions are being moved.
        pub topics: Vec<TopicResult> [0+],
    }
}

message! {
    /// A topic of which partitions are being moved.
    pub struct TopicResult {
        /// Its name.
        pub name: String [0+],
        /// The partitions.
        pub partitions: Vec<PartitionResult> [0+],
    }
}

message! {
    /// A partition that is being moved.
    pub struct PartitionResult {
        /// Its number.
        pub partition_index: i32 [0+],
        /// The nodes that hold it now.
        pub replicas: Vec<i32> [0+],
        /// Those of them that it goes to.
        pub adding_replicas: Vec<i32> [0+],
        /// Those of them that it leaves.
        pub removing_replicas: Vec<i32> [0+],
    }
}

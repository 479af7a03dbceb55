//! AlterPartitionReassignments (45): moves partitions to other brokers, or calls the move off.
//!
//! *Source*: KIP-455, KIP-860 (keeping the replication factor).

use crate::schema::{call, message};

call!(AlterPartitionReassignments);

message! {
    /// Orders partitions to be moved.
    pub struct Request {
        /// How long the broker may take, in milliseconds.
        pub timeout_ms: i32 [0+] default (60_000),
        /// Whether a partition may come out of it with more or fewer replicas.
        pub allow_replication_factor_change: bool [1+] default (true),
        /// The topics.
        pub topics: Vec<Topic> [0+],
    }
}

message! {
    /// A topic to be moved.
    pub struct Topic {
        /// Its name.
        pub name: String [0+],
        /// Its partitions.
        pub partitions: Vec<Partition> [0+],
    }
}

message! {
    /// A partition to be moved.
    pub struct Partition {
        /// Its number.
        pub partition_index: i32 [0+],
        /// The nodes that it goes to, the preferred leader first; null to call its move off.
        pub replicas: Option<Vec<i32>> [0+] null [0+],
    }
}

message! {
    /// Tells which partitions are being moved.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// Whether a partition might have come out with more or fewer replicas.
        pub allow_replication_factor_change: bool [1+ ignorable] default (true),
        /// Why nothing is being moved at all, or 0.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [0+] null [0+],
        /// The topics.
        pub responses: Vec<TopicResult> [0+],
    }
}

message! {
    /// What becomes of one topic.
    pub struct TopicResult {
        /// Its name.
        pub name: String [0+],
        /// Its partitions.
        pub partitions: Vec<PartitionResult> [0+],
    }
}

message! {
    /// What becomes of one partition.
    pub struct PartitionResult {
        /// Its number.
        pub partition_index: i32 [0+],
        /// 0, or why it stays: 3 for a partition that nobody knows, 38 for another number of
        /// replicas, 39 for nodes that cannot hold it, 85 if there is no move to call off.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [0+] null [0+],
    }
}

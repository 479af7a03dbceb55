//! DescribeProducers (61): the producers that partitions remember.
//!
//! *Source*: KIP-664.

use crate::schema::{call, message};

call!(DescribeProducers);

message! {
    /// Asks for producers.
    pub struct Request {
        /// The topics.
        pub topics: Vec<Topic> [0+],
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
    /// Tells producers.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// The topics, in the order of the request.
        pub topics: Vec<TopicResult> [0+],
    }
}

message! {
    /// A topic answered.
    pub struct TopicResult {
        /// Its name.
        pub name: String [0+],
        /// Its partitions.
        pub partitions: Vec<PartitionResult> [0+],
    }
}

message! {
    /// A partition answered.
    pub struct PartitionResult {
        /// Its number.
        pub partition_index: i32 [0+],
        /// Why there is no answer, or 0.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [0+] null [0+],
        /// The producers.
        pub active_producers: Vec<Producer> [0+],
    }
}

message! {
    /// What a partition remembers of a producer.
    pub struct Producer {
        /// Its id.
        pub producer_id: i64 [0+],
        /// Its epoch.
        pub producer_epoch: i32 [0+],
        /// The sequence of its last record; -1 if none.
        pub last_sequence: i32 [0+] default (-1),
        /// The time of its last batch, in milliseconds since 1970; -1 if none.
        pub last_timestamp: i64 [0+] default (-1),
        /// The epoch of the coordinator of its last transaction; -1 if none.
        pub coordinator_epoch: i32 [0+],
        /// Where its open transaction starts; -1 if it has none.
        pub current_txn_start_offset: i64 [0+] default (-1),
    }
}

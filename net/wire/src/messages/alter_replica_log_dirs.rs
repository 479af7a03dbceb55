//! AlterReplicaLogDirs (34): moves logs to another directory of the same broker.
//!
//! *Source*: KIP-113.

use crate::schema::{call, message};

call!(AlterReplicaLogDirs);

message! {
    /// Orders logs to be moved.
    pub struct Request {
        /// The directories that they go to.
        pub dirs: Vec<LogDir> [0+],
    }
}

message! {
    /// A directory, and what goes there.
    pub struct LogDir {
        /// Its absolute path.
        pub path: String [0+],
        /// The topics.
        pub topics: Vec<Topic> [0+],
    }
}

message! {
    /// A topic of which logs go to a directory.
    pub struct Topic {
        /// Its name.
        pub name: String [0+],
        /// Its partitions.
        pub partitions: Vec<i32> [0+],
    }
}

message! {
    /// Tells which logs are being moved.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// The topics.
        pub results: Vec<TopicResult> [0+],
    }
}

message! {
    /// What becomes of one topic.
    pub struct TopicResult {
        /// Its name.
        pub topic_name: String [0+],
        /// Its partitions.
        pub partitions: Vec<PartitionResult> [0+],
    }
}

message! {
    /// What becomes of one log.
    pub struct PartitionResult {
        /// The partition's number.
        pub partition_index: i32 [0+],
        /// 0, or why it stays: 3 for a partition that nobody knows, 56 for a directory that is out
        /// of use, 57 for one that the broker does not have.
        pub error_code: i16 [0+],
    }
}

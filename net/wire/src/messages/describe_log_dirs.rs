//! DescribeLogDirs (35): the directories of a broker, and the size of each log in them.

use crate::schema::{call, message};

call!(DescribeLogDirs);

message! {
    /// Asks for directories.
    pub struct Request {
        /// The topics to be told of; null for all of them.
        pub topics: Option<Vec<Topic>> [0+] null [0+],
    }
}

message! {
    /// A topic asked for.
    pub struct Topic {
        /// Its name.
        pub topic: String [0+],
        /// Its partitions.
        pub partitions: Vec<i32> [0+],
    }
}

message! {
    /// Tells directories.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// Why there is no answer at all, or 0.
        pub error_code: i16 [3+ ignorable],
        /// The directories.
        pub results: Vec<LogDir> [0+],
    }
}

message! {
    /// A directory.
    pub struct LogDir {
        /// Why it is out of use, or 0.
        pub error_code: i16 [0+],
        /// Its absolute path.
        pub log_dir: String [0+],
        /// The topics in it.
        pub topics: Vec<TopicResult> [0+],
        /// The size of its volume, in bytes; -1 if unknown.
        pub total_bytes: i64 [4+ ignorable] default (-1),
        /// What is free of it, in bytes; -1 if unknown.
        pub usable_bytes: i64 [4+ ignorable] default (-1),
        /// Whether it takes no new partitions.
        pub is_cordoned: bool [5+ ignorable] default (false),
    }
}

message! {
    /// A topic in a directory.
    pub struct TopicResult {
        /// Its name.
        pub name: String [0+],
        /// Its partitions.
        pub partitions: Vec<PartitionResult> [0+],
    }
}

message! {
    /// A log in a directory.
    pub struct PartitionResult {
        /// The partition's number.
        pub partition_index: i32 [0+],
        /// The size of its segments, in bytes.
        pub partition_size: i64 [0+],
        /// How many offsets it is behind: the high watermark, or the log it is to replace.
        pub offset_lag: i64 [0+],
        /// Whether it is being copied here to replace a log elsewhere.
        pub is_future_key: bool [0+],
    }
}

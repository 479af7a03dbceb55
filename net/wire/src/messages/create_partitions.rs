//! CreatePartitions (37): adds partitions to topics.

use crate::schema::{call, message};

call!(CreatePartitions);

message! {
    /// Orders partitions.
    pub struct Request {
        /// The topics.
        pub topics: Vec<Topic> [0+],
        /// How long the broker may take, in milliseconds.
        pub timeout_ms: i32 [0+],
        /// Whether only to check, and create nothing.
        pub validate_only: bool [0+],
    }
}

message! {
    /// A topic to be widened.
    pub struct Topic {
        /// Its name.
        pub name: String [0+],
        /// How many partitions it shall have in all.
        pub count: i32 [0+],
        /// Where each new partition goes; null to let the broker choose.
        pub assignments: Option<Vec<Assignment>> [0+] null [0+],
    }
}

message! {
    /// Where one new partition goes.
    pub struct Assignment {
        /// The nodes, the preferred leader first.
        pub broker_ids: Vec<i32> [0+],
    }
}

message! {
    /// Tells what was created.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// The topics, in the order of the request.
        pub results: Vec<TopicResult> [0+],
    }
}

message! {
    /// What became of one topic.
    pub struct TopicResult {
        /// Its name.
        pub name: String [0+],
        /// Why nothing was created, or 0.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [0+] null [0+],
    }
}

//! ElectLeaders (43): chooses leaders anew.
//!
//! *Source*: KIP-183, KIP-460 (unclean elections).

use crate::schema::{call, message};

call!(ElectLeaders);

/// The first replica of the list is to lead, if it is in sync.
pub const ELECTION_PREFERRED: i8 = 0;
/// Any replica may lead, though records are lost, if the partition has no leader.
pub const ELECTION_UNCLEAN: i8 = 1;

message! {
    /// Orders elections.
    pub struct Request {
        /// Who may lead: one of the `ELECTION_` constants.
        pub election_type: i8 [1+],
        /// The topics; null for every partition that there is.
        pub topic_partitions: Option<Vec<Topic>> [0+] null [0+],
        /// How long the broker may take, in milliseconds.
        pub timeout_ms: i32 [0+] default (60_000),
    }
}

message! {
    /// A topic of which leaders are to be chosen.
    pub struct Topic {
        /// Its name.
        pub topic: String [0+],
        /// Its partitions.
        pub partitions: Vec<i32> [0+],
    }
}

message! {
    /// Tells what was decided.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// Why there was no election at all, or 0.
        pub error_code: i16 [1+],
        /// The topics; if all were asked for, only what was not left as it is.
        pub replica_election_results: Vec<TopicResult> [0+],
    }
}

message! {
    /// What was decided for one topic.
    pub struct TopicResult {
        /// Its name.
        pub topic: String [0+],
        /// Its partitions.
        pub partition_result: Vec<PartitionResult> [0+],
    }
}

message! {
    /// What was decided for one partition.
    pub struct PartitionResult {
        /// Its number.
        pub partition_id: i32 [0+],
        /// 0, or why its leader stays: 3 for a partition that nobody knows, 80 or 83 if none of
        /// those that may lead can, 84 if the right one leads already.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [0+] null [0+],
    }
}

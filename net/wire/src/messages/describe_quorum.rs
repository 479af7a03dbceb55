//! DescribeQuorum (55): the voters of the metadata log, and how far each has come.
//!
//! *Source*: KIP-595, KIP-836, KIP-853.

use crate::schema::{call, message};

call!(DescribeQuorum);

/// The topic whose only partition 0 is the metadata log.
pub const METADATA_TOPIC: &str = "__cluster_metadata";

message! {
    /// Asks for quorums.
    pub struct Request {
        /// The topics.
        pub topics: Vec<Topic> [0+],
    }
}

message! {
    /// A topic asked for.
    pub struct Topic {
        /// Its name.
        pub topic_name: String [0+],
        /// Its partitions.
        pub partitions: Vec<Partition> [0+],
    }
}

message! {
    /// A partition asked for.
    pub struct Partition {
        /// Its number.
        pub partition_index: i32 [0+],
    }
}

message! {
    /// Tells quorums.
    pub struct Response {
        /// Why there is no answer at all, or 0.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [2+ ignorable] null [2+],
        /// The topics.
        pub topics: Vec<TopicResult> [0+],
        /// The voters and where they are reached.
        pub nodes: Vec<Node> [2+],
    }
}

message! {
    /// A topic answered.
    pub struct TopicResult {
        /// Its name.
        pub topic_name: String [0+],
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
        pub error_message: Option<String> [2+ ignorable] null [2+],
        /// The leader; -1 if unknown.
        pub leader_id: i32 [0+],
        /// The leader's epoch.
        pub leader_epoch: i32 [0+],
        /// The first offset that is not committed yet.
        pub high_watermark: i64 [0+],
        /// Those who vote.
        pub current_voters: Vec<Replica> [0+],
        /// Those who only read.
        pub observers: Vec<Replica> [0+],
    }
}

message! {
    /// How far a node has come.
    pub struct Replica {
        /// Its id.
        pub replica_id: i32 [0+],
        /// The id of its directory.
        pub replica_directory_id: [u8; 16] [2+],
        /// The first offset that it does not have; -1 if unknown.
        pub log_end_offset: i64 [0+],
        /// When it last asked, in the leader's milliseconds since 1970; -1 if unknown.
        pub last_fetch_timestamp: i64 [1+ ignorable] default (-1),
        /// When it last had everything, in the leader's milliseconds since 1970; -1 if unknown.
        pub last_caught_up_timestamp: i64 [1+ ignorable] default (-1),
    }
}

message! {
    /// A voter and where it is reached.
    pub struct Node {
        /// Its id.
        pub node_id: i32 [2+],
        /// Its listeners.
        pub listeners: Vec<Listener> [2+],
    }
}

message! {
    /// A listener of a voter.
    pub struct Listener {
        /// Its name.
        pub name: String [2+],
        /// Its host name or address.
        pub host: String [2+],
        /// Its port.
        pub port: u16 [2+],
    }
}

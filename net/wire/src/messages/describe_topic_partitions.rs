//! DescribeTopicPartitions (75): the partitions of topics, page by page.
//!
//! *Source*: KIP-966.

use types::ids::TopicId;

use crate::schema::{call, message};

call!(DescribeTopicPartitions);

message! {
    /// Asks for a page.
    pub struct Request {
        /// The topics; empty for all of them.
        pub topics: Vec<Topic> [0+],
        /// How many partitions a page holds at most.
        pub response_partition_limit: i32 [0+] default (2000),
        /// Where the page starts; null for the first one.
        pub cursor: Option<Cursor> [0+] null [0+],
    }
}

message! {
    /// A topic asked for.
    pub struct Topic {
        /// Its name.
        pub name: String [0+],
    }
}

message! {
    /// The partition that a page starts with.
    pub struct Cursor {
        /// The topic's name.
        pub topic_name: String [0+],
        /// The partition's number.
        pub partition_index: i32 [0+],
    }
}

message! {
    /// Tells a page.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+ ignorable],
        /// The topics, by name.
        pub topics: Vec<TopicResult> [0+],
        /// Where the next page starts; null if this is the last one.
        pub next_cursor: Option<Cursor> [0+] null [0+],
    }
}

message! {
    /// A topic, or what of it fits the page.
    pub struct TopicResult {
        /// Why the topic is not told, or 0.
        pub error_code: i16 [0+],
        /// Its name.
        pub name: Option<String> [0+] null [0+],
        /// Its id.
        pub topic_id: TopicId [0+ ignorable] default (TopicId::ZERO),
        /// Whether clients leave it alone.
        pub is_internal: bool [0+ ignorable] default (false),
        /// Its partitions.
        pub partitions: Vec<PartitionResult> [0+],
        /// What the client may do to it, a bit per operation.
        pub topic_authorized_operations: i32 [0+] default (i32::MIN),
    }
}

message! {
    /// A partition.
    pub struct PartitionResult {
        /// Why clients should ask again, or 0.
        pub error_code: i16 [0+],
        /// Its number.
        pub partition_index: i32 [0+],
        /// Its leader; -1 if it has none.
        pub leader_id: i32 [0+],
        /// The leader's epoch; -1 if unknown.
        pub leader_epoch: i32 [0+ ignorable] default (-1),
        /// The nodes that hold it.
        pub replica_nodes: Vec<i32> [0+],
        /// Those of them that are in sync.
        pub isr_nodes: Vec<i32> [0+],
        /// Those that may lead though they are not in sync; null if there is no such list.
        pub eligible_leader_replicas: Option<Vec<i32>> [0+] null [0+],
        /// Those that were the last of that list; null if there is no such list.
        pub last_known_elr: Option<Vec<i32>> [0+] null [0+],
        /// Those that are down.
        pub offline_replicas: Vec<i32> [0+ ignorable],
    }
}

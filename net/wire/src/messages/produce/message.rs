//! Request and response of Produce in the notation.

use bytes::Bytes;
use types::ids::TopicId;

use crate::messages::leader::{LeaderIdAndEpoch, NodeEndpoint};
use crate::schema::{call, message};

call!(Produce);

/// The first version that names topics by id.
pub(super) const TOPIC_ID_VERSION: i16 = 13;

/// The first version that tells clients where the leader went.
pub(super) const LEADER_VERSION: i16 = 10;

message! {
    /// Orders records to be appended.
    pub struct Request {
        /// The transactional id; null outside of transactions.
        pub transactional_id: Option<String> [3+] null [3+],
        /// When to answer. 0: never. 1: when the leader has it. -1: when all in sync have it.
        pub acks: i16 [0+],
        /// How long the broker may wait for the others, in milliseconds.
        pub timeout_ms: i32 [0+],
        /// The topics.
        pub topic_data: Vec<TopicData> [0+],
    }
}

message! {
    /// Records for one topic.
    pub struct TopicData {
        /// The topic's name.
        pub name: String [0-12 ignorable],
        /// The topic's id.
        pub topic_id: TopicId [13+ ignorable] default (TopicId::ZERO),
        /// The partitions.
        pub partition_data: Vec<PartitionData> [0+],
    }
}

message! {
    /// Records for one partition.
    pub struct PartitionData {
        /// The partition's number.
        pub index: i32 [0+],
        /// One record batch.
        pub records: Option<Bytes> [0+] null [0+],
    }
}

message! {
    /// Tells what was appended.
    pub struct Response {
        /// The topics, in the order of the request.
        pub responses: Vec<TopicResponse> [0+],
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [1+ ignorable] default (0),
        /// Where the leaders named in this answer are reached.
        pub node_endpoints: Vec<NodeEndpoint> [10+ tag 0],
    }
}

message! {
    /// What became of one topic's records.
    pub struct TopicResponse {
        /// The topic's name.
        pub name: String [0-12 ignorable],
        /// The topic's id.
        pub topic_id: TopicId [13+ ignorable] default (TopicId::ZERO),
        /// The partitions.
        pub partition_responses: Vec<PartitionResponse> [0+],
    }
}

message! {
    /// What became of one partition's records.
    pub struct PartitionResponse {
        /// The partition's number.
        pub index: i32 [0+],
        /// Why nothing was appended, or 0.
        pub error_code: i16 [0+],
        /// The offset of the first record; -1 with an error.
        pub base_offset: i64 [0+],
        /// The time that the broker gave to the batch; -1 if the topic keeps the client's.
        pub log_append_time_ms: i64 [2+ ignorable] default (-1),
        /// The first offset of the log.
        pub log_start_offset: i64 [5+ ignorable] default (-1),
        /// The records that made the batch fail.
        pub record_errors: Vec<RecordError> [8+ ignorable],
        /// The reason in words.
        pub error_message: Option<String> [8+ ignorable] null [8+],
        /// Who leads the partition, beside "not the leader".
        pub current_leader: LeaderIdAndEpoch [10+ tag 0],
    }
}

message! {
    /// A record that made its batch fail.
    pub struct RecordError {
        /// The record's index in the batch.
        pub batch_index: i32 [8+],
        /// What is wrong with it.
        pub batch_index_error_message: Option<String> [8+] null [8+],
    }
}

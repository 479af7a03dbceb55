//! OffsetFetch (9): how far groups have read. Until version 7 a request is about one group.
//!
//! *Source*: KIP-447 (require stable), KIP-709 (many groups), KIP-848.

use types::ids::TopicId;

use crate::schema::{call, message};

call!(OffsetFetch);

/// The offset of a partition for which the group has committed none.
pub const OFFSET_NONE: i64 = -1;

message! {
    /// Asks for offsets.
    pub struct Request {
        /// The group.
        pub group_id: String [0-7],
        /// The topics; null for all that the group has offsets of.
        pub topics: Option<Vec<Topic>> [0-7] null [2-7],
        /// The groups.
        pub groups: Vec<Group> [8+],
        /// Whether a partition with an open transaction is answered with error 88.
        pub require_stable: bool [7+],
    }
}

message! {
    /// A topic asked for, in a request about one group.
    pub struct Topic {
        /// Its name.
        pub name: String [0-7],
        /// Its partitions.
        pub partition_indexes: Vec<i32> [0-7],
    }
}

message! {
    /// A group asked for.
    pub struct Group {
        /// Its id.
        pub group_id: String [8+],
        /// The member that asks; null if none does, or the group is of the classic protocol.
        pub member_id: Option<String> [9+ ignorable] null [9+],
        /// The member's epoch; -1 as above.
        pub member_epoch: i32 [9+ ignorable] default (-1),
        /// The topics; null for all that the group has offsets of.
        pub topics: Option<Vec<GroupTopic>> [8+] null [8+],
    }
}

message! {
    /// A topic asked for.
    pub struct GroupTopic {
        /// Its name.
        pub name: String [8-9 ignorable],
        /// Its id.
        pub topic_id: TopicId [10+ ignorable] default (TopicId::ZERO),
        /// Its partitions.
        pub partition_indexes: Vec<i32> [8+],
    }
}

message! {
    /// Tells offsets.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [3+ ignorable],
        /// The topics of the one group.
        pub topics: Vec<TopicResult> [0-7],
        /// Why the one group is not told, or 0; see [`GroupResult`].
        pub error_code: i16 [2-7 ignorable],
        /// The groups, in the order of the request.
        pub groups: Vec<GroupResult> [8+],
    }
}

message! {
    /// A topic answered, in an answer about one group.
    pub struct TopicResult {
        /// Its name.
        pub name: String [0-7],
        /// Its partitions.
        pub partitions: Vec<PartitionResult> [0-7],
    }
}

message! {
    /// A partition answered, in an answer about one group.
    pub struct PartitionResult {
        /// Its number.
        pub partition_index: i32 [0-7],
        /// The offset that was committed, or [`OFFSET_NONE`].
        pub committed_offset: i64 [0-7],
        /// The leader epoch that was committed with it; -1 if unknown.
        pub committed_leader_epoch: i32 [5-7 ignorable] default (-1),
        /// What the client wanted to find beside it; empty if there is nothing.
        pub metadata: Option<String> [0-7] null [0-7],
        /// Why there is no answer, or 0; see [`GroupPartitionResult`].
        pub error_code: i16 [0-7],
    }
}

message! {
    /// A group answered.
    pub struct GroupResult {
        /// Its id.
        pub group_id: String [8+],
        /// Its topics.
        pub topics: Vec<GroupTopicResult> [8+],
        /// 0, or why the group is not told: 14, 15 or 16 for a coordinator that is not ready,
        /// unknown or elsewhere, 25 or 113 for a member that is none.
        pub error_code: i16 [8+],
    }
}

message! {
    /// A topic answered.
    pub struct GroupTopicResult {
        /// Its name.
        pub name: String [8-9 ignorable],
        /// Its id.
        pub topic_id: TopicId [10+ ignorable] default (TopicId::ZERO),
        /// Its partitions.
        pub partitions: Vec<GroupPartitionResult> [8+],
    }
}

message! {
    /// A partition answered.
    pub struct GroupPartitionResult {
        /// Its number.
        pub partition_index: i32 [8+],
        /// The offset that was committed, or [`OFFSET_NONE`].
        pub committed_offset: i64 [8+],
        /// The leader epoch that was committed with it; -1 if unknown.
        pub committed_leader_epoch: i32 [8+ ignorable] default (-1),
        /// What the client wanted to find beside it; empty if there is nothing.
        pub metadata: Option<String> [8+] null [8+],
        /// 0, or why there is no answer: 88 for an open transaction, 100 for an id that nobody
        /// knows.
        pub error_code: i16 [8+],
    }
}

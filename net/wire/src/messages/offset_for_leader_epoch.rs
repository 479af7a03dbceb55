//! OffsetForLeaderEpoch (23): where a leader's reign ended, to find where two logs part.
//!
//! *Source*: KIP-101, KIP-279, KIP-320.

use crate::schema::{call, message};

call!(OffsetForLeaderEpoch);

message! {
    /// Asks for the ends of epochs.
    pub struct Request {
        /// The follower that asks; -1 for a client, -2 for anything that may see it all.
        pub replica_id: i32 [3+ ignorable] default (-2),
        /// The topics.
        pub topics: Vec<Topic> [0+],
    }
}

message! {
    /// A topic asked for.
    pub struct Topic {
        /// Its name.
        pub topic: String [0+],
        /// Its partitions.
        pub partitions: Vec<Partition> [0+],
    }
}

message! {
    /// A partition asked for.
    pub struct Partition {
        /// Its number.
        pub partition: i32 [0+],
        /// The leader epoch that the client knows; -1 if none.
        pub current_leader_epoch: i32 [2+ ignorable] default (-1),
        /// The epoch whose end is wanted.
        pub leader_epoch: i32 [0+],
    }
}

message! {
    /// Tells the ends of epochs.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [2+ ignorable],
        /// The topics, in the order of the request.
        pub topics: Vec<TopicResult> [0+],
    }
}

message! {
    /// A topic answered.
    pub struct TopicResult {
        /// Its name.
        pub topic: String [0+],
        /// Its partitions.
        pub partitions: Vec<EpochEndOffset> [0+],
    }
}

message! {
    /// A partition answered.
    pub struct EpochEndOffset {
        /// Why there is no answer, or 0.
        pub error_code: i16 [0+],
        /// The partition's number.
        pub partition: i32 [0+],
        /// The largest epoch at or below the one asked for; -1 if there is none.
        pub leader_epoch: i32 [1+ ignorable] default (-1),
        /// The first offset behind that epoch; -1 if there is none.
        pub end_offset: i64 [0+] default (-1),
    }
}

//! ListOffsets (2): the offset at a time, or at an end of the log.

use crate::schema::{call, message};

call!(ListOffsets);

/// Asks for the high watermark, or for the last stable offset if reading committed.
pub const LATEST: i64 = -1;
/// Asks for the log start.
pub const EARLIEST: i64 = -2;
/// Asks for the record with the highest timestamp (KIP-734, version 7).
pub const MAX_TIMESTAMP: i64 = -3;
/// Asks for the first offset on local disks (KIP-405, version 8).
pub const EARLIEST_LOCAL: i64 = -4;
/// Asks for the last offset in tiered storage (KIP-1005, version 9).
pub const LATEST_TIERED: i64 = -5;
/// Asks for the first offset that tiered storage does not have yet (KIP-1023, version 11).
pub const EARLIEST_PENDING_UPLOAD: i64 = -6;

message! {
    /// Asks for offsets.
    pub struct Request {
        /// The follower that asks; -1 for a client.
        pub replica_id: i32 [0+],
        /// 0: what is written; 1: what is committed.
        pub isolation_level: i8 [2+],
        /// The topics.
        pub topics: Vec<Topic> [0+],
        /// How long the broker may take, in milliseconds, where it must ask others.
        pub timeout_ms: i32 [10+ ignorable],
    }
}

message! {
    /// A topic asked for.
    pub struct Topic {
        /// Its name.
        pub name: String [0+],
        /// Its partitions.
        pub partitions: Vec<Partition> [0+],
    }
}

message! {
    /// A partition asked for.
    pub struct Partition {
        /// Its number.
        pub partition_index: i32 [0+],
        /// The leader epoch that the client knows; -1 if none.
        pub current_leader_epoch: i32 [4+ ignorable] default (-1),
        /// A time in milliseconds since 1970, or one of the negative constants of this module.
        pub timestamp: i64 [0+],
    }
}

message! {
    /// Tells offsets.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [2+ ignorable],
        /// The topics, in the order of the request.
        pub topics: Vec<TopicResponse> [0+],
    }
}

message! {
    /// A topic answered.
    pub struct TopicResponse {
        /// Its name.
        pub name: String [0+],
        /// Its partitions.
        pub partitions: Vec<PartitionResponse> [0+],
    }
}

message! {
    /// A partition answered.
    pub struct PartitionResponse {
        /// Its number.
        pub partition_index: i32 [0+],
        /// Why there is no offset, or 0.
        pub error_code: i16 [0+],
        /// The time of the record found; -1 if none was, or an end of the log was asked for.
        pub timestamp: i64 [1+] default (-1),
        /// The first offset at or after the time; -1 if there is none.
        pub offset: i64 [1+] default (-1),
        /// The leader epoch of that record; -1 if unknown.
        pub leader_epoch: i32 [4+] default (-1),
    }
}

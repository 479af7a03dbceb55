//! DeleteGroups (42): forgets groups without members, and their offsets.
//!
//! *Source*: KIP-229.

use crate::schema::{call, message};

call!(DeleteGroups);

message! {
    /// Orders groups to be forgotten.
    pub struct Request {
        /// The groups.
        pub groups_names: Vec<String> [0+],
    }
}

message! {
    /// Tells which groups are forgotten.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// The groups.
        pub results: Vec<GroupResult> [0+],
    }
}

message! {
    /// What became of one group.
    pub struct GroupResult {
        /// Its id.
        pub group_id: String [0+],
        /// 0, or why it stays: 14, 15 or 16 for a coordinator that is not ready, unknown or
        /// elsewhere, 24 for a group id that is none, 68 for a group with members, 69 for one that
        /// nobody knows.
        pub error_code: i16 [0+],
    }
}

//! ListGroups (16): the groups that a broker coordinates.
//!
//! *Source*: KIP-518 (states), KIP-848 (types).

use crate::schema::{call, message};

call!(ListGroups);

message! {
    /// Asks for groups.
    pub struct Request {
        /// The states of the groups to be told; empty for all. Letter case does not matter.
        pub states_filter: Vec<String> [4+],
        /// The types of the groups to be told; empty for all. Letter case does not matter.
        pub types_filter: Vec<String> [5+],
    }
}

message! {
    /// Tells groups.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [1+ ignorable],
        /// 0, or why there is no answer: 14 or 15 for a coordinator that is not ready or unknown.
        pub error_code: i16 [0+],
        /// The groups.
        pub groups: Vec<Group> [0+],
    }
}

message! {
    /// A group.
    pub struct Group {
        /// Its id.
        pub group_id: String [0+],
        /// The kind of group; empty if it only has offsets.
        pub protocol_type: String [0+],
        /// Its state; see `describe_groups`.
        pub group_state: String [4+ ignorable],
        /// Its type: `classic`, `consumer`, `share` or `streams`.
        pub group_type: String [5+ ignorable],
    }
}

//! DescribeGroups (15): the state and the members of groups of the classic protocol.
//!
//! *Source*: KIP-430 (authorised operations), KIP-1043 (error 69).

use bytes::Bytes;

use crate::schema::{call, message};

call!(DescribeGroups);

message! {
    /// Asks for groups.
    pub struct Request {
        /// The groups.
        pub groups: Vec<String> [0+],
        /// Whether to tell what the client may do to each group.
        pub include_authorized_operations: bool [3+],
    }
}

message! {
    /// Tells groups.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [1+ ignorable],
        /// The groups, in the order of the request.
        pub groups: Vec<Group> [0+],
    }
}

message! {
    /// A group.
    pub struct Group {
        /// 0, or why the group is not told: 14, 15 or 16 for a coordinator that is not ready,
        /// unknown or elsewhere, 24 for a group id that is none, 69 for a group that nobody knows
        /// (version 6; older ones show it as dead).
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [6+] null [6+],
        /// Its id.
        pub group_id: String [0+],
        /// `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Stable` or `Dead`.
        pub group_state: String [0+],
        /// The kind of group.
        pub protocol_type: String [0+],
        /// The protocol chosen; empty unless the group is stable.
        pub protocol_data: String [0+],
        /// Its members.
        pub members: Vec<Member> [0+],
        /// What the client may do to it, a bit per operation.
        pub authorized_operations: i32 [3+] default (i32::MIN),
    }
}

message! {
    /// A member of a group.
    pub struct Member {
        /// Its id.
        pub member_id: String [0+],
        /// The static member's own name; null for a dynamic one.
        pub group_instance_id: Option<String> [4+ ignorable] null [4+],
        /// What its client called itself when it joined.
        pub client_id: String [0+],
        /// Where its client joined from.
        pub client_host: String [0+],
        /// What it said of itself for the protocol chosen; empty unless the group is stable.
        pub member_metadata: Bytes [0+],
        /// Its part; empty unless the group is stable.
        pub member_assignment: Bytes [0+],
    }
}

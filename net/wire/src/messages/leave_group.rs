//! LeaveGroup (13): takes members out of a group. Until version 2 it is the one that asks.
//!
//! *Source*: KIP-345, KIP-800 (reason).

use crate::schema::{call, message};

call!(LeaveGroup);

message! {
    /// Orders members to be taken out.
    pub struct Request {
        /// The group.
        pub group_id: String [0+],
        /// The member that leaves.
        pub member_id: String [0-2],
        /// The members that leave.
        pub members: Vec<Member> [3+],
    }
}

message! {
    /// A member that leaves.
    pub struct Member {
        /// Its id; empty if a static member is known by its name alone.
        pub member_id: String [3+],
        /// The static member's own name; null for a dynamic one.
        pub group_instance_id: Option<String> [3+] null [3+],
        /// Why it leaves, in words for the broker's log.
        pub reason: Option<String> [5+ ignorable] null [5+],
    }
}

message! {
    /// Tells who has left.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [1+ ignorable],
        /// 0, or why nobody has: 14, 15 or 16 for a coordinator that is not ready, unknown or
        /// elsewhere, 24 for a group id that is none; until version 2 also as in [`MemberResult`].
        pub error_code: i16 [0+],
        /// The members, in the order of the request.
        pub members: Vec<MemberResult> [3+],
    }
}

message! {
    /// What became of one member.
    pub struct MemberResult {
        /// Its id, as in the request.
        pub member_id: String [3+],
        /// Its own name, as in the request.
        pub group_instance_id: Option<String> [3+] null [3+],
        /// 0, 25 for a member that is none, 82 for a name that another member has now.
        pub error_code: i16 [3+],
    }
}

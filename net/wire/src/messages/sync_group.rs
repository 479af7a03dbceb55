//! SyncGroup (14): the leader hands in the assignment, and every member waits for its part.
//!
//! *Source*: KIP-345, KIP-559.

use bytes::Bytes;

use crate::schema::{call, message};

call!(SyncGroup);

message! {
    /// Asks for a member's part.
    pub struct Request {
        /// The group.
        pub group_id: String [0+],
        /// The generation that the member is of.
        pub generation_id: i32 [0+],
        /// The member.
        pub member_id: String [0+],
        /// The static member's own name; null for a dynamic one.
        pub group_instance_id: Option<String> [3+] null [3+],
        /// The kind of group; null if not said, error 23 if it is another.
        pub protocol_type: Option<String> [5+ ignorable] null [5+],
        /// The protocol chosen; null if not said, error 23 if it is another.
        pub protocol_name: Option<String> [5+ ignorable] null [5+],
        /// Every member's part; empty from all but the leader.
        pub assignments: Vec<Assignment> [0+],
    }
}

message! {
    /// One member's part.
    pub struct Assignment {
        /// The member.
        pub member_id: String [0+],
        /// Its part; see `consumer_protocol` for consumers'.
        pub assignment: Bytes [0+],
    }
}

message! {
    /// Tells a member its part.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [1+ ignorable],
        /// 0, 27 to join again, 15 or 16 for a coordinator that is unknown or elsewhere, 22, 25 or
        /// 82 for a member that is none, 23 for another protocol.
        pub error_code: i16 [0+],
        /// The kind of group.
        pub protocol_type: Option<String> [5+ ignorable] null [5+],
        /// The protocol chosen.
        pub protocol_name: Option<String> [5+ ignorable] null [5+],
        /// The part; empty if the leader gave the member none.
        pub assignment: Bytes [0+],
    }
}

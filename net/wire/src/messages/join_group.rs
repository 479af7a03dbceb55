//! JoinGroup (11): enters a group, or answers a call to rebalance. The answer waits for the
//! others; the leader's names them all.
//!
//! *Source*: KIP-62 (rebalance timeout), KIP-345 (static members), KIP-394 (id required),
//! KIP-559, KIP-800 (reason), KIP-814 (skip assignment).

use bytes::Bytes;

use crate::schema::{call, message};

call!(JoinGroup);

message! {
    /// Asks to be a member.
    pub struct Request {
        /// The group.
        pub group_id: String [0+],
        /// After how many milliseconds without a heartbeat the member is taken for dead.
        pub session_timeout_ms: i32 [0+],
        /// How many milliseconds the member may take to join again; -1 for the session timeout.
        pub rebalance_timeout_ms: i32 [1+ ignorable] default (-1),
        /// The member; empty for a new one.
        pub member_id: String [0+],
        /// The static member's own name; null for a dynamic one.
        pub group_instance_id: Option<String> [5+] null [5+],
        /// The kind of group: `consumer`, `connect` or any other.
        pub protocol_type: String [0+],
        /// The protocols that the member can do, the one it likes best first.
        pub protocols: Vec<Protocol> [0+],
        /// Why the member joins, in words for the broker's log.
        pub reason: Option<String> [8+ ignorable] null [8+],
    }
}

message! {
    /// A protocol that a member can do.
    pub struct Protocol {
        /// Its name; for consumers that of an assignor.
        pub name: String [0+],
        /// What the leader must know of the member; see `consumer_protocol` for consumers'.
        pub metadata: Bytes [0+],
    }
}

message! {
    /// Tells a member what it has joined.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [2+ ignorable],
        /// 0, or why it has not: 14, 15 or 16 for a coordinator that is not ready, unknown or
        /// elsewhere, 23 for no protocol in common, 24 for a group id that is none, 25 or 82 for a
        /// member that is none, 26 for a session timeout out of bounds, 79 to join again with the
        /// id given here, 81 for a group that is full.
        pub error_code: i16 [0+],
        /// The generation; -1 with an error.
        pub generation_id: i32 [0+] default (-1),
        /// The kind of group.
        pub protocol_type: Option<String> [7+ ignorable] null [7+],
        /// The protocol that all can do; null with an error, which older versions show as empty.
        pub protocol_name: Option<String> [0+] null [7+],
        /// The member that assigns.
        pub leader: String [0+],
        /// Whether the leader keeps to the assignment that there is.
        pub skip_assignment: bool [9+],
        /// The member that asked, or the id it is to ask with.
        pub member_id: String [0+],
        /// Every member; empty for all but the leader.
        pub members: Vec<Member> [0+],
    }
}

message! {
    /// A member of the generation.
    pub struct Member {
        /// Its id.
        pub member_id: String [0+],
        /// The static member's own name; null for a dynamic one.
        pub group_instance_id: Option<String> [5+ ignorable] null [5+],
        /// What it said of itself for the protocol chosen.
        pub metadata: Bytes [0+],
    }
}

//! Heartbeat (12): a member's sign of life, and how it learns that the group rebalances.

use crate::schema::{call, message};

call!(Heartbeat);

message! {
    /// A sign of life.
    pub struct Request {
        /// The group.
        pub group_id: String [0+],
        /// The generation that the member is of.
        pub generation_id: i32 [0+],
        /// The member.
        pub member_id: String [0+],
        /// The static member's own name; null for a dynamic one.
        pub group_instance_id: Option<String> [3+] null [3+],
    }
}

message! {
    /// Tells the member where it stands.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [1+ ignorable],
        /// 0, 27 to join again, 15 or 16 for a coordinator that is unknown or elsewhere, 22, 25 or
        /// 82 for a member that is none.
        pub error_code: i16 [0+],
    }
}

//! FindCoordinator (10): the broker that coordinates a group or a transaction. From version 4 on
//! a request is about many.
//!
//! *Source*: KIP-98, KIP-699 (many keys), KIP-932 (share groups).

use crate::schema::{call, message};

call!(FindCoordinator);

/// A group, as the type of a key.
pub const KEY_GROUP: i8 = 0;
/// A transactional id, as the type of a key.
pub const KEY_TRANSACTION: i8 = 1;
/// A partition of a share group, `group:topic id:partition`, as the type of a key.
pub const KEY_SHARE: i8 = 2;

message! {
    /// Asks for coordinators.
    pub struct Request {
        /// The one key.
        pub key: String [0-3],
        /// What the keys are: one of the `KEY_` constants.
        pub key_type: i8 [1+],
        /// The keys.
        pub coordinator_keys: Vec<String> [4+],
    }
}

message! {
    /// Tells coordinators.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [1+ ignorable],
        /// Why the one key has no coordinator, or 0; see [`Coordinator`].
        pub error_code: i16 [0-3],
        /// The reason in words.
        pub error_message: Option<String> [1-3 ignorable] null [1-3],
        /// The broker's id; -1 with an error.
        pub node_id: i32 [0-3],
        /// The broker's host name or address; empty with an error.
        pub host: String [0-3],
        /// The broker's port; -1 with an error.
        pub port: i32 [0-3],
        /// The coordinators, in the order of the request.
        pub coordinators: Vec<Coordinator> [4+],
    }
}

message! {
    /// The coordinator of one key.
    pub struct Coordinator {
        /// The key.
        pub key: String [4+],
        /// The broker's id; -1 with an error.
        pub node_id: i32 [4+],
        /// The broker's host name or address; empty with an error.
        pub host: String [4+],
        /// The broker's port; -1 with an error.
        pub port: i32 [4+],
        /// 0, or why there is none: 15 if it is not known yet, 42 for a key that is none.
        pub error_code: i16 [4+],
        /// The reason in words.
        pub error_message: Option<String> [4+ ignorable] null [4+],
    }
}

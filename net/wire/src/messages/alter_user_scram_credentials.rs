//! AlterUserScramCredentials (51): sets and takes away passwords.
//!
//! *Source*: KIP-554.

use bytes::Bytes;

use crate::schema::{call, message};

call!(AlterUserScramCredentials);

message! {
    /// Orders passwords.
    pub struct Request {
        /// Those to be taken away.
        pub deletions: Vec<Deletion> [0+],
        /// Those to be set.
        pub upsertions: Vec<Upsertion> [0+],
    }
}

message! {
    /// A password to be taken away.
    pub struct Deletion {
        /// The user.
        pub name: String [0+],
        /// How it is hashed; see `describe_user_scram_credentials`.
        pub mechanism: i8 [0+],
    }
}

message! {
    /// A password to be set.
    pub struct Upsertion {
        /// The user.
        pub name: String [0+],
        /// How it is hashed; see `describe_user_scram_credentials`.
        pub mechanism: i8 [0+],
        /// How often.
        pub iterations: i32 [0+],
        /// What the client drew to hash with it.
        pub salt: Bytes [0+],
        /// The hash.
        pub salted_password: Bytes [0+],
    }
}

message! {
    /// Tells what was changed.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// The users.
        pub results: Vec<UserResult> [0+],
    }
}

message! {
    /// What became of one user.
    pub struct UserResult {
        /// The name.
        pub user: String [0+],
        /// 0, or why nothing was changed: 91 if there is nothing to take away, 92 for a user named
        /// twice, 93 for a password that cannot be, 33 for a mechanism that nobody knows.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [0+] null [0+],
    }
}

//! DescribeUserScramCredentials (50): which users have passwords, and of what kind.
//!
//! *Source*: KIP-554.

use crate::schema::{call, message};

call!(DescribeUserScramCredentials);

message! {
    /// Asks for users.
    pub struct Request {
        /// The users; null or empty for all of them.
        pub users: Option<Vec<User>> [0+] null [0+],
    }
}

message! {
    /// A user asked for.
    pub struct User {
        /// The name.
        pub name: String [0+],
    }
}

message! {
    /// Tells users.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// Why there is no answer at all, or 0.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [0+] null [0+],
        /// The users.
        pub results: Vec<UserResult> [0+],
    }
}

message! {
    /// A user answered.
    pub struct UserResult {
        /// The name.
        pub user: String [0+],
        /// 0, or why there is no answer: 91 for a user without a password, 92 for one that was
        /// asked for twice.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [0+] null [0+],
        /// The user's passwords.
        pub credential_infos: Vec<Credential> [0+],
    }
}

message! {
    /// What may be known of a password.
    pub struct Credential {
        /// How it is hashed: 1 for SCRAM-SHA-256, 2 for SCRAM-SHA-512.
        pub mechanism: i8 [0+],
        /// How often.
        pub iterations: i32 [0+],
    }
}

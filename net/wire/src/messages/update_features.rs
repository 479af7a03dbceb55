//! UpdateFeatures (57): raises and lowers the levels of the cluster's features.
//!
//! *Source*: KIP-584, KIP-778 (upgrade types).

use crate::schema::{call, message};

call!(UpdateFeatures);

/// Only raises a level.
pub const UPGRADE: i8 = 1;
/// Lowers a level if nothing is lost.
pub const DOWNGRADE_SAFE: i8 = 2;
/// Lowers a level though something may be lost.
pub const DOWNGRADE_UNSAFE: i8 = 3;

message! {
    /// Orders levels.
    pub struct Request {
        /// How long the broker may take, in milliseconds.
        pub timeout_ms: i32 [0+] default (60_000),
        /// The features.
        pub feature_updates: Vec<Update> [0+],
        /// Whether only to check, and change nothing.
        pub validate_only: bool [1+],
    }
}

message! {
    /// A feature to be changed.
    pub struct Update {
        /// Its name.
        pub feature: String [0+],
        /// Its level from now on; below 1 to take the feature away.
        pub max_version_level: i16 [0+],
        /// Whether the level may be lowered.
        pub allow_downgrade: bool [0],
        /// Which way the level may go: one of the constants above.
        pub upgrade_type: i8 [1+] default (1),
    }
}

message! {
    /// Tells what was changed.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// 0, or why nothing was changed: 42 for levels that make no sense, 95 for a level that
        /// cannot be. From version 2 on this is about all features at once.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [0+] null [0+],
        /// The features.
        pub results: Vec<FeatureResult> [0-1 ignorable],
    }
}

message! {
    /// What became of one feature.
    pub struct FeatureResult {
        /// Its name.
        pub feature: String [0+],
        /// Why it was not changed, or 0.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [0+] null [0+],
    }
}

//! IncrementalAlterConfigs (44): changes single keys and leaves the others as they are.
//!
//! *Source*: KIP-339.

use crate::schema::{call, message};

call!(IncrementalAlterConfigs);

/// Sets a value.
pub const OPERATION_SET: i8 = 0;
/// Returns a key to its default.
pub const OPERATION_DELETE: i8 = 1;
/// Adds to a list.
pub const OPERATION_APPEND: i8 = 2;
/// Takes from a list.
pub const OPERATION_SUBTRACT: i8 = 3;

message! {
    /// Orders changes.
    pub struct Request {
        /// The resources.
        pub resources: Vec<Resource> [0+],
        /// Whether only to check, and change nothing.
        pub validate_only: bool [0+],
    }
}

message! {
    /// A resource to be changed.
    pub struct Resource {
        /// What it is; see `describe_configs`.
        pub resource_type: i8 [0+],
        /// Its name.
        pub resource_name: String [0+],
        /// The changes.
        pub configs: Vec<Change> [0+],
    }
}

message! {
    /// One change.
    pub struct Change {
        /// The key.
        pub name: String [0+],
        /// What to do: one of the `OPERATION_` constants.
        pub config_operation: i8 [0+],
        /// The value; null to delete.
        pub value: Option<String> [0+] null [0+],
    }
}

message! {
    /// Tells what was changed.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// The resources, in the order of the request.
        pub responses: Vec<ResourceResult> [0+],
    }
}

message! {
    /// What became of one resource.
    pub struct ResourceResult {
        /// Why nothing was changed, or 0.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [0+] null [0+],
        /// What it is; see `describe_configs`.
        pub resource_type: i8 [0+],
        /// Its name.
        pub resource_name: String [0+],
    }
}

//! AlterConfigs (33): replaces all configurations of a resource; older clients use it.

use crate::schema::{call, message};

call!(AlterConfigs);

message! {
    /// Orders configurations.
    pub struct Request {
        /// The resources.
        pub resources: Vec<Resource> [0+],
        /// Whether only to check, and change nothing.
        pub validate_only: bool [0+],
    }
}

message! {
    /// A resource to be configured.
    pub struct Resource {
        /// What it is; see `describe_configs`.
        pub resource_type: i8 [0+],
        /// Its name.
        pub resource_name: String [0+],
        /// Its configurations from now on; keys that are missing return to their defaults.
        pub configs: Vec<Config> [0+],
    }
}

message! {
    /// One configuration.
    pub struct Config {
        /// Its key.
        pub name: String [0+],
        /// Its value.
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

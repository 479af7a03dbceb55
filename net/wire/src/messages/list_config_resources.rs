//! ListConfigResources (74): the names of what has configurations.
//!
//! *Source*: KIP-714, KIP-1142.

use crate::schema::{call, message};

call!(ListConfigResources);

message! {
    /// Asks for resources.
    pub struct Request {
        /// The types wanted; see `describe_configs`. Empty for all of them; version 0 knows only
        /// subscriptions to client metrics.
        pub resource_types: Vec<i8> [1+],
    }
}

message! {
    /// Tells resources.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// Why there is no answer, or 0.
        pub error_code: i16 [0+],
        /// The resources.
        pub config_resources: Vec<Resource> [0+],
    }
}

message! {
    /// A resource.
    pub struct Resource {
        /// Its name.
        pub resource_name: String [0+],
        /// What it is; see `describe_configs`.
        pub resource_type: i8 [1+ ignorable] default (16),
    }
}

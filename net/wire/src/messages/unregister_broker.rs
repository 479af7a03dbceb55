//! UnregisterBroker (64): takes a broker that is gone out of the cluster's metadata.
//!
//! *Source*: KIP-631.

use crate::schema::{call, message};

call!(UnregisterBroker);

message! {
    /// Orders a broker to be taken out.
    pub struct Request {
        /// Its id.
        pub broker_id: i32 [0+],
    }
}

message! {
    /// Tells whether it is out.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// 0, or why it is not: 102 for a broker that nobody knows.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [0+] null [0+],
    }
}

//! DescribeCluster (60): brokers and controller, for admin clients.
//!
//! *Source*: KIP-700, KIP-919, KIP-1073.

use crate::schema::{call, message};

call!(DescribeCluster);

/// The nodes asked for are brokers.
pub const ENDPOINT_BROKERS: i8 = 1;
/// The nodes asked for are controllers.
pub const ENDPOINT_CONTROLLERS: i8 = 2;

message! {
    /// Asks for the cluster.
    pub struct Request {
        /// Whether to tell what the client may do to the cluster.
        pub include_cluster_authorized_operations: bool [0+],
        /// Which nodes: one of the `ENDPOINT_` constants.
        pub endpoint_type: i8 [1+] default (1),
        /// Whether to tell of brokers that are registered and not up.
        pub include_fenced_brokers: bool [2+],
    }
}

message! {
    /// Tells the cluster.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// Why there is no answer, or 0.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [0+] null [0+],
        /// Which nodes these are: one of the `ENDPOINT_` constants.
        pub endpoint_type: i8 [1+] default (1),
        /// The cluster's id.
        pub cluster_id: String [0+],
        /// The node that takes admin requests; -1 if there is none.
        pub controller_id: i32 [0+] default (-1),
        /// The nodes.
        pub brokers: Vec<Broker> [0+],
        /// What the client may do to the cluster, a bit per operation.
        pub cluster_authorized_operations: i32 [0+] default (i32::MIN),
    }
}

message! {
    /// A node, and where it is reached.
    pub struct Broker {
        /// Its id.
        pub broker_id: i32 [0+],
        /// Its host name or address.
        pub host: String [0+],
        /// Its port.
        pub port: i32 [0+],
        /// Its rack, if it has one.
        pub rack: Option<String> [0+] null [0+],
        /// Whether it is registered and not up.
        pub is_fenced: bool [2+],
    }
}

//! Metadata (3): brokers, topics, partitions and their leaders.

use types::ids::TopicId;

use crate::schema::{call, message};

call!(Metadata);

/// The authorised-operations field of a request that did not ask for it.
pub const OPERATIONS_NOT_ASKED: i32 = i32::MIN;

message! {
    /// Asks for brokers and topics.
    pub struct Request {
        /// The topics; null for all of them. In version 0 an empty list is all of them.
        pub topics: Option<Vec<RequestTopic>> [0+] null [1+],
        /// Whether topics that do not exist may be created by asking.
        pub allow_auto_topic_creation: bool [4+] default (true),
        /// Whether to tell what the client may do to the cluster.
        pub include_cluster_authorized_operations: bool [8-10],
        /// Whether to tell what the client may do to each topic.
        pub include_topic_authorized_operations: bool [8+],
    }
}

message! {
    /// A topic asked for, by name or by id.
    pub struct RequestTopic {
        /// The topic's id; zero if it is asked for by name.
        pub topic_id: TopicId [10+ ignorable] default (TopicId::ZERO),
        /// The topic's name; null if it is asked for by id.
        pub name: Option<String> [0+] null [10+],
    }
}

message! {
    /// Tells brokers and topics.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [3+ ignorable],
        /// Every broker that is up.
        pub brokers: Vec<Broker> [0+],
        /// The cluster's id.
        pub cluster_id: Option<String> [2+ ignorable] null [2+],
        /// The node that takes admin requests; -1 if there is none.
        pub controller_id: i32 [1+ ignorable] default (-1),
        /// The topics.
        pub topics: Vec<Topic> [0+],
        /// What the client may do to the cluster, a bit per operation.
        pub cluster_authorized_operations: i32 [8-10] default (i32::MIN),
        /// Why there is no answer at all, or 0.
        pub error_code: i16 [13+ ignorable],
    }
}

message! {
    /// A broker, and where clients reach it.
    pub struct Broker {
        /// Its id.
        pub node_id: i32 [0+],
        /// Its host name or address.
        pub host: String [0+],
        /// Its port.
        pub port: i32 [0+],
        /// Its rack, if it has one.
        pub rack: Option<String> [1+ ignorable] null [1+],
    }
}

message! {
    /// A topic.
    pub struct Topic {
        /// Why the topic is not told, or 0.
        pub error_code: i16 [0+],
        /// Its name; null if it was asked for by an id that nobody knows.
        pub name: Option<String> [0+] null [12+],
        /// Its id; zero if nobody knows.
        pub topic_id: TopicId [10+ ignorable] default (TopicId::ZERO),
        /// Whether clients leave it alone.
        pub is_internal: bool [1+ ignorable] default (false),
        /// Its partitions.
        pub partitions: Vec<Partition> [0+],
        /// What the client may do to it, a bit per operation.
        pub topic_authorized_operations: i32 [8+] default (i32::MIN),
    }
}

message! {
    /// A partition.
    pub struct Partition {
        /// Why clients should ask again, or 0.
        pub error_code: i16 [0+],
        /// Its number.
        pub partition_index: i32 [0+],
        /// Its leader; -1 if it has none.
        pub leader_id: i32 [0+],
        /// The leader's epoch; -1 if unknown.
        pub leader_epoch: i32 [7+ ignorable] default (-1),
        /// The nodes that hold it.
        pub replica_nodes: Vec<i32> [0+],
        /// Those of them that are in sync.
        pub isr_nodes: Vec<i32> [0+],
        /// Those of them that are down.
        pub offline_replicas: Vec<i32> [5+ ignorable],
    }
}

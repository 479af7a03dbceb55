//! CreateTopics (19).

use types::ids::TopicId;

use crate::schema::{call, message};

call!(CreateTopics);

message! {
    /// Orders topics.
    pub struct Request {
        /// The topics.
        pub topics: Vec<Topic> [0+],
        /// How long the broker may take, in milliseconds.
        pub timeout_ms: i32 [0+] default (60_000),
        /// Whether only to check, and create nothing.
        pub validate_only: bool [1+] default (false),
    }
}

message! {
    /// A topic to be created.
    pub struct Topic {
        /// Its name.
        pub name: String [0+],
        /// How many partitions; -1 for the broker's default, or if they are assigned by hand.
        pub num_partitions: i32 [0+],
        /// How many replicas each; -1 for the broker's default, or if they are assigned by hand.
        pub replication_factor: i16 [0+],
        /// Where each partition goes, or empty to let the broker choose.
        pub assignments: Vec<Assignment> [0+],
        /// The configurations that differ from the defaults.
        pub configs: Vec<Config> [0+],
    }
}

message! {
    /// Where one partition goes.
    pub struct Assignment {
        /// The partition's number.
        pub partition_index: i32 [0+],
        /// The nodes, the preferred leader first.
        pub broker_ids: Vec<i32> [0+],
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
    /// Tells what was created.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [2+ ignorable],
        /// The topics, in the order of the request.
        pub topics: Vec<TopicResult> [0+],
    }
}

message! {
    /// What became of one topic.
    pub struct TopicResult {
        /// Its name.
        pub name: String [0+],
        /// Its id.
        pub topic_id: TopicId [7+ ignorable] default (TopicId::ZERO),
        /// Why it was not created, or 0.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [1+ ignorable] null [0+],
        /// How many partitions it has; -1 with an error.
        pub num_partitions: i32 [5+ ignorable] default (-1),
        /// How many replicas each has; -1 with an error.
        pub replication_factor: i16 [5+ ignorable] default (-1),
        /// Its configurations.
        pub configs: Option<Vec<ConfigResult>> [5+ ignorable] null [5+],
        /// Why the configurations are not told, or 0.
        pub topic_config_error_code: i16 [5+ tag 0 ignorable],
    }
}

message! {
    /// One configuration of a topic that was created.
    pub struct ConfigResult {
        /// Its key.
        pub name: String [5+],
        /// Its value.
        pub value: Option<String> [5+] null [5+],
        /// Whether it can never be changed.
        pub read_only: bool [5+],
        /// Where the value comes from; see `describe_configs`.
        pub config_source: i8 [5+ ignorable] default (-1),
        /// Whether the value is a secret, and therefore null.
        pub is_sensitive: bool [5+],
    }
}

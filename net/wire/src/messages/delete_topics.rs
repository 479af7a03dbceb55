//! DeleteTopics (20).

use types::ids::TopicId;

use crate::schema::{call, message};

call!(DeleteTopics);

message! {
    /// Orders topics to be deleted.
    pub struct Request {
        /// The topics, by name or id.
        pub topics: Vec<Topic> [6+],
        /// The topics, by name.
        pub topic_names: Vec<String> [0-5 ignorable],
        /// How long the broker may take, in milliseconds.
        pub timeout_ms: i32 [0+],
    }
}

message! {
    /// A topic to be deleted.
    pub struct Topic {
        /// Its name; null if it is given by id.
        pub name: Option<String> [6+] null [6+],
        /// Its id; zero if it is given by name.
        pub topic_id: TopicId [6+] default (TopicId::ZERO),
    }
}

message! {
    /// Tells what was deleted.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [1+ ignorable],
        /// The topics.
        pub responses: Vec<TopicResult> [0+],
    }
}

message! {
    /// What became of one topic.
    pub struct TopicResult {
        /// Its name; null if it was given by an id that nobody knows.
        pub name: Option<String> [0+] null [6+],
        /// Its id.
        pub topic_id: TopicId [6+ ignorable] default (TopicId::ZERO),
        /// Why it was not deleted, or 0.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [5+ ignorable] null [5+],
    }
}

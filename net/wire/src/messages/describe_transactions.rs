//! DescribeTransactions (65): the state of transactions.
//!
//! *Source*: KIP-664.

use crate::schema::{call, message};

call!(DescribeTransactions);

message! {
    /// Asks for transactions.
    pub struct Request {
        /// The transactional ids; empty for none.
        pub transactional_ids: Vec<String> [0+],
    }
}

message! {
    /// Tells transactions.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// The transactions.
        pub transaction_states: Vec<Transaction> [0+],
    }
}

message! {
    /// A transaction.
    pub struct Transaction {
        /// 0, or why it is not told: 14, 15 or 16 for a coordinator that is not ready, unknown or
        /// elsewhere, 105 for an id that nobody knows.
        pub error_code: i16 [0+],
        /// Its transactional id.
        pub transactional_id: String [0+],
        /// Its state, such as `Ongoing`; empty with an error.
        pub transaction_state: String [0+],
        /// After how many milliseconds it is aborted.
        pub transaction_timeout_ms: i32 [0+],
        /// When it began, in milliseconds since 1970; -1 if it has not.
        pub transaction_start_time_ms: i64 [0+],
        /// The id of its producer.
        pub producer_id: i64 [0+],
        /// The epoch of its producer.
        pub producer_epoch: i16 [0+],
        /// The topics that it writes to and that are not told of its end yet.
        pub topics: Vec<Topic> [0+],
    }
}

message! {
    /// A topic that a transaction writes to.
    pub struct Topic {
        /// Its name.
        pub topic: String [0+],
        /// Its partitions.
        pub partitions: Vec<i32> [0+],
    }
}

//! ListTransactions (66): the transactions that a broker coordinates.
//!
//! *Source*: KIP-664, KIP-994 (duration), KIP-1152 (pattern).

use crate::schema::{call, message};

call!(ListTransactions);

message! {
    /// Asks for transactions.
    pub struct Request {
        /// The states of the transactions to be told; empty for all.
        pub state_filters: Vec<String> [0+],
        /// The producer ids of the transactions to be told; empty for all.
        pub producer_id_filters: Vec<i64> [0+],
        /// How many milliseconds they must have run at least; negative for all.
        pub duration_filter: i64 [1+] default (-1),
        /// The regular expression that their ids must match; null or empty for all.
        pub transactional_id_pattern: Option<String> [2+] null [2+],
    }
}

message! {
    /// Tells transactions.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// 0, or why there is no answer: 14 for a coordinator that is not ready, 128 for a pattern
        /// that is no regular expression.
        pub error_code: i16 [0+],
        /// The states of the request that are none.
        pub unknown_state_filters: Vec<String> [0+],
        /// The transactions.
        pub transaction_states: Vec<Transaction> [0+],
    }
}

message! {
    /// A transaction.
    pub struct Transaction {
        /// Its transactional id.
        pub transactional_id: String [0+],
        /// The id of its producer.
        pub producer_id: i64 [0+],
        /// Its state, such as `Ongoing`.
        pub transaction_state: String [0+],
    }
}

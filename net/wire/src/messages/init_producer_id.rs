//! InitProducerId (22): a producer id and epoch for an idempotent or transactional producer.

use crate::schema::{call, message};

call!(InitProducerId);

message! {
    /// Asks for a producer id.
    pub struct Request {
        /// The transactional id; null for a producer that is only idempotent.
        pub transactional_id: Option<String> [0+] null [0+],
        /// After how many milliseconds without a sign of life a transaction is aborted.
        pub transaction_timeout_ms: i32 [0+],
        /// The id that the producer had, to get its next epoch; -1 for a new one.
        pub producer_id: i64 [3+] default (-1),
        /// The epoch that the producer had; -1 for a new id.
        pub producer_epoch: i16 [3+] default (-1),
    }
}

message! {
    /// Gives a producer id.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+ ignorable],
        /// Why there is none, or 0.
        pub error_code: i16 [0+],
        /// The id; -1 with an error.
        pub producer_id: i64 [0+] default (-1),
        /// The epoch; -1 with an error.
        pub producer_epoch: i16 [0+],
    }
}

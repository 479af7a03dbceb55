//! What the caller is to do, in order.

use types::{Monotonic, TimestampMs};

use crate::record::RecordBytes;
use crate::request::Token;
use crate::response::Response;

/// The present, by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For timers.
    pub monotonic: Monotonic,
    /// For records.
    pub wall: TimestampMs,
}

/// Names an append until it has succeeded or failed; counts up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Append the records as one batch, all or none; when they are durable call `committed`, when
    /// they are not and never will be, `failed`.
    Append {
        /// To be given back.
        ticket: Ticket,
        /// At least one.
        records: Vec<RecordBytes>,
    },
    /// Answer a request. A token whose client is gone is dropped.
    Reply {
        /// The request's.
        token: Token,
        /// The answer.
        response: Response,
    },
}

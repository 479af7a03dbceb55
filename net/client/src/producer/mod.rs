//! A producer without sockets and clocks: records in, requests out, answers in, outcomes out.
//!
//! ```text
//!  push(record) ─► open batch ─(full, lingered or flushed)─► ready ─► poll() ─► Order to a leader
//!                                                              ▲                     │
//!                                                              └── sent again ◄──────┤ answered()
//!                                                                                    ▼ failed()
//!                                                          Outcome: Delivered | Failed
//! ```
//!
//! Whoever owns the sockets calls [`Producer::poll`] after each push, each answer and at
//! [`Producer::deadline`], carries the orders to the nodes they name, and reports what became of
//! them. Times come in as arguments.
//!
//! Invariants:
//! 1. The records of one partition are appended in the order in which they were pushed: without
//!    idempotence one batch of a partition is under way at a time; with it up to five, each with
//!    its sequence, and none is sent again before all that are under way have come back.
//! 2. Every record has one outcome, unless the producer is dropped before.
//! 3. The records held take at most `buffer_max` bytes, uncompressed.

mod answers;
mod batch;
mod machine;
mod options;
mod order;
mod outcome;
mod queue;
#[cfg(test)]
mod tests;

pub use batch::RecordNumber;
pub use machine::{Producer, PushError};
pub use options::{Acks, Idempotence, ProducerOptions};
pub use order::{Order, OrderId};
pub use outcome::Outcome;

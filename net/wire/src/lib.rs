//! The Kafka protocol as data: frames, headers and messages, and the table of what is served.
//!
//! No I/O, no clock, no knowledge of what a message means. Both directions of every message are
//! here, since the broker reads requests and the client reads responses.
//!
//! ```text
//! frame   = size int32, header, body            frame.rs
//! header  = key, version, correlation, client   header.rs
//! body    = the fields of one message           messages/, in the notation of schema/
//! field   = integer, string, array, tag         primitive/
//! ```
//!
//! Invariants:
//! 1. No length or count from outside is believed beyond the bytes that remain, and nothing is
//!    allocated for one before that check.
//! 2. A body is consumed to its last byte, or it is [`Malformed`].
//! 3. Null appears only where the version allows it, on both sides.
//! 4. A tagged field with its default value is never written: librdkafka before 2.2.0 skips
//!    tagged fields one byte short.
//! 5. Byte strings, such as records, are never copied on the way in: they are shared slices of the frame.
//!
//! What the messages look like follows `org.apache.kafka:kafka-clients:4.3.0`; the facts taken
//! from it are in `tests/golden/schema.txt`, and a test compares every field of ours with it.

#![deny(clippy::indexing_slicing)]

pub mod api;
mod error;
pub mod frame;
pub mod header;
pub mod messages;
pub mod primitive;
pub mod schema;

pub use error::{Malformed, Unencodable};
pub use schema::{Call, Message};

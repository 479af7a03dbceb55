//! The records of `__consumer_offsets`, and their bytes: Kafka's own.
//!
//! *Layout*: docs/formats/coordinator_record.md. A key and a value, each an int16 and fields; the
//! key's number is the kind of record, the value's is its version; no value means "gone". Of all
//! records with one key the last one counts, and the state is nothing but that: see `logged`.
//!
//! Kafka's tools read what is written here. Bytes are not trusted for their checksum: every length is
//! checked against the bytes that remain, and every field once more when it becomes one of our nouns.

mod bytes;
mod group;
mod offset;
mod stored;

pub use bytes::Malformed;
pub use group::{GroupMetadata, MemberMetadata};
pub use offset::CommittedOffset;
pub(crate) use offset::{places_with, written_bytes};
pub use stored::{DecodeError, Record, RecordBytes};

pub(crate) use bytes::Reader;

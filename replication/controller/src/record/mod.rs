//! The records of the metadata log, and their bytes.
//!
//! *Layout*: docs/formats/metadata_record.md. An envelope of four bytes, little-endian `kind: u16`
//! and `version: u16`, then an rkyv archive of that kind and version. Length and checksum belong to
//! the log that holds the record. Bytes are not trusted for their checksum: archives are checked
//! before they are read, and every field once more when it becomes one of our nouns.

mod change;
mod envelope;
mod stored;

pub use change::{
    BrokerRegistered, ConfigScope, ConfigsChanged, PartitionsAdded, ProducerIdsAllocated,
    QuotasChanged, Record, TopicCreated,
};
pub use envelope::DecodeError;

//! Fetch (1): record batches to be read.
//!
//! The broker reads a request as a [`RequestView`], which allocates nothing, and answers with a
//! [`ResponseWriter`], which leaves the record bytes to the caller as payloads. The owned
//! [`Request`] and [`Response`] are what a client writes and reads; the records of a response
//! share the memory of its frame.
//!
//! *Source*: KIP-74 (sizes), KIP-227 (sessions), KIP-320 (epochs), KIP-392 (racks), KIP-516
//! (topic ids), KIP-951 (leaders).

mod answer;
mod message;
mod view;

pub use answer::{PartitionHead, ResponseHead, ResponseWriter};
pub use message::{
    AbortedTransaction, EpochEndOffset, ForgottenTopic, Partition, PartitionResponse, ReplicaState,
    Request, Response, SnapshotId, Topic, TopicResponse,
};
pub use view::{Forgotten, ForgottenView, Numbers, Partitions, RequestView, TopicView, Topics};

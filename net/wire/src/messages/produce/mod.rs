//! Produce (0): record batches to be appended.
//!
//! The broker reads a request as a [`RequestView`], which allocates nothing and copies no record,
//! and answers it with [`RequestView::answer`], which names the topics as the request did. The
//! owned [`Request`] and [`Response`] are what a client writes and reads.
//!
//! A request with `acks` 0 gets no answer at all.

mod answer;
mod message;
mod view;

pub use message::{
    PartitionData, PartitionResponse, RecordError, Request, Response, TopicData, TopicResponse,
};
pub use view::{Partition, Partitions, RequestView, Topic, Topics};

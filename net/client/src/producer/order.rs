//! Requests: what is put into one, and what is handed out.

use std::sync::Arc;

use types::{NodeId, TopicId};
use wire::messages::produce;

use super::batch::{Batch, RecordNumber};
use crate::metadata::Metadata;

/// The highest Produce version that names topics; later ones need their ids.
pub(super) const NAMES_VERSION_MAX: i16 = 12;

/// A topic and a partition of it.
pub(super) type Place = (Arc<str>, i32);

/// A request's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderId(pub(super) u64);

/// A request to be carried to a node.
#[derive(Clone, Debug)]
pub struct Order {
    /// By which the answer is reported.
    pub id: OrderId,
    /// The leader of all its partitions.
    pub node: NodeId,
    /// The request.
    pub request: produce::Request,
    /// The highest version it can be written in.
    pub version_max: i16,
    /// Whether there will be an answer; without one, report nothing.
    pub is_answered: bool,
}

/// A request being put together.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) topics: Vec<produce::TopicData>,
    pub(super) batches: Vec<(Place, RecordNumber)>,
    size: u64,
    pub(super) without_ids: bool,
}

impl Draft {
    pub(super) fn takes(&self, batch: &Batch, size_max: u64) -> bool {
        self.batches.is_empty() || self.size + batch.sent_size().0 <= size_max
    }

    pub(super) fn add(&mut self, place: Place, batch: &Batch, metadata: &Metadata) {
        let (Some(&first), Some(written)) = (batch.numbers.first(), &batch.written) else {
            return;
        };
        self.size += batch.sent_size().0;
        let partition = produce::PartitionData {
            index: place.1,
            records: Some(written.clone()),
        };
        let same_topic = |topic: &&mut produce::TopicData| *topic.name == *place.0;
        if let Some(topic) = self.topics.last_mut().filter(same_topic) {
            topic.partition_data.push(partition);
        } else {
            let topic_id = metadata.topics.get(&*place.0).map(|topic| topic.id);
            let topic_id = topic_id.unwrap_or(TopicId::ZERO);
            self.without_ids |= topic_id.is_zero();
            self.topics.push(produce::TopicData {
                name: place.0.to_string(),
                topic_id,
                partition_data: vec![partition],
            });
        }
        self.batches.push((place, first));
    }
}

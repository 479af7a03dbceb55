//! Requests: what is put into one, and what is handed out.

use std::sync::Arc;

use types::{NodeId, TopicId};
use wire::messages::{fetch, list_offsets};

/// The highest Fetch version that names topics; later ones need their ids.
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
    pub request: OrderRequest,
    /// The highest version it can be written in.
    pub version_max: i16,
}

/// What is asked.
#[derive(Clone, Debug)]
pub enum OrderRequest {
    /// Where the ends of partitions are.
    Offsets(list_offsets::Request),
    /// For records.
    Records(fetch::Request),
}

/// A request being put together.
pub(super) struct Draft<T> {
    pub(super) topics: Vec<T>,
    pub(super) places: Vec<(Place, u64)>,
    pub(super) without_ids: bool,
}

impl<T> Default for Draft<T> {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            places: Vec::new(),
            without_ids: false,
        }
    }
}

impl Draft<list_offsets::Topic> {
    pub(super) fn ask_offset(&mut self, place: &Place, assignment: u64, timestamp: i64) {
        let partition = list_offsets::Partition {
            partition_index: place.1,
            timestamp,
            ..Default::default()
        };
        self.places.push((place.clone(), assignment));
        if let Some(topic) = self.topics.iter_mut().find(|topic| *topic.name == *place.0) {
            topic.partitions.push(partition);
        } else {
            let name = place.0.to_string();
            self.topics.push(list_offsets::Topic {
                name,
                partitions: vec![partition],
            });
        }
    }
}

impl Draft<fetch::Topic> {
    pub(super) fn ask_records(
        &mut self,
        place: &Place,
        assignment: u64,
        id: Option<TopicId>,
        (from, size): (i64, u64),
    ) {
        let partition = fetch::Partition {
            partition: place.1,
            fetch_offset: from,
            partition_max_bytes: i32::try_from(size).unwrap_or(i32::MAX),
            ..Default::default()
        };
        self.places.push((place.clone(), assignment));
        if let Some(topic) = self
            .topics
            .iter_mut()
            .find(|topic| *topic.topic == *place.0)
        {
            topic.partitions.push(partition);
        } else {
            let topic_id = id.unwrap_or(TopicId::ZERO);
            self.without_ids |= topic_id.is_zero();
            let topic = place.0.to_string();
            self.topics.push(fetch::Topic {
                topic,
                topic_id,
                partitions: vec![partition],
            });
        }
    }
}

//! Topics that are gone, for the offsets that go with them.

use std::collections::BTreeMap;
use std::sync::Arc;

use types::{PartitionIndex, TopicId, TopicName};

use crate::logged::Offsets;
use crate::record::CommittedOffset;

/// A topic that was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicDeleted {
    /// Its name.
    pub topic: TopicName,
    /// Its id: offsets that were committed for another topic of the name stay.
    pub topic_id: TopicId,
    /// Whether another topic has the name by now: what was committed without an id stays for it.
    pub is_replaced: bool,
}

impl TopicDeleted {
    fn takes(&self, committed: &CommittedOffset) -> bool {
        let id = committed.topic_id;
        id == self.topic_id || (id.is_zero() && !self.is_replaced)
    }
}

/// Topics that were deleted, in the order of their names. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicsDeleted(Arc<[TopicDeleted]>);

impl FromIterator<TopicDeleted> for TopicsDeleted {
    fn from_iter<T: IntoIterator<Item = TopicDeleted>>(deleted: T) -> Self {
        let mut deleted: Vec<TopicDeleted> = deleted.into_iter().collect();
        deleted.sort_by(|a, b| a.topic.cmp(&b.topic));
        Self(deleted.into())
    }
}

impl TopicsDeleted {
    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether an offset of a topic goes.
    pub(crate) fn takes(&self, topic: &TopicName, committed: &CommittedOffset) -> bool {
        self.named(topic).iter().any(|it| it.takes(committed))
    }

    /// Returns whether a group has offsets of a topic of one of the names.
    pub(crate) fn concerns(&self, offsets: &Offsets) -> bool {
        self.concerned(offsets).next().is_some()
    }

    /// Returns a group's offsets of the topics that have one of the names.
    ///
    /// *Cost*: linear in the topics of the group or in these, whichever are fewer, and logarithmic in the others.
    pub(crate) fn concerned<'a>(
        &'a self,
        offsets: &'a Offsets,
    ) -> impl Iterator<Item = (&'a TopicName, &'a BTreeMap<PartitionIndex, CommittedOffset>)> {
        let by_name = self.0.len() < offsets.len();
        let names = self.0.chunk_by(|a, b| a.topic == b.topic);
        let names = names.take(if by_name { usize::MAX } else { 0 });
        let looked_up = names.filter_map(|same| offsets.get_key_value(&same.first()?.topic));
        let all = offsets.iter().take(if by_name { 0 } else { usize::MAX });
        looked_up.chain(all.filter(|(topic, _)| !self.named(topic).is_empty()))
    }

    /// Returns those that had a name.
    fn named(&self, topic: &TopicName) -> &[TopicDeleted] {
        let first = self.0.partition_point(|it| it.topic < *topic);
        let rest = self.0.get(first..).unwrap_or_default();
        let count = rest.partition_point(|it| it.topic == *topic);
        rest.get(..count).unwrap_or_default()
    }
}

//! The logged state: of all records with one key the last one. `apply` is its only writer.
//!
//! Equal records make equal states, so whoever replays the log, or a snapshot and the rest of the
//! log, has what this coordinator had.

use std::collections::BTreeMap;

use types::{PartitionIndex, TopicName};

use crate::record::{CommittedOffset, GroupMetadata, Record};
use crate::text::GroupId;

/// The offsets of one group.
pub type Offsets = BTreeMap<TopicName, BTreeMap<PartitionIndex, CommittedOffset>>;

/// What the log says of one group.
///
/// A group without metadata and without offsets exists too, until its own record says otherwise:
/// it had offsets, and they were deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoggedGroup {
    /// The last generation; `None`: a simple group, which only ever had offsets.
    pub metadata: Option<GroupMetadata>,
    /// How far it has read.
    pub offsets: Offsets,
}

impl LoggedGroup {
    /// Returns how many offsets the group has.
    pub fn offset_count(&self) -> usize {
        self.offsets.values().map(BTreeMap::len).sum()
    }

    /// Returns for how many they count.
    fn places(&self) -> usize {
        let partitions = self.offsets.values().flat_map(BTreeMap::values);
        partitions.map(CommittedOffset::places).sum()
    }

    /// Returns one offset.
    pub fn offset(&self, topic: &TopicName, partition: PartitionIndex) -> Option<&CommittedOffset> {
        self.offsets.get(topic)?.get(&partition)
    }
}

/// What the log says of all groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logged {
    groups: BTreeMap<GroupId, LoggedGroup>,
    places: usize,
}

impl Logged {
    /// Returns a group.
    pub fn group(&self, id: &GroupId) -> Option<&LoggedGroup> {
        self.groups.get(id)
    }

    /// Returns all groups in the order of their names.
    pub fn groups(&self) -> impl Iterator<Item = (&GroupId, &LoggedGroup)> {
        self.groups.iter()
    }

    /// Returns how many groups there are.
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// Returns how many offsets there are, over all groups.
    pub fn offset_count(&self) -> usize {
        self.groups.values().map(LoggedGroup::offset_count).sum()
    }

    /// Returns for how many the offsets of all groups count: one each, and more for long notes.
    pub(crate) fn places(&self) -> usize {
        self.places
    }

    /// Changes the state as one durable record says. Every record applies to every state.
    pub(crate) fn apply(&mut self, record: Record) {
        match record {
            Record::Offset {
                group,
                topic,
                partition,
                value: Some(value),
            } => {
                let topics = &mut self.groups.entry(group).or_default().offsets;
                let partitions = topics.entry(topic).or_default();
                self.places += value.places();
                if let Some(before) = partitions.insert(partition, value) {
                    self.places -= before.places();
                }
            }
            Record::Offset {
                group,
                topic,
                partition,
                value: None,
            } => self.forget_offset(&group, &topic, partition),
            Record::Group {
                group,
                value: Some(value),
            } => self.groups.entry(group).or_default().metadata = Some(value),
            Record::Group { group, value: None } => self.forget_group(&group),
        }
    }

    fn forget_offset(&mut self, group: &GroupId, topic: &TopicName, partition: PartitionIndex) {
        let Some(group) = self.groups.get_mut(group) else {
            return;
        };
        let Some(partitions) = group.offsets.get_mut(topic) else {
            return;
        };
        if let Some(before) = partitions.remove(&partition) {
            self.places -= before.places();
        }
        if partitions.is_empty() {
            group.offsets.remove(topic);
        }
    }

    /// Offsets that outlive their group make it a simple one.
    fn forget_group(&mut self, id: &GroupId) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        group.metadata = None;
        if group.offsets.is_empty() {
            self.groups.remove(id);
        }
    }

    /// Puts a group into its place, as a snapshot has it; `false` if the place is taken.
    pub(crate) fn restore(&mut self, id: GroupId, group: LoggedGroup) -> bool {
        self.places += group.places();
        self.groups.insert(id, group).is_none()
    }
}

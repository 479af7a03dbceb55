//! The history itself.

use std::collections::{BTreeMap, BTreeSet};

use types::TopicId;

use super::event::{Delivery, Durability, Event};
use super::group::GroupEvent;
use super::ids::{GroupNumber, LogName, StreamId};

/// A point in a history: how many events had happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark(pub(crate) usize);

/// Everything that happened in one life, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    events: Vec<Event>,
}

impl History {
    /// Notes that something happened.
    pub(crate) fn push(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Returns now, for what is asked now.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.events.len())
    }

    /// Walks over the events with their places.
    pub(crate) fn events(&self) -> impl Iterator<Item = (Mark, &Event)> {
        self.events
            .iter()
            .enumerate()
            .map(|(index, event)| (Mark(index), event))
    }

    /// Prints every event with its place.
    pub(crate) fn print(&self) {
        for (Mark(place), event) in self.events() {
            println!("{place:>6} {event:?}");
        }
    }

    /// Returns which log a stream goes to, and what it was promised.
    pub(crate) fn streams(&self) -> BTreeMap<StreamId, (LogName, Delivery)> {
        let opened = self.events.iter().filter_map(|event| match event {
            Event::StreamOpened {
                stream,
                log,
                delivery,
            } => Some((*stream, (*log, *delivery))),
            _ => None,
        });
        opened.collect()
    }

    /// Returns what an acknowledgement promises in each topic.
    pub(crate) fn durabilities(&self) -> BTreeMap<TopicId, Durability> {
        let created = self.events.iter().filter_map(|event| match event {
            Event::TopicCreated {
                topic, durability, ..
            } => Some((*topic, *durability)),
            _ => None,
        });
        created.collect()
    }

    /// Walks over what happened to groups, but for those whose topic is doomed.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (Mark, GroupNumber, &GroupEvent)> {
        let doomed = self.doomed();
        let mut forgotten = BTreeSet::new();
        for (_, event) in self.events() {
            if let Event::Group(group, GroupEvent::Opened { topic }) = event
                && doomed.contains(topic)
            {
                forgotten.insert(*group);
            }
        }
        self.events().filter_map(move |(mark, event)| match event {
            Event::Group(group, event) if !forgotten.contains(group) => Some((mark, *group, event)),
            _ => None,
        })
    }

    /// Returns the topics whose deletion was asked for: nothing is promised of them any more.
    pub(crate) fn doomed(&self) -> BTreeSet<TopicId> {
        let asked = self.events.iter().filter_map(|event| match event {
            Event::TopicDeletionAsked { topic } => Some(*topic),
            _ => None,
        });
        asked.collect()
    }
}

impl From<Vec<Event>> for History {
    fn from(events: Vec<Event>) -> Self {
        Self { events }
    }
}

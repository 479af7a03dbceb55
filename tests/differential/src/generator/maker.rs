//! A script in the making: what all parts of the walk draw from and add to.

use std::collections::BTreeMap;

use wire::api::ApiKey;

use super::group::Group;
use crate::chance::Chance;
use crate::messages::Form;
use crate::script::{ADMIN_LINE, Due, RUN, Step, nobodys_id};
use crate::tree::{Earlier, Tree, body};

/// How many topics, groups and users or clients a script has names for.
pub(super) const TOPICS: usize = 4;
pub(super) const GROUPS: usize = 4;
pub(super) const NAMES: usize = 3;

/// Numbers of invented ids from here on are those of names; below are those of steps that created
/// nothing. One request may have both.
const UNKNOWN_NAMES_MIN: usize = 1 << 15;

/// A script in the making.
pub(super) struct Generator {
    pub(super) chance: Chance,
    pub(super) steps: Vec<Step>,
    pub(super) groups: Vec<Group>,
    /// The step that created each topic last.
    pub(super) created: [Option<usize>; TOPICS],
    /// Other topics that may be there.
    pub(super) others: Vec<String>,
    /// Makes what must differ differ.
    pub(super) names_next: usize,
    /// Whether records were deleted.
    pub(super) deleted: bool,
    /// The steps that asked for producer ids.
    pub(super) producers: Vec<usize>,
}

impl Generator {
    /// Adds a step, and returns its number.
    pub(super) fn push(
        &mut self,
        line: usize,
        form: Form,
        body: Tree,
        due: Due,
        releases: Vec<usize>,
    ) -> usize {
        let id = self.steps.len();
        self.steps.push(Step {
            id,
            line,
            form,
            body,
            due,
            releases,
        });
        id
    }

    /// Adds a request in any version whose answer is due at once.
    pub(super) fn send(&mut self, line: usize, key: ApiKey, body: Tree) -> usize {
        let versions = Form::versions(key);
        self.send_within(line, key, (versions.min, versions.max), body)
    }

    /// The same with bounds on the version.
    pub(super) fn send_within(
        &mut self,
        line: usize,
        key: ApiKey,
        versions: (i16, i16),
        body: Tree,
    ) -> usize {
        let version = self.chance.version(versions.0, versions.1);
        self.push(line, Form { key, version }, body, Due::Now, Vec::new())
    }

    /// A request that concerns no member.
    pub(super) fn ask(&mut self, key: ApiKey, body: Tree) -> usize {
        self.send(ADMIN_LINE, key, body)
    }

    /// Creates a topic in the version that tells its id.
    pub(super) fn create_by_ids(&mut self, topic: Tree) -> usize {
        let body = body! { topics: vec![topic], timeout_ms: 20_000 };
        self.send_within(ADMIN_LINE, ApiKey::CreateTopics, (7, 7), body)
    }

    /// Returns a number that no call before returned.
    pub(super) fn fresh(&mut self) -> usize {
        self.names_next += 1;
        self.names_next
    }

    /// The name of a topic, most often of one that is there.
    pub(super) fn any_topic(&mut self) -> String {
        match self.chance.below(12) {
            0 => format!("{RUN}-nowhere"),
            1 => self.chance.of(&BAD_NAMES).to_owned(),
            _ => topic_name(self.chance.below(TOPICS)),
        }
    }

    /// The id that a topic had when it was created last; of others, one that nobody has.
    pub(super) fn id_of(&self, name: &str) -> Tree {
        let index = (0..TOPICS).find(|index| topic_name(*index) == name);
        let step = index.and_then(|index| self.created[index]);
        let path = "topics.0.topic_id".to_owned();
        let unknown = || {
            let sum: usize = name.bytes().map(usize::from).sum();
            Tree::Uuid(nobodys_id(UNKNOWN_NAMES_MIN + sum))
        };
        step.map_or_else(unknown, |step| Earlier { step, path }.into())
    }

    /// A partition's number, most often of one that is there.
    pub(super) fn any_partition(&mut self) -> i32 {
        self.chance.of(&[0, 0, 0, 0, 1, 1, 2, 3, 99, -1, i32::MAX])
    }

    /// Some partitions, now and then one of them twice, or none.
    pub(super) fn any_partitions(&mut self) -> Vec<i32> {
        let count = self.chance.of(&[0, 1, 1, 1, 2, 3]);
        (0..count).map(|_| self.any_partition()).collect()
    }

    /// Some topics with some partitions each. None comes twice or is empty: Kafka merges and leaves
    /// out, and no client asks so.
    pub(super) fn any_topics(&mut self) -> BTreeMap<String, Vec<i32>> {
        let count = self.chance.of(&[0, 1, 1, 1, 2, 2, 3]);
        let topics = (0..count).map(|_| (self.any_topic(), self.any_partitions()));
        topics
            .filter(|(_, partitions)| !partitions.is_empty())
            .collect()
    }

    /// A name for a user or a client.
    pub(super) fn any_name(&mut self) -> String {
        match self.chance.below(8) {
            0 => String::new(),
            number => name(number % NAMES),
        }
    }

    /// The name of a group, most often of one that is there.
    pub(super) fn any_group(&mut self) -> String {
        match self.chance.below(12) {
            0 => format!("{RUN}-nobody"),
            1 => String::new(),
            _ => group_name(self.chance.below(GROUPS)),
        }
    }
}

/// Names that no topic may have.
pub(super) const BAD_NAMES: [&str; 6] = ["", ".", "..", "no spaces", "s/lash", "ümlaut"];

pub(super) fn topic_name(index: usize) -> String {
    format!("{RUN}-topic-{index}")
}

/// A topic that is there from the first step to the last.
pub(super) fn kept_topic() -> String {
    format!("{RUN}-kept")
}

pub(super) fn group_name(index: usize) -> String {
    format!("{RUN}-group-{index}")
}

pub(super) fn name(index: usize) -> String {
    format!("{RUN}-name-{index}")
}

//! Makes a script from a seed.
//!
//! A script is a random walk over a few topics, groups and users. What is random is which request
//! comes next, its version, and which of its fields are wrong; what is not is when a group's parked
//! answers are due, for which each group is followed by a model ([`groups`]).

mod administration;
mod configs;
mod groups;
mod membership;
mod offsets;
mod records;
mod security;
mod topics;

use std::collections::BTreeMap;

use wire::api::ApiKey;

use crate::chance::Chance;
use crate::messages::Form;
use crate::script::{ADMIN_LINE, Due, RUN, Script, Step, nobodys_id};
use crate::tree::{Earlier, Tree, body};
use groups::Group;

/// How many topics and groups a script has names for.
const TOPICS: usize = 4;
const GROUPS: usize = 4;

/// A part of the walk, so that a run may look at one alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    /// Members, generations, and what groups tell of them.
    Groups,
    /// How far groups have read.
    Offsets,
    /// Topics, partitions and configs.
    Topics,
    /// Ends of logs, producers, sizes.
    Records,
    /// All that concerns the cluster as a whole.
    Cluster,
}

impl Theme {
    /// Every theme with its name; those named more often come more often.
    pub(crate) const ALL: &[(&'static str, Self)] = &[
        ("groups", Self::Groups),
        ("offsets", Self::Offsets),
        ("topics", Self::Topics),
        ("records", Self::Records),
        ("cluster", Self::Cluster),
    ];
}

/// Makes the script of a seed with at least so many steps.
pub(crate) fn script(seed: u64, steps: usize, themes: &[Theme]) -> Script {
    let mut generator = Generator {
        chance: Chance::new(seed),
        steps: Vec::new(),
        groups: (0..GROUPS).map(Group::new).collect(),
        created: [None; TOPICS],
        others: Vec::new(),
        names_next: 0,
        deleted: false,
        producers: Vec::new(),
    };
    generator.begin();
    while generator.steps.len() < steps {
        match generator.chance.of(themes) {
            Theme::Groups => generator.group_step(),
            Theme::Offsets => generator.offset_step(),
            Theme::Topics if generator.chance.once_in(3) => generator.config_step(),
            Theme::Topics => generator.topic_step(),
            Theme::Records => generator.record_step(),
            Theme::Cluster if generator.chance.once_in(2) => generator.security_step(),
            Theme::Cluster => generator.cluster_step(),
        }
    }
    generator.end();
    Script {
        seed,
        steps: generator.steps,
    }
}

struct Generator {
    chance: Chance,
    steps: Vec<Step>,
    groups: Vec<Group>,
    /// The step that created each topic last.
    created: [Option<usize>; TOPICS],
    /// Other topics that may be there.
    others: Vec<String>,
    /// Makes what must differ differ.
    names_next: usize,
    /// Whether records were deleted.
    deleted: bool,
    /// The steps that asked for producer ids.
    producers: Vec<usize>,
}

impl Generator {
    /// Adds a step, and returns its number.
    fn push(
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
    fn send(&mut self, line: usize, key: ApiKey, body: Tree) -> usize {
        let versions = Form::versions(key);
        self.send_within(line, key, (versions.min, versions.max), body)
    }

    /// The same with bounds on the version.
    fn send_within(&mut self, line: usize, key: ApiKey, versions: (i16, i16), body: Tree) -> usize {
        let version = self.chance.version(versions.0, versions.1);
        self.push(line, Form { key, version }, body, Due::Now, Vec::new())
    }

    /// A request that concerns no member.
    fn ask(&mut self, key: ApiKey, body: Tree) -> usize {
        self.send(ADMIN_LINE, key, body)
    }

    /// Something to start from.
    fn begin(&mut self) {
        let kept = body! { name: kept_topic(), num_partitions: 1, replication_factor: 1 };
        self.create_by_ids(kept);
        self.others.push(kept_topic());
        for index in 0..TOPICS - 1 {
            let count = i32::try_from(index + 1).unwrap_or(1);
            let topic =
                body! { name: topic_name(index), num_partitions: count, replication_factor: 1 };
            self.created[index] = Some(self.create_by_ids(topic));
        }
        self.produce_step();
    }

    /// Creates a topic in the version that tells its id.
    fn create_by_ids(&mut self, topic: Tree) -> usize {
        let body = body! { topics: vec![topic], timeout_ms: 20_000 };
        self.send_within(ADMIN_LINE, ApiKey::CreateTopics, (7, 7), body)
    }

    /// Leaves nothing behind that could meet another run.
    fn end(&mut self) {
        for index in 0..GROUPS {
            self.everybody_leaves(index);
        }
        let mut names: Vec<String> = (0..GROUPS).map(group_name).collect();
        // The one group whose name has nothing of the run.
        names.push(String::new());
        self.ask(ApiKey::DeleteGroups, body! { groups_names: names });
        let mut names: Vec<String> = (0..TOPICS).map(topic_name).collect();
        self.others.sort_unstable();
        self.others.dedup();
        names.append(&mut self.others);
        let body = body! { topic_names: names, timeout_ms: 20_000 };
        self.send_within(ADMIN_LINE, ApiKey::DeleteTopics, (1, 5), body);
        self.forget_security();
    }

    /// Returns a number that no call before returned.
    fn fresh(&mut self) -> usize {
        self.names_next += 1;
        self.names_next
    }

    /// The name of a topic, most often of one that is there.
    fn any_topic(&mut self) -> String {
        match self.chance.below(12) {
            0 => format!("{RUN}-nowhere"),
            1 => self.chance.of(&BAD_NAMES).to_owned(),
            _ => topic_name(self.chance.below(TOPICS)),
        }
    }

    /// The id that a topic had when it was created last; of others, one that nobody has.
    fn id_of(&self, name: &str) -> Tree {
        let index = (0..TOPICS).find(|index| topic_name(*index) == name);
        let step = index.and_then(|index| self.created[index]);
        let path = "topics.0.topic_id".to_owned();
        let unknown = || {
            let sum = name.bytes().map(usize::from).sum();
            Tree::Uuid(nobodys_id(sum))
        };
        step.map_or_else(unknown, |step| Earlier { step, path }.into())
    }

    /// A partition's number, most often of one that is there.
    fn any_partition(&mut self) -> i32 {
        self.chance.of(&[0, 0, 0, 0, 1, 1, 2, 3, 99, -1, i32::MAX])
    }

    /// Some partitions, now and then one of them twice, or none.
    fn any_partitions(&mut self) -> Vec<i32> {
        let count = self.chance.of(&[0, 1, 1, 1, 2, 3]);
        (0..count).map(|_| self.any_partition()).collect()
    }

    /// Some topics with some partitions each. None comes twice or is empty: Kafka merges and leaves
    /// out, and no client asks so.
    fn any_topics(&mut self) -> BTreeMap<String, Vec<i32>> {
        let count = self.chance.of(&[0, 1, 1, 1, 2, 2, 3]);
        let topics = (0..count).map(|_| (self.any_topic(), self.any_partitions()));
        topics
            .filter(|(_, partitions)| !partitions.is_empty())
            .collect()
    }

    /// The name of a group, most often of one that is there.
    fn any_group(&mut self) -> String {
        match self.chance.below(12) {
            0 => format!("{RUN}-nobody"),
            1 => String::new(),
            _ => group_name(self.chance.below(GROUPS)),
        }
    }
}

/// Names that no topic may have.
const BAD_NAMES: [&str; 6] = ["", ".", "..", "no spaces", "s/lash", "ümlaut"];

fn topic_name(index: usize) -> String {
    format!("{RUN}-topic-{index}")
}

/// A topic that is there from the first step to the last.
fn kept_topic() -> String {
    format!("{RUN}-kept")
}

fn group_name(index: usize) -> String {
    format!("{RUN}-group-{index}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wire::api;
    use wire::schema::{Field, Kind};

    use super::*;
    use crate::messages;

    const ALL: [Theme; 5] = [
        Theme::Groups,
        Theme::Offsets,
        Theme::Topics,
        Theme::Records,
        Theme::Cluster,
    ];

    #[test]
    fn a_seed_makes_the_same_script_again_and_another_makes_another() {
        assert_eq!(script(7, 200, &ALL), script(7, 200, &ALL));
        assert_ne!(script(7, 200, &ALL), script(8, 200, &ALL));
    }

    #[test]
    fn every_served_version_is_asked() {
        let mut asked = BTreeSet::new();
        for seed in 0..60 {
            let script = script(seed, 400, &ALL);
            asked.extend(
                script
                    .steps
                    .iter()
                    .map(|step| (step.form.key, step.form.version)),
            );
        }
        let unasked = [ApiKey::Fetch, ApiKey::DescribeQuorum];
        for api in api::table()
            .iter()
            .filter(|api| !unasked.contains(&api.key))
        {
            for version in api.served.min..=api.served.max {
                assert!(
                    asked.contains(&(api.key, version)),
                    "{} {version}",
                    api.name
                );
            }
        }
    }

    #[test]
    fn every_name_in_a_request_is_that_of_a_field() {
        for seed in 0..40 {
            for step in script(seed, 300, &ALL).steps {
                known(&step.body, messages::of(step.form.key).request, &step);
            }
        }
    }

    fn known(tree: &Tree, fields: &'static [Field], step: &Step) {
        let Tree::Fields(named) = tree else { return };
        for (name, value) in named {
            let field = fields.iter().find(|field| field.name == *name);
            let field = field.unwrap_or_else(|| panic!("{name} in {step}"));
            let element = match field.kind {
                Kind::Array { of } => *of,
                other => other,
            };
            let Kind::Structure { fields: below } = element else {
                continue;
            };
            match value {
                Tree::List(elements) => elements.iter().for_each(|e| known(e, below, step)),
                other => known(other, below, step),
            }
        }
    }

    #[test]
    fn what_is_parked_is_released_before_its_line_is_used_again() {
        for seed in 0..100 {
            let mut parked: Vec<(usize, usize)> = Vec::new();
            for step in script(seed, 300, &ALL).steps {
                assert!(parked.iter().all(|(_, line)| *line != step.line), "{step}");
                if step.due != Due::Now {
                    parked.push((step.id, step.line));
                }
                for id in &step.releases {
                    assert!(parked.iter().any(|(parked, _)| parked == id), "{step}");
                }
                parked.retain(|(id, _)| !step.releases.contains(id));
            }
            assert!(parked.is_empty(), "seed {seed}: {parked:?}");
        }
    }
}

//! The walk: a beginning, as many steps as are wanted, an end that leaves nothing behind.

use wire::api::ApiKey;

use super::group::Group;
use super::maker::{GROUPS, Generator, TOPICS, group_name, kept_topic, topic_name};
use crate::chance::Chance;
use crate::script::{ADMIN_LINE, Script};
use crate::tree::body;

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
        groups: (0..GROUPS)
            .map(|index| Group::new(index, group_name(index)))
            .collect(),
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

impl Generator {
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
        self.forget_configs();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wire::schema::{Field, Kind};

    use super::*;
    use crate::coverage;
    use crate::messages;
    use crate::script::{Due, Step};
    use crate::tree::Tree;

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
        for api in coverage::asked() {
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

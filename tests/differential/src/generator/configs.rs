//! Configs of topics: those that Kafka and riverrun both know.

use wire::api::ApiKey;
use wire::messages::incremental_alter_configs::OPERATION_SET;

use super::maker::{BAD_NAMES, Generator};
use crate::script::RUN;
use crate::tree::{Tree, body};

/// Configs and values for them, good ones and bad ones.
const CONFIGS: &[(&str, &[&str])] = &[
    ("retention.ms", &["1000000", "-1", "-2", "soon", ""]),
    ("retention.bytes", &["1000000", "-1", "all"]),
    ("segment.bytes", &["1048576", "2097152", "-1", "9999999999"]),
    ("segment.ms", &["100000", "0", "-1"]),
    ("index.interval.bytes", &["4096", "0", "-1"]),
    ("max.message.bytes", &["100000", "0", "-1"]),
    (
        "compression.type",
        &["producer", "zstd", "gzip", "none", "bzip2"],
    ),
    (
        "message.timestamp.type",
        &["CreateTime", "LogAppendTime", "Never"],
    ),
    ("min.insync.replicas", &["1", "0", "2"]),
    ("cleanup.policy", &["delete", "forget"]),
    ("no.such.config", &["1"]),
    ("", &["1"]),
];

/// Numbers of kinds of resources: topic, broker, client metrics, group, and some that are none.
const TOPIC: i8 = 2;
const KINDS: [i8; 8] = [TOPIC, TOPIC, TOPIC, TOPIC, 0, 1, 99, -1];

impl Generator {
    /// One step of the walk through configs.
    pub(super) fn config_step(&mut self) {
        match self.chance.below(8) {
            0..=2 => self.describe_configs(),
            3 | 4 => self.alter_configs(),
            5 | 6 => self.change_configs(),
            _ => self.list_config_resources(),
        }
    }

    /// A config and a value for it.
    pub(super) fn config(&mut self) -> (&'static str, Option<&'static str>) {
        let (name, values) = self.chance.of(CONFIGS);
        let value = self.chance.of(values);
        (name, (!self.chance.once_in(12)).then_some(value))
    }

    fn resources(
        &mut self,
        mut of: impl FnMut(&mut Self, &str) -> (&'static str, Tree),
    ) -> Vec<Tree> {
        let count = self.chance.of(&[0, 1, 1, 1, 2]);
        let mut one = |generator: &mut Self| {
            let (kind, name) = (generator.chance.of(&KINDS), generator.any_topic());
            let (field, value) = of(generator, &name);
            Tree::Fields(vec![
                ("resource_type", kind.into()),
                ("resource_name", name.into()),
                (field, value),
            ])
        };
        let mut resources: Vec<Tree> = (0..count).map(|_| one(self)).collect();
        if count > 0 && self.chance.once_in(12) {
            resources.push(resources[0].clone());
        }
        resources
    }

    fn describe_configs(&mut self) {
        let mut resources = self.resources(|generator, _| {
            // All keys at once are never asked for: Kafka has more of them.
            let count = generator.chance.of(&[1, 2, 3]);
            let keys: Vec<&str> = (0..count).map(|_| generator.config().0).collect();
            ("configuration_keys", keys.into())
        });
        // One of no kind comes alone: Kafka refuses the others with it.
        let is_topic = |resource: &Tree| resource.int_at("resource_type") == Some(TOPIC.into());
        if !resources.iter().all(is_topic) {
            resources.truncate(1);
        }
        let body = body! {
            resources: resources,
            include_synonyms: self.chance.once_in(2),
            include_documentation: self.chance.once_in(2),
        };
        self.ask(ApiKey::DescribeConfigs, body);
    }

    fn alter_configs(&mut self) {
        let mut resources = self.resources(|generator, _| {
            let count = generator.chance.of(&[0, 1, 1, 2]);
            let config = |generator: &mut Self| {
                let (name, value) = generator.config();
                body! { name: name, value: value }
            };
            let configs: Vec<Tree> = (0..count).map(|_| config(generator)).collect();
            ("configs", configs.into())
        });
        // One alone: of an unknown kind that comes twice, Kafka never answers anything.
        resources.truncate(1);
        let only_checked = self.chance.once_in(3);
        self.ask(
            ApiKey::AlterConfigs,
            body! { resources: resources, validate_only: only_checked },
        );
    }

    fn change_configs(&mut self) {
        let resources = self.resources(|generator, resource| {
            let count = generator.chance.of(&[0, 1, 1, 2]);
            // No unknown operation: Kafka then only says that something went wrong. Of a name that no
            // topic can have, Kafka tells last.
            let operations: &[i8] = if BAD_NAMES.contains(&resource) {
                &[OPERATION_SET]
            } else {
                &[OPERATION_SET, OPERATION_SET, OPERATION_SET, 1, 2, 3]
            };
            let change = |generator: &mut Self| {
                let (name, value) = generator.config();
                let operation = generator.chance.of(operations);
                body! { name: name, config_operation: operation, value: value }
            };
            let configs: Vec<Tree> = (0..count).map(|_| change(generator)).collect();
            ("configs", configs.into())
        });
        let only_checked = self.chance.once_in(3);
        let body = body! { resources: resources, validate_only: only_checked };
        self.ask(ApiKey::IncrementalAlterConfigs, body);
    }

    fn list_config_resources(&mut self) {
        let kinds: [&[i8]; 6] = [&[2], &[4], &[16], &[32], &[2, 4], &[1]];
        let kinds = self.chance.of(&kinds).to_vec();
        self.ask(ApiKey::ListConfigResources, body! { resource_types: kinds });
    }

    /// A name for a user, a client or a transaction.
    pub(super) fn any_name(&mut self) -> String {
        match self.chance.below(8) {
            0 => String::new(),
            number => format!("{RUN}-name-{}", number % 3),
        }
    }
}

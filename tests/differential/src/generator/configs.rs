//! Configs of topics: those that Kafka and riverrun both know.

use wire::api::ApiKey;
use wire::messages::incremental_alter_configs::{OPERATION_DELETE, OPERATION_SET};

use super::maker::{BAD_NAMES, Generator};
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

/// Configs of brokers and values for them, none of which stops a script. Kafka takes those that are
/// none, for plug-ins to read.
const BROKER_CONFIGS: &[(&str, &[&str])] = &[
    ("log.retention.bytes", &["1000000", "-1", "all"]),
    ("log.segment.bytes", &["1048576", "2097152", "-1"]),
    ("log.index.interval.bytes", &["4096", "0", "-1"]),
    ("message.max.bytes", &["100000", "200000", "-1"]),
    ("compression.type", &["producer", "zstd", "bzip2"]),
    ("log.message.timestamp.type", &["CreateTime", "Never"]),
    ("min.insync.replicas", &["1", "0", "2"]),
    (READ_ONLY, &["2"]),
];

/// A config of brokers that nobody can change while they run.
const READ_ONLY: &str = "num.partitions";

/// Numbers of kinds of resources: topics, brokers, and some that are none.
const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const KINDS: [i8; 10] = [TOPIC, TOPIC, TOPIC, TOPIC, BROKER, BROKER, 0, 1, 99, -1];

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

    /// A config and a value for it, of a kind of resource.
    fn config_of(&mut self, kind: i8) -> (&'static str, Option<&'static str>) {
        if kind != BROKER {
            return self.config();
        }
        let (name, values) = self.chance.of(BROKER_CONFIGS);
        let value = self.chance.of(values);
        (name, (!self.chance.once_in(12)).then_some(value))
    }

    /// What brokers were told is taken back, so that the next script finds them as this one did.
    pub(super) fn forget_configs(&mut self) {
        let names = BROKER_CONFIGS.iter().map(|(name, _)| *name);
        let names = names.filter(|name| *name != READ_ONLY);
        let deletion = |name: &str| body! { name: name, config_operation: OPERATION_DELETE };
        let configs: Vec<Tree> = names.map(deletion).collect();
        let resource = |name: &str| {
            body! { resource_type: BROKER, resource_name: name, configs: configs.clone() }
        };
        let resources: Vec<Tree> = ["1", ""].map(resource).into();
        self.ask(
            ApiKey::IncrementalAlterConfigs,
            body! { resources: resources },
        );
    }

    fn resources(
        &mut self,
        mut of: impl FnMut(&mut Self, i8, &str) -> (&'static str, Tree),
    ) -> Vec<Tree> {
        let count = self.chance.of(&[0, 1, 1, 1, 2]);
        let mut one = |generator: &mut Self| {
            let kind = generator.chance.of(&KINDS);
            let name = match kind {
                BROKER => generator.chance.of(&["1", "1", "", "2", "one"]).to_owned(),
                _ => generator.any_topic(),
            };
            let (field, value) = of(generator, kind, &name);
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
        let mut resources = self.resources(|generator, kind, _| {
            // All keys at once are never asked for: Kafka has more of them.
            let count = generator.chance.of(&[1, 2, 3]);
            let keys: Vec<&str> = (0..count).map(|_| generator.config_of(kind).0).collect();
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
        let mut resources = self.resources(|generator, kind, _| {
            let count = generator.chance.of(&[0, 1, 1, 2]);
            let config = |generator: &mut Self| {
                let (name, value) = generator.config_of(kind);
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
        let resources = self.resources(|generator, kind, resource| {
            let count = generator.chance.of(&[0, 1, 1, 2]);
            // No unknown operation: Kafka then only says that something went wrong. Of a name that no
            // topic can have, Kafka tells last.
            let operations: &[i8] = if BAD_NAMES.contains(&resource) {
                &[OPERATION_SET]
            } else {
                &[OPERATION_SET, OPERATION_SET, OPERATION_SET, 1, 2, 3]
            };
            let change = |generator: &mut Self| {
                let (name, value) = generator.config_of(kind);
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
}

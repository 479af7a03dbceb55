//! Who wins where a config is set in several places, and how that is described.

use std::sync::Arc;
use std::time::Duration;

use controller::request::{
    ConfigAlteration, ConfigChanges, ConfigOperation, ConfigResource, Mode, NewTopic, Registration,
};
use controller::{Controller, Image, Request, Settings};
use record::{Compression, TimestampType};
use storage::{Durability, LogConfig};
use types::{ByteCount, NodeId, TimestampMs, TopicId, TopicName};

use crate::config::*;

/// A node with one topic, whose controller asks the real schema.
struct Fixture {
    node: Arc<NodeConfig>,
    topic: TopicName,
    controller: Controller,
}

impl Fixture {
    fn new(settings: &[&str]) -> Self {
        Self::with_topic("t", settings)
    }

    fn with_topic(name: &str, settings: &[&str]) -> Self {
        let topic: TopicName = name.parse().unwrap();
        let node = Arc::new(NodeConfig::parse("", settings).unwrap());
        let schema = Box::new(Schema::new(Arc::clone(&node)));
        let controller = Controller::new(Settings::default(), schema, Image::empty());
        let mut fixture = Self {
            node,
            topic: topic.clone(),
            controller,
        };
        fixture.commit(&Request::RegisterBroker(Registration {
            node: NodeId(1),
            rack: None,
            endpoints: Vec::new(),
        }));
        let topic = NewTopic {
            id: TopicId([1; 16]),
            name: topic,
            partition_count: -1,
            replication_factor: -1,
            assignments: Vec::new(),
            configs: Vec::new(),
        };
        fixture.commit(&Request::CreateTopics {
            topics: vec![topic],
            mode: Mode::Commit,
        });
        fixture
    }

    fn commit(&mut self, request: &Request) {
        let decision = self.controller.decide(TimestampMs(0), request).unwrap();
        assert!(!decision.records.is_empty(), "{decision:?}");
        for record in decision.records {
            self.controller.apply(&record).unwrap();
        }
    }

    fn set(&mut self, resource: ConfigResource, name: &str, value: &str) {
        let operation = ConfigOperation::Set(value.to_owned());
        let change = ConfigChanges::Edit(vec![(name.to_owned(), operation)]);
        let resources = vec![ConfigAlteration { resource, change }];
        self.commit(&Request::AlterConfigs {
            resources,
            mode: Mode::Commit,
        });
    }

    fn set_topic(&mut self, name: &str, value: &str) {
        self.set(ConfigResource::Topic(self.topic.clone()), name, value);
    }

    fn effective(&self) -> TopicConfig {
        let image = self.controller.image();
        TopicConfig::effective(
            &self.node,
            image,
            image.topic_named(self.topic.as_str()).unwrap(),
        )
    }

    fn entry(&self, name: &str) -> ConfigEntry {
        let image = self.controller.image();
        let topic = image.topic_named(self.topic.as_str()).unwrap();
        let entries = describe_topic(&self.node, image, &topic.configs);
        entries
            .into_iter()
            .find(|entry| entry.name == name)
            .unwrap()
    }
}

#[test]
fn the_nearest_to_the_topic_wins() {
    let mut fixture = Fixture::new(&["log.retention.ms=2"]);
    let age = |fixture: &Fixture| fixture.effective().retention_age();
    let milliseconds = |count| Some(Duration::from_millis(count));
    assert_eq!(age(&Fixture::new(&[])), milliseconds(604_800_000));
    assert_eq!(age(&fixture), milliseconds(2));
    fixture.set(ConfigResource::AllBrokers, "log.retention.ms", "3");
    assert_eq!(age(&fixture), milliseconds(3));
    fixture.set(ConfigResource::Broker(NodeId(1)), "log.retention.ms", "4");
    assert_eq!(age(&fixture), milliseconds(4));
    fixture.set_topic("retention.ms", "5");
    assert_eq!(age(&fixture), milliseconds(5));

    let entry = fixture.entry("retention.ms");
    let synonyms: Vec<_> = entry
        .synonyms
        .iter()
        .map(|synonym| (synonym.source.code(), synonym.name, synonym.value.as_str()))
        .collect();
    assert_eq!(
        synonyms,
        [
            (1, "retention.ms", "5"),
            (2, "log.retention.ms", "4"),
            (3, "log.retention.ms", "3"),
            (4, "log.retention.ms", "2"),
            (5, "log.retention.ms", "604800000"),
        ]
    );
    assert_eq!(entry.value.as_deref(), Some("5"));
    assert_eq!(entry.source, ConfigSource::Topic);
    assert_eq!(entry.kind, ConfigType::Long);
    assert!(!entry.read_only);
}

#[test]
fn a_topic_without_configs_has_the_engines_defaults() {
    let config = Fixture::new(&[]).effective();
    assert_eq!(config.log(), LogConfig::default());
    assert_eq!(
        config.batch_size_max(),
        types::limits::BATCH_SIZE_MAX_DEFAULT
    );
    assert_eq!(config.compression(), None);
    assert_eq!(config.min_insync_replicas(), 1);
    assert_eq!(config.timestamp_before_max_ms(), i64::MAX.unsigned_abs());
    assert_eq!(config.timestamp_after_max_ms(), 3_600_000);
}

#[test]
fn every_config_of_a_topic_reaches_its_field() {
    let mut fixture = Fixture::new(&[]);
    for (name, value) in [
        ("retention.ms", "-1"),
        ("retention.bytes", "7"),
        ("segment.bytes", "1048576"),
        ("segment.ms", "8"),
        ("index.interval.bytes", "9"),
        ("max.message.bytes", "10"),
        ("compression.type", "uncompressed"),
        ("message.timestamp.type", "LogAppendTime"),
        ("message.timestamp.before.max.ms", "11"),
        ("message.timestamp.after.max.ms", "12"),
        ("min.insync.replicas", "13"),
        ("durability", "os"),
    ] {
        fixture.set_topic(name, value);
    }
    let config = fixture.effective();
    assert_eq!(config.retention_age(), None);
    assert_eq!(config.retention_size(), Some(ByteCount(7)));
    assert_eq!(config.segment_size_max(), ByteCount::mib(1));
    assert_eq!(config.segment_age_max(), Duration::from_millis(8));
    assert_eq!(config.index_interval(), ByteCount(9));
    assert_eq!(config.batch_size_max(), ByteCount(10));
    assert_eq!(config.compression(), Some(Compression::None));
    assert_eq!(config.timestamp_type(), TimestampType::LogAppendTime);
    assert_eq!(config.timestamp_before_max_ms(), 11);
    assert_eq!(config.timestamp_after_max_ms(), 12);
    assert_eq!(config.min_insync_replicas(), 13);
    assert_eq!(config.durability(), Durability::Os);
}

#[test]
fn every_compression_is_told_apart() {
    let wanted = [
        ("producer", None),
        ("uncompressed", Some(Compression::None)),
        ("gzip", Some(Compression::Gzip)),
        ("snappy", Some(Compression::Snappy)),
        ("lz4", Some(Compression::Lz4)),
        ("zstd", Some(Compression::Zstd)),
    ];
    for (word, want) in wanted {
        let fixture = Fixture::new(&[&format!("compression.type={word}")]);
        assert_eq!(fixture.effective().compression(), want);
    }
}

#[test]
fn an_empty_cleanup_policy_keeps_everything() {
    let mut fixture = Fixture::new(&["log.retention.bytes=5"]);
    assert_eq!(fixture.effective().retention_size(), Some(ByteCount(5)));
    fixture.set_topic("cleanup.policy", "");
    assert_eq!(fixture.effective().retention_size(), None);
    assert_eq!(fixture.effective().retention_age(), None);
}

#[test]
fn retention_and_durability_of_an_internal_topic_are_not_configured() {
    let named = |name| {
        let mut fixture = Fixture::with_topic(name, &["log.retention.ms=1"]);
        fixture.set_topic("cleanup.policy", "compact,delete");
        fixture.set_topic("retention.bytes", "0");
        fixture.set_topic("durability", "os");
        fixture.set_topic("max.message.bytes", "10");
        fixture
    };
    for name in ["__consumer_offsets", "__transaction_state"] {
        let fixture = named(name);
        let config = fixture.effective();
        assert_eq!(config.retention_age(), None);
        assert_eq!(config.retention_size(), None);
        assert_eq!(config.durability(), Durability::Group);
        assert_eq!(config.batch_size_max(), ByteCount(10));
        assert_eq!(fixture.entry("durability").value.as_deref(), Some("os"));
    }
    let config = named("consumer_offsets").effective();
    assert_eq!(config.retention_age(), Some(Duration::from_millis(1)));
    assert_eq!(config.retention_size(), Some(ByteCount(0)));
    assert_eq!(config.durability(), Durability::Os);
}

#[test]
fn a_broker_describes_every_key_and_which_of_them_are_fixed() {
    let mut fixture = Fixture::new(&["num.partitions=3", "cores=2"]);
    fixture.set(
        ConfigResource::Broker(NodeId(1)),
        "log.segment.bytes",
        "2097152",
    );
    let image = fixture.controller.image();
    let entries = describe_broker(&fixture.node, image);
    assert_eq!(entries.len(), node::keys().count());
    let entry = |name: &str| entries.iter().find(|entry| entry.name == name).unwrap();

    let partitions = entry("num.partitions");
    assert_eq!(partitions.value.as_deref(), Some("3"));
    assert_eq!(partitions.source, ConfigSource::File);
    assert_eq!(partitions.kind, ConfigType::Int);
    assert!(partitions.read_only);
    assert_eq!(partitions.synonyms.len(), 2);

    let rack = entry("rack");
    assert_eq!(
        (rack.value.as_deref(), rack.source),
        (None, ConfigSource::Default)
    );
    assert_eq!(entry("cores").value.as_deref(), Some("2"));
    assert_eq!(entry("auto.create.topics.enable").kind, ConfigType::Boolean);
    assert_eq!(entry("listen").kind, ConfigType::String);
    assert_eq!(entry("log.cleanup.policy").kind, ConfigType::List);

    let segment = entry("log.segment.bytes");
    assert_eq!(segment.value.as_deref(), Some("2097152"));
    assert_eq!(segment.source, ConfigSource::Broker);
    assert!(!segment.read_only);
    assert_eq!(describe_all_brokers(image), []);
}

#[test]
fn all_brokers_describe_only_what_is_set_for_them() {
    let mut fixture = Fixture::new(&[]);
    fixture.set(ConfigResource::AllBrokers, "log.roll.ms", "9");
    let entries = describe_all_brokers(fixture.controller.image());
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].name, "log.roll.ms");
    assert_eq!(entries[0].value.as_deref(), Some("9"));
    assert_eq!(entries[0].source.code(), 3);
}

#[test]
fn stored_values_of_another_version_count_as_not_set() {
    let mut fixture = Fixture::new(&["log.roll.ms=2"]);
    let changes = vec![
        ("no.such".to_owned(), Some("1".to_owned())),
        ("segment.ms".to_owned(), Some("a week".to_owned())),
    ];
    let scope = controller::record::ConfigScope::Topic(TopicId([1; 16]));
    let record = controller::record::ConfigsChanged { scope, changes };
    fixture
        .controller
        .apply(&controller::Record::ConfigsChanged(record))
        .unwrap();
    assert_eq!(
        fixture.effective().segment_age_max(),
        Duration::from_millis(2)
    );
    assert_eq!(fixture.entry("segment.ms").source, ConfigSource::File);
}

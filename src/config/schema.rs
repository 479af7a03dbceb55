//! What the controller asks before it writes a config.

use std::sync::Arc;

use controller::{ConfigRefusal, ConfigSchema, ResourceKind};

use super::key::nearest;
use super::kind::Kind;
use super::node::{self, NodeConfig};
use super::topic_keys::{self, TOPIC_KEYS, TopicKey};

/// The table of keys, as the controller needs it.
#[derive(Clone, Debug)]
pub struct Schema {
    node: Arc<NodeConfig>,
}

impl Schema {
    /// Makes the schema of one node: its file holds defaults of lists.
    pub fn new(node: Arc<NodeConfig>) -> Self {
        Self { node }
    }
}

impl ConfigSchema for Schema {
    fn check(&self, kind: ResourceKind, name: &str, value: &str) -> Result<(), ConfigRefusal> {
        let row = find(kind, name).ok_or_else(|| refusal(kind, name))?;
        row.key.parse(value).map(|_| ())
    }

    fn list_default(&self, kind: ResourceKind, name: &str) -> Option<&str> {
        let key = &find(kind, name)?.key;
        let is_list = matches!(key.kind, Kind::List { .. });
        let default = self.node.given(key.name).or(key.default);
        default.filter(|_| is_list)
    }
}

/// Finds a config that may change while the node runs.
fn find(kind: ResourceKind, name: &str) -> Option<&'static TopicKey> {
    match kind {
        ResourceKind::Topic => topic_keys::find(name),
        ResourceKind::Broker => topic_keys::find_by_key(name),
    }
}

fn refusal(kind: ResourceKind, name: &str) -> ConfigRefusal {
    let nearest = match kind {
        ResourceKind::Topic => nearest(name, TOPIC_KEYS.iter().map(|row| row.name)),
        ResourceKind::Broker if node::find(name).is_some() => return ConfigRefusal::ReadOnly,
        ResourceKind::Broker => nearest(name, TOPIC_KEYS.iter().map(|row| row.key.name)),
    };
    ConfigRefusal::Unknown { nearest }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        Schema::new(Arc::new(NodeConfig::default()))
    }

    #[test]
    fn topics_and_brokers_have_their_own_names() {
        let check = |kind, name| schema().check(kind, name, "5");
        assert_eq!(check(ResourceKind::Topic, "retention.ms"), Ok(()));
        assert_eq!(check(ResourceKind::Broker, "log.retention.ms"), Ok(()));
        assert_eq!(
            check(ResourceKind::Topic, "log.retention.ms"),
            Err(ConfigRefusal::Unknown {
                nearest: Some("retention.ms")
            })
        );
        assert_eq!(
            check(ResourceKind::Topic, "flush.messages"),
            Err(ConfigRefusal::Unknown { nearest: None })
        );
        assert_eq!(
            check(ResourceKind::Broker, "num.partitions"),
            Err(ConfigRefusal::ReadOnly)
        );
    }

    /// As a Kafka 4.3 broker answers CreateTopics; where we differ, the comment says why.
    #[test]
    fn topic_values_are_checked_as_kafka_checks_them() {
        let good = [
            ("retention.ms", "-1"),
            ("retention.ms", " 5 "),
            ("retention.ms", "+5"),
            ("segment.bytes", "1048576"),
            ("segment.ms", "1"),
            ("max.message.bytes", "0"),
            ("cleanup.policy", ""),
            ("cleanup.policy", "delete,delete"),
            ("min.insync.replicas", "5"),
            ("index.interval.bytes", "0"),
            ("compression.type", "zstd"),
            ("durability", "os"),
        ];
        for (name, value) in good {
            assert_eq!(
                schema().check(ResourceKind::Topic, name, value),
                Ok(()),
                "{name}={value}"
            );
        }
        let bad = [
            ("retention.ms", "-2"),
            ("retention.ms", "abc"),
            ("retention.ms", ""),
            // Kafka takes any negative number for "no bound".
            ("retention.bytes", "-2"),
            ("segment.bytes", "1048575"),
            ("segment.bytes", "2147483648"),
            ("segment.ms", "0"),
            ("max.message.bytes", "-1"),
            // Kafka takes up to 2^31-1; a batch must fit a file of the smallest journal here.
            ("max.message.bytes", "3145729"),
            ("compression.type", "GZIP"),
            ("message.timestamp.type", "x"),
            ("message.timestamp.after.max.ms", "-1"),
            ("min.insync.replicas", "0"),
            ("index.interval.bytes", "-1"),
            ("cleanup.policy", "x"),
            ("durability", "strict"),
        ];
        for (name, value) in bad {
            assert!(
                schema().check(ResourceKind::Topic, name, value).is_err(),
                "{name}={value}"
            );
        }
    }

    #[test]
    fn lists_start_from_what_the_file_says() {
        let schema = schema();
        assert_eq!(
            schema.list_default(ResourceKind::Topic, "cleanup.policy"),
            Some("delete")
        );
        assert_eq!(
            schema.list_default(ResourceKind::Topic, "retention.ms"),
            None
        );
        assert_eq!(schema.list_default(ResourceKind::Topic, "no.such"), None);
        let node = NodeConfig::parse("", &["log.cleanup.policy="]).unwrap();
        let schema = Schema::new(Arc::new(node));
        assert_eq!(
            schema.list_default(ResourceKind::Topic, "cleanup.policy"),
            Some("")
        );
        assert_eq!(
            schema.list_default(ResourceKind::Broker, "log.cleanup.policy"),
            Some("")
        );
    }
}

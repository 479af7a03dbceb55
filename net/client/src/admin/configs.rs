//! Configurations of topics and brokers.

use types::NodeId;
use wire::messages::describe_configs::{RESOURCE_BROKER, RESOURCE_TOPIC};
use wire::messages::{describe_configs, incremental_alter_configs};

use super::results::Results;
use crate::error::BrokerError;

/// What has configurations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigResource {
    /// A topic.
    Topic(String),
    /// One broker.
    Broker(NodeId),
    /// All brokers that have no value of their own.
    Brokers,
}

impl ConfigResource {
    /// Returns the resource's type and name on the wire.
    fn wire(&self) -> (i8, String) {
        match self {
            Self::Topic(name) => (RESOURCE_TOPIC, name.clone()),
            Self::Broker(node) => (RESOURCE_BROKER, node.to_string()),
            Self::Brokers => (RESOURCE_BROKER, String::new()),
        }
    }
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigSource {
    /// It was set for the topic.
    Topic,
    /// It was set for the broker, while it ran.
    Broker,
    /// It was set for all brokers, while they ran.
    Brokers,
    /// It stands in the broker's configuration file.
    File,
    /// Nobody set it.
    Default,
    /// A source that we do not know, or one that is not told.
    Other,
}

impl ConfigSource {
    fn of(source: i8) -> Self {
        match source {
            describe_configs::SOURCE_TOPIC => Self::Topic,
            describe_configs::SOURCE_DYNAMIC_BROKER => Self::Broker,
            describe_configs::SOURCE_DYNAMIC_DEFAULT_BROKER => Self::Brokers,
            describe_configs::SOURCE_STATIC_BROKER => Self::File,
            describe_configs::SOURCE_DEFAULT => Self::Default,
            _ => Self::Other,
        }
    }
}

/// One configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The key.
    pub name: String,
    /// The value; `None` for a secret.
    pub value: Option<String>,
    /// Where the value comes from.
    pub source: ConfigSource,
    /// The value that it has when nobody sets it, if there is one and the broker tells it.
    pub default: Option<String>,
    /// Whether it was set for this resource, and is not inherited.
    pub is_own: bool,
    /// Whether it cannot be changed while the broker runs.
    pub is_read_only: bool,
    /// Whether the value is a secret.
    pub is_secret: bool,
}

/// A change of one configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigChange {
    /// The key.
    pub name: String,
    /// The value; `None` returns it to its default.
    pub value: Option<String>,
}

/// Asks for configurations of resources; without keys for all there are.
pub fn describe_configs(
    resources: &[ConfigResource],
    keys: Option<&[&str]>,
) -> describe_configs::Request {
    let keys = keys.map(|keys| keys.iter().map(|&key| key.to_owned()).collect());
    let described = |resource: &ConfigResource| {
        let (resource_type, resource_name) = resource.wire();
        describe_configs::Resource {
            resource_type,
            resource_name,
            configuration_keys: keys.clone(),
        }
    };
    describe_configs::Request {
        resources: resources.iter().map(described).collect(),
        // Among them is the default.
        include_synonyms: true,
        ..Default::default()
    }
}

/// Reads the configurations of resources.
pub fn configs(response: describe_configs::Response) -> Results<Vec<Config>> {
    let result = |resource: describe_configs::ResourceResult| {
        let checked = BrokerError::check(resource.error_code, resource.error_message);
        let own = own_source(resource.resource_type, &resource.resource_name);
        let config = |config| read(config, own);
        let configs = resource.configs.into_iter().map(config).collect();
        (resource.resource_name, checked.map(|()| configs))
    };
    response.results.into_iter().map(result).collect()
}

/// Returns where the values come from that were set for the resource itself.
fn own_source(resource_type: i8, name: &str) -> i8 {
    match resource_type {
        RESOURCE_BROKER if name.is_empty() => describe_configs::SOURCE_DYNAMIC_DEFAULT_BROKER,
        RESOURCE_BROKER => describe_configs::SOURCE_DYNAMIC_BROKER,
        _ => describe_configs::SOURCE_TOPIC,
    }
}

fn read(config: describe_configs::ConfigResult, own_source: i8) -> Config {
    let source = ConfigSource::of(config.config_source);
    let is_default = |it: &describe_configs::Synonym| {
        it.source == describe_configs::SOURCE_DEFAULT && has_unit_of(&it.name, &config.name)
    };
    let default = match config.synonyms.into_iter().find(is_default) {
        Some(synonym) => synonym.value,
        // Kafka names none where the default is that of another key.
        None => config
            .value
            .clone()
            .filter(|_| source == ConfigSource::Default),
    };
    Config {
        name: config.name,
        value: config.value,
        source,
        default,
        is_own: config.config_source == own_source,
        is_read_only: config.read_only,
        is_secret: config.is_sensitive,
    }
}

/// Returns whether a synonym counts in what its key does: Kafka gives `log.retention.hours` for
/// `log.retention.ms`, whose default is not 168 milliseconds.
fn has_unit_of(synonym: &str, key: &str) -> bool {
    let coarser = [".minutes", ".hours"];
    let unit = |name: &str| coarser.into_iter().find(|unit| name.ends_with(unit));
    unit(synonym) == unit(key)
}

/// Asks for single configurations of a resource to be changed.
pub fn alter_configs(
    resource: &ConfigResource,
    changes: &[ConfigChange],
) -> incremental_alter_configs::Request {
    let change = |change: &ConfigChange| incremental_alter_configs::Change {
        name: change.name.clone(),
        config_operation: match change.value {
            Some(_) => incremental_alter_configs::OPERATION_SET,
            None => incremental_alter_configs::OPERATION_DELETE,
        },
        value: change.value.clone(),
    };
    let (resource_type, resource_name) = resource.wire();
    incremental_alter_configs::Request {
        resources: vec![incremental_alter_configs::Resource {
            resource_type,
            resource_name,
            configs: changes.iter().map(change).collect(),
        }],
        validate_only: false,
    }
}

/// Reads which resources were changed.
pub fn configs_altered(response: incremental_alter_configs::Response) -> Results<()> {
    let result = |resource: incremental_alter_configs::ResourceResult| {
        let checked = BrokerError::check(resource.error_code, resource.error_message);
        (resource.resource_name, checked)
    };
    response.responses.into_iter().map(result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::results::in_all;

    #[test]
    fn requests_can_be_said_in_every_version_that_is_served() {
        let change = ConfigChange {
            name: "retention.ms".into(),
            value: None,
        };
        for resource in [
            ConfigResource::Topic("t".into()),
            ConfigResource::Broker(NodeId(1)),
            ConfigResource::Brokers,
        ] {
            in_all(&alter_configs(&resource, std::slice::from_ref(&change)));
            in_all(&describe_configs(&[resource], Some(&["retention.ms"])));
        }
    }

    #[test]
    fn the_default_is_told_beside_the_value_in_force() {
        let synonym = |value: &str, source| describe_configs::Synonym {
            name: "log.retention.ms".into(),
            value: Some(value.into()),
            source,
        };
        let config = describe_configs::ConfigResult {
            name: "retention.ms".into(),
            value: Some("1".into()),
            config_source: describe_configs::SOURCE_TOPIC,
            synonyms: vec![
                synonym("1", describe_configs::SOURCE_TOPIC),
                synonym("2", describe_configs::SOURCE_STATIC_BROKER),
                synonym("3", describe_configs::SOURCE_DEFAULT),
            ],
            ..Default::default()
        };
        let read = read(config, describe_configs::SOURCE_TOPIC);
        assert_eq!(read.source, ConfigSource::Topic);
        assert_eq!(read.value.as_deref(), Some("1"));
        assert_eq!(read.default.as_deref(), Some("3"));
    }

    #[test]
    fn a_default_in_another_unit_is_not_the_keys_own() {
        let read = |value: Option<&str>, config_source| {
            let config = describe_configs::ConfigResult {
                name: "log.retention.ms".into(),
                value: value.map(str::to_owned),
                config_source,
                synonyms: vec![describe_configs::Synonym {
                    name: "log.retention.hours".into(),
                    value: Some("168".into()),
                    source: describe_configs::SOURCE_DEFAULT,
                }],
                ..Default::default()
            };
            read(config, describe_configs::SOURCE_DYNAMIC_BROKER).default
        };
        assert_eq!(
            read(Some("1000"), describe_configs::SOURCE_DYNAMIC_BROKER),
            None
        );
        let default = read(Some("604800000"), describe_configs::SOURCE_DEFAULT);
        assert_eq!(default.as_deref(), Some("604800000"));
        assert!(has_unit_of("log.retention.hours", "log.retention.hours"));
    }

    #[test]
    fn a_value_is_the_resources_own_if_it_was_set_for_it() {
        let own = |resource_type, resource_name: &str, config_source| {
            let config = describe_configs::ConfigResult {
                config_source,
                ..Default::default()
            };
            let result = describe_configs::ResourceResult {
                resource_type,
                resource_name: resource_name.into(),
                configs: vec![config],
                ..Default::default()
            };
            let results = configs(describe_configs::Response {
                results: vec![result],
                ..Default::default()
            });
            results[0].1.as_ref().unwrap()[0].is_own
        };
        let of_all = describe_configs::SOURCE_DYNAMIC_DEFAULT_BROKER;
        assert!(own(RESOURCE_TOPIC, "t", describe_configs::SOURCE_TOPIC));
        assert!(!own(RESOURCE_TOPIC, "t", of_all));
        assert!(own(RESOURCE_BROKER, "", of_all));
        assert!(!own(RESOURCE_BROKER, "1", of_all));
        assert!(own(
            RESOURCE_BROKER,
            "1",
            describe_configs::SOURCE_DYNAMIC_BROKER
        ));
    }
}

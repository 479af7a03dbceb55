//! Rows of an answer to DescribeConfigs.

use std::collections::BTreeMap;

use controller::Image;
use controller::image::Configs;

use super::key::Key;
use super::kind::Kind;
use super::layers::{ConfigSource, Layer, layers};
use super::node::{self, NodeConfig};
use super::topic_keys::{self, TOPIC_KEYS, TopicKey};

/// The type of a value. Numbered as on the wire.
///
/// *Source*: `DescribeConfigsResponse.ConfigType`, KIP-569.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub enum ConfigType {
    /// `true` or `false`.
    Boolean = 1,
    /// Text.
    String = 2,
    /// A number of 32 bits.
    Int = 3,
    /// A number of 64 bits.
    Long = 5,
    /// Words with commas between them.
    List = 7,
}

impl ConfigType {
    /// Returns the number on the wire.
    pub fn code(self) -> i8 {
        // The enum's representation is the wire's int8.
        self as i8
    }

    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Integer { .. } if kind.is_wide() => Self::Long,
            Kind::Integer { .. } => Self::Int,
            Kind::Boolean => Self::Boolean,
            Kind::List { .. } | Kind::Paths { .. } => Self::List,
            Kind::Choice(_) | Kind::Address { .. } | Kind::Text => Self::String,
        }
    }
}

/// One config of a resource. No value of ours is secret, so none is marked sensitive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigEntry {
    /// Its name.
    pub name: &'static str,
    /// The value in force; `None`: it has none.
    pub value: Option<String>,
    /// Where that value comes from.
    pub source: ConfigSource,
    /// The value's type.
    pub kind: ConfigType,
    /// Whether it changes only at a restart.
    pub read_only: bool,
    /// All values it has or would have, the one in force first.
    pub synonyms: Vec<ConfigSynonym>,
    /// What it does.
    pub documentation: &'static str,
}

/// A value of a config, and who set it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigSynonym {
    /// The name under which it is set there.
    pub name: &'static str,
    /// The value.
    pub value: String,
    /// Where it comes from.
    pub source: ConfigSource,
}

/// Describes every config of a topic for which some are `set`.
pub fn describe_topic(node: &NodeConfig, image: &Image, set: &Configs) -> Vec<ConfigEntry> {
    let describe =
        |row: &'static TopicKey| live(row.name, &row.key, &layers(row, Some(set), node, image));
    TOPIC_KEYS.iter().map(describe).collect()
}

/// Describes every config of this node.
pub fn describe_broker(node: &NodeConfig, image: &Image) -> Vec<ConfigEntry> {
    let describe = |key: &'static Key| match topic_keys::find_by_key(key.name) {
        Some(row) => live(key.name, key, &layers(row, None, node, image)),
        None => fixed(key, node),
    };
    node::keys().map(describe).collect()
}

/// Describes what is set for all brokers together: only that, as Kafka does.
pub fn describe_all_brokers(image: &Image) -> Vec<ConfigEntry> {
    let set: &BTreeMap<String, String> = image.all_brokers_configs();
    let describe = |row: &'static TopicKey| {
        let (source, name) = (ConfigSource::AllBrokers, row.key.name);
        let value = set.get(name).filter(|value| row.key.parse(value).is_ok())?;
        Some(live(
            name,
            &row.key,
            &[Layer {
                source,
                name,
                value,
            }],
        ))
    };
    TOPIC_KEYS.iter().filter_map(describe).collect()
}

fn live(name: &'static str, key: &Key, layers: &[Layer<'_>]) -> ConfigEntry {
    let synonym = |layer: &Layer<'_>| ConfigSynonym {
        name: layer.name,
        value: layer.value.to_owned(),
        source: layer.source,
    };
    ConfigEntry {
        name,
        value: layers.first().map(|layer| layer.value.to_owned()),
        source: layers
            .first()
            .map_or(ConfigSource::Default, |layer| layer.source),
        kind: ConfigType::of(key.kind),
        read_only: false,
        synonyms: layers.iter().map(synonym).collect(),
        documentation: key.doc,
    }
}

fn fixed(key: &Key, node: &NodeConfig) -> ConfigEntry {
    let layer = |source, value| Layer {
        source,
        name: key.name,
        value,
    };
    let given = node
        .given(key.name)
        .map(|value| layer(ConfigSource::File, value));
    let default = key.default.map(|value| layer(ConfigSource::Default, value));
    let layers: Vec<_> = given.into_iter().chain(default).collect();
    ConfigEntry {
        read_only: true,
        ..live(key.name, key, &layers)
    }
}

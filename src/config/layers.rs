//! Who set a topic's config: the topic, this broker, all brokers, the file, or nobody.

use std::collections::BTreeMap;

use controller::Image;

use super::node::NodeConfig;
use super::topic_keys::TopicKey;

/// Where a value comes from. Numbered as on the wire.
///
/// *Source*: `DescribeConfigsResponse.ConfigSource`, KIP-226.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub enum ConfigSource {
    /// Set for this topic.
    Topic = 1,
    /// Set for this broker while it ran.
    Broker = 2,
    /// Set for all brokers while they ran.
    AllBrokers = 3,
    /// In the file, or by `--set`.
    File = 4,
    /// The default.
    Default = 5,
}

impl ConfigSource {
    /// Returns the number on the wire.
    pub fn code(self) -> i8 {
        // The enum's representation is the wire's int8.
        self as i8
    }
}

/// One value that a config has, or would have if those before it were not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layer<'a> {
    pub(crate) source: ConfigSource,
    pub(crate) name: &'static str,
    pub(crate) value: &'a str,
}

/// Returns every layer of a topic's config that has a value, the one in force first.
///
/// A stored value that this version would refuse counts as not set: a node that starts with the
/// metadata of another version must not stop at it. The last layer is always the default.
/// *Layout*: `overrides` are the topic's; `None` asks for the broker's key alone.
pub(crate) fn layers<'a>(
    row: &'static TopicKey,
    overrides: Option<&'a BTreeMap<String, String>>,
    node: &'a NodeConfig,
    image: &'a Image,
) -> Vec<Layer<'a>> {
    let key = &row.key;
    let set = |configs: Option<&'a BTreeMap<String, String>>, name: &str| {
        let value = configs?.get(name)?.as_str();
        key.parse(value).is_ok().then_some(value)
    };
    let layer = |source, name, value: Option<&'a str>| {
        value.map(|value| Layer {
            source,
            name,
            value,
        })
    };
    let broker = image.broker_configs(node.node_id);
    let all_brokers = Some(image.all_brokers_configs());
    [
        layer(ConfigSource::Topic, row.name, set(overrides, row.name)),
        layer(ConfigSource::Broker, key.name, set(broker, key.name)),
        layer(
            ConfigSource::AllBrokers,
            key.name,
            set(all_brokers, key.name),
        ),
        layer(ConfigSource::File, key.name, node.given(key.name)),
        layer(ConfigSource::Default, key.name, key.default),
    ]
    .into_iter()
    .flatten()
    .collect()
}

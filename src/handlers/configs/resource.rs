//! Which thing a request means: a topic, this broker, or all brokers.

use controller::request::ConfigResource;
use types::{ErrorCode, NodeId};
use wire::messages::describe_configs::{RESOURCE_BROKER, RESOURCE_TOPIC};

use crate::shard::Shard;

/// Why a resource has no configurations here: a code, and the reason in words.
pub(super) type Refused = (ErrorCode, String);

/// Finds the resource of a type and name, which there must be.
pub(super) fn find(shard: &Shard, kind: i8, name: &str) -> Result<ConfigResource, Refused> {
    let resource = named(shard, kind, name)?;
    if kind == RESOURCE_TOPIC && shard.image().topic_named(name).is_none() {
        let text = format!("there is no topic '{name}'");
        return Err((ErrorCode::UnknownTopicOrPartition, text));
    }
    Ok(resource)
}

/// Returns the resource of a type and name, whether there is such a topic or not.
pub(super) fn named(shard: &Shard, kind: i8, name: &str) -> Result<ConfigResource, Refused> {
    match kind {
        RESOURCE_TOPIC => {
            let topic = name.parse().map_err(|error: types::InvalidTopicName| {
                (ErrorCode::InvalidTopic, error.to_string())
            })?;
            Ok(ConfigResource::Topic(topic))
        }
        RESOURCE_BROKER if name.is_empty() => Ok(ConfigResource::AllBrokers),
        RESOURCE_BROKER => match name.parse().map(NodeId) {
            Ok(node) if node == shard.node() => Ok(ConfigResource::Broker(node)),
            _ => Err((
                ErrorCode::InvalidRequest,
                format!("this is broker {}, not '{name}'", shard.node()),
            )),
        },
        other => Err((
            ErrorCode::InvalidRequest,
            format!("resource type {other} has no configurations here"),
        )),
    }
}

//! Which keys a topic or a broker has: a broker takes back what it does not know without a word.

use client::admin::{ConfigChange, ConfigResource};
use client::blocking::{Admin, Cluster};

use super::failure::Failure;

/// Finds a key among those to put back that the resource does not have, and says so.
///
/// *Errors*: the configurations are not told.
pub(super) fn unknown_key(
    cluster: &mut Cluster,
    resource: &ConfigResource,
    changes: &[ConfigChange],
) -> Result<Option<Failure>, client::Error> {
    let unset: Vec<&ConfigChange> = changes.iter().filter(|it| it.value.is_none()).collect();
    // Of all brokers only what is set is told, of one of them everything.
    let told = match resource {
        ConfigResource::Brokers => {
            let first = cluster.metadata().brokers.keys().next();
            first.map(|node| ConfigResource::Broker(*node))
        }
        one => Some(one.clone()),
    };
    let (false, Some(told)) = (unset.is_empty(), told) else {
        return Ok(None);
    };
    let known = Admin::new(cluster).configs(&told)?;
    let is_unknown = |change: &&&ConfigChange| !known.iter().any(|it| it.name == change.name);
    let found = unset.iter().find(is_unknown);
    Ok(found.map(|change| unknown(&told, &change.name)))
}

/// Says that a resource has no such key.
pub(super) fn unknown(resource: &ConfigResource, key: &str) -> Failure {
    let option = match resource {
        ConfigResource::Topic(name) => format!("--topic {name}"),
        ConfigResource::Broker(node) => format!("--broker {node}"),
        ConfigResource::Brokers => return format!("{key} is not set for all brokers").into(),
    };
    let name = name(resource);
    format!("{name} has no configuration {key}; see: riverrun config get {option} --all").into()
}

/// Says what has the configurations.
pub(super) fn name(resource: &ConfigResource) -> String {
    match resource {
        ConfigResource::Topic(name) => name.clone(),
        ConfigResource::Broker(node) => format!("broker {node}"),
        ConfigResource::Brokers => "all brokers".to_owned(),
    }
}

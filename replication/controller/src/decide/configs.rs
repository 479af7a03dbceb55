//! Changing configs. What names and values mean, the schema knows.
//!
//! All changes of one resource are made or none is. A change that leaves a value as it is writes
//! nothing. Deleting is always allowed, so that a config which this version no longer knows can go.

use types::limits::CONFIG_VALUE_LENGTH_MAX;
use types::{NodeId, TopicId};

use crate::decide::draft::{Context, Draft, duplicates};
use crate::error::DecideError;
use crate::image::{Configs, Image};
use crate::record::{ConfigScope, ConfigsChanged, Record};
use crate::request::{
    ConfigAlteration, ConfigChanges, ConfigOperation, ConfigResource, Decision, Mode, Reply,
};
use crate::schema::{ConfigRefusal, ResourceKind};

/// A config and its new value; `None` goes back to the default.
type Change = (String, Option<String>);

/// Checks the configs of something new; returns them in name order.
pub(crate) fn for_creation(
    context: &Context<'_>,
    kind: ResourceKind,
    configs: &[(String, String)],
) -> Result<Vec<(String, String)>, DecideError> {
    check_unique(configs.iter().map(|(name, _)| name))?;
    for (name, value) in configs {
        check_value(context, kind, name, value)?;
    }
    let mut sorted = configs.to_vec();
    sorted.sort();
    Ok(sorted)
}

pub(crate) fn alter(context: &Context<'_>, resources: &[ConfigAlteration], mode: Mode) -> Decision {
    let twice = duplicates(resources.iter().map(|item| &item.resource));
    let mut draft = Draft::new(context);
    let mut results = Vec::with_capacity(resources.len());
    for item in resources {
        let result = if twice.contains(&item.resource) {
            let name = match &item.resource {
                ConfigResource::Topic(name) => name.to_string(),
                ConfigResource::Broker(node) => format!("broker {node}"),
                ConfigResource::AllBrokers => "all brokers".to_owned(),
            };
            Err(DecideError::DuplicateItem { name })
        } else {
            alter_one(context, item)
        };
        results.push(result.map(|record| {
            if !record.changes.is_empty() {
                draft.push(Record::ConfigsChanged(record));
            }
        }));
    }
    draft.finish(mode, Reply::AlterConfigs(results))
}

/// Resources differ from each other, so each is judged against the image as it is.
fn alter_one(
    context: &Context<'_>,
    item: &ConfigAlteration,
) -> Result<ConfigsChanged, DecideError> {
    let resource = resolve(context.image, &item.resource);
    if resource.is_err() && matches!(item.resource, ConfigResource::Topic(_)) {
        // Nonsense is nonsense for every topic: so Kafka has it too.
        let nobody = Resource {
            kind: ResourceKind::Topic,
            scope: ConfigScope::Topic(TopicId::ZERO),
            configs: &NOTHING_SET,
        };
        planned(context, &nobody, &item.change)?;
    }
    let resource = resource?;
    let mut changes = planned(context, &resource, &item.change)?;
    changes.retain(|(name, value)| resource.configs.get(name) != value.as_ref());
    changes.sort();
    Ok(ConfigsChanged {
        scope: resource.scope,
        changes,
    })
}

fn planned(
    context: &Context<'_>,
    resource: &Resource<'_>,
    change: &ConfigChanges,
) -> Result<Vec<Change>, DecideError> {
    match change {
        ConfigChanges::Replace(configs) => replace(context, resource, configs),
        ConfigChanges::Edit(operations) => edit(context, resource, operations),
    }
}

static NOTHING_SET: Configs = Configs::new();

/// A resource that exists, and what is set for it.
struct Resource<'a> {
    kind: ResourceKind,
    scope: ConfigScope,
    configs: &'a Configs,
}

fn resolve<'a>(image: &'a Image, wanted: &ConfigResource) -> Result<Resource<'a>, DecideError> {
    match wanted {
        ConfigResource::Topic(name) => {
            let Some(topic) = image.topic_named(name.as_str()) else {
                let name = name.clone();
                return Err(DecideError::UnknownTopicName { name });
            };
            Ok(Resource {
                kind: ResourceKind::Topic,
                scope: ConfigScope::Topic(topic.id),
                configs: &topic.configs,
            })
        }
        &ConfigResource::Broker(node) => {
            check_broker(image, node)?;
            Ok(Resource {
                kind: ResourceKind::Broker,
                scope: ConfigScope::Broker(node),
                configs: image.broker_configs(node).unwrap_or(&NOTHING_SET),
            })
        }
        ConfigResource::AllBrokers => Ok(Resource {
            kind: ResourceKind::Broker,
            scope: ConfigScope::AllBrokers,
            configs: image.all_brokers_configs(),
        }),
    }
}

pub(crate) fn check_broker(image: &Image, node: NodeId) -> Result<(), DecideError> {
    let known = image.broker(node).map(|_| ());
    known.ok_or(DecideError::UnknownBroker { node })
}

fn replace(
    context: &Context<'_>,
    resource: &Resource<'_>,
    configs: &[(String, String)],
) -> Result<Vec<Change>, DecideError> {
    let set = for_creation(context, resource.kind, configs)?;
    let gone = resource.configs.keys();
    let gone = gone.filter(|&name| set.iter().all(|(kept, _)| kept != name));
    let mut changes: Vec<Change> = gone.map(|name| (name.clone(), None)).collect();
    changes.extend(set.into_iter().map(|(name, value)| (name, Some(value))));
    Ok(changes)
}

fn edit(
    context: &Context<'_>,
    resource: &Resource<'_>,
    operations: &[(String, ConfigOperation)],
) -> Result<Vec<Change>, DecideError> {
    check_unique(operations.iter().map(|(name, _)| name))?;
    let mut changes = Vec::with_capacity(operations.len());
    for (name, operation) in operations {
        let value = match operation {
            ConfigOperation::Set(value) => Some(value.clone()),
            ConfigOperation::Delete => None,
            ConfigOperation::Append(items) => {
                let mut list = present_list(context, resource, name)?;
                check_length(name, items)?;
                for item in split(items) {
                    if !list.contains(&item) {
                        list.push(item);
                    }
                }
                Some(list.join(","))
            }
            ConfigOperation::Subtract(items) => {
                let mut list = present_list(context, resource, name)?;
                check_length(name, items)?;
                let gone: Vec<_> = split(items).collect();
                list.retain(|item| !gone.contains(item));
                Some(list.join(","))
            }
        };
        changes.push((name.clone(), value));
    }
    // Kafka looks at values once it knows all of them: what is no list is told first.
    for (name, value) in &changes {
        if let Some(value) = value {
            check_value(context, resource.kind, name, value)?;
        }
    }
    Ok(changes)
}

/// Returns the items of a list as it is set, or as its default is.
fn present_list<'a>(
    context: &Context<'a>,
    resource: &Resource<'a>,
    name: &str,
) -> Result<Vec<&'a str>, DecideError> {
    let schema = context.schema;
    let Some(default) = schema.list_default(resource.kind, name) else {
        let name = name.to_owned();
        return Err(DecideError::NotAList { name });
    };
    let value = resource.configs.get(name).map_or(default, String::as_str);
    Ok(split(value).collect())
}

fn split(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

fn check_unique<'a>(names: impl Iterator<Item = &'a String>) -> Result<(), DecideError> {
    match duplicates(names).pop_first() {
        None => Ok(()),
        Some(name) => Err(DecideError::DuplicateConfig { name: name.clone() }),
    }
}

fn check_value(
    context: &Context<'_>,
    kind: ResourceKind,
    name: &str,
    value: &str,
) -> Result<(), DecideError> {
    check_length(name, value)?;
    let checked = context.schema.check(kind, name, value);
    checked.map_err(|refusal| refused(name, refusal))
}

/// Before a value is looked at: a list takes time by the square of its length.
fn check_length(name: &str, value: &str) -> Result<(), DecideError> {
    let (length, max) = (value.len(), CONFIG_VALUE_LENGTH_MAX);
    if length > max {
        return Err(refused(name, ConfigRefusal::TooLong { length, max }));
    }
    Ok(())
}

fn refused(name: &str, refusal: ConfigRefusal) -> DecideError {
    let name = name.to_owned();
    DecideError::ConfigRefused { name, refusal }
}

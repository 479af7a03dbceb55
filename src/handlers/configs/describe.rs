//! Telling configurations.

use controller::image::Configs;
use controller::request::ConfigResource;
use server::{Reply, Request};
use types::ErrorCode;
use wire::messages::describe_configs::{
    ConfigResult, RESOURCE_BROKER, RESOURCE_CLIENT_METRICS, RESOURCE_GROUP, RESOURCE_TOPIC,
    Request as Body, Resource, ResourceResult, Response, Synonym,
};
use wire::messages::{create_topics, list_config_resources};

use crate::config::{ConfigEntry, describe_all_brokers, describe_broker, describe_topic};
use crate::handlers::bounds::seldom_repeated;
use crate::handlers::message::{answer, decode, outcome};
use crate::shard::Shard;

use super::resource;

/// ListConfigResources of version 0 asks for this type alone (KIP-1142).
const LIST_ALL_TYPES_VERSION: i16 = 1;

/// Answers the configurations of resources.
pub fn describe_configs(shard: &Shard, request: &Request) -> Reply {
    let mut body: Body = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let named = std::mem::take(&mut body.resources);
    let resources = seldom_repeated(named, |it| (it.resource_type, it.resource_name.clone()));
    let results: Vec<ResourceResult> = resources
        .iter()
        .map(|resource| describe(shard, &body, resource))
        .collect();
    let codes = outcome(results.iter().map(|result| result.error_code));
    let response = Response {
        results,
        ..Default::default()
    };
    answer(&response, request.version, codes)
}

fn describe(shard: &Shard, body: &Body, asked: &Resource) -> ResourceResult {
    let mut result = ResourceResult {
        resource_type: asked.resource_type,
        resource_name: asked.resource_name.clone(),
        ..Default::default()
    };
    let entries = match resource::find(shard, asked.resource_type, &asked.resource_name) {
        Ok(resource) => entries(shard, &resource),
        Err((code, text)) => {
            result.error_code = code.code();
            result.error_message = Some(text);
            return result;
        }
    };
    // No key named, like null, means all of them.
    let keys = asked
        .configuration_keys
        .as_deref()
        .filter(|keys| !keys.is_empty());
    let wanted =
        |entry: &ConfigEntry| keys.is_none_or(|keys| keys.iter().any(|key| key == entry.name));
    result.configs = entries
        .into_iter()
        .filter(wanted)
        .map(|entry| config(entry, body))
        .collect();
    result
}

fn entries(shard: &Shard, resource: &ConfigResource) -> Vec<ConfigEntry> {
    let image = shard.image();
    match resource {
        ConfigResource::Topic(name) => match image.topic_named(name.as_str()) {
            Some(topic) => describe_topic(&shard.config, &image, &topic.configs),
            None => Vec::new(),
        },
        ConfigResource::Broker(_) => describe_broker(&shard.config, &image),
        ConfigResource::AllBrokers => describe_all_brokers(&image),
    }
}

fn config(entry: ConfigEntry, body: &Body) -> ConfigResult {
    let synonyms = if body.include_synonyms {
        entry.synonyms
    } else {
        Vec::new()
    };
    ConfigResult {
        name: entry.name.to_owned(),
        value: entry.value,
        read_only: entry.read_only,
        config_source: entry.source.code(),
        synonyms: synonyms
            .into_iter()
            .map(|synonym| Synonym {
                name: synonym.name.to_owned(),
                value: Some(synonym.value),
                source: synonym.source.code(),
            })
            .collect(),
        config_type: entry.kind.code(),
        documentation: body
            .include_documentation
            .then(|| entry.documentation.trim().to_owned()),
        ..Default::default()
    }
}

/// Returns the configurations of a topic that was just created, or would be, with some of them set.
pub fn of_created_topic(shard: &Shard, set: &Configs) -> Vec<create_topics::ConfigResult> {
    describe_topic(&shard.config, &shard.image(), set)
        .into_iter()
        .map(|entry| create_topics::ConfigResult {
            name: entry.name.to_owned(),
            value: entry.value,
            read_only: entry.read_only,
            config_source: entry.source.code(),
            ..Default::default()
        })
        .collect()
}

/// Answers which resources have configurations.
pub fn list_config_resources(shard: &Shard, request: &Request) -> Reply {
    let body: list_config_resources::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let wanted = if request.version < LIST_ALL_TYPES_VERSION {
        vec![RESOURCE_CLIENT_METRICS]
    } else if body.resource_types.is_empty() {
        vec![RESOURCE_TOPIC, RESOURCE_BROKER]
    } else {
        body.resource_types
    };
    let image = shard.image();
    let mut response = list_config_resources::Response::default();
    let mut add = |resource_name: String, resource_type: i8| {
        response
            .config_resources
            .push(list_config_resources::Resource {
                resource_name,
                resource_type,
            });
    };
    for kind in wanted {
        match kind {
            RESOURCE_TOPIC => {
                for topic in image.topics() {
                    add(topic.name.as_str().to_owned(), kind);
                }
            }
            RESOURCE_BROKER => {
                for (node, _) in image.brokers() {
                    add(node.to_string(), kind);
                }
            }
            // Nothing of these kinds is kept: there are none.
            RESOURCE_CLIENT_METRICS | RESOURCE_GROUP => {}
            _ => response.error_code = ErrorCode::UnsupportedVersion.code(),
        }
    }
    let codes = outcome([response.error_code]);
    answer(&response, request.version, codes)
}

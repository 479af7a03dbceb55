//! CreateTopics (19), DeleteTopics (20), CreatePartitions (37): the controller decides.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use controller::request::{CreatedTopic, Mode, MorePartitions, NewTopic, TopicReference};
use controller::{Reply as Controlled, Request as Control};
use server::{Reply, Request};
use types::{ErrorCode, NodeId, TopicId, TopicName};
use wire::messages::{create_partitions, create_topics, delete_topics};

use crate::drivers::controller::{control, fresh_topic_id};
use crate::handlers::bounds::distinct;
use crate::handlers::configs;
use crate::handlers::failure;
use crate::handlers::message::{answer, decode, outcome};
use crate::shard::Shard;

/// An item that was not carried out: its code and the reason in words.
type Failure = (ErrorCode, Option<String>);

fn mode(validate_only: bool) -> Mode {
    if validate_only {
        Mode::ValidateOnly
    } else {
        Mode::Commit
    }
}

/// The results of a request item by item; if the whole failed, that failure for each item.
fn each<T, E>(
    whole: Result<Vec<Result<T, E>>, Failure>,
    count: usize,
    failure_of: impl Fn(&E) -> Failure,
) -> Vec<Result<T, Failure>> {
    match whole {
        Ok(results) => results
            .into_iter()
            .map(|result| result.map_err(|error| failure_of(&error)))
            .collect(),
        Err(failure) => (0..count).map(|_| Err(failure.clone())).collect(),
    }
}

fn refused(error: &controller::DecideError) -> Failure {
    (failure::decide_code(error), Some(failure::text(error)))
}

/// Carries out a request and picks the one kind of reply that answers it.
async fn carry_out<T>(
    shard: &Shard,
    request: Control,
    pick: impl Fn(Controlled) -> Option<T>,
) -> Result<T, Failure> {
    match control(&shard.mesh, request).await {
        Ok(reply) => pick(reply).ok_or((ErrorCode::UnknownServerError, None)),
        Err(error) => Err((failure::control_code(&error), Some(failure::text(&error)))),
    }
}

/// Returns what is named more than once.
fn repeated<T: Ord + Copy>(names: impl Iterator<Item = T>) -> BTreeSet<T> {
    let mut seen = BTreeSet::new();
    names.filter(|&name| !seen.insert(name)).collect()
}

/// Refuses an item that is named more than once.
fn once<T: Ord>(repeated: &BTreeSet<T>, name: &T) -> Result<(), Failure> {
    if repeated.contains(name) {
        let text = "named more than once in one request".to_owned();
        return Err((ErrorCode::InvalidRequest, Some(text)));
    }
    Ok(())
}

/// Creates topics.
pub(super) async fn create_topics(shard: &Rc<Shard>, request: &Request) -> Reply {
    let body: create_topics::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    // Bad names never reach the controller: its nouns are parsed.
    let twice = repeated(body.topics.iter().map(|topic| topic.name.as_str()));
    let parse = |topic: &create_topics::Topic| {
        once(&twice, &topic.name.as_str())?;
        new_topic(topic)
    };
    let parsed: Vec<Result<NewTopic, Failure>> = body.topics.iter().map(parse).collect();
    let topics: Vec<NewTopic> = parsed
        .iter()
        .filter_map(|topic| topic.as_ref().ok())
        .cloned()
        .collect();
    let count = topics.len();
    let control = Control::CreateTopics {
        topics,
        mode: mode(body.validate_only),
    };
    let pick = |reply| match reply {
        Controlled::CreateTopics(results) => Some(results),
        _ => None,
    };
    let mut results = each(carry_out(shard, control, pick).await, count, refused).into_iter();
    let topics: Vec<create_topics::TopicResult> = body
        .topics
        .iter()
        .zip(parsed)
        .map(|(topic, parsed)| {
            let result = parsed.and_then(|topic| {
                let result = results.next().expect("one result per parsed topic");
                result.map(|created| (created, topic.configs))
            });
            created(shard, &topic.name, result)
        })
        .collect();
    let topics = distinct(topics, |topic| topic.name.clone());
    let codes = outcome(topics.iter().map(|topic| topic.error_code));
    let response = create_topics::Response {
        topics,
        ..Default::default()
    };
    answer(&response, request.version, codes)
}

fn new_topic(topic: &create_topics::Topic) -> Result<NewTopic, Failure> {
    let name = parse_name(&topic.name)?;
    let nodes = |ids: &[i32]| ids.iter().map(|&id| NodeId(id)).collect();
    // Of a config that is given twice, the last counts.
    let mut configs = BTreeMap::new();
    for config in &topic.configs {
        let value = config.value.clone().ok_or_else(|| {
            (
                ErrorCode::InvalidConfig,
                Some(format!("config '{}' has no value", config.name)),
            )
        })?;
        configs.insert(config.name.clone(), value);
    }
    Ok(NewTopic {
        id: fresh_topic_id(),
        name,
        partition_count: topic.num_partitions,
        replication_factor: topic.replication_factor,
        assignments: topic
            .assignments
            .iter()
            .map(|assignment| (assignment.partition_index, nodes(&assignment.broker_ids)))
            .collect(),
        configs: configs.into_iter().collect(),
    })
}

fn parse_name(name: &str) -> Result<TopicName, Failure> {
    name.parse().map_err(|error: types::InvalidTopicName| {
        (ErrorCode::InvalidTopic, Some(failure::text(&error)))
    })
}

fn created(
    shard: &Shard,
    name: &str,
    result: Result<(CreatedTopic, Vec<(String, String)>), Failure>,
) -> create_topics::TopicResult {
    let name = name.to_owned();
    match result {
        Ok((created, set)) => create_topics::TopicResult {
            name,
            topic_id: created.id,
            num_partitions: i32::try_from(created.partition_count).unwrap_or(i32::MAX),
            replication_factor: i16::try_from(created.replication_factor).unwrap_or(i16::MAX),
            configs: Some(configs::of_created_topic(shard, &set.into_iter().collect())),
            ..Default::default()
        },
        Err((code, error_message)) => create_topics::TopicResult {
            name,
            error_code: code.code(),
            error_message,
            configs: Some(Vec::new()),
            ..Default::default()
        },
    }
}

/// Deletes topics.
pub(super) async fn delete_topics(shard: &Rc<Shard>, request: &Request) -> Reply {
    let body: delete_topics::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let asked: Vec<delete_topics::Topic> = if body.topic_names.is_empty() {
        body.topics
    } else {
        let named = |name| delete_topics::Topic {
            name: Some(name),
            ..Default::default()
        };
        body.topic_names.into_iter().map(named).collect()
    };
    let twice = repeated(asked.iter().map(key));
    let parse = |topic: &delete_topics::Topic| {
        let reference = reference(topic)?;
        once(&twice, &key(topic)).map(|()| reference)
    };
    let parsed: Vec<Result<TopicReference, Failure>> = asked.iter().map(parse).collect();
    let references: Vec<TopicReference> = parsed
        .iter()
        .filter_map(|reference| reference.as_ref().ok())
        .cloned()
        .collect();
    let count = references.len();
    let pick = |reply| match reply {
        Controlled::DeleteTopics(results) => Some(results),
        _ => None,
    };
    let whole = carry_out(shard, Control::DeleteTopics(references), pick).await;
    let mut results = each(whole, count, refused).into_iter();
    let responses: Vec<delete_topics::TopicResult> = asked
        .into_iter()
        .zip(parsed)
        .map(|(asked, parsed)| {
            let result = parsed.and_then(|_| results.next().expect("one result per reference"));
            match result {
                Ok(deleted) => delete_topics::TopicResult {
                    name: Some(deleted.name.as_str().to_owned()),
                    topic_id: deleted.id,
                    ..Default::default()
                },
                Err((code, error_message)) => delete_topics::TopicResult {
                    name: asked.name,
                    topic_id: asked.topic_id,
                    error_code: code.code(),
                    error_message,
                },
            }
        })
        .collect();
    let responses = distinct(responses, |topic| (topic.name.clone(), topic.topic_id));
    let codes = outcome(responses.iter().map(|topic| topic.error_code));
    let response = delete_topics::Response {
        responses,
        ..Default::default()
    };
    answer(&response, request.version, codes)
}

/// By what a topic is named in a request.
fn key(topic: &delete_topics::Topic) -> (Option<&str>, TopicId) {
    (topic.name.as_deref(), topic.topic_id)
}

fn reference(topic: &delete_topics::Topic) -> Result<TopicReference, Failure> {
    let refuse = |text: &str| Err((ErrorCode::InvalidRequest, Some(text.to_owned())));
    match (&topic.name, topic.topic_id) {
        (None, TopicId::ZERO) => refuse("a topic without name and id"),
        (None, id) => Ok(TopicReference::Id(id)),
        // A name that no topic can have is a topic that nobody has.
        (Some(name), TopicId::ZERO) => name
            .parse()
            .map(TopicReference::Name)
            .map_err(|_| (ErrorCode::UnknownTopicOrPartition, None)),
        (Some(_), _) => refuse("a topic by name and by id"),
    }
}

/// Adds partitions to topics.
pub(super) async fn create_partitions(shard: &Rc<Shard>, request: &Request) -> Reply {
    let body: create_partitions::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let twice = repeated(body.topics.iter().map(|topic| topic.name.as_str()));
    let parse = |topic: &create_partitions::Topic| {
        once(&twice, &topic.name.as_str())?;
        more_partitions(topic)
    };
    let parsed: Vec<Result<MorePartitions, Failure>> = body.topics.iter().map(parse).collect();
    let topics: Vec<MorePartitions> = parsed
        .iter()
        .filter_map(|topic| topic.as_ref().ok())
        .cloned()
        .collect();
    let count = topics.len();
    let pick = |reply| match reply {
        Controlled::CreatePartitions(results) => Some(results),
        _ => None,
    };
    let control = Control::CreatePartitions {
        topics,
        mode: mode(body.validate_only),
    };
    let mut results = each(carry_out(shard, control, pick).await, count, refused).into_iter();
    let results: Vec<create_partitions::TopicResult> = body
        .topics
        .iter()
        .zip(parsed)
        .map(|(topic, parsed)| {
            let result = parsed.and_then(|_| results.next().expect("one result per parsed topic"));
            let (code, error_message) = result.err().unwrap_or((ErrorCode::None, None));
            create_partitions::TopicResult {
                name: topic.name.clone(),
                error_code: code.code(),
                error_message,
            }
        })
        .collect();
    let results = distinct(results, |topic| topic.name.clone());
    let codes = outcome(results.iter().map(|topic| topic.error_code));
    let response = create_partitions::Response {
        results,
        ..Default::default()
    };
    answer(&response, request.version, codes)
}

fn more_partitions(topic: &create_partitions::Topic) -> Result<MorePartitions, Failure> {
    let nodes = |assignment: &create_partitions::Assignment| {
        assignment.broker_ids.iter().map(|&id| NodeId(id)).collect()
    };
    Ok(MorePartitions {
        topic: topic
            .name
            .parse()
            .map_err(|_| (ErrorCode::UnknownTopicOrPartition, None))?,
        partition_count: topic.count,
        assignments: topic
            .assignments
            .as_ref()
            .map(|assignments| assignments.iter().map(nodes).collect()),
    })
}

//! Metadata (3): brokers, topics, partitions and their leaders; creates a topic by asking for it, if
//! client and configuration allow that.

use std::collections::BTreeSet;
use std::rc::Rc;

use controller::image;
use controller::request::{Mode, NewTopic};
use server::{Reply, Request, Session};
use types::{ErrorCode, TopicId, TopicName};
use wire::messages::metadata::{
    Broker, OPERATIONS_NOT_ASKED, Partition, Request as Body, RequestTopic, Response, Topic,
};

use crate::drivers::controller::{control, fresh_topic_id};
use crate::drivers::coordinator::ensure_topic;
use crate::handlers::failure::no_topic_code;
use crate::handlers::message::{answer, decode, outcome};
use crate::internal_topics::{OFFSETS_TOPIC, is_internal};
use crate::shard::Shard;

use super::cluster::{CLUSTER_OPERATIONS, brokers};
use super::told::Told;

/// From this version on a topic that nobody knows by its id has no name.
const NAMELESS_VERSION: i16 = 12;

/// What a client may do to a topic when nobody forbids anything: a bit per operation.
///
/// *Source*: Kafka's `AclEntry.supportedOperations`: read, write, create, delete, alter, describe,
/// describe configs, alter configs.
pub(super) const TOPIC_OPERATIONS: i32 =
    1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 11;

/// Answers brokers and topics.
pub(crate) async fn metadata(shard: &Rc<Shard>, session: &Rc<Session>, request: &Request) -> Reply {
    let body: Body = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let version = request.version;
    let include = body.include_topic_authorized_operations;
    let topics = match asked(&body, version) {
        None => all_topics(shard, include),
        Some(asked) => {
            let mut topics = Vec::with_capacity(asked.len());
            let mut told = BTreeSet::new();
            for topic in asked {
                // Who names a topic twice means it once.
                if told.insert((&topic.name, topic.topic_id)) {
                    let may_create = body.allow_auto_topic_creation;
                    topics.push(one_topic(shard, topic, include, may_create).await);
                }
            }
            topics
        }
    };
    let topics: Vec<Topic> = topics
        .into_iter()
        .map(|topic| Topic {
            name: topic
                .name
                .or_else(|| (version < NAMELESS_VERSION).then(String::new)),
            ..topic
        })
        .collect();
    let codes = outcome(topics.iter().map(|topic| topic.error_code));
    let response = Response {
        brokers: brokers(shard, session)
            .map(|(node, address, rack)| Broker {
                node_id: node.0,
                host: address.host,
                port: address.port.into(),
                rack,
            })
            .collect(),
        cluster_id: Some(shard.cluster_id().to_owned()),
        controller_id: shard.node().0,
        topics,
        cluster_authorized_operations: if body.include_cluster_authorized_operations {
            CLUSTER_OPERATIONS
        } else {
            OPERATIONS_NOT_ASKED
        },
        ..Default::default()
    };
    answer(&response, version, codes)
}

/// The topics asked for; `None` for all: null, or in version 0 an empty list.
fn asked(body: &Body, version: i16) -> Option<&[RequestTopic]> {
    let topics = body.topics.as_deref()?;
    if version == 0 && topics.is_empty() {
        None
    } else {
        Some(topics)
    }
}

fn all_topics(shard: &Shard, include_operations: bool) -> Vec<Topic> {
    shard
        .image()
        .topics()
        .map(|topic| known(shard, topic, include_operations))
        .collect()
}

async fn one_topic(
    shard: &Rc<Shard>,
    asked: &RequestTopic,
    include_operations: bool,
    may_create: bool,
) -> Topic {
    let Some(name) = &asked.name else {
        return by_id(shard, asked.topic_id, include_operations);
    };
    if let Some(topic) = shard.image().topic_named(name) {
        return known(shard, topic, include_operations);
    }
    let code = match name.parse::<TopicName>() {
        Err(_) => ErrorCode::InvalidTopic,
        Ok(parsed) if may_create && shard.config.auto_create_topics => {
            match create(shard, parsed).await {
                Ok(()) => ErrorCode::LeaderNotAvailable,
                Err(code) => code,
            }
        }
        Ok(_) => ErrorCode::UnknownTopicOrPartition,
    };
    // A topic that was just created is told at once: every shard knows it by now.
    if let Some(topic) = shard.image().topic_named(name) {
        return known(shard, topic, include_operations);
    }
    Topic {
        error_code: code.code(),
        name: Some(name.clone()),
        topic_authorized_operations: operations(include_operations),
        ..Default::default()
    }
}

fn operations(include: bool) -> i32 {
    if include {
        TOPIC_OPERATIONS
    } else {
        OPERATIONS_NOT_ASKED
    }
}

fn by_id(shard: &Shard, id: TopicId, include_operations: bool) -> Topic {
    match shard.image().topic(id) {
        Some(topic) => known(shard, topic, include_operations),
        None => Topic {
            error_code: ErrorCode::UnknownTopicId.code(),
            name: None,
            topic_id: id,
            ..Default::default()
        },
    }
}

fn known(shard: &Shard, topic: &image::Topic, include_operations: bool) -> Topic {
    let partitions = Told::of(shard, topic).map(|told| Partition {
        error_code: told.error_code,
        partition_index: told.index,
        leader_id: told.leader,
        leader_epoch: told.leader_epoch,
        replica_nodes: told.replicas,
        isr_nodes: told.in_sync,
        offline_replicas: told.offline,
    });
    Topic {
        name: Some(topic.name.as_str().to_owned()),
        topic_id: topic.id,
        is_internal: is_internal(topic.name.as_str()),
        partitions: partitions.collect(),
        topic_authorized_operations: operations(include_operations),
        ..Default::default()
    }
}

async fn create(shard: &Rc<Shard>, name: TopicName) -> Result<(), ErrorCode> {
    if name.as_str() == OFFSETS_TOPIC {
        let created = ensure_topic(shard).await;
        return created.map_err(|error| no_topic_code(&error));
    }
    let topic = NewTopic {
        id: fresh_topic_id(),
        name,
        partition_count: -1,
        replication_factor: -1,
        assignments: Vec::new(),
        configs: Vec::new(),
    };
    let request = controller::Request::CreateTopics {
        topics: vec![topic],
        mode: Mode::Commit,
    };
    match control(&shard.mesh, request).await {
        Ok(controller::Reply::CreateTopics(results)) => match results.into_iter().next() {
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(crate::handlers::failure::decide_code(&error)),
            None => Err(ErrorCode::UnknownServerError),
        },
        Ok(_) => Err(ErrorCode::UnknownServerError),
        Err(error) => Err(crate::handlers::failure::control_code(&error)),
    }
}

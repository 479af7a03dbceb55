//! ApiVersions (18), DescribeCluster (60), DescribeQuorum (55).

use std::rc::Rc;

use controller::image::Broker;
use server::{ClientSoftware, Outcome, Reply, Request, Session};
use types::{ErrorCode, NodeId};
use wire::messages::describe_cluster::{ENDPOINT_BROKERS, ENDPOINT_CONTROLLERS};
use wire::messages::{api_versions, describe_cluster, describe_quorum};

use crate::handlers::features;
use crate::handlers::message::{answer, decode, outcome};
use crate::shard::Shard;

/// The first version of ApiVersions in which a client says what it is made of.
const SOFTWARE_VERSION: i16 = 3;

/// The longest name or version of client software that is believed.
const SOFTWARE_LENGTH_MAX: usize = 255;

/// What a client may do to the cluster when nobody forbids anything: a bit per operation.
///
/// *Source*: Kafka's `AclEntry.supportedOperations`: create, alter, describe, cluster action,
/// describe configs, alter configs, idempotent write.
pub(super) const CLUSTER_OPERATIONS: i32 =
    1 << 5 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12;

/// DescribeQuorum tells the nodes' addresses from this version on (KIP-853).
const NODES_VERSION: i16 = 2;

/// The name of the metadata log where Kafka's tools expect one.
const METADATA_TOPIC: &str = "__cluster_metadata";

/// Answers what is served.
pub(crate) fn api_versions(shard: &Shard, session: &Rc<Session>, request: &Request) -> Reply {
    let version = request.version;
    let body: api_versions::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    if version >= SOFTWARE_VERSION {
        let (name, software) = (body.client_software_name, body.client_software_version);
        if !is_software(&name) || !is_software(&software) {
            let error_code = ErrorCode::InvalidRequest.code();
            let response = api_versions::Response {
                error_code,
                ..Default::default()
            };
            return answer(&response, version, Outcome::Failed);
        }
        session.set_software(ClientSoftware {
            name,
            version: software,
        });
    }
    let mut response = api_versions::Response::advertising(version, features::supported());
    // What is in force is part of the metadata, and known once that is read.
    if shard.is_ready() {
        let revision = shard.image().revision();
        response.finalized_features_epoch = i64::try_from(revision).unwrap_or(i64::MAX);
        response.finalized_features = features::finalized();
    }
    answer(&response, version, Outcome::Served)
}

/// *Source*: KIP-511: letters, digits, dots and dashes, the first and last a letter or digit.
fn is_software(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let outer = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= SOFTWARE_LENGTH_MAX
        && outer(text.chars().next())
        && outer(text.chars().next_back())
        && text.chars().all(inner)
}

/// A broker's address as this client shall dial it.
pub(in crate::handlers) struct Address {
    pub(in crate::handlers) host: String,
    pub(in crate::handlers) port: u16,
}

/// Returns where a client finds a broker: what it registered, or what this client dialled.
pub(super) fn address(broker: &Broker, session: &Session) -> Address {
    match broker.endpoints.first() {
        Some(endpoint) => Address {
            host: endpoint.host.clone(),
            port: endpoint.port,
        },
        None => Address {
            host: session.local().ip().to_canonical().to_string(),
            port: session.local().port(),
        },
    }
}

/// Returns where a client finds this broker.
pub(in crate::handlers) fn own_address(shard: &Shard, session: &Session) -> Address {
    let image = shard.image();
    let broker = image.broker(shard.node());
    address(
        broker.expect("a broker registers before it serves"),
        session,
    )
}

/// Answers the cluster's id, controller and brokers.
pub(crate) fn describe_cluster(shard: &Shard, session: &Rc<Session>, request: &Request) -> Reply {
    let body: describe_cluster::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let mut response = describe_cluster::Response::default();
    if body.endpoint_type == ENDPOINT_BROKERS {
        shard.cluster_id().clone_into(&mut response.cluster_id);
        response.controller_id = shard.node().0;
        response.brokers = brokers(shard, session)
            .map(|(node, address, rack)| describe_cluster::Broker {
                broker_id: node.0,
                host: address.host,
                port: address.port.into(),
                rack,
                is_fenced: false,
            })
            .collect();
        if body.include_cluster_authorized_operations {
            response.cluster_authorized_operations = CLUSTER_OPERATIONS;
        }
    } else {
        // Controllers have no endpoint of their own here: the request belongs to a broker's listener.
        let code = if body.endpoint_type == ENDPOINT_CONTROLLERS {
            ErrorCode::MismatchedEndpointType
        } else {
            ErrorCode::UnsupportedEndpointType
        };
        response.error_code = code.code();
        response.error_message =
            Some("this listener answers for brokers: endpoint type 1".to_owned());
    }
    let outcome = outcome([response.error_code]);
    answer(&response, request.version, outcome)
}

/// Returns every registered broker with its address for this client.
pub(super) fn brokers(
    shard: &Shard,
    session: &Session,
) -> impl Iterator<Item = (NodeId, Address, Option<String>)> {
    let image = shard.image();
    let brokers: Vec<_> = image
        .brokers()
        .map(|(node, broker)| (node, address(broker, session), broker.rack.clone()))
        .collect();
    brokers.into_iter()
}

/// Answers who votes on metadata: this node alone.
pub(crate) fn describe_quorum(shard: &Shard, session: &Rc<Session>, request: &Request) -> Reply {
    let body: describe_quorum::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let mut codes = Vec::new();
    let known = is_about_metadata(&body);
    let topics = body
        .topics
        .into_iter()
        .map(|topic| {
            let partitions = topic.partitions.iter().map(|partition| {
                let result = quorum(shard, known);
                codes.push(result.error_code);
                describe_quorum::PartitionResult {
                    partition_index: partition.partition_index,
                    ..result
                }
            });
            describe_quorum::TopicResult {
                partitions: partitions.collect(),
                topic_name: topic.topic_name,
            }
        })
        .collect();
    let told = if known && request.version >= NODES_VERSION {
        usize::MAX
    } else {
        0
    };
    let nodes = brokers(shard, session)
        .take(told)
        .map(|(node, address, _)| describe_quorum::Node {
            node_id: node.0,
            listeners: vec![describe_quorum::Listener {
                name: "PLAINTEXT".to_owned(),
                host: address.host,
                port: address.port,
            }],
        })
        .collect();
    let response = describe_quorum::Response {
        topics,
        nodes,
        ..Default::default()
    };
    answer(&response, request.version, outcome(codes))
}

/// The one question that has an answer: about the one partition of metadata, and nothing beside.
fn is_about_metadata(body: &describe_quorum::Request) -> bool {
    match body.topics.as_slice() {
        [topic] if topic.topic_name == METADATA_TOPIC => {
            matches!(topic.partitions.as_slice(), [partition] if partition.partition_index == 0)
        }
        _ => false,
    }
}

fn quorum(shard: &Shard, known: bool) -> describe_quorum::PartitionResult {
    if !known {
        return describe_quorum::PartitionResult {
            error_code: ErrorCode::UnknownTopicOrPartition.code(),
            ..Default::default()
        };
    }
    let image = shard.image();
    let end = i64::try_from(image.revision()).unwrap_or(i64::MAX);
    let now = runtime::wall_clock().0;
    // The epoch of a one-voter quorum rises with each start, as the broker's registration does.
    let epoch = image
        .broker(shard.node())
        .map_or(0, |broker| broker.epoch.0);
    describe_quorum::PartitionResult {
        leader_id: shard.node().0,
        leader_epoch: i32::try_from(epoch).unwrap_or(i32::MAX),
        high_watermark: end,
        current_voters: vec![describe_quorum::Replica {
            replica_id: shard.node().0,
            log_end_offset: end,
            last_fetch_timestamp: now,
            last_caught_up_timestamp: now,
            ..Default::default()
        }],
        ..Default::default()
    }
}

//! ElectLeaders (43), AlterPartitionReassignments (45), ListPartitionReassignments (46): who holds a
//! partition, and who leads it.
//!
//! On a lone node each partition has one replica, which leads: nothing is elected, nothing moves, and
//! what is asked for is either so already or cannot be.

use controller::Image;
use server::{Reply, Request};
use types::limits::TOPIC_NAME_LENGTH_MAX;
use types::{ErrorCode, NodeId, PartitionIndex};
use wire::messages::{
    alter_partition_reassignments as alter, elect_leaders, list_partition_reassignments as list,
};

use crate::handlers::bounds::Allowance;
use crate::handlers::message::{answer, decode, outcome};
use crate::shard::Shard;

/// Why something stays as it is.
type Refusal = (ErrorCode, Option<String>);

/// Answers that every leader is the right one.
pub(super) fn elect_leaders(shard: &Shard, request: &Request) -> Reply {
    let body: elect_leaders::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let image = shard.image();
    let kinds = [
        elect_leaders::ELECTION_PREFERRED,
        elect_leaders::ELECTION_UNCLEAN,
    ];
    let is_known = kinds.contains(&body.election_type);
    let is_about_none = body.topic_partitions.as_ref().is_some_and(Vec::is_empty);
    let topics = match body.topic_partitions {
        Some(named) => named,
        None if is_known => every_topic(&image),
        None => Vec::new(),
    };
    let mut texts = Allowance::for_texts();
    let elected = |topic: &str, partition| {
        if is_known {
            not_elected(&image, topic, partition)
        } else {
            let reason = format!("Unknown election type {}", body.election_type);
            (ErrorCode::InvalidRequest, reason)
        }
    };
    let results = topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|&partition_id| {
            let (code, reason) = elected(&topic.topic, partition_id);
            elect_leaders::PartitionResult {
                partition_id,
                error_code: code.code(),
                error_message: texts.take().then_some(reason),
            }
        });
        elect_leaders::TopicResult {
            partition_result: partitions.collect(),
            topic: topic.topic,
        }
    });
    let results: Vec<elect_leaders::TopicResult> = results.collect();
    let whole = if is_known || is_about_none {
        ErrorCode::None
    } else {
        ErrorCode::InvalidRequest
    };
    let response = elect_leaders::Response {
        error_code: whole.code(),
        replica_election_results: results,
        ..Default::default()
    };
    let partitions = response.replica_election_results.iter();
    let partitions = partitions.flat_map(|topic| &topic.partition_result);
    let codes = outcome(partitions.map(|partition| partition.error_code));
    answer(&response, request.version, codes)
}

/// Every topic, with no partition to tell of: only those that change are told.
fn every_topic(image: &Image) -> Vec<elect_leaders::Topic> {
    let topics = image.topics().map(|topic| elect_leaders::Topic {
        topic: topic.name.as_str().to_owned(),
        partitions: Vec::new(),
    });
    topics.collect()
}

fn not_elected(image: &Image, topic: &str, index: i32) -> (ErrorCode, String) {
    let unknown = ErrorCode::UnknownTopicOrPartition;
    let Some(entry) = image.topic_named(topic) else {
        return (unknown, format!("No such topic as {}", shown(topic)));
    };
    if !has_partition(entry, index) {
        return (unknown, format!("No such partition as {topic}-{index}"));
    }
    let reason = "Leader election not needed for topic partition.";
    (ErrorCode::ElectionNotNeeded, reason.to_owned())
}

/// Returns of a name what can be one.
fn shown(topic: &str) -> &str {
    let end = topic.floor_char_boundary(TOPIC_NAME_LENGTH_MAX);
    topic.get(..end).unwrap_or_default()
}

fn has_partition(topic: &controller::image::Topic, index: i32) -> bool {
    PartitionIndex::new(index).is_some_and(|index| topic.partition(index).is_some())
}

/// Answers which partitions are where they shall be, and why the others cannot go there.
pub(super) fn alter_partition_reassignments(shard: &Shard, request: &Request) -> Reply {
    let body: alter::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let image = shard.image();
    let mut texts = Allowance::for_texts();
    let responses: Vec<alter::TopicResult> = body
        .topics
        .into_iter()
        .map(|topic| {
            let partitions = topic.partitions.iter().map(|partition| {
                let (code, error_message) = match reassigned(&image, &topic.name, partition) {
                    Ok(()) => (ErrorCode::None, None),
                    Err(refusal) => refusal,
                };
                alter::PartitionResult {
                    partition_index: partition.partition_index,
                    error_code: code.code(),
                    error_message: error_message.filter(|_| texts.take()),
                }
            });
            alter::TopicResult {
                partitions: partitions.collect(),
                name: topic.name,
            }
        })
        .collect();
    let partitions = responses.iter().flat_map(|topic| &topic.partitions);
    let codes = outcome(partitions.map(|partition| partition.error_code));
    let response = alter::Response {
        // Kafka answers a request without topics without having looked at it.
        allow_replication_factor_change: body.allow_replication_factor_change
            || responses.is_empty(),
        // Kafka says nothing in so many words.
        error_message: responses.is_empty().then(String::new),
        responses,
        ..Default::default()
    };
    answer(&response, request.version, codes)
}

/// *Source*: the order of Kafka's checks, in `ReplicationControlManager`.
fn reassigned(image: &Image, topic: &str, partition: &alter::Partition) -> Result<(), Refusal> {
    let unknown = |reason| Err((ErrorCode::UnknownTopicOrPartition, Some(reason)));
    let index = partition.partition_index;
    let Some(entry) = image.topic_named(topic) else {
        return unknown(format!("Unable to find a topic named {}.", shown(topic)));
    };
    if !has_partition(entry, index) {
        return unknown(format!("Unable to find partition {topic}:{index}."));
    }
    let Some(replicas) = &partition.replicas else {
        return Err((ErrorCode::NoReassignmentInProgress, None));
    };
    check_replicas(image, replicas)
        .map_err(|reason| (ErrorCode::InvalidReplicaAssignment, Some(reason)))
}

/// Checks where a partition is to go. On a lone node what passes is where it is.
fn check_replicas(image: &Image, replicas: &[i32]) -> Result<(), String> {
    const ASSIGNMENT: &str = "The manual partition assignment includes";
    if replicas.is_empty() {
        return Err(format!("{ASSIGNMENT} an empty replica list."));
    }
    let mut sorted = replicas.to_vec();
    sorted.sort_unstable();
    let mut previous = None;
    for node in sorted {
        if image.broker(NodeId(node)).is_none() {
            return Err(format!(
                "{ASSIGNMENT} broker {node}, but no such broker is registered."
            ));
        }
        if previous == Some(node) {
            return Err(format!("{ASSIGNMENT} the broker {node} more than once."));
        }
        previous = Some(node);
    }
    Ok(())
}

/// Answers that nothing moves.
pub(super) fn list_partition_reassignments(request: &Request) -> Reply {
    match decode::<list::Request>(request) {
        Ok(_) => answer(&list::Response::default(), request.version, outcome([])),
        Err(refusal) => refusal,
    }
}

//! InitProducerId (22) and DescribeProducers (61): who produces.

use std::rc::Rc;

use server::{Outcome, Reply, Request};
use types::{ErrorCode, PartitionIndex, TopicPartition};
use wire::messages::topic::TopicRef;
use wire::messages::{describe_producers, init_producer_id};

use crate::handlers::bounds::{Allowance, drop_repeated};
use crate::handlers::failure;
use crate::handlers::inquire::{Planned, inquire};
use crate::handlers::message::{answer, decode, outcome};
use crate::handlers::resolve::resolve;
use crate::partition::{Finding, Inquiry};
use crate::shard::Shard;

/// What a client says that has no producer id yet, and no epoch.
const NO_PRODUCER_ID: i64 = -1;
const NO_PRODUCER_EPOCH: i16 = -1;

/// Gives an idempotent producer an id; transactions are not served.
pub(super) async fn init_producer_id(shard: &Rc<Shard>, request: &Request) -> Reply {
    let body: init_producer_id::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let given = if is_contradictory(&body) {
        Err(ErrorCode::InvalidRequest)
    } else if body.transactional_id.is_some() {
        // The protocol has no text here. Of the codes that a client reports and does not retry, this
        // one says best that transactions are not to be had.
        Err(ErrorCode::UnsupportedVersion)
    } else {
        match shard.producer_ids.take(shard).await {
            Ok(id) => Ok(id),
            Err(error) => Err(failure::control_code(&error)),
        }
    };
    let (response, outcome) = match given {
        Ok(id) => {
            let response = init_producer_id::Response {
                producer_id: id.0,
                ..Default::default()
            };
            (response, Outcome::Served)
        }
        Err(code) => {
            let response = init_producer_id::Response {
                error_code: code.code(),
                producer_epoch: -1,
                ..Default::default()
            };
            (response, Outcome::Failed)
        }
    };
    answer(&response, request.version, outcome)
}

/// Whether a transactional id is empty, or a producer has an id without an epoch or the reverse.
fn is_contradictory(body: &init_producer_id::Request) -> bool {
    body.transactional_id.as_deref() == Some("")
        || (body.producer_id == NO_PRODUCER_ID) != (body.producer_epoch == NO_PRODUCER_EPOCH)
}

/// Answers which producers partitions remember.
pub(super) async fn describe_producers(shard: &Rc<Shard>, request: &Request) -> Reply {
    let mut body: describe_producers::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let topics = body.topics.iter_mut();
    let lists = topics.map(|it| (it.name.clone(), &mut it.partition_indexes));
    drop_repeated(lists, &mut Allowance::for_repeats());
    let mut planned = Vec::new();
    for topic in &body.topics {
        for &index in &topic.partition_indexes {
            planned.push(plan(shard, &topic.name, index));
        }
    }
    let mut findings = inquire(shard, planned).await.into_iter();
    let mut codes = Vec::new();
    let topics = body
        .topics
        .into_iter()
        .map(|topic| describe_producers::TopicResult {
            partitions: topic
                .partition_indexes
                .iter()
                .map(|&index| {
                    let finding = findings.next().expect("one finding per partition");
                    let result = described(index, finding);
                    codes.push(result.error_code);
                    result
                })
                .collect(),
            name: topic.name,
        })
        .collect();
    let response = describe_producers::Response {
        topics,
        ..Default::default()
    };
    answer(&response, request.version, outcome(codes))
}

fn plan(shard: &Shard, topic: &str, index: i32) -> Planned {
    let image = shard.image();
    if topic.parse::<types::TopicName>().is_err() {
        return Err(ErrorCode::InvalidTopic);
    }
    let topic = resolve(&image, TopicRef::Name(topic))?;
    let partition = PartitionIndex::new(index)
        .filter(|&index| topic.partition(index).is_some())
        .ok_or(ErrorCode::UnknownTopicOrPartition)?;
    Ok((
        TopicPartition {
            topic: topic.id,
            partition,
        },
        Inquiry::Producers,
    ))
}

fn described(
    partition_index: i32,
    finding: Result<Finding, ErrorCode>,
) -> describe_producers::PartitionResult {
    let mut result = describe_producers::PartitionResult {
        partition_index,
        ..Default::default()
    };
    match finding {
        Ok(Finding::Producers(producers)) => {
            result.active_producers = producers
                .into_iter()
                .map(|producer| describe_producers::Producer {
                    producer_id: producer.id.0,
                    producer_epoch: producer.epoch.0.into(),
                    last_sequence: producer.last_sequence.get(),
                    last_timestamp: producer.last_timestamp.0,
                    coordinator_epoch: -1,
                    ..Default::default()
                })
                .collect();
        }
        Ok(_) => result.error_code = ErrorCode::UnknownServerError.code(),
        Err(code) => result.error_code = code.code(),
    }
    result
}

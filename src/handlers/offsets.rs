//! ListOffsets (2), OffsetForLeaderEpoch (23), DeleteRecords (21): places in logs.

use std::rc::Rc;

use controller::Image;
use server::{Reply, Request};
use types::{ErrorCode, LeaderEpoch, Offset, PartitionIndex, TimestampMs, TopicPartition};
use wire::messages::topic::TopicRef;
use wire::messages::{delete_records, list_offsets, offset_for_leader_epoch};

use crate::handlers::inquire::{Planned, inquire};
use crate::handlers::message::{answer, decode, outcome};
use crate::handlers::resolve::{check_epoch, resolve};
use crate::internal_topics::is_internal;
use crate::partition::{Finding, Inquiry};
use crate::shard::Shard;

/// What an answer says where there is no offset, time or epoch.
const NONE: i64 = -1;

/// ListOffsets tells leader epochs from this version on.
const LEADER_EPOCH_VERSION: i16 = 4;

/// DeleteRecords: everything up to the high watermark.
const TO_HIGH_WATERMARK: i64 = -1;

/// Finds a partition by name and checks the epoch that the client names.
fn locate(
    image: &Image,
    topic: &str,
    partition: i32,
    claimed_epoch: i32,
) -> Result<TopicPartition, ErrorCode> {
    let topic = resolve(image, TopicRef::Name(topic))?;
    let index = PartitionIndex::new(partition).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    let entry = topic
        .partition(index)
        .ok_or(ErrorCode::UnknownTopicOrPartition)?;
    check_epoch(entry.leader_epoch, claimed_epoch)?;
    Ok(TopicPartition {
        topic: topic.id,
        partition: index,
    })
}

/// Answers the offsets of times.
pub(super) async fn list_offsets(shard: &Rc<Shard>, request: &Request) -> Reply {
    let body: list_offsets::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let mut planned = Vec::new();
    for topic in &body.topics {
        for asked in &topic.partitions {
            planned.push(plan_time(
                &shard.image(),
                &topic.name,
                asked,
                request.version,
            ));
        }
    }
    let mut findings = inquire(shard, planned).await.into_iter();
    let mut codes = Vec::new();
    let topics = body
        .topics
        .into_iter()
        .map(|topic| list_offsets::TopicResponse {
            partitions: topic
                .partitions
                .iter()
                .map(|asked| {
                    let finding = findings.next().expect("one finding per partition");
                    let mut found = time_found(asked, &finding);
                    if request.version < LEADER_EPOCH_VERSION {
                        found.leader_epoch = -1;
                    }
                    codes.push(found.error_code);
                    found
                })
                .collect(),
            name: topic.name,
        })
        .collect();
    let response = list_offsets::Response {
        topics,
        ..Default::default()
    };
    answer(&response, request.version, outcome(codes))
}

/// Returns the first version that knows a time by its name; times below zero are names.
///
/// *Source*: KIP-734, KIP-405, KIP-1005, KIP-1023.
fn first_version(timestamp: i64) -> Option<i16> {
    match timestamp {
        list_offsets::LATEST | list_offsets::EARLIEST => Some(0),
        list_offsets::MAX_TIMESTAMP => Some(7),
        list_offsets::EARLIEST_LOCAL => Some(8),
        list_offsets::LATEST_TIERED => Some(9),
        list_offsets::EARLIEST_PENDING_UPLOAD => Some(11),
        timestamp => (timestamp >= 0).then_some(0),
    }
}

fn plan_time(image: &Image, topic: &str, asked: &list_offsets::Partition, version: i16) -> Planned {
    if first_version(asked.timestamp).is_none_or(|first| version < first) {
        return Err(ErrorCode::UnsupportedVersion);
    }
    let partition = locate(
        image,
        topic,
        asked.partition_index,
        asked.current_leader_epoch,
    )?;
    let inquiry = match asked.timestamp {
        list_offsets::MAX_TIMESTAMP => Inquiry::MaxTimestamp,
        timestamp if timestamp < 0 => Inquiry::Ends,
        timestamp => Inquiry::AtTimestamp(TimestampMs(timestamp)),
    };
    Ok((partition, inquiry))
}

fn time_found(
    asked: &list_offsets::Partition,
    finding: &Result<Finding, ErrorCode>,
) -> list_offsets::PartitionResponse {
    let mut response = list_offsets::PartitionResponse {
        partition_index: asked.partition_index,
        ..Default::default()
    };
    match finding {
        Ok(Finding::Ends {
            start,
            high_watermark,
            epoch,
        }) => {
            let offset: Option<Offset> = match asked.timestamp {
                list_offsets::LATEST => Some(*high_watermark),
                // Without tiered storage the local start is the start.
                list_offsets::EARLIEST | list_offsets::EARLIEST_LOCAL => Some(*start),
                // Nothing is tiered, and nothing waits to be.
                list_offsets::LATEST_TIERED | list_offsets::EARLIEST_PENDING_UPLOAD => None,
                _ => {
                    response.error_code = ErrorCode::InvalidRequest.code();
                    None
                }
            };
            response.offset = offset.map_or(NONE, Offset::get);
            response.leader_epoch = offset.map_or(-1, |_| epoch.get());
        }
        Ok(Finding::At(Some(found))) => {
            response.timestamp = found.timestamp.0;
            response.offset = found.offset.get();
            response.leader_epoch = found.leader_epoch.get();
        }
        Ok(Finding::At(None)) => {}
        Ok(_) => response.error_code = ErrorCode::UnknownServerError.code(),
        Err(code) => response.error_code = code.code(),
    }
    response
}

/// Answers where leader epochs ended.
pub(super) async fn offset_for_leader_epoch(shard: &Rc<Shard>, request: &Request) -> Reply {
    let body: offset_for_leader_epoch::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let mut planned = Vec::new();
    for topic in &body.topics {
        for asked in &topic.partitions {
            planned.push(plan_epoch(&shard.image(), &topic.topic, asked));
        }
    }
    let mut findings = inquire(shard, planned).await.into_iter();
    let mut codes = Vec::new();
    let topics = body
        .topics
        .into_iter()
        .map(|topic| offset_for_leader_epoch::TopicResult {
            partitions: topic
                .partitions
                .iter()
                .map(|asked| {
                    let finding = findings.next().expect("one finding per partition");
                    let found = epoch_found(asked.partition, &finding);
                    codes.push(found.error_code);
                    found
                })
                .collect(),
            topic: topic.topic,
        })
        .collect();
    let response = offset_for_leader_epoch::Response {
        topics,
        ..Default::default()
    };
    answer(&response, request.version, outcome(codes))
}

fn plan_epoch(image: &Image, topic: &str, asked: &offset_for_leader_epoch::Partition) -> Planned {
    let partition = locate(image, topic, asked.partition, asked.current_leader_epoch)?;
    let epoch = LeaderEpoch::new(asked.leader_epoch).ok_or(ErrorCode::None)?;
    Ok((partition, Inquiry::EpochEnd(epoch)))
}

fn epoch_found(
    partition: i32,
    finding: &Result<Finding, ErrorCode>,
) -> offset_for_leader_epoch::EpochEndOffset {
    let mut response = offset_for_leader_epoch::EpochEndOffset {
        partition,
        ..Default::default()
    };
    match finding {
        Ok(Finding::EpochEnd(Some(found))) => {
            response.leader_epoch = found.epoch.get();
            response.end_offset = found.end.get();
        }
        Ok(Finding::EpochEnd(None)) => {}
        Ok(_) => response.error_code = ErrorCode::UnknownServerError.code(),
        // A negative epoch is no error: nothing is known of it.
        Err(code) => response.error_code = code.code(),
    }
    response
}

/// Deletes the records below given offsets.
pub(super) async fn delete_records(shard: &Rc<Shard>, request: &Request) -> Reply {
    let body: delete_records::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let mut planned = Vec::new();
    for topic in &body.topics {
        for asked in &topic.partitions {
            planned.push(plan_deletion(&shard.image(), &topic.name, asked));
        }
    }
    let mut findings = inquire(shard, planned).await.into_iter();
    let mut codes = Vec::new();
    let topics = body
        .topics
        .into_iter()
        .map(|topic| delete_records::TopicResult {
            partitions: topic
                .partitions
                .iter()
                .map(|asked| {
                    let finding = findings.next().expect("one finding per partition");
                    let (low_watermark, error_code) = match finding {
                        Ok(Finding::Start(start)) => (start.get(), ErrorCode::None.code()),
                        Ok(_) => (NONE, ErrorCode::UnknownServerError.code()),
                        Err(code) => (NONE, code.code()),
                    };
                    codes.push(error_code);
                    delete_records::PartitionResult {
                        partition_index: asked.partition_index,
                        low_watermark,
                        error_code,
                    }
                })
                .collect(),
            name: topic.name,
        })
        .collect();
    let response = delete_records::Response {
        topics,
        ..Default::default()
    };
    answer(&response, request.version, outcome(codes))
}

fn plan_deletion(image: &Image, topic: &str, asked: &delete_records::Partition) -> Planned {
    let partition = locate(image, topic, asked.partition_index, -1)?;
    if is_internal(topic) {
        // The broker alone deletes there, and only what a snapshot holds.
        return Err(ErrorCode::InvalidTopic);
    }
    let below = match asked.offset {
        TO_HIGH_WATERMARK => None,
        offset => Some(Offset::new(offset).ok_or(ErrorCode::OffsetOutOfRange)?),
    };
    Ok((partition, Inquiry::DeleteBelow(below)))
}

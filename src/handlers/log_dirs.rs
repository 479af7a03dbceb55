//! AlterReplicaLogDirs (34), DescribeLogDirs (35): where partitions lie, and what they take on disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use server::{Reply, Request};
use types::{ByteCount, ErrorCode, PartitionIndex, TopicPartition};
use wire::messages::alter_replica_log_dirs as alter;
use wire::messages::describe_log_dirs::{
    LogDir, PartitionResult, Request as Body, Response, Topic, TopicResult,
};

use crate::handlers::inquire::inquire;
use crate::handlers::message::{answer, decode, outcome};
use crate::partition::{Finding, Inquiry};
use crate::shard::Shard;

/// Answers the one log directory of this node.
pub(super) async fn describe_log_dirs(shard: &Rc<Shard>, request: &Request) -> Reply {
    let body: Body = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let asked = asked(shard, body.topics.as_deref());
    let planned = asked
        .iter()
        .map(|(_, partition)| Ok((*partition, Inquiry::Size)))
        .collect();
    let findings = inquire(shard, planned).await;
    let mut topics: BTreeMap<String, Vec<PartitionResult>> = BTreeMap::new();
    for ((name, partition), finding) in asked.into_iter().zip(findings) {
        // A partition that vanished meanwhile takes nothing.
        let Ok(Finding::Size(size)) = finding else {
            continue;
        };
        topics.entry(name).or_default().push(PartitionResult {
            partition_index: partition.partition.get(),
            partition_size: i64::try_from(size.0).unwrap_or(i64::MAX),
            ..Default::default()
        });
    }
    let path = &shard.config.data_dir;
    let space = runtime::disk_space(path).await;
    let mut reports = shard.reports().await.into_iter();
    let offline = reports.any(|report| report.store.is_some_and(|store| store.offline.is_some()));
    let code = if offline || space.is_err() {
        ErrorCode::KafkaStorageError
    } else {
        ErrorCode::None
    };
    let bytes = |count: ByteCount| i64::try_from(count.0).unwrap_or(i64::MAX);
    let dir = LogDir {
        error_code: code.code(),
        log_dir: absolute(path).display().to_string(),
        topics: topics
            .into_iter()
            .map(|(name, partitions)| TopicResult { name, partitions })
            .collect(),
        total_bytes: space.as_ref().map_or(-1, |space| bytes(space.total)),
        usable_bytes: space.as_ref().map_or(-1, |space| bytes(space.free)),
        ..Default::default()
    };
    let codes = outcome([dir.error_code]);
    let response = Response {
        results: vec![dir],
        ..Default::default()
    };
    answer(&response, request.version, codes)
}

/// The known partitions among those asked for; all of them if none is named.
fn asked(shard: &Shard, topics: Option<&[Topic]>) -> Vec<(String, TopicPartition)> {
    let image = shard.image();
    let mut asked = Vec::new();
    let mut add = |topic: &controller::image::Topic, partition: PartitionIndex| {
        if topic.partition(partition).is_some() {
            let id = TopicPartition {
                topic: topic.id,
                partition,
            };
            asked.push((topic.name.as_str().to_owned(), id));
        }
    };
    match topics {
        Some(topics) => {
            for wanted in topics {
                let Some(topic) = image.topic_named(&wanted.topic) else {
                    continue;
                };
                for partition in wanted
                    .partitions
                    .iter()
                    .filter_map(|&i| PartitionIndex::new(i))
                {
                    add(topic, partition);
                }
            }
        }
        None => {
            for topic in image.topics() {
                let count = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
                for partition in (0..count).filter_map(PartitionIndex::new) {
                    add(topic, partition);
                }
            }
        }
    }
    asked
}

/// A directory as clients name it.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Answers which partitions lie where they shall: there is one directory, and it holds all of them.
///
/// *Layout*: a partition that is named twice goes to the directory that names it last.
pub(super) fn alter_replica_log_dirs(shard: &Shard, request: &Request) -> Reply {
    let body: alter::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let own = absolute(&shard.config.data_dir);
    let image = shard.image();
    let mut topics: BTreeMap<String, BTreeMap<i32, ErrorCode>> = BTreeMap::new();
    for dir in &body.dirs {
        // As text: Kafka takes a path with a slash at its end for another one.
        let is_own = own.as_os_str() == dir.path.as_str();
        for topic in &dir.topics {
            let entry = image.topic_named(&topic.name);
            for &index in &topic.partitions {
                let number = PartitionIndex::new(index);
                let known = entry
                    .zip(number)
                    .and_then(|(it, number)| it.partition(number));
                let code = if !is_own {
                    ErrorCode::LogDirNotFound
                } else if known.is_none() {
                    ErrorCode::UnknownTopicOrPartition
                } else {
                    ErrorCode::None
                };
                topics
                    .entry(topic.name.clone())
                    .or_default()
                    .insert(index, code);
            }
        }
    }
    let codes = outcome(
        topics
            .values()
            .flat_map(|it| it.values())
            .map(|it| it.code()),
    );
    let result = |(partition_index, code): (i32, ErrorCode)| alter::PartitionResult {
        partition_index,
        error_code: code.code(),
    };
    let results = topics
        .into_iter()
        .map(|(topic_name, partitions)| alter::TopicResult {
            topic_name,
            partitions: partitions.into_iter().map(result).collect(),
        });
    let response = alter::Response {
        results: results.collect(),
        ..Default::default()
    };
    answer(&response, request.version, codes)
}

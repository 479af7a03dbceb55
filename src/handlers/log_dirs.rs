//! AlterReplicaLogDirs (34), DescribeLogDirs (35): where partitions lie, and what they take on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use server::{Reply, Request};
use types::{ByteCount, ErrorCode, PartitionIndex, TopicPartition};
use wire::messages::alter_replica_log_dirs as alter;
use wire::messages::describe_log_dirs::{
    LogDir, PartitionResult, Request as Body, Response, Topic, TopicResult,
};

use crate::handlers::bounds::{Allowance, drop_repeated};
use crate::handlers::inquire::inquire;
use crate::handlers::message::{answer, decode, outcome};
use crate::partition::{Finding, Inquiry};
use crate::shard::Shard;

/// Answers every data directory with the partitions that it serves.
///
/// One that is out of service has an error, and its partitions are nowhere.
pub(super) async fn describe_log_dirs(shard: &Rc<Shard>, request: &Request) -> Reply {
    let mut body: Body = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let named = body.topics.iter_mut().flatten();
    let lists = named.map(|it| (it.topic.clone(), &mut it.partitions));
    drop_repeated(lists, &mut Allowance::for_repeats());
    let mut topics = sizes(shard, body.topics.as_deref()).await;
    let offline = offline(shard).await;
    let mut results = Vec::new();
    for path in &shard.config.data_dirs {
        let space = if offline.contains(path) {
            None
        } else {
            runtime::disk_space(path).await.ok()
        };
        let code = match space {
            Some(_) => ErrorCode::None,
            None => ErrorCode::KafkaStorageError,
        };
        let topics = topics.remove(path).unwrap_or_default();
        let bytes = |count: ByteCount| i64::try_from(count.0).unwrap_or(i64::MAX);
        results.push(LogDir {
            error_code: code.code(),
            log_dir: absolute(path).display().to_string(),
            topics: topics
                .into_iter()
                .map(|(name, partitions)| TopicResult { name, partitions })
                .collect(),
            total_bytes: space.map_or(-1, |space| bytes(space.total)),
            usable_bytes: space.map_or(-1, |space| bytes(space.free)),
            ..Default::default()
        });
    }
    let codes = outcome(results.iter().map(|dir| dir.error_code));
    let response = Response {
        results,
        ..Default::default()
    };
    answer(&response, request.version, codes)
}

/// The partitions of one directory, by topic.
type Topics = BTreeMap<String, Vec<PartitionResult>>;

/// Returns what the partitions take, by the directory that they are in.
async fn sizes(shard: &Rc<Shard>, topics: Option<&[Topic]>) -> BTreeMap<PathBuf, Topics> {
    let asked = asked(shard, topics);
    let planned = asked
        .iter()
        .map(|(_, partition)| Ok((*partition, Inquiry::Size)))
        .collect();
    let findings = inquire(shard, planned).await;
    let mut sizes: BTreeMap<PathBuf, Topics> = BTreeMap::new();
    for ((name, partition), finding) in asked.into_iter().zip(findings) {
        // A partition that vanished meanwhile takes nothing, nor does one out of service.
        let Ok(Finding::Size { directory, size }) = finding else {
            continue;
        };
        let topics = sizes.entry(directory).or_default();
        topics.entry(name).or_default().push(PartitionResult {
            partition_index: partition.partition.get(),
            partition_size: i64::try_from(size.0).unwrap_or(i64::MAX),
            ..Default::default()
        });
    }
    sizes
}

/// Returns the data directories that are out of service, be it on one shard.
async fn offline(shard: &Shard) -> BTreeSet<PathBuf> {
    let reports = shard.reports().await;
    let stores = reports.into_iter().flat_map(|report| report.stores);
    let offline = stores.filter(|store| store.offline.is_some());
    offline.map(|store| store.directory).collect()
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

/// Answers which partitions lie where they shall. No partition is moved: another directory is
/// refused as POLICY_VIOLATION.
///
/// *Layout*: a partition that is named twice goes to the directory that names it last.
pub(super) async fn alter_replica_log_dirs(shard: &Rc<Shard>, request: &Request) -> Reply {
    let body: alter::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let moves = moves(shard, &body, &offline(shard).await);
    let inquiry = |it: &Move| it.clone().map(|(partition, _)| (partition, Inquiry::Size));
    let findings = inquire(shard, moves.values().map(inquiry).collect()).await;
    let mut topics: BTreeMap<String, Vec<alter::PartitionResult>> = BTreeMap::new();
    for (((topic, partition_index), wanted), finding) in moves.into_iter().zip(findings) {
        let code = match (wanted, finding) {
            (Err(code), _) | (Ok(_), Err(code)) => code,
            (Ok((_, to)), Ok(Finding::Size { directory, .. })) if directory == to => {
                ErrorCode::None
            }
            (Ok(_), Ok(_)) => ErrorCode::PolicyViolation,
        };
        let error_code = code.code();
        topics
            .entry(topic)
            .or_default()
            .push(alter::PartitionResult {
                partition_index,
                error_code,
            });
    }
    let partitions = topics.values().flatten();
    let codes = outcome(partitions.map(|partition| partition.error_code));
    let results = topics
        .into_iter()
        .map(|(topic_name, partitions)| alter::TopicResult {
            topic_name,
            partitions,
        });
    let response = alter::Response {
        results: results.collect(),
        ..Default::default()
    };
    answer(&response, request.version, codes)
}

/// A partition and the directory that it is to be in; else why that cannot be.
type Move = Result<(TopicPartition, PathBuf), ErrorCode>;

/// Reads what is wanted, by topic and partition. A directory accuses before a partition does.
fn moves(
    shard: &Shard,
    body: &alter::Request,
    offline: &BTreeSet<PathBuf>,
) -> BTreeMap<(String, i32), Move> {
    let image = shard.image();
    let mut moves = BTreeMap::new();
    for dir in &body.dirs {
        // As text: Kafka takes a path with a slash at its end for another one.
        let is_it = |own: &&PathBuf| absolute(own).as_os_str() == dir.path.as_str();
        let to = match shard.config.data_dirs.iter().find(is_it) {
            None => Err(ErrorCode::LogDirNotFound),
            Some(path) if offline.contains(path) => Err(ErrorCode::KafkaStorageError),
            Some(path) => Ok(path),
        };
        for topic in &dir.topics {
            let entry = image.topic_named(&topic.name);
            let find = |index| {
                let partition = PartitionIndex::new(index)?;
                let topic = entry
                    .filter(|topic| topic.partition(partition).is_some())?
                    .id;
                Some(TopicPartition { topic, partition })
            };
            for &index in &topic.partitions {
                let wanted = to.and_then(|path| {
                    let partition = find(index).ok_or(ErrorCode::UnknownTopicOrPartition)?;
                    Ok((partition, path.clone()))
                });
                moves.insert((topic.name.clone(), index), wanted);
            }
        }
    }
    moves
}

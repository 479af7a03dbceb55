//! DescribeLogDirs (35): what each partition takes on disk.

use std::collections::BTreeMap;
use std::rc::Rc;

use server::{Reply, Request};
use types::{ErrorCode, PartitionIndex, TopicPartition};
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
    let free = runtime::free_space(path).await;
    let offline = shard
        .store()
        .is_some_and(|store| store.metrics().offline.is_some());
    let code = if offline || free.is_err() {
        ErrorCode::KafkaStorageError
    } else {
        ErrorCode::None
    };
    let bytes = |count: types::ByteCount| i64::try_from(count.0).unwrap_or(i64::MAX);
    let dir = LogDir {
        error_code: code.code(),
        log_dir: path.display().to_string(),
        topics: topics
            .into_iter()
            .map(|(name, partitions)| TopicResult { name, partitions })
            .collect(),
        usable_bytes: free.map_or(-1, bytes),
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

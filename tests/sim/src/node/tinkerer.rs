//! A tinkerer: changes configs, deletes records, adds partitions, and looks whether all is still
//! there.

use std::rc::Rc;

use types::TopicId;
use wire::messages::{list_offsets, metadata};

use super::admin::Admin;
use super::desk::{is_passing, name};
use super::link::pause;
use super::tenant::Topic;
use crate::history::{Event, Mark};

/// The configs that are changed, each with values that do not disturb the workload.
const CONFIGS: &[(&str, &[&str])] = &[
    ("retention.ms", &["604800000", "700000000", "800000000"]),
    ("max.message.bytes", &["1048588", "1100000", "2000000"]),
    ("index.interval.bytes", &["1", "512", "4096", "100000"]),
    ("segment.bytes", &["1048576", "1500000", "4000000"]),
];

/// A topic has no more partitions than this.
pub(super) const PARTITIONS_MAX: i32 = 12;

/// Returns the configs that are ever changed.
pub(super) fn config_keys() -> Vec<&'static str> {
    CONFIGS.iter().map(|(key, _)| *key).collect()
}

/// Tinkers until the life ends or the topic goes.
pub(super) async fn run(mut admin: Admin, topic: Rc<Topic>) {
    let mut partitions = topic.partitions_first;
    loop {
        pause(&mut admin.chance, 5, 120).await;
        if admin.desk.is_finishing() || topic.is_doomed() {
            return;
        }
        match admin.chance.between(1, 10) {
            1..=3 => change_config(&mut admin, &topic).await,
            4 => see_configs(&mut admin, &topic.name, topic.id).await,
            5..=6 => {
                see_topics(&mut admin).await;
            }
            7..=8 => delete_records(&mut admin, &topic).await,
            9 => {
                let partition = admin.chance.between(0, partitions.cast_unsigned().into());
                let partition = i32::try_from(partition).unwrap_or(0).min(partitions - 1);
                see_ends(&mut admin, &topic, partition).await;
            }
            _ => partitions = grow(&mut admin, &topic, partitions).await,
        }
    }
}

async fn change_config(admin: &mut Admin, topic: &Topic) {
    let (key, values) = admin.chance.pick(CONFIGS);
    let value = admin.chance.pick(values);
    let event = |changed: bool| {
        let (topic, value) = (topic.id, value.to_owned());
        if changed {
            Event::ConfigChanged { topic, key, value }
        } else {
            Event::ConfigAsked { topic, key, value }
        }
    };
    admin.desk.note(event(false));
    if admin.set_config(&topic.name, key, value).await {
        admin.desk.note(event(true));
    }
}

/// Reads the configs of a topic that is there.
pub(super) async fn see_configs(admin: &mut Admin, name: &str, topic: TopicId) {
    let asked = admin.desk.mark();
    for (key, value) in admin.configs(name, &config_keys()).await {
        admin.desk.note(Event::ConfigSeen {
            topic,
            asked,
            key,
            value,
        });
    }
}

/// Reads which topics there are.
pub(super) async fn see_topics(admin: &mut Admin) -> Vec<metadata::Topic> {
    let asked = admin.desk.mark();
    let topics = admin.topics().await;
    let seen = topics.iter().map(|topic| {
        let count = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
        (topic.topic_id, count)
    });
    admin.desk.note(Event::TopicsSeen {
        asked,
        topics: seen.collect(),
    });
    topics
}

/// Reads where a log starts and ends; `None` if the broker cannot say now.
pub(super) async fn see_ends(
    admin: &mut Admin,
    topic: &Topic,
    partition: i32,
) -> Option<(i64, i64)> {
    let asked = admin.desk.mark();
    let log_start = end_of(admin, topic, partition, list_offsets::EARLIEST).await?;
    // Both answers are from after the mark.
    let high_watermark = end_of(admin, topic, partition, list_offsets::LATEST).await?;
    note_ends(admin, topic, partition, asked, (log_start, high_watermark));
    Some((log_start, high_watermark))
}

fn note_ends(admin: &Admin, topic: &Topic, partition: i32, asked: Mark, ends: (i64, i64)) {
    admin.desk.note(Event::Ends {
        log: topic.log(partition),
        asked,
        log_start: ends.0,
        high_watermark: ends.1,
    });
}

async fn end_of(admin: &mut Admin, topic: &Topic, partition: i32, which: i64) -> Option<i64> {
    let request = list_offsets::Request {
        replica_id: -1,
        topics: vec![list_offsets::Topic {
            name: topic.name.clone(),
            partitions: vec![list_offsets::Partition {
                partition_index: partition,
                timestamp: which,
                ..list_offsets::Partition::default()
            }],
        }],
        ..list_offsets::Request::default()
    };
    let response = admin.ask(&request).await;
    let answer = response
        .topics
        .into_iter()
        .flat_map(|topic| topic.partitions)
        .next()?;
    if answer.error_code == 0 {
        return Some(answer.offset);
    }
    if !is_passing(answer.error_code) && !topic.is_doomed() {
        let log = topic.log(partition);
        admin
            .desk
            .unexpected(format!("ListOffsets of {log}: {}", name(answer.error_code)));
    }
    None
}

async fn delete_records(admin: &mut Admin, topic: &Topic) {
    let last = (topic.partitions_first - 1).cast_unsigned();
    let partition = admin.chance.between(0, last.into());
    let partition = i32::try_from(partition).unwrap_or(0);
    let Some((log_start, high_watermark)) = see_ends(admin, topic, partition).await else {
        return;
    };
    let (lowest, highest) = (
        log_start.max(0).cast_unsigned(),
        high_watermark.max(0).cast_unsigned(),
    );
    if highest <= lowest || topic.is_doomed() {
        return;
    }
    let below = admin.chance.between(lowest, highest).cast_signed();
    let log = topic.log(partition);
    admin.desk.note(Event::PrefixDeletionAsked { log, below });
    topic.delete_below(partition, below);
    if let Some(log_start) = admin.delete_below(&topic.name, partition, below).await {
        admin.desk.note(Event::PrefixDeleted { log, log_start });
    }
}

async fn grow(admin: &mut Admin, topic: &Topic, partitions: i32) -> i32 {
    let count = partitions + i32::try_from(admin.chance.between(1, 2)).unwrap_or(1);
    if count > PARTITIONS_MAX {
        return partitions;
    }
    let topic_id = topic.id;
    admin.desk.note(Event::PartitionsAsked {
        topic: topic_id,
        count,
    });
    if !admin.grow(&topic.name, count).await {
        return partitions;
    }
    admin.desk.note(Event::PartitionsGrown {
        topic: topic_id,
        count,
    });
    count
}

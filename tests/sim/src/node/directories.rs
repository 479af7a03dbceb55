//! Looks at the data directories while the second one fails: the first must not be concerned.

use std::rc::Rc;

use types::ErrorCode;
use wire::messages::describe_log_dirs::{Request, TopicResult};
use wire::messages::list_offsets;

use super::admin::Admin;
use super::desk::{Desk, name};
use super::script::FIRST_DIRECTORY;
use crate::chance::Chance;

/// Asks where the partitions are, and for an end of each one that is in the first directory.
pub(super) async fn look(desk: Rc<Desk>, mut chance: Chance) {
    let mut admin = Admin::new(&desk, chance.fork());
    let told = admin.ask(&Request::default()).await;
    let first = told
        .results
        .into_iter()
        .find(|dir| dir.log_dir == FIRST_DIRECTORY);
    let Some(first) = first else {
        desk.unexpected(format!("{FIRST_DIRECTORY} is not told"));
        return;
    };
    if first.error_code != 0 {
        let code = name(first.error_code);
        desk.unexpected(format!(
            "{FIRST_DIRECTORY} beside a failing directory: {code}"
        ));
    }
    for TopicResult {
        name: topic,
        partitions,
    } in first.topics
    {
        for partition in partitions {
            look_at(&mut admin, &topic, partition.partition_index).await;
        }
    }
}

async fn look_at(admin: &mut Admin, topic: &str, partition: i32) {
    let request = list_offsets::Request {
        replica_id: -1,
        topics: vec![list_offsets::Topic {
            name: topic.to_owned(),
            partitions: vec![list_offsets::Partition {
                partition_index: partition,
                timestamp: list_offsets::LATEST,
                ..list_offsets::Partition::default()
            }],
        }],
        ..list_offsets::Request::default()
    };
    let response = admin.ask(&request).await;
    let mut answers = response
        .topics
        .into_iter()
        .flat_map(|topic| topic.partitions);
    // Its topic may be deleted meanwhile.
    if answers.any(|answer| answer.error_code == ErrorCode::KafkaStorageError.code()) {
        let what = format!("{topic}-{partition} of a healthy directory is out of service");
        admin.desk.unexpected(what);
    }
}

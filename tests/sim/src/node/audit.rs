//! The audit: reads every log from its start to its end, every topic, every config, and the offsets of
//! every group.

use std::rc::Rc;

use wire::messages::{fetch, list_offsets};

use super::admin::Admin;
use super::desk::{Desk, name};
use super::offsets;
use super::tinkerer::{see_configs, see_topics};
use super::told;
use crate::chance::Chance;
use crate::history::{Event, LogName};

/// How many empty answers in a row below the end are too many.
const EMPTY_MAX: u32 = 100;

/// Reads everything, while nobody writes.
pub(super) async fn audit(desk: Rc<Desk>, mut chance: Chance) {
    let mut admin = Admin::new(&desk, chance.fork());
    desk.note(Event::AuditBegan);
    for topic in see_topics(&mut admin).await {
        let name = topic.name.unwrap_or_default();
        see_configs(&mut admin, &name, topic.topic_id).await;
        for partition in topic.partitions {
            let log = LogName {
                topic: topic.topic_id,
                partition: partition.partition_index,
            };
            let size_max = chance.pick(&[10_000, 200_000, 3_000_000]);
            read_log(&mut admin, &name, log, size_max).await;
        }
    }
    offsets::see_all(&mut admin).await;
}

async fn read_log(admin: &mut Admin, topic: &str, log: LogName, size_max: i32) {
    let asked = admin.desk.mark();
    let log_start = end_of(admin, topic, log, list_offsets::EARLIEST).await;
    let high_watermark = end_of(admin, topic, log, list_offsets::LATEST).await;
    let (Some(log_start), Some(high_watermark)) = (log_start, high_watermark) else {
        return;
    };
    admin.desk.note(Event::Ends {
        log,
        asked,
        log_start,
        high_watermark,
    });
    let (mut next, mut empty) = (log_start, 0);
    while next < high_watermark && empty < EMPTY_MAX {
        let Some(end) = read_on(admin, topic, log, next, size_max).await else {
            return;
        };
        empty = if end == next { empty + 1 } else { 0 };
        next = end;
    }
}

/// Fetches once; returns where to read on.
async fn read_on(
    admin: &mut Admin,
    topic: &str,
    log: LogName,
    from: i64,
    size_max: i32,
) -> Option<i64> {
    let asked = admin.desk.mark();
    let request = fetch::Request {
        max_wait_ms: 10,
        min_bytes: 1,
        max_bytes: size_max,
        topics: vec![fetch::Topic {
            topic: topic.to_owned(),
            topic_id: log.topic,
            partitions: vec![fetch::Partition {
                partition: log.partition,
                fetch_offset: from,
                partition_max_bytes: size_max,
                ..fetch::Partition::default()
            }],
        }],
        ..fetch::Request::default()
    };
    let response = admin.ask(&request).await;
    let answer = response
        .responses
        .into_iter()
        .flat_map(|it| it.partitions)
        .next();
    let Some(answer) = answer else {
        admin
            .desk
            .unexpected(format!("nothing about {log} in the answer to a fetch"));
        return None;
    };
    if answer.error_code != 0 {
        let code = name(answer.error_code);
        admin
            .desk
            .unexpected(format!("an audit of {log} from {from}: {code}"));
        return None;
    }
    let records = told::records(&answer)
        .inspect_err(|what| admin.desk.unexpected(format!("{log} returned {what}")))
        .ok()?;
    let next = records.last().map_or(from, |last| last.offset + 1);
    admin.desk.note(Event::Read {
        log,
        asked,
        from,
        log_start: answer.log_start_offset,
        high_watermark: answer.high_watermark,
        records,
    });
    Some(next)
}

async fn end_of(admin: &mut Admin, topic: &str, log: LogName, which: i64) -> Option<i64> {
    let request = list_offsets::Request {
        replica_id: -1,
        topics: vec![list_offsets::Topic {
            name: topic.to_owned(),
            partitions: vec![list_offsets::Partition {
                partition_index: log.partition,
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
    if answer.error_code != 0 {
        let code = name(answer.error_code);
        admin
            .desk
            .unexpected(format!("ListOffsets of {log}: {code}"));
        return None;
    }
    Some(answer.offset)
}

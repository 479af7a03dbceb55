//! The lag of groups as metrics: in records, and in seconds by the timestamps that producers gave.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use record::{BatchBuilder, Compression, NewRecord};
use types::TimestampMs;
use wire::messages::{create_topics, delete_groups, delete_records, offset_commit, produce};

use crate::admin::{get, sample};
use crate::support::coordinators::{self, await_coordinators};
use crate::support::requests::create_topic;
use crate::support::{Broker, Caller, Scratch};

const TOPIC: &str = "left-to-read";

/// How many records there are; the first is as many hours old, the last one hour.
const RECORDS: i64 = 10;

const HOUR_MS: i64 = 3_600_000;

const RECORDS_FAMILY: &str = "riverrun_group_lag_records";
const SECONDS_FAMILY: &str = "riverrun_group_lag_seconds";

/// A broker with records in the second of two partitions, in two batches.
fn start(scratch: &Scratch) -> (Broker, Caller) {
    let arguments = ["--admin", "127.0.0.1:0", "--cores", "2"];
    let broker = Broker::start_with(scratch.path(), &arguments);
    let mut client = Caller::new(broker.address(), "client");
    let created = client.call(
        &create_topics::Request {
            topics: vec![create_topics::Topic {
                name: TOPIC.to_owned(),
                num_partitions: 2,
                replication_factor: 1,
                ..create_topics::Topic::default()
            }],
            ..create_topics::Request::default()
        },
        5,
    );
    assert_eq!(created.topics[0].error_code, 0, "{created:?}");
    let now = now_ms();
    for (numbers, compression) in [(0..5, Compression::None), (5..RECORDS, Compression::Zstd)] {
        let mut batch = BatchBuilder::new(compression);
        for number in numbers {
            let record = NewRecord {
                timestamp: TimestampMs(now - (RECORDS - number) * HOUR_MS),
                key: None,
                value: Some(b"unread"),
                headers: &[],
            };
            batch.push(&record).unwrap();
        }
        let answer = client.call(&produce_request(batch.build().unwrap()), 9);
        assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    }
    await_coordinators(&mut client);
    (broker, client)
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

fn produce_request(batch: Bytes) -> produce::Request {
    produce::Request {
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![produce::TopicData {
            name: TOPIC.to_owned(),
            partition_data: vec![produce::PartitionData {
                index: 1,
                records: Some(batch),
            }],
            ..produce::TopicData::default()
        }],
        ..produce::Request::default()
    }
}

#[test]
fn all_of_many_offsets_are_told_of() {
    const TOPICS: [&str; 5] = ["a", "b", "c", "d", "e"];
    const PARTITIONS: i32 = 250;
    let scratch = Scratch::new("group-lag-many");
    let (broker, mut client) = start(&scratch);
    // More than are looked at in one step, and in one group; others before and behind it.
    let groups = [("first", 1), ("many", 5), ("next", 4), ("z", 2)];
    for topic in TOPICS {
        create_topic(&mut client, topic, PARTITIONS);
    }
    for (group, count) in groups {
        let partition = |partition_index| offset_commit::Partition {
            partition_index,
            ..offset_commit::Partition::default()
        };
        let topic = |name: &&str| offset_commit::Topic {
            name: (*name).to_owned(),
            partitions: (0..PARTITIONS).map(partition).collect(),
            ..offset_commit::Topic::default()
        };
        let request = offset_commit::Request {
            group_id: group.to_owned(),
            generation_id_or_member_epoch: -1,
            topics: TOPICS[..count].iter().map(topic).collect(),
            ..offset_commit::Request::default()
        };
        let answer = client.call(&request, 7);
        let mut told = answer.topics.iter().flat_map(|topic| &topic.partitions);
        assert!(told.all(|partition| partition.error_code == 0));
    }
    let page = metrics(&broker);
    for family in [RECORDS_FAMILY, SECONDS_FAMILY] {
        for (group, count) in groups {
            for topic in TOPICS {
                let start = format!("{family}{{group=\"{group}\",topic=\"{topic}\",");
                let told: BTreeSet<&str> = page
                    .lines()
                    .filter(|line| line.starts_with(&start))
                    .collect();
                let wanted = if TOPICS[..count].contains(&topic) {
                    250
                } else {
                    0
                };
                assert_eq!(told.len(), wanted, "{start}");
            }
        }
        let all = page.lines().filter(|line| line.starts_with(family));
        assert_eq!(all.count(), 12 * 250, "none is told of twice");
    }
}

fn commit(client: &mut Caller, group: &str, offset: i64) {
    coordinators::commit(client, group, TOPIC, 1, offset);
}

fn metrics(broker: &Broker) -> String {
    let (status, page) = get(broker.admin(), "/metrics");
    assert_eq!(status, 200, "{page}");
    page
}

/// The lag of one group in records, and in seconds.
fn lag(page: &str, group: &str) -> [f64; 2] {
    [RECORDS_FAMILY, SECONDS_FAMILY].map(|family| {
        let labels = format!("{{group=\"{group}\",topic=\"{TOPIC}\",partition=\"1\"}} ");
        sample(page, &format!("{family}{labels}"))
    })
}

/// Asserts a lag of so many records, of which the first is as many hours old.
fn assert_lag(page: &str, group: &str, records: i32) {
    let [told, seconds] = lag(page, group);
    assert!((told - f64::from(records)).abs() < 0.5, "{group}: {told}");
    let least = f64::from(records) * 3600.0;
    // The next record is an hour younger, and a test does not take an hour.
    let most = if records == 0 { 0.0 } else { least + 3599.0 };
    assert!((least..=most).contains(&seconds), "{group}: {seconds}");
}

#[test]
fn each_group_has_its_lag_in_records_and_in_seconds() {
    let scratch = Scratch::new("group-lag");
    let (broker, mut client) = start(&scratch);
    let page = metrics(&broker);
    assert!(!page.contains(&format!("{RECORDS_FAMILY}{{")), "{page}");

    let quoted = "quo\"ted \\ two\nlines";
    for (group, offset) in [("new", 0), ("within", 3), ("behind", 7), ("done", 10)] {
        commit(&mut client, group, offset);
    }
    commit(&mut client, quoted, 9);
    // What is kept from one page to the next says the same.
    for _ in 0..2 {
        let page = metrics(&broker);
        for (group, records) in [("new", 10), ("within", 7), ("behind", 3), ("done", 0)] {
            assert_lag(&page, group, records);
        }
        assert_lag(&page, r#"quo\"ted \\ two\nlines"#, 1);
    }

    commit(&mut client, "within", 6);
    let page = metrics(&broker);
    assert_lag(&page, "within", 4);
    assert_lag(&page, "new", 10);

    // One goes forward and one back, beyond what was looked at last.
    commit(&mut client, "new", 8);
    commit(&mut client, "behind", 5);
    let page = metrics(&broker);
    assert_lag(&page, "new", 2);
    assert_lag(&page, "behind", 5);
}

#[test]
fn lag_follows_the_log_and_ends_with_the_group() {
    let scratch = Scratch::new("group-lag-end");
    let (broker, mut client) = start(&scratch);
    commit(&mut client, "late", 2);
    commit(&mut client, "gone", 2);
    // A client may commit anything.
    commit(&mut client, "odd", -5);
    commit(&mut client, "far", 99);
    assert_lag(&metrics(&broker), "late", 8);

    let delete = delete_records::Request {
        topics: vec![delete_records::Topic {
            name: TOPIC.to_owned(),
            partitions: vec![delete_records::Partition {
                partition_index: 1,
                offset: 6,
            }],
        }],
        timeout_ms: 30_000,
    };
    let deleted = client.call(&delete, 1);
    assert_eq!(deleted.topics[0].partitions[0].error_code, 0, "{deleted:?}");
    let delete = delete_groups::Request {
        groups_names: vec!["gone".to_owned()],
    };
    let deleted = client.call(&delete, 2);
    assert_eq!(deleted.results[0].error_code, 0, "{deleted:?}");

    let page = metrics(&broker);
    assert_lag(&page, "late", 4);
    assert_lag(&page, "far", 0);
    for group in ["gone", "odd"] {
        assert!(!page.contains(&format!("group=\"{group}\"")), "{page}");
    }

    broker.kill();
    let broker = Broker::start_with(scratch.path(), &["--admin", "127.0.0.1:0"]);
    let mut client = Caller::new(broker.address(), "client");
    await_coordinators(&mut client);
    commit(&mut client, "late", 8);
    assert_lag(&metrics(&broker), "late", 2);
}

//! The bytes of every record kind and of a snapshot, as first released.
//!
//! A test that fails here has found a change of format: add a version, keep the old bytes readable.
//! `UPDATE_GOLDEN=1 cargo test -p controller` writes files that are missing, and only those.

use std::path::PathBuf;

use controller::image::{BrokerEpoch, Endpoint};
use controller::record::{
    BrokerRegistered, ConfigScope, ConfigsChanged, PartitionsAdded, ProducerIdsAllocated,
    TopicCreated,
};
use controller::{Image, Record, snapshot};
use types::{Incarnation, NodeId, ProducerId, TimestampMs, TopicId};

use crate::support::name;

fn topic() -> TopicId {
    TopicId(*b"0123456789abcdef")
}

/// One record of each kind, in an order that applies.
pub(crate) fn records() -> Vec<(&'static str, Record)> {
    let text = str::to_owned;
    let mut records = vec![
        ("level_raised.v1", Record::LevelRaised { level: 1 }),
        (
            "broker_registered.v1",
            Record::BrokerRegistered(BrokerRegistered {
                node: NodeId(1),
                epoch: BrokerEpoch(0),
                registered_at: TimestampMs(1_700_000_000_000),
                rack: Some(text("rack-1")),
                endpoints: vec![Endpoint {
                    listener: text("PLAINTEXT"),
                    host: text("broker-1.example.net"),
                    port: 9092,
                }],
            }),
        ),
        (
            "topic_created.v1",
            Record::TopicCreated(TopicCreated {
                topic: topic(),
                name: name("orders.placed"),
                created_at: TimestampMs(1_700_000_000_001),
                first_incarnation: Incarnation(0),
                assignments: vec![vec![NodeId(1)], vec![NodeId(1)]],
                configs: vec![(text("retention.ms"), text("3600000"))],
            }),
        ),
        (
            "partitions_added.v1",
            Record::PartitionsAdded(PartitionsAdded {
                topic: topic(),
                first_partition: 2,
                first_incarnation: Incarnation(2),
                assignments: vec![vec![NodeId(1)]],
            }),
        ),
    ];
    records.extend(configs_changed());
    records.extend([
        (
            "producer_ids_allocated.v1",
            Record::ProducerIdsAllocated(ProducerIdsAllocated {
                node: NodeId(1),
                first: ProducerId(0),
                count: 1_000,
            }),
        ),
        ("topic_deleted.v1", Record::TopicDeleted { topic: topic() }),
    ]);
    records
}

/// One record of each scope.
fn configs_changed() -> [(&'static str, Record); 3] {
    let text = str::to_owned;
    [
        (
            "configs_changed_topic.v1",
            Record::ConfigsChanged(ConfigsChanged {
                scope: ConfigScope::Topic(topic()),
                changes: vec![
                    (text("cleanup.policy"), Some(text("delete"))),
                    (text("retention.ms"), None),
                ],
            }),
        ),
        (
            "configs_changed_broker.v1",
            Record::ConfigsChanged(ConfigsChanged {
                scope: ConfigScope::Broker(NodeId(1)),
                changes: vec![(text("log.retention.ms"), Some(text("1")))],
            }),
        ),
        (
            "configs_changed_all_brokers.v1",
            Record::ConfigsChanged(ConfigsChanged {
                scope: ConfigScope::AllBrokers,
                changes: vec![(text("message.max.bytes"), Some(text("2")))],
            }),
        ),
    ]
}

/// The image after all records but the last, which deletes the only topic.
pub(crate) fn image() -> Image {
    let mut image = Image::empty();
    let mut records = records();
    records.pop();
    for (_, record) in records {
        image.apply(&record).unwrap();
    }
    image
}

fn golden(file: &str, fresh: &[u8]) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let path = folder.join(file);
    if !path.exists() && std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(&path, fresh).unwrap();
    }
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn records_have_the_bytes_of_the_first_release() {
    for (kind, record) in records() {
        let fresh = record.encode();
        let kept = golden(&format!("{kind}.record"), &fresh);
        assert_eq!(fresh, kept, "{kind}");
        assert_eq!(Record::decode(&kept).unwrap(), record, "{kind}");
    }
}

#[test]
fn a_snapshot_has_the_bytes_of_the_first_release() {
    let fresh = snapshot::encode(&image());
    let kept = golden("image.v1.snapshot", &fresh);
    assert_eq!(fresh, kept);
    assert_eq!(snapshot::decode(&kept).unwrap(), image());
}

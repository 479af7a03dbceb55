//! The bytes of every record kind, as first released, and of a snapshot in each version.
//!
//! A test that fails here has found a change of format: add a version, keep the old bytes readable.
//! `UPDATE_GOLDEN=1 cargo test -p controller` writes files that are missing, and only those.

use std::path::PathBuf;

use controller::image::{BrokerEpoch, Endpoint};
use controller::quota::{EntityName, QuotaEntity, QuotaKind, QuotaValue};
use controller::record::{
    BrokerRegistered, ConfigScope, ConfigsChanged, PartitionsAdded, ProducerIdsAllocated,
    QuotasChanged, TopicCreated,
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
        ("quotas_changed.v1", Record::QuotasChanged(quotas_changed())),
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

fn quotas_changed() -> QuotasChanged {
    let value = |kind, number| (kind, Some(QuotaValue::new(kind, number).unwrap()));
    QuotasChanged {
        entity: QuotaEntity::UserClientId {
            user: EntityName::Default,
            client_id: EntityName::Named("loader-1".to_owned()),
        },
        changes: vec![
            value(QuotaKind::ProducerByteRate, 262_144.0),
            value(QuotaKind::RequestPercentage, 12.5),
        ],
    }
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
fn a_snapshot_has_the_bytes_of_its_version() {
    let fresh = snapshot::encode(&image());
    let kept = golden("image.v2.snapshot", &fresh);
    assert_eq!(fresh, kept);
    assert_eq!(snapshot::decode(&kept).unwrap(), image());
}

#[test]
fn a_snapshot_of_version_1_is_an_image_without_quotas() {
    let kept = golden("image.v1.snapshot", &[]);
    let mut want = Image::empty();
    let until_quotas = |(_, record): &(&str, Record)| !matches!(record, Record::QuotasChanged(_));
    for (_, record) in records().into_iter().take_while(until_quotas) {
        want.apply(&record).unwrap();
    }
    let read = snapshot::decode(&kept).unwrap();
    assert_eq!(read, want);
    assert!(read.quotas().is_empty());
}

//! Whatever is asked in whatever order: replay and snapshots give the image that deciding gave.

use std::collections::BTreeSet;

use controller::request::{
    ConfigAlteration, ConfigChanges, ConfigOperation, ConfigResource, Mode, MorePartitions,
    NewTopic, QuotaAlteration, TopicReference,
};
use controller::{Image, Record, Reply, Request, Settings, snapshot};
use proptest::prelude::*;
use types::{NodeId, TopicName};

use crate::support::{Machine, NOW, id, register};

fn names() -> impl Strategy<Value = TopicName> {
    let texts = vec!["a", "b", "a.b", "a_b", "c-d", "x_y", "x.y"];
    proptest::sample::select(texts).prop_map(|text| text.parse().unwrap())
}

fn modes() -> impl Strategy<Value = Mode> {
    prop_oneof![4 => Just(Mode::Commit), 1 => Just(Mode::ValidateOnly)]
}

fn nodes() -> impl Strategy<Value = NodeId> {
    (1..5_i32).prop_map(NodeId)
}

fn configs() -> impl Strategy<Value = Vec<(String, String)>> {
    let names = proptest::sample::select(vec!["retention.ms", "cleanup.policy", "no.such"]);
    let values = proptest::sample::select(vec!["1", "2", "delete", ""]);
    let pair = (names, values).prop_map(|(name, value)| (name.to_owned(), value.to_owned()));
    proptest::collection::vec(pair, 0..3)
}

fn new_topics() -> impl Strategy<Value = NewTopic> {
    let assignments = proptest::collection::vec(
        (0..3_i32, proptest::collection::vec(nodes(), 0..3)),
        0..3_usize,
    );
    let layout = prop_oneof![
        3 => (-1..5_i32, -1..3_i16).prop_map(|(count, factor)| (count, factor, Vec::new())),
        1 => assignments.prop_map(|assignments| (-1, -1, assignments)),
    ];
    (1..12_u8, names(), layout, configs()).prop_map(|(number, name, layout, configs)| NewTopic {
        id: id(number),
        name,
        partition_count: layout.0,
        replication_factor: layout.1,
        assignments: layout.2,
        configs,
    })
}

fn alterations() -> impl Strategy<Value = ConfigAlteration> {
    let resource = prop_oneof![
        names().prop_map(ConfigResource::Topic),
        nodes().prop_map(ConfigResource::Broker),
        Just(ConfigResource::AllBrokers),
    ];
    let text = proptest::sample::select(vec!["1", "2", "delete", "compact", "delete,compact"]);
    let operation = prop_oneof![
        text.clone()
            .prop_map(|value| ConfigOperation::Set(value.to_owned())),
        Just(ConfigOperation::Delete),
        text.clone()
            .prop_map(|items| ConfigOperation::Append(items.to_owned())),
        text.prop_map(|items| ConfigOperation::Subtract(items.to_owned())),
    ];
    let name = proptest::sample::select(vec![
        "retention.ms",
        "cleanup.policy",
        "log.retention.ms",
        "log.cleanup.policy",
    ]);
    let edit = (name, operation).prop_map(|(name, operation)| (name.to_owned(), operation));
    let change = prop_oneof![
        configs().prop_map(ConfigChanges::Replace),
        proptest::collection::vec(edit, 0..3).prop_map(ConfigChanges::Edit),
    ];
    (resource, change).prop_map(|(resource, change)| ConfigAlteration { resource, change })
}

fn quota_alterations() -> impl Strategy<Value = QuotaAlteration> {
    let kind =
        proptest::sample::select(vec!["user", "client-id", "ip", "group"]).prop_map(str::to_owned);
    let name = proptest::sample::select(vec![None, Some("a"), Some("127.0.0.1"), Some("")])
        .prop_map(|name| name.map(str::to_owned));
    let quota = proptest::sample::select(vec![
        "producer_byte_rate",
        "request_percentage",
        "connection_creation_rate",
        "no_such_rate",
    ]);
    let value = proptest::sample::select(vec![None, Some(1.0), Some(2.5), Some(7.0), Some(-1.0)]);
    let change = (quota, value).prop_map(|(quota, value)| (quota.to_owned(), value));
    (
        proptest::collection::btree_map(kind, name, 0..3),
        proptest::collection::vec(change, 0..3),
    )
        .prop_map(|(entity, changes)| QuotaAlteration { entity, changes })
}

fn requests() -> impl Strategy<Value = Request> {
    let more = (names(), -1..8_i32).prop_map(|(topic, partition_count)| MorePartitions {
        topic,
        partition_count,
        assignments: None,
    });
    let reference = prop_oneof![
        names().prop_map(TopicReference::Name),
        (1..12_u8).prop_map(|number| TopicReference::Id(id(number))),
    ];
    prop_oneof![
        4 => (proptest::collection::vec(new_topics(), 1..4), modes())
            .prop_map(|(topics, mode)| Request::CreateTopics { topics, mode }),
        2 => proptest::collection::vec(reference, 1..3).prop_map(Request::DeleteTopics),
        2 => (proptest::collection::vec(more, 1..3), modes())
            .prop_map(|(topics, mode)| Request::CreatePartitions { topics, mode }),
        3 => (proptest::collection::vec(alterations(), 1..3), modes())
            .prop_map(|(resources, mode)| Request::AlterConfigs { resources, mode }),
        3 => (proptest::collection::vec(quota_alterations(), 1..4), modes())
            .prop_map(|(alterations, mode)| Request::AlterQuotas { alterations, mode }),
        1 => nodes().prop_map(Request::AllocateProducerIds),
        1 => (1..5_i32).prop_map(register),
    ]
}

/// The invariants of an image that can be seen from outside.
fn check(image: &Image) {
    let mut lives = BTreeSet::new();
    let mut count = 0;
    for topic in image.topics() {
        assert_eq!(image.topic(topic.id), Some(topic));
        assert_eq!(image.topic_named(topic.name.as_str()), Some(topic));
        assert!(!topic.partitions.is_empty());
        for partition in &topic.partitions {
            assert!(lives.insert(partition.incarnation));
            assert!(partition.incarnation < image.next_incarnation());
            assert!(partition.isr.contains(&partition.leader));
            count += 1;
        }
    }
    assert_eq!(image.partition_count(), count);
    assert!(image.quotas().values().all(|quotas| !quotas.is_empty()));
    let alike: BTreeSet<_> = image
        .topics()
        .map(|topic| topic.name.as_str().replace('.', "_"))
        .collect();
    assert_eq!(alike.len(), image.topic_count());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn replay_and_snapshot_give_the_image_that_deciding_gave(
        asked in proptest::collection::vec(requests(), 1..40),
        cut in 0..1_000_usize,
    ) {
        let settings = Settings { partitions_max: 30, topics_max: 5, ..Settings::default() };
        let mut machine = Machine::with_brokers(settings, &[1, 2]);
        let mut lives = BTreeSet::new();
        let mut blocks = BTreeSet::new();
        for request in &asked {
            let decision = machine.controller.decide(NOW, request);
            prop_assert_eq!(&decision, &machine.controller.decide(NOW, request));
            let before = machine.image().next_incarnation();
            if let Ok(Reply::AllocateProducerIds(block)) = machine.commit(request) {
                prop_assert!(blocks.insert(block.first));
            }
            for life in before.0..machine.image().next_incarnation().0 {
                prop_assert!(lives.insert(life));
            }
            check(machine.image());
        }

        let records: Vec<_> = machine.log.iter().map(|b| Record::decode(b).unwrap()).collect();
        let cut = cut % (records.len() + 1);
        let mut replayed = Image::empty();
        for record in &records[..cut] {
            replayed.apply(record).unwrap();
        }
        let bytes = snapshot::encode(&replayed);
        let mut restored = snapshot::decode(&bytes).unwrap();
        prop_assert_eq!(&restored, &replayed);
        prop_assert_eq!(snapshot::encode(&restored), bytes);
        for record in &records[cut..] {
            replayed.apply(record).unwrap();
            restored.apply(record).unwrap();
        }
        prop_assert_eq!(&replayed, machine.image());
        prop_assert_eq!(&restored, machine.image());
        prop_assert_eq!(replayed.revision(), u64::try_from(records.len()).unwrap());
    }
}

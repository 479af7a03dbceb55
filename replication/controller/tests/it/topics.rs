//! Creating and deleting topics, case by case as Kafka 4.3 answers.

use controller::request::{DeletedTopic, Mode, NewTopic, TopicReference};
use controller::{ConfigRefusal, DecideError, Reply, Request, Settings};
use types::{Incarnation, NodeId, TopicId};

use crate::support::{Machine, NODE, id, name, topic};

#[test]
fn created_topic_is_led_by_its_first_replica() {
    let mut machine = Machine::new();
    let new = NewTopic {
        partition_count: 3,
        replication_factor: 1,
        configs: vec![("retention.ms".to_owned(), "5".to_owned())],
        ..topic(1, "orders")
    };
    machine.create(new).unwrap();
    let created = machine.image().topic_named("orders").unwrap();
    assert_eq!(created.id, id(1));
    assert_eq!(created.partitions.len(), 3);
    assert_eq!(created.configs["retention.ms"], "5");
    for (place, partition) in (0..).zip(&created.partitions) {
        assert_eq!(partition.incarnation, Incarnation(place));
        assert_eq!(partition.leader, NODE);
        assert_eq!(partition.isr, [NODE]);
        assert_eq!(partition.leader_epoch.get(), 0);
    }
    assert_eq!(machine.image().partition_count(), 3);
}

#[test]
fn counts_of_minus_one_take_the_defaults() {
    let settings = Settings {
        default_partitions: 4,
        ..Settings::default()
    };
    let mut machine = Machine::with_brokers(settings, &[1]);
    machine.create(topic(1, "a")).unwrap();
    let created = machine.image().topic_named("a").unwrap();
    assert_eq!(created.partitions.len(), 4);
    assert_eq!(created.replication_factor(), 1);
}

#[test]
fn names_that_are_taken_or_look_alike_are_refused() {
    let mut machine = Machine::new();
    machine.create(topic(1, "a.b")).unwrap();
    assert_eq!(
        machine.create(topic(2, "a.b")),
        Err(DecideError::TopicExists { name: name("a.b") })
    );
    assert_eq!(
        machine.create(topic(2, "a_b")),
        Err(DecideError::NameCollision {
            name: name("a_b"),
            existing: name("a.b")
        })
    );
    machine.create(topic(2, "ab")).unwrap();
    machine.create(topic(3, "a-b")).unwrap();
}

#[test]
fn a_name_is_free_again_after_deletion() {
    let mut machine = Machine::new();
    machine.create(topic(1, "a.b")).unwrap();
    let gone = vec![TopicReference::Id(id(1))];
    machine.commit(&Request::DeleteTopics(gone)).unwrap();
    assert_eq!(machine.image().partition_count(), 0);
    machine.create(topic(2, "a_b")).unwrap();
    let created = machine.image().topic_named("a_b").unwrap();
    assert_eq!(created.partitions[0].incarnation, Incarnation(1));
}

#[test]
fn ids_that_are_taken_or_zero_are_refused() {
    let mut machine = Machine::new();
    machine.create(topic(1, "a")).unwrap();
    for taken in [id(1), TopicId::ZERO] {
        let new = NewTopic {
            id: taken,
            ..topic(2, "b")
        };
        assert_eq!(
            machine.create(new),
            Err(DecideError::TopicIdTaken { id: taken })
        );
    }
}

#[test]
fn impossible_counts_are_refused_replication_factor_first() {
    let mut machine = Machine::new();
    let cases = [
        (0, 1, DecideError::PartitionCountNotPositive { count: 0 }),
        (-2, 1, DecideError::PartitionCountNotPositive { count: -2 }),
        (
            1,
            0,
            DecideError::ReplicationFactorNotPositive { factor: 0 },
        ),
        (
            0,
            0,
            DecideError::ReplicationFactorNotPositive { factor: 0 },
        ),
        (
            1,
            -2,
            DecideError::ReplicationFactorNotPositive { factor: -2 },
        ),
        (
            1,
            2,
            DecideError::TooFewBrokers {
                factor: 2,
                brokers: 1,
            },
        ),
    ];
    for (partition_count, replication_factor, error) in cases {
        let new = NewTopic {
            partition_count,
            replication_factor,
            ..topic(1, "a")
        };
        assert_eq!(machine.create(new), Err(error));
    }
}

#[test]
fn assignments_by_hand_are_checked() {
    let mut machine = Machine::with_brokers(Settings::default(), &[1, 2]);
    let on = |nodes: &[i32]| -> Vec<NodeId> { nodes.iter().map(|&node| NodeId(node)).collect() };
    let cases = [
        (vec![(1, on(&[1]))], DecideError::AssignmentsNotConsecutive),
        (vec![(-1, on(&[1]))], DecideError::AssignmentsNotConsecutive),
        (
            vec![(0, on(&[1])), (2, on(&[1]))],
            DecideError::AssignmentsNotConsecutive,
        ),
        (
            vec![(0, on(&[1])), (0, on(&[1]))],
            DecideError::AssignmentsNotConsecutive,
        ),
        (vec![(0, on(&[]))], DecideError::AssignmentEmpty),
        (
            vec![(0, on(&[1, 1]))],
            DecideError::AssignmentRepeats { node: NodeId(1) },
        ),
        (
            vec![(0, on(&[9]))],
            DecideError::AssignmentUnknownBroker { node: NodeId(9) },
        ),
        (
            vec![(0, on(&[1, 2])), (1, on(&[1]))],
            DecideError::AssignmentUneven { want: 2, got: 1 },
        ),
    ];
    for (assignments, error) in cases {
        let new = NewTopic {
            assignments,
            ..topic(1, "a")
        };
        assert_eq!(machine.create(new), Err(error));
    }
    let good = NewTopic {
        assignments: vec![(1, on(&[1, 2])), (0, on(&[2, 1]))],
        ..topic(1, "a")
    };
    let counted = NewTopic {
        partition_count: 2,
        ..good.clone()
    };
    assert_eq!(
        machine.create(counted),
        Err(DecideError::CountsBesideAssignments)
    );
    machine.create(good).unwrap();
    let created = machine.image().topic_named("a").unwrap();
    assert_eq!(created.partitions[0].leader, NodeId(2));
    assert_eq!(created.partitions[1].replicas, on(&[1, 2]));
}

#[test]
fn configs_are_checked_by_the_schema() {
    let mut machine = Machine::new();
    let with = |configs: &[(&str, &str)]| NewTopic {
        configs: configs
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        ..topic(1, "a")
    };
    let refused = |name: &str, refusal| {
        Err(DecideError::ConfigRefused {
            name: name.to_owned(),
            refusal,
        })
    };
    assert_eq!(
        machine.create(with(&[("no.such", "1")])),
        refused("no.such", ConfigRefusal::Unknown { nearest: None })
    );
    assert_eq!(
        machine.create(with(&[("retention.ms", "soon")])),
        refused("retention.ms", ConfigRefusal::NotANumber { bits: 64 })
    );
    let long = "1".repeat(1025);
    assert_eq!(
        machine.create(with(&[("retention.ms", &long)])),
        refused(
            "retention.ms",
            ConfigRefusal::TooLong {
                length: 1025,
                max: 1024
            }
        )
    );
    assert_eq!(
        machine.create(with(&[("retention.ms", "1"), ("retention.ms", "1")])),
        Err(DecideError::DuplicateConfig {
            name: "retention.ms".to_owned()
        })
    );
}

#[test]
fn items_of_one_request_see_each_other() {
    let mut machine = Machine::new();
    let topics = vec![
        topic(1, "a.b"),
        topic(2, "a_b"),
        topic(1, "c"),
        topic(3, "d"),
        topic(4, "d"),
        topic(5, "e"),
    ];
    let mode = Mode::Commit;
    let reply = machine
        .commit(&Request::CreateTopics { topics, mode })
        .unwrap();
    let Reply::CreateTopics(results) = reply else {
        unreachable!("{reply:?}")
    };
    let twice = DecideError::DuplicateItem {
        name: "d".to_owned(),
    };
    assert!(results[0].is_ok());
    assert!(matches!(results[1], Err(DecideError::NameCollision { .. })));
    assert!(matches!(results[2], Err(DecideError::TopicIdTaken { .. })));
    assert_eq!(results[3], Err(twice.clone()));
    assert_eq!(results[4], Err(twice));
    assert!(results[5].is_ok());
    let names: Vec<_> = machine.image().topics().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["a.b", "e"]);
}

#[test]
fn validation_answers_alike_and_writes_nothing() {
    let machine = Machine::new();
    let request = |mode| Request::CreateTopics {
        topics: vec![topic(1, "a"), topic(2, "a.b"), topic(3, "a_b")],
        mode,
    };
    let decide = |mode| {
        machine
            .controller
            .decide(crate::support::NOW, &request(mode))
            .unwrap()
    };
    let (judged, done) = (decide(Mode::ValidateOnly), decide(Mode::Commit));
    assert_eq!(judged.reply, done.reply);
    assert_eq!(judged.records, []);
    assert_eq!(done.records.len(), 2);
}

#[test]
fn bounds_of_request_topic_count_and_cluster_hold() {
    let settings = Settings {
        topics_max: 2,
        partitions_max: 10,
        request_partitions_max: 8,
        ..Settings::default()
    };
    let mut machine = Machine::with_brokers(settings, &[1]);
    let sized = |number, text: &str, partition_count| NewTopic {
        partition_count,
        ..topic(number, text)
    };
    assert_eq!(
        machine.create(sized(1, "a", 9)),
        Err(DecideError::RequestTooLarge { want: 9, max: 8 })
    );
    machine.create(sized(1, "a", 8)).unwrap();
    assert_eq!(
        machine.create(sized(2, "b", 3)),
        Err(DecideError::TooManyPartitions {
            have: 8,
            add: 3,
            max: 10
        })
    );
    machine.create(sized(2, "b", 1)).unwrap();
    assert_eq!(
        machine.create(sized(3, "c", 1)),
        Err(DecideError::TooManyTopics { max: 2 })
    );
}

#[test]
fn deletion_takes_names_and_ids_but_no_topic_twice() {
    let mut machine = Machine::new();
    for (number, text) in [(1, "a"), (2, "b"), (3, "c")] {
        machine.create(topic(number, text)).unwrap();
    }
    let request = Request::DeleteTopics(vec![
        TopicReference::Name(name("a")),
        TopicReference::Id(id(2)),
        TopicReference::Name(name("c")),
        TopicReference::Id(id(3)),
        TopicReference::Name(name("nope")),
        TopicReference::Id(id(9)),
    ]);
    let reply = machine.commit(&request).unwrap();
    let deleted = |number, text: &str| {
        Ok(DeletedTopic {
            id: id(number),
            name: name(text),
        })
    };
    let twice = DecideError::DuplicateItem {
        name: "c".to_owned(),
    };
    assert_eq!(
        reply,
        Reply::DeleteTopics(vec![
            deleted(1, "a"),
            deleted(2, "b"),
            Err(twice.clone()),
            Err(twice),
            Err(DecideError::UnknownTopicName { name: name("nope") }),
            Err(DecideError::UnknownTopicId { id: id(9) }),
        ])
    );
    assert_eq!(machine.image().topic_count(), 1);
}

#[test]
fn partitions_are_spread_over_brokers_in_turn() {
    let mut machine = Machine::with_brokers(Settings::default(), &[1, 2, 3]);
    let new = |number, text: &str| NewTopic {
        partition_count: 4,
        replication_factor: 2,
        ..topic(number, text)
    };
    machine.create(new(1, "a")).unwrap();
    machine.create(new(2, "b")).unwrap();
    let leaders = |text: &str| -> Vec<i32> {
        let topic = machine.image().topic_named(text).unwrap();
        topic.partitions.iter().map(|p| p.leader.0).collect()
    };
    assert_eq!(leaders("a"), [1, 2, 3, 1]);
    assert_eq!(leaders("b"), [2, 3, 1, 2]);
    for topic in machine.image().topics() {
        for partition in &topic.partitions {
            assert_eq!(partition.replicas.len(), 2);
            assert_ne!(partition.replicas[0], partition.replicas[1]);
        }
    }
}

#[test]
fn topics_are_listed_by_name_from_any_start() {
    let mut machine = Machine::new();
    for (number, text) in [(1, "b"), (2, "a"), (3, "c")] {
        machine.create(topic(number, text)).unwrap();
    }
    let from = |first| -> Vec<_> {
        let topics = machine.image().topics_from(first);
        topics.map(|topic| topic.name.to_string()).collect()
    };
    assert_eq!(from(""), ["a", "b", "c"]);
    assert_eq!(from("aa"), ["b", "c"]);
    assert_eq!(from("c"), ["c"]);
}

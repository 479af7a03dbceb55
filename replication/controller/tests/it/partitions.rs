//! Adding partitions, case by case as Kafka 4.3 answers.

use controller::request::{Mode, MorePartitions};
use controller::{DecideError, Reply, Request, Settings};
use types::{Incarnation, NodeId};

use crate::support::{Machine, NODE, name, topic};

fn grow(machine: &mut Machine, item: MorePartitions) -> Result<(), DecideError> {
    let mode = Mode::Commit;
    let topics = vec![item];
    match machine.commit(&Request::CreatePartitions { topics, mode })? {
        Reply::CreatePartitions(mut results) => results.pop().unwrap(),
        other => unreachable!("{other:?}"),
    }
}

fn to(count: i32) -> MorePartitions {
    MorePartitions {
        topic: name("a"),
        partition_count: count,
        assignments: None,
    }
}

fn machine() -> Machine {
    let mut machine = Machine::new();
    machine.create(topic(1, "a")).unwrap();
    machine
}

#[test]
fn added_partitions_follow_with_fresh_incarnations() {
    let mut machine = machine();
    machine.create(topic(2, "b")).unwrap();
    grow(&mut machine, to(3)).unwrap();
    let topic = machine.image().topic_named("a").unwrap();
    let lives: Vec<_> = topic.partitions.iter().map(|p| p.incarnation).collect();
    assert_eq!(lives, [Incarnation(0), Incarnation(2), Incarnation(3)]);
    assert_eq!(machine.image().partition_count(), 4);
}

#[test]
fn counts_that_do_not_grow_are_refused() {
    let mut machine = machine();
    for want in [1, 0, -1] {
        assert_eq!(
            grow(&mut machine, to(want)),
            Err(DecideError::NotAnIncrease {
                name: name("a"),
                have: 1,
                want
            })
        );
    }
    let missing = MorePartitions {
        topic: name("nope"),
        ..to(3)
    };
    assert_eq!(
        grow(&mut machine, missing),
        Err(DecideError::UnknownTopicName { name: name("nope") })
    );
}

#[test]
fn assignments_by_hand_are_checked() {
    let mut machine = machine();
    let cases = [
        (vec![], DecideError::AssignmentCount { want: 1, got: 0 }),
        (
            vec![vec![NODE], vec![NODE]],
            DecideError::AssignmentCount { want: 1, got: 2 },
        ),
        (vec![vec![]], DecideError::AssignmentEmpty),
        (
            vec![vec![NODE, NODE]],
            DecideError::AssignmentRepeats { node: NODE },
        ),
        (
            vec![vec![NodeId(7)]],
            DecideError::AssignmentUnknownBroker { node: NodeId(7) },
        ),
    ];
    for (assigned, error) in cases {
        let item = MorePartitions {
            assignments: Some(assigned),
            ..to(2)
        };
        assert_eq!(grow(&mut machine, item), Err(error));
    }
    machine.commit(&crate::support::register(2)).unwrap();
    let uneven = MorePartitions {
        assignments: Some(vec![vec![NODE, NodeId(2)]]),
        ..to(2)
    };
    assert_eq!(
        grow(&mut machine, uneven),
        Err(DecideError::AssignmentUneven { want: 1, got: 2 })
    );
    let good = MorePartitions {
        assignments: Some(vec![vec![NodeId(2)]]),
        ..to(2)
    };
    grow(&mut machine, good).unwrap();
    let topic = machine.image().topic_named("a").unwrap();
    assert_eq!(topic.partitions[1].leader, NodeId(2));
}

#[test]
fn bounds_hold_whatever_the_count() {
    let mut machine = machine();
    assert_eq!(
        grow(&mut machine, to(i32::MAX)),
        Err(DecideError::RequestTooLarge {
            want: 2_147_483_646,
            max: 10_000
        })
    );
    let wide = Settings {
        request_partitions_max: usize::MAX,
        partitions_max: usize::MAX,
        ..Settings::default()
    };
    let mut machine = Machine::with_brokers(wide, &[1]);
    machine.create(topic(1, "a")).unwrap();
    assert_eq!(
        grow(&mut machine, to(100_001)),
        Err(DecideError::TopicTooLarge {
            want: 100_001,
            max: 100_000
        })
    );
}

#[test]
fn a_topic_named_twice_does_not_grow() {
    let mut machine = machine();
    let topics = vec![to(2), to(3)];
    let mode = Mode::Commit;
    let request = Request::CreatePartitions { topics, mode };
    let twice = Err(DecideError::DuplicateItem {
        name: "a".to_owned(),
    });
    assert_eq!(
        machine.commit(&request),
        Ok(Reply::CreatePartitions(vec![twice.clone(), twice]))
    );
    assert_eq!(machine.image().partition_count(), 1);
}

#[test]
fn validation_writes_nothing() {
    let mut machine = machine();
    let request = Request::CreatePartitions {
        topics: vec![to(5)],
        mode: Mode::ValidateOnly,
    };
    let reply = machine.commit(&request);
    assert_eq!(reply, Ok(Reply::CreatePartitions(vec![Ok(())])));
    assert_eq!(machine.image().partition_count(), 1);
}

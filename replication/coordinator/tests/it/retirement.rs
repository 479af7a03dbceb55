//! How offsets and groups end.

use coordinator::{GroupError, Request, Response, TopicDeleted};
use types::TopicId;

use crate::support::{Machine, commit, deleted, group, modern, nobody, partition, topic};

const CHECK_MS: u64 = 600_000;
const DAY_MS: u64 = 24 * 3_600_000;

fn delete(machine: &mut Machine) -> Result<(), GroupError> {
    match machine.call(Request::DeleteGroup(group())) {
        Response::DeleteGroup(answer) => answer,
        other => panic!("{other:?}"),
    }
}

/// Lets time pass in steps that keep a member alive.
fn live(machine: &mut Machine, claim: &coordinator::Claim, ms: u64) {
    for _ in 0..=(ms / 9_000) {
        machine.pass(9_000);
        machine.heartbeat(claim.clone()).unwrap();
    }
}

#[test]
fn only_an_empty_group_is_deleted_and_its_offsets_with_it() {
    let mut machine = Machine::new();
    assert_eq!(delete(&mut machine), Err(GroupError::GroupNotFound));
    let claims = machine.stable(&["a"]);
    machine
        .commit(commit(claims[0].clone(), "t", 0, 1))
        .unwrap();
    assert_eq!(delete(&mut machine), Err(GroupError::GroupNotEmpty));
    machine.leave(&[(claims[0].member.as_str(), None)]);
    assert_eq!(delete(&mut machine), Ok(()));
    assert_eq!(machine.state(), "Dead");
    assert_eq!(machine.offset("t", 0), None);
    machine.restart();
    assert_eq!(machine.coordinator.logged().group_count(), 0);
}

#[test]
fn an_empty_group_without_offsets_goes_at_the_next_check() {
    let mut machine = Machine::new();
    machine.join(modern("a")).unwrap_err();
    machine.pass(CHECK_MS - 1);
    assert_eq!(machine.state(), "Empty");
    machine.pass(1);
    assert_eq!(machine.state(), "Dead");
}

#[test]
fn offsets_of_an_empty_group_expire_a_while_after_it_became_empty() {
    let mut machine = Machine::new();
    let claims = machine.stable(&["a"]);
    machine
        .commit(commit(claims[0].clone(), "t", 0, 1))
        .unwrap();
    live(&mut machine, &claims[0], DAY_MS);
    machine.leave(&[(claims[0].member.as_str(), None)]);
    machine.restart_from_snapshot();
    machine.pass(7 * DAY_MS - CHECK_MS);
    assert_eq!(machine.offset("t", 0), Some(1));
    machine.pass(2 * CHECK_MS);
    assert_eq!(machine.offset("t", 0), None);
    assert_eq!(machine.state(), "Dead");
}

#[test]
fn offsets_that_members_read_do_not_expire_and_others_of_theirs_do() {
    let mut machine = Machine::new();
    machine.settings.offsets_retention = std::time::Duration::from_hours(1);
    machine.restart();
    let claims = machine.stable(&["a"]);
    machine
        .commit(commit(claims[0].clone(), "t", 0, 1))
        .unwrap();
    machine
        .commit(commit(claims[0].clone(), "unread", 0, 1))
        .unwrap();
    live(&mut machine, &claims[0], 3_600_000 + CHECK_MS);
    assert_eq!(machine.offset("t", 0), Some(1));
    assert_eq!(machine.offset("unread", 0), None);
    assert_eq!(machine.state(), "Stable");
}

#[test]
fn offsets_of_consumers_without_membership_expire_after_their_commit() {
    let mut machine = Machine::new();
    machine.commit(commit(nobody(), "t", 0, 1)).unwrap();
    machine.pass(4 * DAY_MS);
    machine.commit(commit(nobody(), "t", 1, 1)).unwrap();
    machine.pass(3 * DAY_MS + CHECK_MS);
    assert_eq!(machine.offset("t", 0), None);
    assert_eq!(machine.offset("t", 1), Some(1));
    machine.pass(4 * DAY_MS);
    assert_eq!(machine.state(), "Dead");
}

#[test]
fn an_offset_with_an_expiry_of_its_own_goes_then() {
    let mut machine = Machine::new();
    let mut short = commit(nobody(), "t", 0, 1);
    short.retention_ms = Some(60_000);
    machine.commit(short).unwrap();
    machine.restart();
    machine.pass(CHECK_MS);
    assert_eq!(machine.offset("t", 0), None);
}

#[test]
fn the_offsets_of_a_deleted_topic_go_but_not_those_of_its_namesake() {
    let mut machine = Machine::new();
    let ids = [TopicId::ZERO, TopicId([1; 16]), TopicId([2; 16])];
    for (is_replaced, unknown) in [(true, Some(1)), (false, None)] {
        for (index, id) in ids.into_iter().enumerate() {
            let mut offset = commit(nobody(), "t", i32::try_from(index).unwrap(), 1);
            offset.offsets[0].topic_id = id;
            machine.commit(offset).unwrap();
        }
        machine.commit(commit(nobody(), "u", 0, 1)).unwrap();
        machine.call(deleted("t", TopicId([1; 16]), is_replaced));
        let left = [0, 1, 2].map(|index| machine.offset("t", index));
        assert_eq!(left, [unknown, None, Some(1)]);
        assert_eq!(machine.offset("u", 0), Some(1));
    }
}

#[test]
fn many_deleted_topics_take_their_offsets_and_concern_no_other_groups() {
    let mut machine = Machine::new();
    // Groups with more topics than are deleted, with fewer, and with none of them.
    let commits = [("many", 0..9), ("few", 2..4), ("none", 7..9)];
    for (name, topics) in commits.clone() {
        for index in topics {
            let mut commit = commit(nobody(), &format!("t{index}"), 0, 1);
            commit.group = name.parse().unwrap();
            commit.offsets[0].topic_id = TopicId([index; 16]);
            machine.commit(commit).unwrap();
        }
    }
    // One whose name another topic has had meanwhile, and one that nobody has read.
    let gone = [(3, 3), (2, 2), (1, 8), (1, 9), (77, 77)];
    let gone = gone.map(|(name, id)| TopicDeleted {
        topic: topic(&format!("t{name}")),
        topic_id: TopicId([id; 16]),
        is_replaced: true,
    });
    machine.send(Request::TopicsDeleted(gone.into_iter().collect()));
    assert_eq!(
        machine.appends.len(),
        2,
        "one write for each group concerned"
    );
    machine.sync_log();
    let left = |group: &str| {
        let group = machine.coordinator.logged().group(&group.parse().unwrap());
        let topics = group.unwrap().offsets.keys();
        topics.map(|it| it.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(left("many"), ["t0", "t1", "t4", "t5", "t6", "t7", "t8"]);
    assert_eq!(left("few"), [""; 0]);
    assert_eq!(left("none"), ["t7", "t8"]);
}

/// A group that has never had members, with more offsets than tombstones fit one batch.
fn large() -> Machine {
    let mut machine = Machine::new();
    for first in 0..40 {
        let mut many = commit(nobody(), "t", 0, 1);
        let offset = many.offsets.remove(0);
        for index in 0..500 {
            let mut offset = offset.clone();
            offset.partition = partition(first * 500 + index);
            many.offsets.push(offset);
        }
        machine.commit(many).unwrap();
    }
    assert_eq!(machine.coordinator.logged().offset_count(), 20_000);
    machine
}

#[test]
fn a_group_with_many_offsets_is_deleted_in_pieces_before_the_answer() {
    let mut machine = large();
    let token = machine.send(Request::DeleteGroup(group()));
    let late = machine.send(Request::OffsetCommit(commit(nobody(), "t", 7, 7)));
    let mut pieces = 0;
    while machine.waits(token) {
        assert!(machine.appends[0].1.len() < 20_000);
        assert!(machine.sync_one());
        pieces += 1;
    }
    assert!(pieces > 1);
    machine.sync_log();
    machine.answer(late);
    assert_eq!(machine.offset("t", 7), Some(7));
    assert_eq!(machine.coordinator.logged().offset_count(), 1);
}

#[test]
fn many_offsets_expire_and_many_of_a_topic_go() {
    let mut machine = large();
    machine.pass(8 * DAY_MS);
    assert_eq!(machine.state(), "Dead");
    let mut machine = large();
    machine.call(deleted("t", TopicId([1; 16]), false));
    assert_eq!(machine.coordinator.logged().offset_count(), 0);
    assert_eq!(machine.state(), "Empty");
}

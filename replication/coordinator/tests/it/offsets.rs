//! OffsetCommit, OffsetFetch and OffsetDelete.

use coordinator::{
    AppendFailure, GroupError, MissingGroup, OffsetCommit, OffsetDelete, OffsetFetch, Request,
    Response, Settings, Stability, Wanted, WantedTopic,
};
use types::{LeaderEpoch, TopicId};

use crate::support::{
    Machine, again, commit, fetch, group, member, nobody, partition, subscription, topic, unnamed,
};

fn delete(
    machine: &mut Machine,
    names: &[&str],
) -> Result<Vec<Result<(), GroupError>>, GroupError> {
    let partitions = names.iter().map(|name| (topic(name), partition(0)));
    let delete = OffsetDelete {
        group: group(),
        partitions: partitions.collect(),
    };
    match machine.call(Request::OffsetDelete(delete)) {
        Response::OffsetDelete(answer) => answer,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_commit_is_read_again_whole() {
    let mut machine = Machine::new();
    let mut full = commit(nobody(), "t", 3, 42);
    full.offsets[0].leader_epoch = LeaderEpoch::new(7);
    full.offsets[0].metadata = "note".parse().unwrap();
    full.offsets[0].topic_id = TopicId([5; 16]);
    machine.commit(full).unwrap();
    let answer = machine.call(fetch("t", 3, Stability::Required));
    let Response::OffsetFetch(Ok(topics)) = answer else {
        panic!("{answer:?}")
    };
    let committed = topics[0].partitions[0].1.clone().unwrap();
    assert_eq!(committed.offset, 42);
    assert_eq!(committed.leader_epoch, LeaderEpoch::new(7));
    assert_eq!(committed.metadata.as_str(), "note");
    assert_eq!(machine.offset("t", 4), None);
    assert_eq!(machine.offset("u", 3), None);
}

#[test]
fn all_offsets_of_a_group_are_read_at_once() {
    let mut machine = Machine::new();
    for (name, index) in [("u", 1), ("t", 2), ("t", 0)] {
        machine.commit(commit(nobody(), name, index, 9)).unwrap();
    }
    let all = |name: &str| {
        Request::OffsetFetch(OffsetFetch {
            group: name.parse().unwrap(),
            wanted: Wanted::All,
            stability: Stability::Optional,
        })
    };
    let answer = machine.call(all("g"));
    let Response::OffsetFetch(Ok(topics)) = answer else {
        panic!("{answer:?}")
    };
    let counts: Vec<_> = topics
        .iter()
        .map(|topic| (topic.topic.as_str(), topic.partitions.len()))
        .collect();
    assert_eq!(counts, [("t", 2), ("u", 1)]);
    assert_eq!(
        machine.call(all("h")),
        Response::OffsetFetch(Ok(Vec::new()))
    );
}

#[test]
fn an_offset_of_another_topic_of_the_same_name_does_not_count() {
    let mut machine = Machine::new();
    let mut of_topic = commit(nobody(), "t", 0, 42);
    of_topic.offsets[0].topic_id = TopicId([5; 16]);
    machine.commit(of_topic).unwrap();
    for (id, found) in [
        (TopicId::ZERO, true),
        (TopicId([5; 16]), true),
        (TopicId([6; 16]), false),
    ] {
        let request = Request::OffsetFetch(OffsetFetch {
            group: group(),
            wanted: Wanted::Topics(vec![WantedTopic {
                topic: topic("t"),
                topic_id: id,
                partitions: vec![partition(0)],
            }]),
            stability: Stability::Optional,
        });
        let Response::OffsetFetch(Ok(topics)) = machine.call(request) else {
            panic!("no answer")
        };
        assert_eq!(topics[0].partitions[0].1.is_some(), found);
    }
}

#[test]
fn commits_without_a_group_need_no_generation() {
    let mut machine = Machine::new();
    let mut of_member = nobody();
    of_member.generation = 3;
    of_member.member = member("a");
    let mut missing = commit(of_member, "t", 0, 1);
    assert_eq!(
        machine.commit(missing.clone()),
        Err(GroupError::GroupNotFound)
    );
    missing.missing_group = MissingGroup::IllegalGeneration;
    assert_eq!(machine.commit(missing), Err(GroupError::IllegalGeneration));
    machine.commit(commit(nobody(), "t", 0, 1)).unwrap();
    assert_eq!(machine.state(), "Empty");
}

#[test]
fn commits_to_a_group_with_members_are_judged_in_kafkas_order() {
    let mut machine = Machine::new();
    let claims = machine.stable(&["a", "b"]);
    let try_commit = |machine: &mut Machine, change: fn(&mut OffsetCommit)| {
        let mut commit = commit(claims[0].clone(), "t", 0, 1);
        change(&mut commit);
        machine.commit(commit)
    };
    let no_claim = try_commit(&mut machine, |c| c.claim = nobody());
    assert_eq!(no_claim, Err(GroupError::UnknownMember));
    let stranger = try_commit(&mut machine, |c| c.claim.member = member("who"));
    assert_eq!(stranger, Err(GroupError::UnknownMember));
    let older = try_commit(&mut machine, |c| c.claim.generation -= 1);
    assert_eq!(older, Err(GroupError::IllegalGeneration));
    assert_eq!(try_commit(&mut machine, |_| ()), Ok(()));
    // Members may commit while the group gathers, and not while they wait for assignments.
    let tokens = [
        machine.send_join(unnamed("c")),
        machine.send_join(again(&claims[0])),
    ];
    assert_eq!(try_commit(&mut machine, |_| ()), Ok(()));
    machine.leave(&[(claims[1].member.as_str(), None)]);
    let mut joined = machine.joined(tokens[1]);
    let waiting = crate::support::claim(&joined);
    let refused = machine.commit(commit(waiting, "t", 0, 2));
    assert_eq!(refused, Err(GroupError::RebalanceInProgress));
    joined.generation = 1;
    let old = crate::support::claim(&joined);
    let refused = machine.commit(commit(old, "t", 0, 2));
    assert_eq!(refused, Err(GroupError::IllegalGeneration));
}

#[test]
fn a_note_that_is_too_long_is_refused_alone() {
    let mut machine = Machine::new();
    let mut two = commit(nobody(), "t", 0, 1);
    two.offsets.push(two.offsets[0].clone());
    two.offsets[0].metadata = "ä".repeat(4_097).parse().unwrap();
    two.offsets[1].metadata = "ä".repeat(4_096).parse().unwrap();
    two.offsets[1].partition = partition(1);
    let answer = machine.call(Request::OffsetCommit(two));
    let results = vec![Err(GroupError::MetadataTooLarge), Ok(())];
    assert_eq!(answer, Response::OffsetCommit(Ok(results)));
    assert_eq!(machine.offset("t", 0), None);
    assert_eq!(machine.offset("t", 1), Some(1));
}

#[test]
fn a_coordinator_holds_a_bounded_number_of_offsets() {
    let mut machine = Machine::with(Settings {
        offsets_max: 2,
        ..Settings::default()
    });
    machine.commit(commit(nobody(), "t", 0, 1)).unwrap();
    machine.commit(commit(nobody(), "t", 1, 1)).unwrap();
    let refused = machine.commit(commit(nobody(), "t", 2, 1));
    assert_eq!(refused, Err(GroupError::CoordinatorFull));
    machine.commit(commit(nobody(), "t", 1, 2)).unwrap();
}

#[test]
fn commits_on_their_way_count_too() {
    let mut machine = Machine::with(Settings {
        offsets_max: 2,
        groups_max: 2,
        ..Settings::default()
    });
    let elsewhere = |group: &str| OffsetCommit {
        group: group.parse().unwrap(),
        ..commit(nobody(), "t", 0, 1)
    };
    let mut send = |group| machine.send(Request::OffsetCommit(elsewhere(group)));
    let tokens = ["a", "b", "c"].map(&mut send);
    assert_eq!(machine.appends.len(), 2);
    let full = Response::OffsetCommit(Err(GroupError::CoordinatorFull));
    assert_eq!(machine.answer(tokens[2]), full);
    machine.fail_one(AppendFailure::Unavailable);
    // The room of the one that failed is there again.
    let again = machine.send(Request::OffsetCommit(elsewhere("c")));
    machine.sync_log();
    let kept = Response::OffsetCommit(Ok(vec![Ok(())]));
    assert_eq!(machine.answer(again), kept);
}

#[test]
fn what_no_batch_holds_is_refused_before_it_is_written() {
    let mut machine = Machine::new();
    let name = "g".repeat(32_000);
    let many = |count: usize| {
        let mut commit = commit(nobody(), "t", 0, 1);
        commit.group = name.parse().unwrap();
        let offset = commit.offsets.remove(0);
        commit.offsets.extend((0..count).map(|index| {
            let mut offset = offset.clone();
            offset.partition = partition(i32::try_from(index).unwrap());
            offset
        }));
        commit
    };
    let refused = machine.send(Request::OffsetCommit(many(100)));
    assert!(machine.appends.is_empty());
    let too_large = GroupError::RecordTooLarge;
    assert_eq!(
        machine.answer(refused),
        Response::OffsetCommit(Err(too_large))
    );
    for _ in 0..2 {
        machine.commit(many(60)).unwrap();
    }
    let mut delete = OffsetDelete {
        group: name.parse().unwrap(),
        // Naming one again writes nothing more.
        partitions: vec![(topic("t"), partition(0)); 1_000],
    };
    let token = machine.send(Request::OffsetDelete(delete.clone()));
    assert_eq!(machine.appends[0].1.len(), 1);
    machine.sync_log();
    let deleted = Response::OffsetDelete(Ok(vec![Ok(()); 1_000]));
    assert_eq!(machine.answer(token), deleted);
    let mut rest = many(120);
    rest.offsets.drain(..60);
    machine.commit(rest).unwrap();
    delete.partitions = (1..120)
        .map(|index| (topic("t"), partition(index)))
        .collect();
    let refused = machine.send(Request::OffsetDelete(delete));
    assert!(machine.appends.is_empty());
    assert_eq!(
        machine.answer(refused),
        Response::OffsetDelete(Err(too_large))
    );
}

#[test]
fn long_notes_count_as_more_offsets() {
    let mut machine = Machine::with(Settings {
        offsets_max: 20,
        ..Settings::default()
    });
    let noted = |partition, size| {
        let mut commit = commit(nobody(), "t", partition, 1);
        commit.offsets[0].metadata = "n".repeat(size).parse().unwrap();
        commit
    };
    machine.commit(noted(0, 4_096)).unwrap();
    machine.commit(noted(0, 4_096)).unwrap();
    machine.commit(noted(1, 600)).unwrap();
    let refused = machine.commit(noted(2, 0));
    assert_eq!(refused, Err(GroupError::CoordinatorFull));
    machine.commit(noted(0, 0)).unwrap();
    machine.commit(noted(2, 4_095)).unwrap();
    let refused = machine.commit(noted(1, 1_024));
    assert_eq!(refused, Err(GroupError::CoordinatorFull));
}

#[test]
fn offsets_are_deleted_unless_members_read_the_topic() {
    let mut machine = Machine::new();
    assert_eq!(delete(&mut machine, &["t"]), Err(GroupError::GroupNotFound));
    let claims = machine.stable(&["a"]);
    for name in ["t", "u"] {
        machine
            .commit(commit(claims[0].clone(), name, 0, 1))
            .unwrap();
    }
    let results = delete(&mut machine, &["t", "u", "v"]).unwrap();
    assert_eq!(
        results,
        [Err(GroupError::SubscribedToTopic), Ok(()), Ok(())]
    );
    assert_eq!(machine.offset("t", 0), Some(1));
    assert_eq!(machine.offset("u", 0), None);
    machine.leave(&[(claims[0].member.as_str(), None)]);
    assert_eq!(delete(&mut machine, &["t"]).unwrap(), [Ok(())]);
    assert_eq!(machine.offset("t", 0), None);
}

#[test]
fn a_group_of_another_type_must_be_empty_and_one_that_cannot_be_understood_reads_all() {
    let mut machine = Machine::new();
    let mut join = unnamed("a");
    join.protocol_type = "connect".parse().unwrap();
    let joined = machine.join_alone(join);
    assert_eq!(delete(&mut machine, &["t"]), Err(GroupError::GroupNotEmpty));
    machine.leave(&[(joined.member.as_str(), None)]);
    assert_eq!(delete(&mut machine, &["t"]).unwrap(), [Ok(())]);

    let mut machine = Machine::new();
    let mut join = unnamed("a");
    join.protocols[0].metadata = crate::support::blob("?");
    machine.join_alone(join);
    let results = delete(&mut machine, &["u"]).unwrap();
    assert_eq!(results, [Err(GroupError::SubscribedToTopic)]);
    assert_eq!(subscription(&["t"]).len(), 13);
}

//! What waits for the log, in which order, and what happens when the log refuses.

use coordinator::{
    AppendFailure, Coordinator, GroupError, Heartbeat, Request, Response, Settings, Stability,
};
use types::TopicId;

use crate::support::{
    Machine, again, claim, commit, deleted, fetch, group, modern, named, nobody, sync, unnamed,
};

#[test]
fn nothing_is_served_before_the_log_has_been_read() {
    let mut machine = Machine::new();
    machine.coordinator = Coordinator::new(Settings::default());
    let heartbeat = Heartbeat {
        group: group(),
        claim: nobody(),
    };
    let requests = [
        Request::Heartbeat(heartbeat),
        Request::Describe(group()),
        Request::DeleteGroup(group()),
        fetch("t", 0, Stability::Optional),
    ];
    let answers = requests.map(|request| machine.call(request));
    let loading = GroupError::Loading;
    let want = [
        Response::Heartbeat(Err(loading)),
        Response::Describe(Err(loading)),
        Response::DeleteGroup(Err(loading)),
        Response::OffsetFetch(Err(loading)),
    ];
    assert_eq!(answers, want);
}

#[test]
fn several_commits_are_on_their_way_and_each_is_answered_when_it_is_durable() {
    let mut machine = Machine::new();
    let tokens = [1, 2, 3].map(|offset| {
        let commit = commit(nobody(), "t", 0, offset);
        machine.send(Request::OffsetCommit(commit))
    });
    assert_eq!(machine.appends.len(), 3);
    assert_eq!(machine.offset_now(), None);
    for (index, token) in tokens.into_iter().enumerate() {
        assert!(machine.waits(token));
        machine.sync_one();
        machine.answer(token);
        assert_eq!(
            machine.offset_now(),
            Some(i64::try_from(index).unwrap() + 1)
        );
    }
}

#[test]
fn a_stable_fetch_waits_for_commits_and_what_comes_later_waits_for_it() {
    let mut machine = Machine::new();
    let first = machine.send(Request::OffsetCommit(commit(nobody(), "t", 0, 1)));
    let stable = machine.send(fetch("t", 0, Stability::Required));
    let second = machine.send(Request::OffsetCommit(commit(nobody(), "t", 0, 2)));
    assert!(machine.waits(stable));
    assert_eq!(machine.appends.len(), 1);
    machine.sync_one();
    machine.answer(first);
    let Response::OffsetFetch(Ok(topics)) = machine.answer(stable) else {
        panic!("no answer")
    };
    let (_, committed) = topics[0].partitions[0].clone();
    assert_eq!(committed.unwrap().offset, 1);
    machine.sync_one();
    machine.answer(second);
}

#[test]
fn a_deletion_sees_commits_that_came_before_it() {
    let mut machine = Machine::new();
    let first = machine.send(Request::OffsetCommit(commit(nobody(), "t", 0, 1)));
    let deletion = machine.send(Request::DeleteGroup(group()));
    let after = machine.send(Request::OffsetCommit(commit(nobody(), "t", 1, 2)));
    machine.sync_log();
    machine.answer(first);
    assert_eq!(machine.answer(deletion), Response::DeleteGroup(Ok(())));
    machine.answer(after);
    assert_eq!(machine.offset("t", 0), None);
    assert_eq!(machine.offset("t", 1), Some(2));
}

#[test]
fn the_end_of_a_topic_reaches_a_first_commit_that_is_on_its_way() {
    let mut machine = Machine::new();
    let first = machine.send(Request::OffsetCommit(commit(nobody(), "t", 0, 1)));
    machine.send(deleted("t", TopicId([1; 16]), false));
    machine.sync_log();
    machine.answer(first);
    assert_eq!(machine.offset("t", 0), None);
}

#[test]
fn a_group_waits_while_its_generation_is_on_its_way() {
    let mut machine = Machine::new();
    let joined = machine.join_alone(unnamed("a"));
    let claim = claim(&joined);
    let synced = machine.send(Request::Sync(sync(&claim, &[])));
    let newcomer = machine.send(Request::Join(Box::new(unnamed("b"))));
    let beat = machine.send(Request::Heartbeat(Heartbeat {
        group: group(),
        claim,
    }));
    assert!(machine.waits(synced) && machine.waits(newcomer) && machine.waits(beat));
    machine.sync_log();
    assert!(machine.sync_answer(synced).is_ok());
    // The newcomer came first.
    let refused = Response::Heartbeat(Err(GroupError::RebalanceInProgress));
    assert_eq!(machine.answer(beat), refused);
    assert!(machine.waits(newcomer));
}

#[test]
fn what_waits_for_one_group_is_bounded() {
    let mut machine = Machine::with(Settings {
        group_waiting_max: 1,
        ..Settings::default()
    });
    let first = machine.send(Request::Join(Box::new(modern("a"))));
    let second = machine.send(Request::Join(Box::new(modern("b"))));
    let third = machine.send(Request::Join(Box::new(modern("c"))));
    let refused = machine.join_answer(third).unwrap_err();
    assert_eq!(refused.error, GroupError::NotAvailable);
    machine.sync_log();
    for token in [first, second] {
        let refused = machine.join_answer(token).unwrap_err();
        assert_eq!(refused.error, GroupError::MemberIdRequired);
    }
}

#[test]
fn a_log_that_refuses_a_group_refuses_its_first_member() {
    let mut machine = Machine::new();
    let token = machine.send(Request::Join(Box::new(modern("a"))));
    machine.fail_one(AppendFailure::Unavailable);
    let refused = machine.join_answer(token).unwrap_err();
    assert_eq!(refused.error, GroupError::NotAvailable);
    assert_eq!(machine.state(), "Dead");
}

#[test]
fn a_log_that_refuses_a_commit_leaves_the_offset_as_it_was() {
    let mut machine = Machine::new();
    machine.commit(commit(nobody(), "t", 0, 1)).unwrap();
    let token = machine.send(Request::OffsetCommit(commit(nobody(), "t", 0, 2)));
    machine.fail_one(AppendFailure::NotOwner);
    let refused = Response::OffsetCommit(Err(GroupError::NotCoordinator));
    assert_eq!(machine.answer(token), refused);
    assert_eq!(machine.offset("t", 0), Some(1));
}

#[test]
fn a_log_that_refuses_a_successor_leaves_the_one_before() {
    let mut machine = Machine::new();
    let joined = machine.join_alone(named("x", 1));
    let mut old = claim(&joined);
    old.instance = Some("x".parse().unwrap());
    machine
        .sync(sync(&old, std::slice::from_ref(&old)))
        .unwrap();
    let token = machine.send(Request::Join(Box::new(named("x", 2))));
    machine.fail_one(AppendFailure::Unavailable);
    let refused = machine.join_answer(token).unwrap_err();
    assert_eq!(refused.error, GroupError::NotAvailable);
    assert_eq!(machine.heartbeat(old), Ok(()));
}

#[test]
fn a_loaded_group_is_stable_and_its_members_must_be_heard_of() {
    let mut machine = Machine::new();
    let claims = machine.stable(&["a", "b"]);
    machine.restart_from_snapshot();
    assert_eq!(machine.state(), "Stable");
    machine.pass(9_000);
    assert_eq!(machine.heartbeat(claims[0].clone()), Ok(()));
    machine.pass(1_000);
    let refused = machine.heartbeat(claims[0].clone());
    assert_eq!(refused, Err(GroupError::RebalanceInProgress));
    let token = machine.send_join(again(&claims[0]));
    assert_eq!(machine.joined(token).generation, 2);
}

#[test]
fn whoever_resigns_answers_everything_that_waits() {
    let mut machine = Machine::new();
    let joining = machine.send_join(unnamed("a"));
    let committing = machine.send(Request::OffsetCommit(commit(nobody(), "t", 0, 1)));
    let creating = machine.send(Request::Join(Box::new({
        let mut join = modern("b");
        join.group = "h".parse().unwrap();
        join
    })));
    let waiting = machine.send(Request::Heartbeat(Heartbeat {
        group: "h".parse().unwrap(),
        claim: nobody(),
    }));
    let tokens = [joining, creating, waiting];
    assert!(tokens.into_iter().all(|token| machine.waits(token)));
    // A consumer without membership may not commit to a group with members.
    machine.answer(committing);
    let fresh = Coordinator::new(Settings::default());
    let resigned = std::mem::replace(&mut machine.coordinator, fresh).resign();
    assert_eq!(resigned.len(), tokens.len());
}

impl Machine {
    /// Reads what is durable at this moment, without waiting for more.
    fn offset_now(&mut self) -> Option<i64> {
        let token = self.send(fetch("t", 0, Stability::Optional));
        let Response::OffsetFetch(Ok(topics)) = self.answer(token) else {
            panic!("no answer")
        };
        let (_, committed) = topics[0].partitions[0].clone();
        committed.map(|committed| committed.offset)
    }
}

//! Heartbeat, LeaveGroup and silence.

use coordinator::{GroupError, Request};

use crate::support::{Machine, SESSION_MS, again, commit, leave, modern, nobody, unnamed};

fn session() -> u64 {
    u64::try_from(SESSION_MS).unwrap()
}

#[test]
fn heartbeats_are_judged_in_kafkas_order() {
    let mut machine = Machine::new();
    let unknown = Err(GroupError::UnknownMember);
    assert_eq!(machine.heartbeat(nobody()), unknown);
    let claims = machine.stable(&["a"]);
    assert_eq!(machine.heartbeat(nobody()), unknown);
    let mut old = claims[0].clone();
    old.generation = 0;
    assert_eq!(machine.heartbeat(old), Err(GroupError::IllegalGeneration));
    assert_eq!(machine.heartbeat(claims[0].clone()), Ok(()));
}

#[test]
fn a_silent_member_is_removed_and_the_others_join_again() {
    let mut machine = Machine::new();
    let claims = machine.stable(&["a", "b"]);
    machine.pass(session() - 1);
    assert_eq!(machine.heartbeat(claims[0].clone()), Ok(()));
    machine.pass(1);
    let refused = machine.heartbeat(claims[0].clone());
    assert_eq!(refused, Err(GroupError::RebalanceInProgress));
    assert_eq!(
        machine.heartbeat(claims[1].clone()),
        Err(GroupError::UnknownMember)
    );
    let token = machine.send_join(again(&claims[0]));
    assert_eq!(machine.joined(token).members.len(), 1);
}

#[test]
fn commits_keep_a_session_alive() {
    let mut machine = Machine::new();
    let claims = machine.stable(&["a"]);
    for offset in 0..5 {
        machine.pass(session() - 1);
        machine
            .commit(commit(claims[0].clone(), "t", 0, offset))
            .unwrap();
    }
    assert_eq!(machine.heartbeat(claims[0].clone()), Ok(()));
}

#[test]
fn a_member_that_waits_here_is_not_silent() {
    let mut machine = Machine::new();
    let claims = machine.stable(&["a", "b"]);
    let waiting = machine.send_join(again(&claims[0]));
    for _ in 0..3 {
        machine.pass(session() - 1);
        machine.touch(&claims[1]);
    }
    assert!(machine.waits(waiting));
    let other = machine.send_join(again(&claims[1]));
    assert_eq!(machine.joined(waiting).generation, 2);
    assert_eq!(machine.joined(other).generation, 2);
}

#[test]
fn a_new_member_that_waits_for_five_minutes_is_taken_for_gone() {
    let mut machine = Machine::new();
    let mut patient = unnamed("a");
    patient.rebalance_timeout_ms = 1_000_000;
    let joined = machine.join_alone(patient);
    let first = crate::support::claim(&joined);
    machine.sync(crate::support::sync(&first, &[])).unwrap();
    let newcomer = machine.send_join(unnamed("b"));
    for _ in 0..299_000 / 9_000 {
        machine.pass(9_000);
        machine.touch(&first);
    }
    assert!(machine.waits(newcomer));
    machine.pass(9_000);
    let refused = machine.join_answer(newcomer).unwrap_err();
    assert_eq!(refused.error, GroupError::UnknownMember);
}

#[test]
fn a_group_that_everybody_left_is_empty_and_says_so_when_it_is_durable() {
    let mut machine = Machine::new();
    let claims = machine.stable(&["a"]);
    let token = machine.send(leave(&[(claims[0].member.as_str(), None)]));
    assert!(machine.waits(token));
    machine.sync_log();
    machine.answer(token);
    assert_eq!(machine.state(), "Empty");
    machine.restart();
    assert_eq!(machine.state(), "Empty");
}

#[test]
fn each_leaving_member_is_judged_by_itself() {
    let mut machine = Machine::new();
    let unknown = Err(GroupError::UnknownMember);
    assert_eq!(
        machine.leave(&[("a", None), ("b", None)]),
        [unknown, unknown]
    );
    let claims = machine.stable(&["a", "b"]);
    let left = machine.leave(&[("who", None), (claims[1].member.as_str(), None), ("", None)]);
    assert_eq!(left, [unknown, Ok(()), unknown]);
    let refused = machine.heartbeat(claims[0].clone());
    assert_eq!(refused, Err(GroupError::RebalanceInProgress));
}

#[test]
fn a_pending_member_may_leave() {
    let mut machine = Machine::new();
    let pending = machine.join(modern("a")).unwrap_err().member;
    assert_eq!(machine.leave(&[(pending.as_str(), None)]), [Ok(())]);
    let mut late = modern("a");
    late.member = pending;
    assert_eq!(machine.refused(late), GroupError::UnknownMember);
}

#[test]
fn a_member_that_leaves_while_it_joins_is_sent_away() {
    let mut machine = Machine::new();
    let claims = machine.stable(&["a", "b"]);
    let waiting = machine.send_join(again(&claims[0]));
    machine.leave(&[(claims[0].member.as_str(), None)]);
    let refused = machine.join_answer(waiting).unwrap_err();
    assert_eq!(refused.error, GroupError::UnknownMember);
}

#[test]
fn requests_need_a_group_id() {
    let mut machine = Machine::new();
    let mut claims = machine.stable(&["a"]);
    let claim = claims.remove(0);
    let heartbeat = coordinator::Heartbeat {
        group: "".parse().unwrap(),
        claim,
    };
    let answer = machine.call(Request::Heartbeat(heartbeat));
    let refused = coordinator::Response::Heartbeat(Err(GroupError::InvalidGroupId));
    assert_eq!(answer, refused);
}

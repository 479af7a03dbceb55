//! SyncGroup: assignments, and members that never ask for theirs.

use coordinator::{AppendFailure, Claim, GroupError, Join, Request, Settings, Sync};
use types::ByteCount;

use crate::support::{DELAY_MS, Machine, REBALANCE_MS, again, blob, claim, nobody, sync, unnamed};

/// Two members of a generation that has no assignments yet, the first one leading.
fn completing(machine: &mut Machine) -> (Claim, Claim) {
    let first = machine.send_join(unnamed("a"));
    let second = machine.send_join(unnamed("b"));
    machine.pass(2 * DELAY_MS);
    let first = claim(&machine.joined(first));
    let second = claim(&machine.joined(second));
    (first, second)
}

#[test]
fn followers_wait_for_the_leaders_assignments() {
    let mut machine = Machine::new();
    let (leader, follower) = completing(&mut machine);
    let waiting = machine.send(Request::Sync(sync(&follower, &[])));
    assert!(machine.waits(waiting));
    let members = [leader.clone(), follower.clone()];
    let mine = machine.sync(sync(&leader, &members)).unwrap();
    assert_eq!(mine.assignment, blob(leader.member.as_str()));
    let theirs = machine.sync_answer(waiting).unwrap();
    assert_eq!(theirs.assignment, blob(follower.member.as_str()));
    assert_eq!(theirs.protocol.unwrap().as_str(), "range");
    // Who asks again gets it again.
    let again = machine.sync(sync(&follower, &[])).unwrap();
    assert_eq!(again.assignment, theirs.assignment);
}

#[test]
fn members_that_the_leader_left_out_have_an_empty_assignment() {
    let mut machine = Machine::new();
    let (leader, follower) = completing(&mut machine);
    machine
        .sync(sync(&leader, std::slice::from_ref(&leader)))
        .unwrap();
    let theirs = machine.sync(sync(&follower, &[])).unwrap();
    assert_eq!(theirs.assignment, blob(""));
}

#[test]
fn a_sync_is_judged_in_kafkas_order() {
    let mut machine = Machine::new();
    let unknown = Err(GroupError::UnknownMember);
    assert_eq!(machine.sync(sync(&nobody(), &[])), unknown);
    let (leader, _) = completing(&mut machine);
    let with = |change: fn(&mut Sync)| {
        let mut sync = sync(&leader, &[]);
        change(&mut sync);
        sync
    };
    let cases = [
        (
            with(|s| s.group = "".parse().unwrap()),
            GroupError::InvalidGroupId,
        ),
        (with(|s| s.claim = nobody()), GroupError::UnknownMember),
        (
            with(|s| s.claim.generation = 0),
            GroupError::IllegalGeneration,
        ),
        (
            with(|s| s.protocol_type = Some("connect".parse().unwrap())),
            GroupError::InconsistentProtocol,
        ),
        (
            with(|s| s.protocol = Some("robin".parse().unwrap())),
            GroupError::InconsistentProtocol,
        ),
    ];
    for (sync, error) in cases {
        assert_eq!(machine.sync(sync), Err(error));
    }
    let mut fitting = sync(&leader, &[]);
    fitting.protocol = Some("range".parse().unwrap());
    fitting.protocol_type = Some("consumer".parse().unwrap());
    assert!(machine.sync(fitting).is_ok());
    let token = machine.send_join(again(&leader));
    assert!(machine.waits(token));
    let refused = machine.sync(sync(&leader, &[]));
    assert_eq!(refused, Err(GroupError::RebalanceInProgress));
}

#[test]
fn members_that_do_not_ask_for_their_assignment_are_removed() {
    let mut machine = Machine::new();
    let (leader, follower) = completing(&mut machine);
    let mine = machine.send(Request::Sync(sync(&leader, std::slice::from_ref(&leader))));
    machine.sync_log();
    assert!(machine.sync_answer(mine).is_ok());
    for _ in 0..12 {
        machine.pass(u64::try_from(REBALANCE_MS).unwrap() / 12);
        machine.touch(&leader);
        machine.touch(&follower);
    }
    assert_eq!(machine.heartbeat(follower), Err(GroupError::UnknownMember));
    let refused = machine.heartbeat(leader);
    assert_eq!(refused, Err(GroupError::RebalanceInProgress));
}

#[test]
fn assignments_count_as_what_members_make_the_coordinator_remember() {
    let mut machine = Machine::with(Settings {
        members_bytes_max: ByteCount(5_000),
        ..Settings::default()
    });
    let (leader, follower) = completing(&mut machine);
    let assigned = |size: usize| Sync {
        assignments: vec![(follower.member.clone(), vec![7; size].into())],
        ..sync(&leader, &[])
    };
    let theirs = machine.send(Request::Sync(sync(&follower, &[])));
    let full = Err(GroupError::CoordinatorFull);
    assert_eq!(machine.sync(assigned(5_000)), full);
    assert_eq!(machine.sync_answer(theirs), full);
    assert_eq!(machine.state(), "PreparingRebalance");
    // The next generation takes as much again: what the last one had makes room for it.
    for generation in 2..5 {
        let joins = [&leader, &follower].map(again);
        let tokens = joins.map(|join| machine.send_join(join));
        let [leader, follower] = tokens.map(|token| claim(&machine.joined(token)));
        assert_eq!(leader.generation, generation);
        let large = Sync {
            claim: leader,
            ..assigned(3_000)
        };
        assert!(machine.sync(large).is_ok());
        let got = machine.sync(sync(&follower, &[])).unwrap();
        assert_eq!(got.assignment.len(), 3_000);
    }
    // And no other group has room for more.
    let newcomer = Join {
        group: "h".parse().unwrap(),
        client_id: "c".repeat(2_000).parse().unwrap(),
        ..unnamed("a")
    };
    assert_eq!(machine.refused(newcomer), GroupError::CoordinatorFull);
}

#[test]
fn assignments_that_the_log_does_not_take_lead_to_another_rebalance() {
    for (failure, error) in [
        (AppendFailure::Unavailable, GroupError::NotAvailable),
        (AppendFailure::NotOwner, GroupError::NotCoordinator),
        (AppendFailure::TooLarge, GroupError::RecordTooLarge),
    ] {
        let mut machine = Machine::new();
        let (leader, follower) = completing(&mut machine);
        let theirs = machine.send(Request::Sync(sync(&follower, &[])));
        let mine = machine.send(Request::Sync(sync(&leader, &[])));
        machine.fail_one(failure);
        assert_eq!(machine.sync_answer(mine), Err(error));
        assert_eq!(machine.sync_answer(theirs), Err(error));
        assert_eq!(machine.state(), "PreparingRebalance");
    }
}

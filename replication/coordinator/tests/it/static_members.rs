//! Static members (KIP-345): a name outlives its processes, and only the last of them counts.

use coordinator::{
    Claim, GroupError, Join, Joined, Leave, LeavingMember, MemberId, Request, Response,
    SkipAssignment,
};

use crate::support::{
    Machine, REBALANCE_MS, blob, claim, commit, group, instance, member, named, protocols, sync,
};

fn claim_of(name: &str, joined: &Joined) -> Claim {
    Claim {
        instance: Some(instance(name)),
        ..claim(joined)
    }
}

/// Two static members, `x` leading.
fn stable(machine: &mut Machine) -> (Claim, Claim) {
    let first = machine.send_join(named("x", 1));
    let second = machine.send_join(named("y", 2));
    machine.pass(6_000);
    let first = claim_of("x", &machine.joined(first));
    let second = claim_of("y", &machine.joined(second));
    let members = [first.clone(), second.clone()];
    machine.sync(sync(&first, &members)).unwrap();
    machine.sync(sync(&second, &[])).unwrap();
    (first, second)
}

#[test]
fn a_restarted_member_takes_its_place_without_a_rebalance() {
    let mut machine = Machine::new();
    let (_, old) = stable(&mut machine);
    let joined = machine.join(named("y", 3)).unwrap();
    assert_ne!(joined.member, old.member);
    assert_eq!(joined.generation, old.generation);
    assert_eq!(machine.state(), "Stable");
    // It has the assignment of the one before.
    let new = claim_of("y", &joined);
    let synced = machine.sync(sync(&new, &[])).unwrap();
    assert_eq!(synced.assignment, blob(old.member.as_str()));
}

#[test]
fn the_process_before_is_fenced() {
    let mut machine = Machine::new();
    let (_, old) = stable(&mut machine);
    machine.join(named("y", 3)).unwrap();
    let fenced = GroupError::FencedInstance;
    assert_eq!(machine.heartbeat(old.clone()), Err(fenced));
    assert_eq!(machine.sync(sync(&old, &[])), Err(fenced));
    assert_eq!(machine.commit(commit(old.clone(), "t", 0, 1)), Err(fenced));
    let rejoin = Join {
        member: old.member.clone(),
        ..named("y", 9)
    };
    assert_eq!(machine.refused(rejoin), fenced);
    let left = machine.leave(&[(old.member.as_str(), Some("y"))]);
    assert_eq!(left, [Err(fenced)]);
    // Without the name it is merely unknown.
    let nameless = Claim {
        instance: None,
        ..old
    };
    assert_eq!(machine.heartbeat(nameless), Err(GroupError::UnknownMember));
}

#[test]
fn a_restarted_leader_is_told_to_skip_the_assignment_if_it_can_be() {
    let mut machine = Machine::new();
    let (old, _) = stable(&mut machine);
    let joined = machine.join(Join {
        skip_assignment: SkipAssignment::Supported,
        ..named("x", 3)
    });
    let joined = joined.unwrap();
    assert!(joined.skip_assignment);
    assert_eq!(joined.leader, Some(joined.member.clone()));
    assert_eq!(joined.members.len(), 2);
    // An older client would assign, and is told that the one before leads.
    let older = machine.join(named("x", 4)).unwrap();
    assert!(!older.skip_assignment && older.members.is_empty());
    assert_eq!(older.leader, Some(joined.member));
    assert_ne!(older.leader, Some(old.member));
}

#[test]
fn the_successor_outlives_a_restart_of_the_coordinator() {
    let mut machine = Machine::new();
    let (_, old) = stable(&mut machine);
    let new = claim_of("y", &machine.join(named("y", 3)).unwrap());
    machine.restart();
    assert_eq!(machine.heartbeat(new), Ok(()));
    assert_eq!(machine.heartbeat(old), Err(GroupError::FencedInstance));
}

#[test]
fn a_successor_that_changes_the_chosen_protocol_forces_a_rebalance() {
    let mut machine = Machine::new();
    let both = |name, life| Join {
        protocols: protocols(&["range", "robin"]),
        ..named(name, life)
    };
    let first = machine.send_join(both("x", 1));
    machine.pass(3_000);
    let first = claim_of("x", &machine.joined(first));
    machine
        .sync(sync(&first, std::slice::from_ref(&first)))
        .unwrap();
    let token = machine.send_join(Join {
        protocols: protocols(&["robin", "range"]),
        ..named("x", 2)
    });
    // The only member has joined: the next generation begins at once.
    let joined = machine.joined(token);
    assert_eq!(joined.generation, first.generation + 1);
    assert_eq!(joined.protocol.unwrap().as_str(), "robin");
}

#[test]
fn a_successor_fences_requests_that_wait() {
    let mut machine = Machine::new();
    let first = machine.send_join(named("x", 1));
    let second = machine.send_join(named("x", 2));
    let refused = machine.join_answer(first).unwrap_err();
    assert_eq!(refused.error, GroupError::FencedInstance);
    machine.pass(6_000);
    let joined = machine.joined(second);
    // Before the assignment a successor makes all join again.
    let third = machine.send_join(named("x", 3));
    assert_eq!(machine.joined(third).generation, joined.generation + 1);
}

#[test]
fn an_unknown_name_is_an_unknown_member() {
    let mut machine = Machine::new();
    let (first, _) = stable(&mut machine);
    let other = Claim {
        instance: Some(instance("z")),
        ..first
    };
    assert_eq!(machine.heartbeat(other), Err(GroupError::UnknownMember));
}

#[test]
fn an_administrator_removes_members_by_name() {
    let mut machine = Machine::new();
    let (_, second) = stable(&mut machine);
    let leaving = |name: Option<&str>| LeavingMember {
        member: MemberId::default(),
        instance: name.map(instance),
    };
    let members = vec![leaving(Some("x")), leaving(Some("z")), leaving(None)];
    let leave = Leave {
        group: group(),
        members,
    };
    let unknown = Err(GroupError::UnknownMember);
    let answer = machine.call(Request::Leave(leave));
    assert_eq!(answer, Response::Leave(Ok(vec![Ok(()), unknown, unknown])));
    let refused = machine.heartbeat(second);
    assert_eq!(refused, Err(GroupError::RebalanceInProgress));
}

#[test]
fn a_static_member_is_waited_for_until_its_session_ends() {
    let mut machine = Machine::new();
    let (first, second) = stable(&mut machine);
    let token = machine.send_join(Join {
        member: first.member.clone(),
        ..named("x", 9)
    });
    for _ in 0..7 {
        machine.pass(9_000);
        machine.touch(&second);
    }
    // It did not join in time, and is part of the generation all the same.
    let joined = machine.joined(token);
    assert_eq!(joined.members.len(), 2);
    machine.pass(u64::try_from(REBALANCE_MS).unwrap());
    assert_ne!(machine.state(), "Stable");
    assert_eq!(machine.heartbeat(second), Err(GroupError::UnknownMember));
    assert_eq!(joined.leader, Some(member(first.member.as_str())));
}

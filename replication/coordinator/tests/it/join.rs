//! JoinGroup: who is let in, and when a generation begins.

use std::time::Duration;

use coordinator::{GroupError, Join, MemberId, Protocol, Request, Settings};
use types::ByteCount;

use crate::support::{
    DELAY_MS, Machine, PENDING_GRACE_MS, REBALANCE_MS, SESSION_MS, again, blob, claim, member,
    modern, named, protocols, sync, unnamed,
};

#[test]
fn a_join_is_judged_in_kafkas_order() {
    let with = |change: fn(&mut Join)| {
        let mut join = modern("a");
        change(&mut join);
        join
    };
    let cases = [
        (
            with(|j| j.group = "".parse().unwrap()),
            GroupError::InvalidGroupId,
        ),
        (
            with(|j| j.session_timeout_ms = 5_999),
            GroupError::InvalidSessionTimeout,
        ),
        (
            with(|j| j.session_timeout_ms = 1_800_001),
            GroupError::InvalidSessionTimeout,
        ),
        (
            with(|j| j.session_timeout_ms = -1),
            GroupError::InvalidSessionTimeout,
        ),
        (
            with(|j| j.member = member("who")),
            GroupError::UnknownMember,
        ),
        (
            with(|j| j.protocols.clear()),
            GroupError::InconsistentProtocol,
        ),
        (
            with(|j| j.protocol_type = "".parse().unwrap()),
            GroupError::InconsistentProtocol,
        ),
        (with(|_| ()), GroupError::MemberIdRequired),
    ];
    for (join, error) in cases {
        let mut machine = Machine::new();
        assert_eq!(machine.refused(join.clone()), error, "{join:?}");
    }
}

#[test]
fn a_refusal_carries_the_id_that_kafka_puts_there() {
    let mut machine = Machine::new();
    let stranger = Join {
        member: member("who"),
        ..modern("a")
    };
    assert_eq!(machine.join(stranger).unwrap_err().member, member("who"));
    let given = machine.join(modern("a")).unwrap_err().member;
    assert!(given.as_str().starts_with("a-"));
    let odd = Join {
        protocols: Vec::new(),
        ..modern("a")
    };
    assert_eq!(machine.join(odd).unwrap_err().member, MemberId::default());
}

#[test]
fn a_member_that_was_given_an_id_joins_with_it() {
    let mut machine = Machine::new();
    let given = machine.join(modern("a")).unwrap_err().member;
    let joined = machine.join_alone(Join {
        member: given.clone(),
        ..modern("a")
    });
    assert_eq!(joined.member, given);
    assert_eq!(joined.generation, 1);
    assert_eq!(joined.leader, Some(given));
    assert_eq!(joined.members.len(), 1);
    assert_eq!(joined.protocol.unwrap().as_str(), "range");
    assert_eq!(joined.protocol_type.unwrap().as_str(), "consumer");
}

#[test]
fn an_id_that_is_not_joined_with_is_forgotten() {
    let mut machine = Machine::new();
    let given = machine.join(modern("a")).unwrap_err().member;
    machine.pass(u64::try_from(SESSION_MS).unwrap());
    let late = Join {
        member: given,
        ..modern("a")
    };
    assert_eq!(machine.refused(late), GroupError::UnknownMember);
}

#[test]
fn a_new_group_waits_for_more_members_but_not_for_ever() {
    let mut machine = Machine::new();
    let first = machine.send_join(Join {
        rebalance_timeout_ms: 7_000,
        ..unnamed("a")
    });
    // Each newcomer prolongs the wait by another delay, up to the rebalance timeout of 7 s.
    machine.pass(DELAY_MS - 1);
    let second = machine.send_join(Join {
        rebalance_timeout_ms: 7_000,
        ..unnamed("b")
    });
    machine.pass(DELAY_MS);
    assert!(machine.waits(first));
    let third = machine.send_join(Join {
        rebalance_timeout_ms: 7_000,
        ..unnamed("c")
    });
    machine.pass(1_000);
    assert!(machine.waits(first));
    machine.pass(1);
    for token in [first, second, third] {
        assert_eq!(machine.joined(token).generation, 1);
    }
}

#[test]
fn nobody_joins_while_nobody_is_there_to_wait_for() {
    let mut machine = Machine::new();
    let token = machine.send_join(unnamed("a"));
    machine.pass(DELAY_MS - 1);
    assert!(machine.waits(token));
    machine.pass(1);
    assert_eq!(machine.joined(token).generation, 1);
}

#[test]
fn a_first_generation_waits_a_little_for_those_that_were_given_an_id() {
    let mut machine = Machine::with(Settings {
        group_initial_rebalance_delay: Duration::ZERO,
        ..Settings::default()
    });
    let [a, b] = ["a", "b"].map(|name| {
        let given = machine.join(modern(name)).unwrap_err().member;
        Join {
            member: given,
            ..modern(name)
        }
    });
    let first = machine.send_join(a);
    machine.pass(PENDING_GRACE_MS - 1);
    assert!(machine.waits(first));
    let second = machine.send_join(b);
    for token in [first, second] {
        assert_eq!(machine.joined(token).generation, 1);
    }
}

#[test]
fn it_does_not_wait_for_long_and_not_where_nobody_is_to_come() {
    let mut machine = Machine::with(Settings {
        group_initial_rebalance_delay: Duration::ZERO,
        ..Settings::default()
    });
    let lost = machine.join(modern("lost")).unwrap_err().member;
    let given = machine.join(modern("a")).unwrap_err().member;
    let token = machine.send_join(Join {
        member: given,
        ..modern("a")
    });
    machine.pass(PENDING_GRACE_MS - 1);
    assert!(machine.waits(token));
    machine.pass(1);
    let joined = machine.joined(token);
    assert_eq!((joined.generation, joined.members.len()), (1, 1));
    // Who comes later is a member like any other.
    machine.send_join(Join {
        member: lost,
        ..modern("lost")
    });
    assert_eq!(machine.state(), "PreparingRebalance");

    let mut alone = Machine::with(machine.settings.clone());
    let token = alone.send_join(unnamed("a"));
    alone.pass(0);
    assert_eq!(alone.joined(token).generation, 1);
}

#[test]
fn a_newcomer_makes_members_join_again() {
    let mut machine = Machine::new();
    let claims = machine.stable(&["a", "b"]);
    let newcomer = machine.send_join(unnamed("c"));
    assert_eq!(machine.state(), "PreparingRebalance");
    let refused = machine.heartbeat(claims[0].clone());
    assert_eq!(refused, Err(GroupError::RebalanceInProgress));
    let first = machine.send_join(again(&claims[0]));
    let second = machine.send_join(again(&claims[1]));
    let joined = machine.joined(newcomer);
    assert_eq!(joined.generation, 2);
    assert!(joined.members.is_empty());
    assert_eq!(machine.joined(first).members.len(), 3);
    assert!(machine.joined(second).members.is_empty());
}

#[test]
fn members_that_do_not_join_again_are_left_behind() {
    let mut machine = Machine::new();
    let claims = machine.stable(&["a", "b"]);
    let newcomer = machine.send_join(unnamed("c"));
    let first = machine.send_join(again(&claims[0]));
    // The other one sends heartbeats, and does not join.
    for _ in 0..12 {
        machine.pass(u64::try_from(REBALANCE_MS).unwrap() / 12 - 1);
        let refused = machine.heartbeat(claims[1].clone());
        assert_eq!(refused, Err(GroupError::RebalanceInProgress));
        assert!(machine.waits(newcomer));
    }
    machine.pass(12);
    assert_eq!(machine.joined(first).members.len(), 2);
    assert_eq!(machine.joined(newcomer).generation, 2);
    let gone = machine.heartbeat(claims[1].clone());
    assert_eq!(gone, Err(GroupError::UnknownMember));
}

#[test]
fn the_protocol_with_most_votes_among_those_of_all_wins() {
    let mut machine = Machine::new();
    let likes = |client, names: &[&str]| Join {
        protocols: protocols(names),
        ..unnamed(client)
    };
    let tokens = [
        machine.send_join(likes("a", &["sticky", "range", "robin"])),
        machine.send_join(likes("b", &["range", "robin"])),
        machine.send_join(likes("c", &["robin", "range"])),
    ];
    let stranger = likes("d", &["sticky"]);
    assert_eq!(machine.refused(stranger), GroupError::InconsistentProtocol);
    machine.pass(2 * DELAY_MS);
    for token in tokens {
        assert_eq!(machine.joined(token).protocol.unwrap().as_str(), "range");
    }
}

#[test]
fn another_protocol_type_is_refused_and_unknown_types_are_as_good_as_known_ones() {
    let mut machine = Machine::new();
    let connect = |client| Join {
        protocol_type: "connect".parse().unwrap(),
        ..unnamed(client)
    };
    let first = machine.send_join(connect("a"));
    assert_eq!(
        machine.refused(unnamed("b")),
        GroupError::InconsistentProtocol
    );
    let second = machine.send_join(connect("c"));
    machine.pass(2 * DELAY_MS);
    let protocol_type = machine.joined(first).protocol_type.unwrap();
    assert_eq!(protocol_type.as_str(), "connect");
    assert_eq!(machine.joined(second).generation, 1);
}

#[test]
fn a_follower_that_changes_nothing_learns_the_generation_and_a_leader_forces_a_rebalance() {
    let mut machine = Machine::new();
    let claims = machine.stable(&["a", "b"]);
    let joined = machine.join(again(&claims[1])).unwrap();
    assert_eq!(joined.generation, 1);
    assert_eq!(machine.state(), "Stable");
    let token = machine.send_join(again(&claims[0]));
    assert!(machine.waits(token));
    assert_eq!(machine.state(), "PreparingRebalance");
}

#[test]
fn a_follower_that_says_something_else_forces_a_rebalance() {
    let mut machine = Machine::new();
    let claims = machine.stable(&["a", "b"]);
    let mut join = again(&claims[1]);
    join.protocols[0].metadata = blob("other");
    let token = machine.send_join(join);
    assert!(machine.waits(token));
    assert_eq!(machine.state(), "PreparingRebalance");
}

#[test]
fn a_member_that_missed_its_answer_gets_it_again_before_the_assignment() {
    let mut machine = Machine::new();
    let joined = machine.join_alone(unnamed("a"));
    let repeated = machine.join(again(&claim(&joined))).unwrap();
    assert_eq!(repeated, joined);
    // With other words it is a new rebalance, and those who wait for assignments are sent to it.
    let other = machine.send_join(unnamed("b"));
    let mine = machine.send_join(again(&claim(&joined)));
    let (mine, other) = (machine.joined(mine), machine.joined(other));
    let waiting = machine.send(Request::Sync(sync(&claim(&other), &[])));
    let mut changed = again(&claim(&mine));
    changed.protocols[0].metadata = blob("other");
    let token = machine.send_join(changed);
    let refused = machine.sync_answer(waiting);
    assert_eq!(refused, Err(GroupError::RebalanceInProgress));
    assert!(machine.waits(token));
}

#[test]
fn the_earlier_of_two_joins_of_a_member_is_told_to_join_again() {
    let mut machine = Machine::new();
    let claims = machine.stable(&["a", "b"]);
    let first = machine.send_join(again(&claims[0]));
    let second = machine.send_join(again(&claims[0]));
    let refused = machine.join_answer(first).unwrap_err();
    assert_eq!(refused.error, GroupError::RebalanceInProgress);
    assert!(machine.waits(second));
}

#[test]
fn a_full_group_takes_no_more_members() {
    let mut machine = Machine::with(Settings {
        group_max_size: 2,
        ..Settings::default()
    });
    let claims = machine.stable(&["a", "b"]);
    assert_eq!(machine.refused(unnamed("c")), GroupError::GroupFull);
    assert_eq!(machine.state(), "Stable");
    // While members gather, those that come last are left out.
    let first = machine.send_join(again(&claims[0]));
    machine.leave(&[(claims[1].member.as_str(), None)]);
    assert_eq!(machine.joined(first).generation, 2);
    let newcomer = machine.send_join(unnamed("c"));
    assert!(machine.waits(newcomer));
}

#[test]
fn a_group_over_a_lowered_bound_sends_its_last_members_away() {
    let mut machine = Machine::new();
    let claims = machine.stable(&["a", "b", "c"]);
    machine.settings.group_max_size = 2;
    machine.restart();
    assert_eq!(machine.state(), "PreparingRebalance");
    let first = machine.send_join(again(&claims[0]));
    let second = machine.send_join(again(&claims[1]));
    assert_eq!(machine.refused(again(&claims[2])), GroupError::GroupFull);
    machine.pass(u64::try_from(REBALANCE_MS).unwrap());
    let generations = [first, second].map(|token| machine.joined(token).generation);
    assert_eq!(generations, [2, 2]);
}

#[test]
fn members_that_say_too_much_are_not_remembered() {
    let mut machine = Machine::with(Settings {
        group_members_bytes_max: ByteCount(1_000),
        ..Settings::default()
    });
    let claims = machine.stable(&["a"]);
    let mut join = unnamed("b");
    join.protocols[0].metadata = blob(&"x".repeat(1_000));
    assert_eq!(machine.refused(join.clone()), GroupError::GroupFull);
    join.member = claims[0].member.clone();
    assert_eq!(machine.refused(join), GroupError::GroupFull);
    assert_eq!(machine.heartbeat(claims[0].clone()), Ok(()));
}

#[test]
fn ids_that_nobody_joins_with_and_groups_are_bounded() {
    let mut machine = Machine::with(Settings {
        group_pending_max: 2,
        groups_max: 1,
        ..Settings::default()
    });
    for client in ["a", "b"] {
        assert_eq!(
            machine.refused(modern(client)),
            GroupError::MemberIdRequired
        );
    }
    assert_eq!(machine.refused(modern("c")), GroupError::GroupFull);
    let elsewhere = Join {
        group: "h".parse().unwrap(),
        ..modern("a")
    };
    assert_eq!(machine.refused(elsewhere), GroupError::CoordinatorFull);
}

#[test]
fn a_rebalance_waits_for_ids_that_were_given_out() {
    let mut machine = Machine::new();
    let claims = machine.stable(&["a"]);
    let pending = machine.join(modern("b")).unwrap_err().member;
    let first = machine.send_join(again(&claims[0]));
    assert!(machine.waits(first));
    let second = machine.send_join(Join {
        member: pending,
        ..modern("b")
    });
    assert_eq!(machine.joined(first).members.len(), 2);
    assert_eq!(machine.joined(second).generation, 2);
}

#[test]
fn a_coordinator_remembers_a_bounded_amount_of_what_members_say() {
    let mut machine = Machine::with(Settings {
        members_bytes_max: ByteCount(2_000),
        ..Settings::default()
    });
    let elsewhere = |index: usize| Join {
        group: format!("g{index}").parse().unwrap(),
        ..modern("a")
    };
    let full =
        (0..100).position(|index| machine.refused(elsewhere(index)) == GroupError::CoordinatorFull);
    assert!(full.is_some_and(|index| index > 5));
    // Ids that nobody joined with are forgotten, and make room.
    machine.pass(u64::try_from(SESSION_MS).unwrap());
    assert_eq!(
        machine.refused(elsewhere(200)),
        GroupError::MemberIdRequired
    );
}

#[test]
fn a_client_that_allows_no_time_does_not_keep_the_coordinator_busy() {
    let mut machine = Machine::new();
    let hasty = |name, life| Join {
        rebalance_timeout_ms: 0,
        ..named(name, life)
    };
    let tokens = [
        machine.send_join(hasty("x", 1)),
        machine.send_join(hasty("y", 2)),
    ];
    machine.pass(2 * DELAY_MS);
    let joined = tokens.map(|token| machine.joined(token));
    assert_eq!(joined[0].generation, 1);
    // Nobody comes back, and nobody is waited for longer than its session.
    machine.pass(2 * u64::try_from(SESSION_MS).unwrap());
    assert_eq!(machine.state(), "Empty");
}

#[test]
fn a_join_with_very_many_protocols_does_not_take_long() {
    let mut machine = Machine::new();
    let protocol = |index: usize| Protocol {
        name: index.to_string().parse().unwrap(),
        metadata: blob(""),
    };
    let mut join = unnamed("a");
    join.protocols = (0..200_000).map(protocol).collect();
    assert_eq!(machine.refused(join.clone()), GroupError::GroupFull);
    // Of one name the first one counts.
    join.protocols = vec![protocol(1); 100_000];
    let joined = machine.join_alone(join);
    assert_eq!(joined.protocol.unwrap().as_str(), "1");
}

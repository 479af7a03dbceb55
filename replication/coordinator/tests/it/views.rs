//! DescribeGroups and ListGroups.

use coordinator::{GroupError, GroupState, List, Request, Response};

use crate::support::{Machine, blob, commit, group, nobody, subscription, unnamed};

fn list(machine: &mut Machine, states: &[&str], types: &[&str]) -> Vec<(String, GroupState)> {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let list = List {
        states: owned(states),
        types: owned(types),
    };
    match machine.call(Request::List(list)) {
        Response::List(Ok(listed)) => listed
            .into_iter()
            .map(|listed| (listed.group.as_str().to_owned(), listed.state))
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_group_shows_what_kafka_shows_of_it() {
    let mut machine = Machine::new();
    let claims = machine.stable(&["a", "b"]);
    let Response::Describe(Ok(stable)) = machine.call(Request::Describe(group())) else {
        panic!("no answer")
    };
    assert_eq!(stable.state.name(), "Stable");
    assert_eq!(stable.protocol_type.as_str(), "consumer");
    assert_eq!(stable.protocol.as_str(), "range");
    let leader = stable.members.iter().find(|m| m.member == claims[0].member);
    let leader = leader.unwrap();
    assert_eq!(leader.metadata, subscription(&["t"]));
    assert_eq!(leader.assignment, blob(claims[0].member.as_str()));
    assert_eq!(leader.client_host.as_str(), "/127.0.0.1");
    // While members gather, what they said and the protocol are not shown.
    machine.send_join(unnamed("c"));
    let Response::Describe(Ok(gathering)) = machine.call(Request::Describe(group())) else {
        panic!("no answer")
    };
    assert_eq!(gathering.state.name(), "PreparingRebalance");
    assert_eq!(gathering.protocol.as_str(), "");
    assert_eq!(gathering.members.len(), 3);
    assert!(
        gathering
            .members
            .iter()
            .all(|member| member.metadata.is_empty())
    );
}

#[test]
fn a_group_that_does_not_exist_is_not_found() {
    let mut machine = Machine::new();
    let answer = machine.call(Request::Describe(group()));
    assert_eq!(answer, Response::Describe(Err(GroupError::GroupNotFound)));
}

#[test]
fn groups_are_listed_by_state_and_type_whatever_the_case() {
    let mut machine = Machine::new();
    machine.stable(&["a"]);
    let mut simple = commit(nobody(), "t", 0, 1);
    simple.group = "simple".parse().unwrap();
    machine.commit(simple).unwrap();
    let stable = ("g".to_owned(), GroupState::Stable);
    let empty = ("simple".to_owned(), GroupState::Empty);
    assert_eq!(
        list(&mut machine, &[], &[]),
        [stable.clone(), empty.clone()]
    );
    assert_eq!(
        list(&mut machine, &["sTable"], &["Classic"]),
        std::slice::from_ref(&stable)
    );
    assert_eq!(
        list(&mut machine, &["empty", "stable"], &[]),
        [stable, empty]
    );
    assert_eq!(list(&mut machine, &[], &["consumer"]), []);
    assert_eq!(list(&mut machine, &["nonsense"], &[]), []);
}

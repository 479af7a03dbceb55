//! Many groups, large groups, many commits: sizes that must not take long, even unoptimised.

use coordinator::{Join, Request};

use crate::support::{DELAY_MS, Machine, claim, commit, sync, unnamed};

#[test]
fn a_thousand_groups_of_three_become_stable() {
    let mut machine = Machine::new();
    let mut tokens = Vec::new();
    for index in 0..1_000 {
        for client in ["a", "b", "c"] {
            let join = Join {
                group: format!("group-{index}").parse().unwrap(),
                ..unnamed(client)
            };
            tokens.push(machine.send(Request::Join(Box::new(join))));
        }
    }
    machine.sync_log();
    machine.pass(2 * DELAY_MS);
    for members in tokens.chunks(3) {
        let joined: Vec<_> = members.iter().map(|&token| machine.joined(token)).collect();
        let leaders = joined.iter().filter(|joined| joined.members.len() == 3);
        assert_eq!(leaders.count(), 1);
    }
}

#[test]
fn five_hundred_members_share_one_generation_and_commit() {
    let mut machine = Machine::new();
    let tokens: Vec<_> = (0..500)
        .map(|index| machine.send_join(unnamed(&format!("client-{index}"))))
        .collect();
    machine.pass(2 * DELAY_MS);
    let joined: Vec<_> = tokens.iter().map(|&token| machine.joined(token)).collect();
    let claims: Vec<_> = joined.iter().map(claim).collect();
    let waiting: Vec<_> = claims
        .iter()
        .map(|claim| machine.send(Request::Sync(sync(claim, &claims))))
        .collect();
    machine.sync_log();
    for token in waiting {
        let synced = machine.sync_answer(token).unwrap();
        assert!(!synced.assignment.is_empty());
    }
    for offset in 0..10 {
        for (claim, partition) in claims.iter().zip(0..) {
            let commit = commit(claim.clone(), "t", partition, offset);
            machine.send(Request::OffsetCommit(commit));
        }
        machine.sync_log();
    }
    assert_eq!(machine.coordinator.logged().offset_count(), 500);
}

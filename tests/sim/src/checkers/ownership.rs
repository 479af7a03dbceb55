//! In one generation of a group, a partition has one owner, and an owner one part.

use std::collections::BTreeMap;

use crate::history::{GroupEvent, History};

pub(super) fn check(history: &History) -> Vec<String> {
    let mut owners = BTreeMap::new();
    let mut parts = BTreeMap::new();
    let mut violations = Vec::new();
    for (_, group, event) in history.groups() {
        let GroupEvent::Synced {
            generation,
            owner,
            partitions,
            ..
        } = event
        else {
            continue;
        };
        let place = format!("{group}, generation {generation}");
        let part = parts
            .entry((group, generation, owner))
            .or_insert(partitions);
        if *part != partitions {
            violations.push(format!(
                "{place}: {owner} got {part:?}, then {partitions:?}"
            ));
        }
        for partition in partitions {
            let first = owners
                .entry((group, generation, partition))
                .or_insert(owner);
            if *first != owner {
                violations.push(format!("{place}: {first} and {owner} own {partition}"));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;

    fn faults(generation: i32, owner: &str, partitions: &[i32]) -> usize {
        let events = vec![
            group_opened(),
            synced(1, 3, "a", &[0, 1]),
            synced(2, generation, owner, partitions),
        ];
        check(&events.into()).len()
    }

    #[test]
    fn a_partition_with_two_owners_in_one_generation_is_found() {
        assert_eq!(faults(3, "b", &[1, 2]), 1);
        assert_eq!(faults(3, "b", &[2]), 0);
        assert_eq!(faults(4, "b", &[0, 1]), 0);
    }

    #[test]
    fn an_owner_with_two_parts_in_one_generation_is_found() {
        assert_eq!(faults(3, "a", &[0]), 1);
        assert_eq!(faults(3, "a", &[0, 1]), 0);
    }
}

//! The generations of a group go upwards, whatever happens to the node, from the first whose parts
//! were given out.

use std::collections::BTreeMap;

use super::watermark::Rising;
use crate::history::{GroupEvent, History};

pub(super) fn check(history: &History) -> Vec<String> {
    let mut promised: BTreeMap<_, Rising> = BTreeMap::new();
    let mut violations = Vec::new();
    for (now, group, event) in history.groups() {
        let promised = promised.entry(group).or_default();
        let (asked, generation) = match event {
            GroupEvent::Joined { asked, generation }
            | GroupEvent::Synced {
                asked, generation, ..
            } => (*asked, i64::from(*generation)),
            _ => continue,
        };
        let least = promised.at(asked);
        if generation < least {
            violations.push(format!(
                "{group} is in generation {generation} after {least}"
            ));
        }
        // One that was joined and not shared out may be forgotten in a crash.
        if matches!(event, GroupEvent::Synced { .. }) {
            promised.raise(now, generation);
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;
    use crate::history::Event;

    fn faults(events: [Event; 2]) -> usize {
        let [first, second] = events;
        check(&vec![group_opened(), first, second].into()).len()
    }

    #[test]
    fn a_generation_below_one_whose_parts_were_given_out_is_found() {
        assert_eq!(faults([synced(1, 3, "a", &[0]), joined(2, 2)]), 1);
        assert_eq!(
            faults([synced(1, 3, "a", &[0]), synced(2, 2, "a", &[0])]),
            1
        );
    }

    #[test]
    fn what_was_asked_before_or_only_joined_binds_nobody() {
        assert_eq!(faults([synced(1, 3, "a", &[0]), joined(1, 2)]), 0);
        assert_eq!(faults([joined(1, 3), joined(2, 2)]), 0);
        assert_eq!(faults([synced(1, 3, "a", &[0]), joined(2, 3)]), 0);
    }
}

//! On a healthy node, the members of a group come to share out everything in time.

use crate::history::{GroupEvent, History};

pub(super) fn check(history: &History) -> Vec<String> {
    let late = history
        .groups()
        .filter_map(|(_, group, event)| match event {
            GroupEvent::Settled { took, allowed } if took > allowed => Some(format!(
                "{group} has not settled after {took:?}, allowed are {allowed:?}"
            )),
            _ => None,
        });
    late.collect()
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;

    #[test]
    fn a_group_that_is_stuck_is_found() {
        let faults = |took_ms| check(&vec![group_opened(), settled(took_ms, 500)].into()).len();
        assert_eq!((faults(500), faults(501)), (0, 1));
    }
}

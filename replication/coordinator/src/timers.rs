//! Deadlines, each under a key: set, moved, cancelled and taken in the order of time.
//!
//! *Cost*: logarithmic in the number of timers, whatever is done.
//!
//! Invariant: both maps hold the same timers.

use std::collections::{BTreeMap, BTreeSet};

use types::Monotonic;

use crate::text::{GroupId, MemberId};

/// What a deadline is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TimerKey {
    /// Offsets and groups that nobody uses are looked for.
    Retention,
    /// Members have had their time to join.
    Join(GroupId),
    /// Members have had their time to ask for their assignment.
    Sync(GroupId),
    /// A member has been silent, or has not joined with the id that it was given.
    Session(GroupId, MemberId),
}

/// All deadlines of a coordinator.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    deadlines: BTreeMap<TimerKey, Monotonic>,
    order: BTreeSet<(Monotonic, TimerKey)>,
}

impl Timers {
    /// Sets a deadline; an earlier one under the same key is gone.
    pub(crate) fn set(&mut self, key: TimerKey, deadline: Monotonic) {
        self.cancel(&key);
        self.order.insert((deadline, key.clone()));
        self.deadlines.insert(key, deadline);
    }

    pub(crate) fn cancel(&mut self, key: &TimerKey) {
        if let Some((key, deadline)) = self.deadlines.remove_entry(key) {
            let held = self.order.remove(&(deadline, key));
            assert!(held, "both maps hold the same timers");
        }
    }

    pub(crate) fn is_set(&self, key: &TimerKey) -> bool {
        self.deadlines.contains_key(key)
    }

    /// Returns the next deadline.
    pub(crate) fn next(&self) -> Option<Monotonic> {
        self.order.first().map(|(deadline, _)| *deadline)
    }

    /// Takes the first timer that is due.
    pub(crate) fn take_due(&mut self, now: Monotonic) -> Option<TimerKey> {
        if self.next()? > now {
            return None;
        }
        let (_, key) = self.order.pop_first()?;
        self.deadlines.remove(&key);
        Some(key)
    }

    /// Cancels all deadlines of a group.
    pub(crate) fn cancel_group(&mut self, group: &GroupId) {
        self.cancel(&TimerKey::Join(group.clone()));
        self.cancel(&TimerKey::Sync(group.clone()));
        let first = TimerKey::Session(group.clone(), MemberId::default());
        let sessions = self.deadlines.range(first..).map(|(key, _)| key);
        let of_group = |key: &&TimerKey| matches!(key, TimerKey::Session(id, _) if id == group);
        let keys: Vec<TimerKey> = sessions.take_while(of_group).cloned().collect();
        for key in &keys {
            self.cancel(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(ms: u64) -> Monotonic {
        Monotonic::from_start(Duration::from_millis(ms))
    }

    fn session(group: &str, member: &str) -> TimerKey {
        let group = group.parse().expect("short");
        TimerKey::Session(group, member.parse().expect("short"))
    }

    #[test]
    fn timers_are_taken_in_the_order_of_time() {
        let mut timers = Timers::default();
        timers.set(session("g", "a"), at(30));
        timers.set(session("g", "b"), at(20));
        timers.set(session("g", "a"), at(10));
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.take_due(at(9)), None);
        assert_eq!(timers.take_due(at(20)), Some(session("g", "a")));
        assert_eq!(timers.take_due(at(20)), Some(session("g", "b")));
        assert_eq!(timers.take_due(at(99)), None);
    }

    #[test]
    fn a_group_takes_its_timers_along_and_no_others() {
        let mut timers = Timers::default();
        for group in ["f", "g", "h"] {
            timers.set(session(group, "a"), at(1));
            timers.set(TimerKey::Join(group.parse().expect("short")), at(1));
        }
        timers.set(session("g", "b"), at(2));
        timers.cancel_group(&"g".parse().expect("short"));
        assert!(!timers.is_set(&session("g", "a")) && !timers.is_set(&session("g", "b")));
        assert!(timers.is_set(&session("f", "a")) && timers.is_set(&session("h", "a")));
        let mut left = 0;
        while timers.take_due(at(9)).is_some() {
            left += 1;
        }
        assert_eq!(left, 4);
    }
}

//! Deadlines, each under a key: set, moved, cancelled and taken in the order of time.
//!
//! Most are moved away again and again, by every heartbeat, before they come. Such a one keeps its
//! place in the order, and goes to its new one when the old time has come.
//!
//! *Cost*: logarithmic in the number of timers, whatever is done.
//!
//! Invariant: both maps hold the same timers, each placed at its deadline or before.

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
    timers: BTreeMap<TimerKey, Timer>,
    order: BTreeSet<(Monotonic, TimerKey)>,
}

#[derive(Clone, Copy, Debug)]
struct Timer {
    deadline: Monotonic,
    /// Its place in the order.
    placed: Monotonic,
}

impl Timers {
    /// Sets a deadline; an earlier one under the same key is gone.
    pub(crate) fn set(&mut self, key: TimerKey, deadline: Monotonic) {
        if let Some(timer) = self.timers.get_mut(&key) {
            timer.deadline = deadline;
            if timer.placed <= deadline {
                return;
            }
            self.cancel(&key);
        }
        self.place(key, deadline);
    }

    fn place(&mut self, key: TimerKey, deadline: Monotonic) {
        self.order.insert((deadline, key.clone()));
        let placed = deadline;
        self.timers.insert(key, Timer { deadline, placed });
    }

    pub(crate) fn cancel(&mut self, key: &TimerKey) {
        if let Some((key, timer)) = self.timers.remove_entry(key) {
            let held = self.order.remove(&(timer.placed, key));
            assert!(held, "both maps hold the same timers");
        }
    }

    pub(crate) fn is_set(&self, key: &TimerKey) -> bool {
        self.timers.contains_key(key)
    }

    /// Returns when [`Self::take_due`] is to be called next: no later than the next deadline.
    pub(crate) fn next(&self) -> Option<Monotonic> {
        self.order.first().map(|(placed, _)| *placed)
    }

    /// Takes the first timer that is due.
    pub(crate) fn take_due(&mut self, now: Monotonic) -> Option<TimerKey> {
        while self.next()? <= now {
            let (_, key) = self.order.pop_first()?;
            let (key, timer) = self.timers.remove_entry(&key)?;
            if timer.deadline <= now {
                return Some(key);
            }
            self.place(key, timer.deadline);
        }
        None
    }

    /// Cancels all deadlines of a group.
    pub(crate) fn cancel_group(&mut self, group: &GroupId) {
        self.cancel(&TimerKey::Join(group.clone()));
        self.cancel(&TimerKey::Sync(group.clone()));
        let first = TimerKey::Session(group.clone(), MemberId::default());
        let sessions = self.timers.range(first..).map(|(key, _)| key);
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
    fn a_timer_that_is_moved_away_comes_when_it_was_set_for_last() {
        let mut timers = Timers::default();
        timers.set(session("g", "a"), at(10));
        timers.set(session("g", "b"), at(25));
        timers.set(session("g", "a"), at(20));
        timers.set(session("g", "a"), at(30));
        assert_eq!(timers.take_due(at(24)), None);
        assert_eq!(timers.next(), Some(at(25)));
        timers.set(session("g", "a"), at(26));
        assert_eq!(timers.take_due(at(40)), Some(session("g", "b")));
        assert_eq!(timers.take_due(at(40)), Some(session("g", "a")));
        assert_eq!(timers.take_due(at(40)), None);
        timers.set(session("g", "a"), at(50));
        timers.set(session("g", "a"), at(60));
        timers.cancel(&session("g", "a"));
        assert_eq!(timers.next(), None);
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

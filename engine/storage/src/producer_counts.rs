//! How many producers each log of a store remembers, and which log remembers the most.
//!
//! The producers themselves are the logs' own: [`crate::producers`].

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use types::Incarnation;

/// Counts the producers of the logs of one store.
///
/// 1. Each log with producers stands in `by_count` once, as `by_log` has it.
/// 2. `total` is the sum of all counts.
#[derive(Debug, Default)]
pub(crate) struct ProducerCounts {
    by_log: BTreeMap<Incarnation, Count>,
    by_count: BTreeSet<(Count, Incarnation)>,
    total: usize,
    changes: u64,
}

/// A log's number, and when it changed: of two that are equal the later one is less, so that logs
/// that remember as many take turns.
type Count = (usize, Reverse<u64>);

impl ProducerCounts {
    /// Notes how many producers a log remembers.
    ///
    /// *Cost*: logarithmic in the number of logs with producers.
    pub(crate) fn set(&mut self, log: Incarnation, count: usize) {
        let known = self.by_log.get(&log).copied();
        let before = known.map_or(0, |(before, _)| before);
        if count == before {
            return;
        }
        if let Some(known) = known {
            self.by_log.remove(&log);
            self.by_count.remove(&(known, log));
        }
        if count > 0 {
            self.changes += 1;
            let counted = (count, Reverse(self.changes));
            self.by_log.insert(log, counted);
            self.by_count.insert((counted, log));
        }
        self.total = self.total - before + count;
        assert_eq!(self.by_log.len(), self.by_count.len()); // invariant 1
    }

    /// Returns how many there are in all logs.
    pub(crate) fn total(&self) -> usize {
        self.total
    }

    /// Returns the log that remembers the most; of several, the one whose number has been the same for
    /// longest.
    pub(crate) fn largest(&self) -> Option<Incarnation> {
        self.by_count.last().map(|&(_, log)| log)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_with_the_most_is_found_and_equals_take_turns() {
        let mut counts = ProducerCounts::default();
        assert_eq!((counts.total(), counts.largest()), (0, None));
        for (log, count) in [(1, 2), (2, 3), (3, 1)] {
            counts.set(Incarnation(log), count);
        }
        assert_eq!(
            (counts.total(), counts.largest()),
            (6, Some(Incarnation(2)))
        );
        counts.set(Incarnation(3), 3);
        assert_eq!(counts.largest(), Some(Incarnation(2)));
        counts.set(Incarnation(2), 2);
        counts.set(Incarnation(2), 3);
        assert_eq!(
            (counts.total(), counts.largest()),
            (8, Some(Incarnation(3)))
        );
        // To say the same again changes nothing.
        counts.set(Incarnation(3), 3);
        assert_eq!(counts.largest(), Some(Incarnation(3)));
        for log in 1..=3 {
            counts.set(Incarnation(log), 0);
        }
        assert_eq!((counts.total(), counts.largest()), (0, None));
        assert!(counts.by_log.is_empty() && counts.by_count.is_empty());
    }
}

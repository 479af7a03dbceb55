//! The high watermark never falls below what an earlier answer told, nor below what was
//! acknowledged.

use std::collections::BTreeMap;

use crate::history::{Durability, Event, History, LogName, Mark};

/// A number that only rises, and what it was at any time.
#[derive(Debug, Default)]
pub(super) struct Rising(Vec<(Mark, i64)>);

impl Rising {
    /// Notes a number at a time not before the last one.
    pub(super) fn raise(&mut self, now: Mark, to: i64) {
        if self.0.last().is_none_or(|(_, highest)| *highest < to) {
            self.0.push((now, to));
        }
    }

    /// Returns the highest number noted before `mark`, 0 if there is none.
    pub(super) fn at(&self, mark: Mark) -> i64 {
        let before = self.0.partition_point(|(at, _)| *at < mark);
        before.checked_sub(1).map_or(0, |last| self.0[last].1)
    }
}

pub(super) fn check(history: &History) -> Vec<String> {
    let streams = history.streams();
    let durabilities = history.durabilities();
    let mut promised: BTreeMap<LogName, Rising> = BTreeMap::new();
    let mut counts = BTreeMap::new();
    let mut violations = Vec::new();
    for (now, event) in history.events() {
        match event {
            Event::Sent {
                stream,
                first,
                fingerprints,
            } => {
                let count = i64::try_from(fingerprints.len()).expect("batches are small");
                counts.insert((*stream, *first), count);
            }
            Event::Acknowledged {
                stream,
                first,
                base_offset,
            } => {
                let (log, _) = streams[stream];
                // What `os` acknowledges is not yet durable, and the high watermark is.
                if durabilities.get(&log.topic) != Some(&Durability::Os) {
                    let end = base_offset + counts[&(*stream, *first)];
                    promised.entry(log).or_default().raise(now, end);
                }
            }
            Event::Read {
                log,
                asked,
                high_watermark,
                ..
            }
            | Event::Ends {
                log,
                asked,
                high_watermark,
                ..
            } => {
                let promised = promised.entry(*log).or_default();
                let least = promised.at(*asked);
                if *high_watermark < least {
                    violations.push(format!("{log} ends at {high_watermark}, below {least}"));
                }
                promised.raise(now, *high_watermark);
            }
            _ => {}
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;

    #[test]
    fn a_watermark_below_an_acknowledged_record_is_found() {
        let mut events = sound();
        events[9] = ends(9, 0, 2);
        assert_eq!(check(&events.into()).len(), 1);
    }

    #[test]
    fn a_watermark_below_an_earlier_one_is_found() {
        let mut events = vec![created(Durability::Os), ends(1, 0, 7), ends(2, 0, 6)];
        assert_eq!(check(&events.clone().into()).len(), 1);
        events[2] = ends(1, 0, 6);
        assert_eq!(
            check(&events.into()),
            [] as [String; 0],
            "asked at the same time"
        );
    }

    #[test]
    fn numbers_are_told_as_of_a_time() {
        let mut rising = Rising::default();
        rising.raise(Mark(3), 10);
        rising.raise(Mark(5), 9);
        rising.raise(Mark(7), 11);
        let at = [0, 3, 4, 7, 8].map(|mark| rising.at(Mark(mark)));
        assert_eq!(at, [0, 0, 10, 10, 11]);
    }
}

//! A log's start moves forth alone, no further than somebody asked, and an acknowledged deletion
//! stays.
//!
//! A start that was only seen, its deletion not acknowledged, may fall back when the process ends the
//! hard way.

use std::collections::BTreeMap;

use super::watermark::Rising;
use crate::history::{Event, History, LogName, Mark};

#[derive(Debug, Default)]
struct Start {
    /// What later answers may not fall below.
    promised: Rising,
    /// What this process told: later answers of it may not fall below.
    told: Rising,
    /// The furthest that was asked for.
    asked: i64,
}

pub(super) fn check(history: &History) -> Vec<String> {
    let mut logs: BTreeMap<LogName, Start> = BTreeMap::new();
    let mut violations = Vec::new();
    for (now, event) in history.events() {
        match event {
            Event::PrefixDeletionAsked { log, below } => {
                let start = logs.entry(*log).or_default();
                start.asked = start.asked.max(*below);
            }
            Event::PrefixDeleted { log, log_start } => {
                let start = logs.entry(*log).or_default();
                violations.extend(judge(start, *log, now, *log_start));
                start.promised.raise(now, *log_start);
            }
            Event::Read {
                log,
                asked,
                log_start,
                ..
            }
            | Event::Ends {
                log,
                asked,
                log_start,
                ..
            } => {
                let start = logs.entry(*log).or_default();
                violations.extend(judge(start, *log, *asked, *log_start));
                start.told.raise(now, *log_start);
            }
            Event::Failed(_) => {
                for start in logs.values_mut() {
                    start.told = Rising::default();
                }
            }
            _ => {}
        }
    }
    violations
}

fn judge(start: &Start, log: LogName, asked: Mark, log_start: i64) -> Option<String> {
    let promised = start.promised.at(asked).max(start.told.at(asked));
    if log_start < promised {
        return Some(format!(
            "{log} starts at {log_start} after it started at {promised}"
        ));
    }
    let furthest = start.asked;
    (log_start > furthest)
        .then(|| format!("{log} starts at {log_start}, and deletion was asked up to {furthest}"))
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;
    use crate::history::Fault;

    fn deletion(below: i64) -> [Event; 2] {
        [
            Event::PrefixDeletionAsked { log: LOG, below },
            Event::PrefixDeleted {
                log: LOG,
                log_start: below,
            },
        ]
    }

    #[test]
    fn a_start_that_falls_back_is_found() {
        let mut events = sound();
        events.extend(deletion(2));
        events.push(ends(14, 2, 3));
        assert_eq!(check(&events.clone().into()), [] as [String; 0]);
        events.push(ends(15, 0, 3));
        assert_eq!(check(&events.into()).len(), 1);
    }

    #[test]
    fn a_start_that_was_only_seen_may_fall_back_with_the_process() {
        let [asked, acknowledged] = deletion(2);
        let mut events = sound();
        events.extend([asked, ends(13, 2, 3), ends(14, 0, 3)]);
        assert_eq!(check(&events.clone().into()).len(), 1);
        events.insert(14, Event::Failed(Fault::Kill));
        assert_eq!(check(&events.clone().into()), [] as [String; 0]);
        events.insert(14, acknowledged);
        events.push(ends(16, 0, 3));
        assert_eq!(check(&events.into()).len(), 1);
    }

    #[test]
    fn an_answer_to_an_older_question_may_be_older() {
        let mut events = sound();
        events.extend(deletion(2));
        events.push(ends(12, 0, 3));
        assert_eq!(check(&events.into()), [] as [String; 0]);
    }

    #[test]
    fn a_start_beyond_what_was_asked_is_found() {
        let mut events = sound();
        events.push(ends(12, 1, 3));
        assert_eq!(check(&events.into()).len(), 1);
    }
}

//! Offsets follow each other without gaps: within every read, and over the whole of each audit.

use std::collections::BTreeMap;

use crate::history::{Event, History, LogName, Seen};

pub(super) fn check(history: &History) -> Vec<String> {
    let mut violations = Vec::new();
    // Of each log under audit: where the audit stands, and where the log ends.
    let mut audited: Option<BTreeMap<LogName, (i64, i64)>> = None;
    for (_, event) in history.events() {
        match event {
            Event::AuditBegan => {
                violations.extend(unfinished(audited.as_ref()));
                audited = Some(BTreeMap::new());
            }
            Event::Ends {
                log,
                log_start,
                high_watermark,
                ..
            } => {
                if let Some(audited) = &mut audited {
                    audited.insert(*log, (*log_start, *high_watermark));
                }
            }
            Event::Read {
                log,
                from,
                high_watermark,
                records,
                ..
            } => {
                violations.extend(gap(*log, *from, *high_watermark, records));
                let standing = audited.as_mut().and_then(|audited| audited.get_mut(log));
                if let (Some((next, _)), Some(last)) = (standing, records.last())
                    && records.iter().any(|seen| seen.offset == *next)
                {
                    *next = last.offset + 1;
                }
            }
            _ => {}
        }
    }
    violations.extend(unfinished(audited.as_ref()));
    violations
}

/// Names the first gap within one read.
fn gap(log: LogName, from: i64, high_watermark: i64, records: &[Seen]) -> Option<String> {
    let (first, last) = (records.first()?.offset, records.last()?.offset);
    if !(first..=last).contains(&from) {
        return Some(format!(
            "{log}: a read from {from} returned {first} to {last}"
        ));
    }
    if last >= high_watermark {
        return Some(format!(
            "{log}: a read returned offset {last} at a high watermark of {high_watermark}"
        ));
    }
    let pairs = records.iter().zip(first..);
    let gap = pairs
        .clone()
        .find(|(seen, expected)| seen.offset != *expected);
    gap.map(|(seen, expected)| format!("{log}: offset {} where {expected} was due", seen.offset))
}

fn unfinished(audited: Option<&BTreeMap<LogName, (i64, i64)>>) -> Vec<String> {
    let logs = audited.into_iter().flatten();
    let unfinished = logs.filter(|(_, (next, end))| next < end);
    unfinished
        .map(|(log, (next, end))| format!("{log}: nothing was read from {next} to {end}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;

    fn with_read(event: Event) -> Vec<String> {
        let mut events = sound();
        events[10] = event;
        check(&events.into())
    }

    #[test]
    fn a_gap_within_a_read_is_found() {
        let found = with_read(read(10, 3, &[seen(0, 0), seen(2, 2)]));
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn an_audit_that_cannot_reach_the_end_is_found() {
        let found = with_read(read(10, 3, &[seen(0, 0), seen(1, 1)]));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("from 2 to 3"));
    }

    #[test]
    fn a_read_beyond_the_high_watermark_is_found() {
        let found = with_read(read(10, 2, &[seen(0, 0), seen(1, 1), seen(2, 2)]));
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn a_read_that_begins_elsewhere_is_found() {
        let elsewhere = Event::Read {
            log: LOG,
            asked: crate::history::Mark(10),
            from: 0,
            log_start: 0,
            high_watermark: 3,
            records: vec![seen(1, 1), seen(2, 2)],
        };
        assert_eq!(with_read(elsewhere).len(), 2);
    }
}

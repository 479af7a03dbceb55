//! What was acknowledged is there at the end, at its offset, with its bytes.
//!
//! What lies below the log's start was deleted: whether it might be is for `log_start`. A topic of
//! durability `os` promises nothing across a power failure.

use std::collections::BTreeMap;

use crate::history::{Durability, Event, Fault, Fingerprint, History, LogName, RecordId, Seen};

/// What the audit found of one log.
#[derive(Debug, Default)]
struct Found {
    log_start: i64,
    records: BTreeMap<i64, Seen>,
}

/// A batch whose acknowledgement binds.
struct Promise<'a> {
    log: LogName,
    first: RecordId,
    base_offset: i64,
    fingerprints: &'a [Fingerprint],
}

pub(super) fn check(history: &History) -> Vec<String> {
    let found = audit(history);
    let mut violations = Vec::new();
    for promise in promises(history) {
        let Some(found) = found.get(&promise.log) else {
            violations.push(format!("{} was not audited", promise.log));
            continue;
        };
        violations.extend(broken(&promise, found));
    }
    violations
}

/// Collects the last full reading of every log.
fn audit(history: &History) -> BTreeMap<LogName, Found> {
    let mut logs: BTreeMap<LogName, Found> = BTreeMap::new();
    for (_, event) in history.events() {
        match event {
            Event::AuditBegan => logs.clear(),
            Event::Ends { log, log_start, .. } => {
                logs.entry(*log).or_default().log_start = *log_start;
            }
            Event::Read {
                log,
                log_start,
                records,
                ..
            } => {
                let found = logs.entry(*log).or_default();
                found.log_start = found.log_start.max(*log_start);
                found
                    .records
                    .extend(records.iter().map(|seen| (seen.offset, *seen)));
            }
            _ => {}
        }
    }
    logs
}

fn promises(history: &History) -> Vec<Promise<'_>> {
    let (streams, doomed) = (history.streams(), history.doomed());
    let durabilities = history.durabilities();
    let is_weak = |log: LogName| durabilities.get(&log.topic) == Some(&Durability::Os);
    let mut batches = BTreeMap::new();
    let mut promises: Vec<Promise<'_>> = Vec::new();
    for (_, event) in history.events() {
        match event {
            Event::Sent {
                stream,
                first,
                fingerprints,
            } => {
                batches.insert((*stream, *first), fingerprints.as_slice());
            }
            Event::Acknowledged {
                stream,
                first,
                base_offset,
            } => {
                let (log, _) = streams[stream];
                let fingerprints = batches.get(&(*stream, *first));
                if let Some(fingerprints) = fingerprints
                    && !doomed.contains(&log.topic)
                {
                    promises.push(Promise {
                        log,
                        first: RecordId {
                            stream: *stream,
                            number: *first,
                        },
                        base_offset: *base_offset,
                        fingerprints,
                    });
                }
            }
            Event::Failed(Fault::PowerFailure) => {
                promises.retain(|promise| !is_weak(promise.log));
                // An acknowledgement may be read after the failure that made it void.
                batches.retain(|(stream, _), _| !is_weak(streams[stream].0));
            }
            _ => {}
        }
    }
    promises
}

/// Names the first record of a batch that is not where it was promised to be.
fn broken(promise: &Promise<'_>, found: &Found) -> Option<String> {
    let Promise { log, first, .. } = promise;
    for (fingerprint, (number, offset)) in promise
        .fingerprints
        .iter()
        .zip((first.number..).zip(promise.base_offset..))
    {
        let record = RecordId { number, ..*first };
        if offset < found.log_start {
            continue;
        }
        match found.records.get(&offset) {
            None => return Some(format!("{log} lost offset {offset}, {record}")),
            Some(seen) if seen.record != Some(record) || seen.fingerprint != *fingerprint => {
                return Some(format!(
                    "{log} holds {seen:?} at offset {offset} in place of {record}"
                ));
            }
            Some(_) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;

    fn after_audit(records: &[Seen], log_start: i64) -> Vec<String> {
        let mut events = sound();
        events.truncate(9);
        events.push(ends(9, log_start, 3));
        events.push(read(10, 3, records));
        check(&events.into())
    }

    #[test]
    fn a_lost_record_is_found() {
        let found = after_audit(&[seen(0, 0), seen(1, 1)], 0);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("lost offset 2"), "{found:?}");
    }

    #[test]
    fn a_record_at_another_offset_is_found() {
        let found = after_audit(&[seen(0, 1), seen(1, 0), seen(2, 2)], 0);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn a_changed_record_is_found() {
        let mut changed = seen(1, 1);
        changed.fingerprint.0 ^= 1;
        assert_eq!(after_audit(&[seen(0, 0), changed, seen(2, 2)], 0).len(), 1);
    }

    #[test]
    fn a_log_that_nobody_audits_is_found() {
        let mut events = sound();
        events.truncate(9);
        assert_eq!(check(&events.into()).len(), 2);
    }

    #[test]
    fn deleted_prefixes_deleted_topics_and_weaker_promises_are_no_loss() {
        assert_eq!(after_audit(&[seen(2, 2)], 2), [] as [String; 0]);

        let mut events = sound();
        events.truncate(7);
        events.push(Event::TopicDeletionAsked { topic: TOPIC });
        events.push(Event::AuditBegan);
        assert_eq!(check(&events.into()), [] as [String; 0]);

        let mut events = sound();
        events[0] = created(Durability::Os);
        events.truncate(9);
        assert_eq!(check(&events.clone().into()), [] as [String; 0]);
        events[7] = Event::Failed(Fault::Kill);
        assert_eq!(check(&events.clone().into()).len(), 2);
        events[7] = Event::Failed(Fault::PowerFailure);
        events.swap(6, 7);
        assert_eq!(
            check(&events.into()),
            [] as [String; 0],
            "sent before the failure"
        );
    }
}

//! What is read was sent to that log before, byte for byte.

use std::collections::BTreeMap;

use crate::history::{Event, History, LogName, Seen};

pub(super) fn check(history: &History) -> Vec<String> {
    let streams = history.streams();
    let mut sent = BTreeMap::new();
    let mut violations = Vec::new();
    for (_, event) in history.events() {
        match event {
            Event::Sent {
                stream,
                first,
                fingerprints,
            } => {
                let (log, _) = streams[stream];
                for (number, fingerprint) in (*first..).zip(fingerprints) {
                    sent.insert((*stream, number), (log, *fingerprint));
                }
            }
            Event::Read { log, records, .. } => {
                let known = |seen: &Seen| {
                    let record = seen.record?;
                    sent.get(&(record.stream, record.number))
                };
                let invented = records
                    .iter()
                    .filter(|seen| known(seen) != Some(&(*log, seen.fingerprint)));
                violations.extend(invented.map(|seen| tell(*log, seen)));
            }
            _ => {}
        }
    }
    violations
}

fn tell(log: LogName, seen: &Seen) -> String {
    format!("{log} returned what nobody sent there: {seen:?}")
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;
    use crate::history::Mark;

    fn with_seen(log: LogName, record: Seen) -> usize {
        let mut events = sound();
        events.push(Event::Read {
            log,
            asked: Mark(12),
            from: record.offset,
            log_start: 0,
            high_watermark: 9,
            records: vec![record],
        });
        check(&events.into()).len()
    }

    #[test]
    fn a_record_that_nobody_sent_is_found() {
        assert_eq!(with_seen(LOG, seen(0, 0)), 0);
        assert_eq!(with_seen(LOG, seen(3, 3)), 1);
    }

    #[test]
    fn changed_bytes_are_found() {
        let mut changed = seen(0, 0);
        changed.fingerprint.0 ^= 1 << 63;
        assert_eq!(with_seen(LOG, changed), 1);
        let unnamed = Seen {
            record: None,
            ..seen(0, 0)
        };
        assert_eq!(with_seen(LOG, unnamed), 1);
    }

    #[test]
    fn a_record_of_another_log_is_found() {
        let other = LogName {
            partition: 1,
            ..LOG
        };
        assert_eq!(with_seen(other, seen(0, 0)), 1);
    }

    #[test]
    fn a_record_that_is_read_before_it_was_sent_is_found() {
        let mut events = sound();
        events.insert(2, read(2, 1, &[seen(0, 0)]));
        assert_eq!(check(&events.into()).len(), 1);
    }
}

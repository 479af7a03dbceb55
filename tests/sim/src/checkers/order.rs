//! The records of one producer are in the log in the order in which they were sent.
//!
//! A producer that repeats what it got no answer to may have a record in the log again, behind later
//! ones: the first place of each record counts.

use std::collections::BTreeMap;

use crate::history::{Delivery, Event, History, LogName, StreamId};

pub(super) fn check(history: &History) -> Vec<String> {
    let streams = history.streams();
    let mut logs: BTreeMap<LogName, BTreeMap<i64, (StreamId, u32)>> = BTreeMap::new();
    for (_, event) in history.events() {
        let Event::Read { log, records, .. } = event else {
            continue;
        };
        for seen in records {
            let Some(record) = seen.record else { continue };
            let delivery = streams.get(&record.stream).map(|(_, delivery)| *delivery);
            if matches!(delivery, Some(Delivery::Idempotent | Delivery::AtLeastOnce)) {
                let log = logs.entry(*log).or_default();
                log.insert(seen.offset, (record.stream, record.number));
            }
        }
    }
    logs.into_iter()
        .flat_map(|(log, records)| disordered(log, &records))
        .collect()
}

/// Names the records that are behind later ones of their stream without having been before them.
fn disordered(log: LogName, records: &BTreeMap<i64, (StreamId, u32)>) -> Vec<String> {
    let mut latest: BTreeMap<StreamId, u32> = BTreeMap::new();
    let mut first_seen: BTreeMap<(StreamId, u32), i64> = BTreeMap::new();
    let mut violations = Vec::new();
    for (&offset, &(stream, number)) in records {
        if first_seen.contains_key(&(stream, number)) {
            continue;
        }
        first_seen.insert((stream, number), offset);
        let latest = latest.entry(stream).or_insert(number);
        if number < *latest {
            violations.push(format!(
                "{log}: record {number} of stream {} is at offset {offset}, behind record {latest}",
                stream.0
            ));
        }
        *latest = number.max(*latest);
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;

    fn with_records(records: &[u32]) -> usize {
        let seen: Vec<_> = (0..)
            .zip(records)
            .map(|(offset, &number)| seen(offset, number))
            .collect();
        let events = vec![opened(Delivery::AtLeastOnce), read(1, 99, &seen)];
        check(&events.into()).len()
    }

    #[test]
    fn a_record_behind_a_later_one_is_found() {
        assert_eq!(with_records(&[0, 2, 1]), 1);
        assert_eq!(with_records(&[0, 3, 1, 2]), 2);
    }

    #[test]
    fn a_repeated_record_is_in_order() {
        assert_eq!(with_records(&[0, 1, 2, 1, 2, 3]), 0);
        assert_eq!(with_records(&[0, 1, 0, 1, 2]), 0);
    }

    #[test]
    fn missing_records_are_not_this_checkers_business() {
        assert_eq!(with_records(&[0, 5, 9]), 0);
    }
}

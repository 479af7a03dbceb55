//! A record of an idempotent producer is in its log once.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Delivery, Event, History, RecordId};

pub(super) fn check(history: &History) -> Vec<String> {
    let streams = history.streams();
    let mut offsets: BTreeMap<RecordId, BTreeSet<i64>> = BTreeMap::new();
    for (_, event) in history.events() {
        let Event::Read { log, records, .. } = event else {
            continue;
        };
        for seen in records {
            let Some(record) = seen.record else { continue };
            if streams.get(&record.stream) == Some(&(*log, Delivery::Idempotent)) {
                offsets.entry(record).or_default().insert(seen.offset);
            }
        }
    }
    let twice = offsets.into_iter().filter(|(_, offsets)| offsets.len() > 1);
    twice
        .map(|(record, offsets)| format!("{record} is at offsets {offsets:?}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;

    fn doubled(delivery: Delivery) -> Vec<String> {
        let mut events = sound();
        events[1] = opened(delivery);
        events.push(read(12, 4, &[seen(3, 1)]));
        check(&events.into())
    }

    #[test]
    fn a_record_at_two_offsets_is_found() {
        let found = doubled(Delivery::Idempotent);
        assert_eq!(found, ["record 1 of stream 1 is at offsets {1, 3}"]);
    }

    #[test]
    fn a_producer_without_idempotence_may_repeat() {
        assert_eq!(doubled(Delivery::AtLeastOnce), [] as [String; 0]);
    }
}

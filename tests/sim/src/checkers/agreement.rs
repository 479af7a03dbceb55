//! Every read of an offset returns the same record, before and after a crash.

use std::collections::BTreeMap;

use crate::history::{Event, History};

pub(super) fn check(history: &History) -> Vec<String> {
    let mut known = BTreeMap::new();
    let mut violations = Vec::new();
    for (_, event) in history.events() {
        let Event::Read { log, records, .. } = event else {
            continue;
        };
        for seen in records {
            let before = *known.entry((*log, seen.offset)).or_insert(*seen);
            if before != *seen {
                violations.push(format!("{log} returned {before:?}, later {seen:?}"));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;

    #[test]
    fn another_record_at_an_offset_that_was_read_is_found() {
        let mut events = sound();
        events.push(read(12, 3, &[seen(1, 2)]));
        assert_eq!(check(&events.into()).len(), 1);
    }
}

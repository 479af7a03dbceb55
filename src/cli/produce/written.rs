//! What became of the records so far.

use std::collections::BTreeMap;

use client::BrokerError;
use client::producer::Outcome;

/// What was written to one partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// How many records.
    pub(super) records: u64,
    /// The offset of the first, as far as the broker told.
    pub(super) first: Option<i64>,
    /// The offset of the last, as far as the broker told.
    pub(super) last: Option<i64>,
}

/// The first record that was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// Its number, from 0.
    pub(super) record: u64,
    /// Why.
    pub(super) refusal: BrokerError,
}

/// What became of the records so far.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// By partition.
    pub(super) partitions: BTreeMap<i32, Span>,
    /// How many records in all.
    pub(super) records: u64,
    /// How many records have their outcome, written or not.
    pub(super) settled: u64,
    /// The first that was not written.
    pub(super) refused: Option<Refused>,
}

impl Written {
    /// Counts an outcome.
    pub(super) fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Delivered {
                partition,
                base_offset,
                records,
                ..
            } => {
                let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
                let span = self.partitions.entry(partition).or_default();
                span.records += count;
                let last =
                    base_offset.and_then(|base| base.checked_add_unsigned(count.saturating_sub(1)));
                span.first = span.first.into_iter().chain(base_offset).min();
                span.last = span.last.max(last);
                self.records += count;
                self.settled += count;
            }
            Outcome::Failed {
                refusal, records, ..
            } => {
                self.settled += u64::try_from(records.len()).unwrap_or(u64::MAX);
                let Some(record) = records.first().map(|first| first.0) else {
                    return;
                };
                if self
                    .refused
                    .as_ref()
                    .is_none_or(|known| record < known.record)
                {
                    self.refused = Some(Refused { record, refusal });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use client::producer::RecordNumber;

    use super::*;

    fn numbers(range: std::ops::Range<u64>) -> Vec<RecordNumber> {
        range.map(RecordNumber).collect()
    }

    fn delivered(base_offset: Option<i64>, range: std::ops::Range<u64>) -> Outcome {
        Outcome::Delivered {
            topic: "t".into(),
            partition: 1,
            base_offset,
            records: numbers(range),
        }
    }

    fn failed(code: i16, range: std::ops::Range<u64>) -> Outcome {
        Outcome::Failed {
            topic: "t".into(),
            partition: 1,
            refusal: BrokerError {
                code,
                message: None,
            },
            records: numbers(range),
        }
    }

    #[test]
    fn records_are_counted_and_their_ends_kept() {
        let mut written = Written::default();
        written.count(delivered(Some(10), 0..5));
        written.count(delivered(None, 5..6));
        written.count(delivered(Some(16), 6..8));
        let span = Span {
            records: 8,
            first: Some(10),
            last: Some(17),
        };
        assert_eq!(written.partitions, BTreeMap::from([(1, span)]));
        assert_eq!((written.records, written.settled), (8, 8));
    }

    #[test]
    fn the_first_refusal_is_the_one_of_the_lowest_record() {
        let mut written = Written::default();
        written.count(failed(10, 7..8));
        written.count(failed(7, 3..6));
        written.count(failed(5, 8..9));
        let refused = written.refused.expect("some were refused");
        assert_eq!((refused.record, refused.refusal.code), (3, 7));
        assert_eq!((written.records, written.settled), (0, 5));
    }
}

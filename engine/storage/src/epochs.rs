//! Leader epochs: where each one starts.

use types::{LeaderEpoch, Offset};

/// The start offsets of a log's leader epochs, oldest first.
///
/// Invariant: epochs rise strictly, start offsets do not fall.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Epochs {
    starts: Vec<(LeaderEpoch, Offset)>,
}

/// The epoch that answers a question, and where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochEnd {
    /// The largest epoch of the log that is not above the one asked for; the one asked for if all of
    /// the log's are above it.
    pub epoch: LeaderEpoch,
    /// Where the next epoch starts, or the end of the log.
    pub end: Offset,
}

impl Epochs {
    /// Notes that `epoch` has its first record, or its leader, at `start`.
    ///
    /// Epochs that begin at or behind `start` had no record and are forgotten. A known or older
    /// epoch changes nothing.
    pub(crate) fn note(&mut self, epoch: LeaderEpoch, start: Offset) {
        if self.starts.last().is_some_and(|&(last, _)| last >= epoch) {
            return;
        }
        self.starts.retain(|&(_, offset)| offset < start);
        self.starts.push((epoch, start));
    }

    /// Returns the largest epoch at or below `epoch` and its end.
    ///
    /// `None` for an epoch above all that the log knows: who asks has seen a leader that this one
    /// has not. An epoch below all of them ends where the log's first one starts.
    /// *Source*: OffsetForLeaderEpoch, KIP-101 and KIP-320; the edges are Kafka 4.3's.
    pub(crate) fn end_of(&self, epoch: LeaderEpoch, log_end: Offset) -> Option<EpochEnd> {
        let above = self.starts.partition_point(|&(known, _)| known <= epoch);
        let known = above.checked_sub(1).and_then(|at| self.starts.get(at));
        let known = known.map_or(epoch, |&(known, _)| known);
        match self.starts.get(above) {
            Some(&(_, end)) => Some(EpochEnd { epoch: known, end }),
            None if known == epoch && above > 0 => Some(EpochEnd {
                epoch,
                end: log_end,
            }),
            None => None,
        }
    }

    /// Forgets what lies behind a cut.
    pub(crate) fn truncate(&mut self, end: Offset) {
        self.starts.retain(|&(_, start)| start < end);
    }

    /// Walks the epochs, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (LeaderEpoch, Offset)> {
        self.starts.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(epoch: i32) -> LeaderEpoch {
        LeaderEpoch::new(epoch).unwrap()
    }

    fn offset(offset: i64) -> Offset {
        Offset::new(offset).unwrap()
    }

    #[test]
    fn an_epoch_ends_where_the_next_starts() {
        let mut epochs = Epochs::default();
        epochs.note(epoch(1), offset(0));
        epochs.note(epoch(3), offset(10));
        epochs.note(epoch(2), offset(12));
        let end = |asked| epochs.end_of(epoch(asked), offset(15));
        let answer = |e, o| {
            Some(EpochEnd {
                epoch: epoch(e),
                end: offset(o),
            })
        };
        assert_eq!(end(0), answer(0, 0));
        assert_eq!(end(1), answer(1, 10));
        assert_eq!(end(2), answer(1, 10));
        assert_eq!(end(3), answer(3, 15));
        assert_eq!(end(9), None);
    }

    #[test]
    fn epochs_without_records_are_forgotten() {
        let mut epochs = Epochs::default();
        epochs.note(epoch(0), offset(0));
        epochs.note(epoch(1), offset(5));
        epochs.note(epoch(2), offset(5));
        assert_eq!(epochs.iter().count(), 2);
        epochs.truncate(offset(5));
        assert_eq!(
            epochs.iter().collect::<Vec<_>>(),
            vec![(epoch(0), offset(0))]
        );
    }
}

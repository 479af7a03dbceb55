//! Where a reset takes a partition: a rule about numbers, without a cluster.
//!
//! | target | offset | if the log does not have it |
//! |---|---|---|
//! | earliest | the start of the log | |
//! | latest | its end | |
//! | an offset | that | the nearest end |
//! | a time | that of the first record with it or a later one | the end |
//! | a shift | what is committed, so many further | the nearest end |

use types::{Offset, OffsetRange, TimestampMs};

/// Where a group is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// To the first record there is.
    Earliest,
    /// Behind the last.
    Latest,
    /// To an offset.
    At(Offset),
    /// To the first record with this time or a later one.
    Since(TimestampMs),
    /// So many offsets further; back, if it is negative.
    Shift(i64),
}

/// How one partition lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lie {
    /// What the group has committed.
    pub(super) committed: Option<Offset>,
    /// What the log has.
    pub(super) log: OffsetRange,
    /// The first record of the time asked for, if a time is asked for and there is one.
    pub(super) since: Option<Offset>,
}

/// Where one partition goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Move {
    /// Where it is.
    pub(super) from: Option<Offset>,
    /// Where it goes.
    pub(super) to: Offset,
    /// Whether the log does not have what was wanted, and its nearest end was taken.
    pub(super) is_bounded: bool,
}

impl Move {
    /// Makes the move of one partition; `None` for a shift of nothing.
    pub(super) fn new(target: Target, lie: Lie) -> Option<Self> {
        let OffsetRange { start, end } = lie.log;
        let wanted = match target {
            Target::Earliest => start.get(),
            Target::Latest => end.get(),
            Target::At(offset) => offset.get(),
            Target::Since(_) => lie.since.unwrap_or(end).get(),
            Target::Shift(count) => lie.committed?.get().saturating_add(count),
        };
        let to = Offset::new(wanted).unwrap_or(start).min(end).max(start);
        Some(Self {
            from: lie.committed,
            to,
            is_bounded: to.get() != wanted,
        })
    }

    /// Returns how far that is, if it begins somewhere.
    pub(super) fn distance(&self) -> Option<i64> {
        Some(self.to.get() - self.from?.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: i64) -> Offset {
        Offset::new(offset).unwrap()
    }

    /// A log with offsets 10 to 20, of which 15 is committed.
    fn lie(since: i64) -> Lie {
        Lie {
            committed: Some(at(15)),
            log: OffsetRange {
                start: at(10),
                end: at(20),
            },
            since: Offset::new(since),
        }
    }

    #[test]
    fn every_target_is_an_offset_that_the_log_has() {
        let time = Target::Since(TimestampMs(1));
        for (target, since, to, is_bounded) in [
            (Target::Earliest, -1, 10, false),
            (Target::Latest, -1, 20, false),
            (Target::At(at(12)), -1, 12, false),
            (Target::At(at(10)), -1, 10, false),
            (Target::At(at(20)), -1, 20, false),
            (Target::At(at(0)), -1, 10, true),
            (Target::At(at(21)), -1, 20, true),
            (time, 17, 17, false),
            (time, -1, 20, false),
            (Target::Shift(0), -1, 15, false),
            (Target::Shift(3), -1, 18, false),
            (Target::Shift(-5), -1, 10, false),
            (Target::Shift(6), -1, 20, true),
            (Target::Shift(-6), -1, 10, true),
            (Target::Shift(-100), -1, 10, true),
            (Target::Shift(i64::MAX), -1, 20, true),
            (Target::Shift(i64::MIN), -1, 10, true),
        ] {
            let from = Some(at(15));
            let to = at(to);
            let want = Move {
                from,
                to,
                is_bounded,
            };
            assert_eq!(Move::new(target, lie(since)), Some(want), "{target:?}");
            assert_eq!(want.distance(), Some(to.get() - 15));
        }
    }

    #[test]
    fn nothing_committed_can_be_set_but_not_shifted() {
        let lie = Lie {
            committed: None,
            ..lie(-1)
        };
        assert_eq!(Move::new(Target::Shift(1), lie), None);
        let set = Move::new(Target::Latest, lie).unwrap();
        assert_eq!((set.from, set.to, set.distance()), (None, at(20), None));
    }
}

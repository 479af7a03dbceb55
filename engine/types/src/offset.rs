//! Places in a log.

use std::fmt;

/// A record's place in its partition's log: never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(i64);

impl Offset {
    /// Where every log starts.
    pub const ZERO: Self = Self(0);

    /// Accepts an offset from outside; `None` if it is negative.
    pub const fn new(offset: i64) -> Option<Self> {
        if offset >= 0 {
            Some(Self(offset))
        } else {
            None
        }
    }

    /// Returns the offset as the wire has it.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Returns the offset `count` records further.
    ///
    /// *Panics*: past 2^63-1, which no log reaches.
    #[must_use]
    pub fn advance(self, count: u32) -> Self {
        Self(
            self.0
                .checked_add(i64::from(count))
                .expect("offsets stay below 2^63"),
        )
    }

    /// Returns how many offsets lie in `[earlier, self)`; `None` if `earlier` is later.
    pub fn since(self, earlier: Self) -> Option<u64> {
        u64::try_from(self.0 - earlier.0).ok()
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A half-open range of offsets, `[start, end)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OffsetRange {
    /// The first offset inside.
    pub start: Offset,
    /// The first offset behind.
    pub end: Offset,
}

/// The reign of one leader over one partition; counts up from 0.
///
/// *Source*: KIP-101.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaderEpoch(i32);

impl LeaderEpoch {
    /// The first leader's reign.
    pub const ZERO: Self = Self(0);

    /// Accepts an epoch from outside; `None` if it is negative (the wire's "not known").
    pub const fn new(epoch: i32) -> Option<Self> {
        if epoch >= 0 { Some(Self(epoch)) } else { None }
    }

    /// Returns the epoch as the wire has it.
    pub const fn get(self) -> i32 {
        self.0
    }

    /// Returns the reign after this one.
    ///
    /// *Panics*: after 2^31-1 reigns.
    #[must_use]
    pub fn next(self) -> Self {
        Self(
            self.0
                .checked_add(1)
                .expect("leader epochs stay below 2^31"),
        )
    }
}

impl fmt::Display for LeaderEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_offsets_and_epochs_do_not_exist() {
        assert_eq!(Offset::new(-1), None);
        assert_eq!(LeaderEpoch::new(-1), None);
    }

    #[test]
    fn since_counts_half_open() {
        let start = Offset::ZERO.advance(3);
        let end = start.advance(4);
        assert_eq!(end.since(start), Some(4));
        assert_eq!(start.since(end), None);
    }
}

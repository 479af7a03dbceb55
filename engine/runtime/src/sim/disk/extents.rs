//! Which blocks of a file take space on the disk.

use std::collections::BTreeMap;

/// A set of block numbers, kept as half-open runs.
#[derive(Debug, Default)]
pub(crate) struct Extents {
    /// Start of a run to its end; runs neither touch nor overlap.
    runs: BTreeMap<u64, u64>,
}

impl Extents {
    /// Counts the blocks of `[start, end)` that are not in the set.
    pub(crate) fn missing(&self, start: u64, end: u64) -> u64 {
        let mut covered = 0;
        for (&run_start, &run_end) in self.runs.range(..end).rev() {
            if run_end <= start {
                break;
            }
            covered += run_end.min(end) - run_start.max(start);
        }
        (end - start) - covered
    }

    /// Adds the blocks of `[start, end)`; returns how many are new.
    pub(crate) fn insert(&mut self, start: u64, end: u64) -> u64 {
        if start >= end {
            return 0;
        }
        let added = self.missing(start, end);
        let (mut start, mut end) = (start, end);
        while let Some((&run_start, &run_end)) = self.runs.range(..=end).next_back() {
            if run_end < start {
                break;
            }
            self.runs.remove(&run_start);
            start = start.min(run_start);
            end = end.max(run_end);
        }
        self.runs.insert(start, end);
        added
    }

    /// Removes all blocks from `end` on; returns how many there were.
    pub(crate) fn cut(&mut self, end: u64) -> u64 {
        let mut removed = 0;
        while let Some((&run_start, &run_end)) = self.runs.last_key_value() {
            if run_end <= end {
                break;
            }
            self.runs.remove(&run_start);
            if run_start < end {
                self.runs.insert(run_start, end);
            }
            removed += run_end - run_start.max(end);
        }
        removed
    }

    /// Counts the blocks.
    pub(crate) fn count(&self) -> u64 {
        self.runs.iter().map(|(start, end)| end - start).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::sim::rng::Rng;

    #[test]
    fn runs_agree_with_a_plain_set_of_blocks() {
        let mut rng = Rng::new(3);
        let mut extents = Extents::default();
        let mut plain = BTreeSet::new();
        for _ in 0..2000 {
            let start = rng.below(60);
            let end = start + rng.below(12);
            if rng.chance(150) {
                let before = plain.len();
                plain.retain(|&block| block < start);
                let removed = before - plain.len();
                assert_eq!(extents.cut(start), u64::try_from(removed).unwrap());
            } else {
                let missing = (start..end).filter(|block| !plain.contains(block)).count();
                let missing = u64::try_from(missing).unwrap();
                assert_eq!(extents.missing(start, end), missing);
                assert_eq!(extents.insert(start, end), missing);
                plain.extend(start..end);
            }
            assert_eq!(extents.count(), u64::try_from(plain.len()).unwrap());
        }
    }
}

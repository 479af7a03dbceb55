//! Sets of byte ranges.

/// How many separate ranges are kept; beyond, the shortest is forgotten.
const RANGES_MAX: usize = 64;

/// A set of byte positions, as half-open ranges that neither touch nor overlap, in order.
///
/// It may forget: what it holds was added, what was added need not be held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ranges {
    ranges: Vec<(u64, u64)>,
}

impl Ranges {
    /// Adds `[start, end)`.
    pub(crate) fn add(&mut self, start: u64, end: u64) {
        let (mut start, mut end) = (start, end);
        self.ranges.retain(|&(from, to)| {
            let touches = from <= end && start <= to;
            if touches {
                start = start.min(from);
                end = end.max(to);
            }
            !touches
        });
        let index = self.ranges.partition_point(|&(from, _)| from < start);
        self.ranges.insert(index, (start, end));
        if self.ranges.len() > RANGES_MAX {
            let lengths = self.ranges.iter().enumerate();
            let shortest = lengths.min_by_key(|(_, (from, to))| to - from);
            if let Some((index, _)) = shortest {
                self.ranges.remove(index);
            }
        }
    }

    /// Adds what another set holds.
    pub(crate) fn add_all(&mut self, others: &Self) {
        for &(start, end) in &others.ranges {
            self.add(start, end);
        }
    }

    /// Returns how far from `start` on everything is held; `start` if it is not.
    pub(crate) fn end_from(&self, start: u64) -> u64 {
        let holding = self
            .ranges
            .iter()
            .find(|&&(from, to)| from <= start && start < to);
        holding.map_or(start, |&(_, to)| to)
    }

    /// Removes everything from `end` on.
    pub(crate) fn cut(&mut self, end: u64) {
        self.ranges.retain_mut(|(from, to)| {
            *to = (*to).min(end);
            *from < *to
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_touch_become_one() {
        let mut ranges = Ranges::default();
        ranges.add(10, 20);
        ranges.add(30, 40);
        assert_eq!((ranges.end_from(10), ranges.end_from(20)), (20, 20));
        ranges.add(20, 30);
        assert_eq!(ranges.end_from(15), 40);
        ranges.cut(35);
        assert_eq!((ranges.end_from(34), ranges.end_from(35)), (35, 35));
    }

    #[test]
    fn a_full_set_forgets_the_shortest() {
        let mut ranges = Ranges::default();
        for place in 0..=64 {
            ranges.add(place * 10, place * 10 + if place == 7 { 1 } else { 5 });
        }
        assert_eq!(ranges.end_from(70), 70);
        assert_eq!(ranges.end_from(80), 85);
    }
}

//! Medians, and ratios of runs that were taken side by side.
//!
//! Runs on a shared machine drift together, so each run of one side is compared with its neighbour of
//! the other, and the middle of those ratios is what is told, with an interval that says how far it
//! would move had other pairs been drawn.

use serde::Serialize;

use crate::units::real;

/// How often the pairs are drawn anew for the interval.
const RESAMPLES: usize = 10_000;

/// The middle of some values and their spread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    /// The middle value, or the mean of the two in the middle.
    pub(crate) median: f64,
    /// The smallest value.
    pub(crate) min: f64,
    /// The largest value.
    pub(crate) max: f64,
}

impl Spread {
    /// Describes some values; `None` if there are none.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            median: middle(&sorted)?,
            min: *sorted.first()?,
            max: *sorted.last()?,
        })
    }
}

/// The ratio of two sides over pairs of runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Ratio {
    /// The median of the pairs' ratios, taken on the logarithms.
    pub(crate) median: f64,
    /// The lower end of the 95 % bootstrap interval of that median.
    pub(crate) low: f64,
    /// Its upper end.
    pub(crate) high: f64,
    /// How many pairs there were.
    pub(crate) pairs: usize,
}

impl Ratio {
    /// Compares pairs `(a, b)` by `a / b`; `None` without pairs, or if a value is not positive.
    pub(crate) fn of(pairs: &[(f64, f64)]) -> Option<Self> {
        if pairs.iter().any(|&(a, b)| !(a > 0.0 && b > 0.0)) {
            return None;
        }
        let logs: Vec<f64> = pairs.iter().map(|(a, b)| (a / b).ln()).collect();
        let median = Spread::of(&logs)?.median;
        let mut medians = resampled_medians(&logs)?;
        medians.sort_by(f64::total_cmp);
        let at = |index: usize| medians.get(index).copied();
        Some(Self {
            median: median.exp(),
            low: at(RESAMPLES / 40)?.exp(),
            high: at(RESAMPLES - 1 - RESAMPLES / 40)?.exp(),
            pairs: pairs.len(),
        })
    }
}

/// Draws as many values as there are, with repetition, again and again, and takes the median of each.
fn resampled_medians(values: &[f64]) -> Option<Vec<f64>> {
    let mut random = Random(1);
    let mut drawn = values.to_vec();
    let mut medians = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        for place in &mut drawn {
            *place = *values.get(random.below(values.len()))?;
        }
        drawn.sort_by(f64::total_cmp);
        medians.push(middle(&drawn)?);
    }
    Some(medians)
}

fn middle(sorted: &[f64]) -> Option<f64> {
    let upper = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        return sorted.get(upper).copied();
    }
    let lower = upper.checked_sub(1)?;
    Some(f64::midpoint(*sorted.get(lower)?, *sorted.get(upper)?))
}

/// SplitMix64: repeatable numbers, so that the same runs give the same interval.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// Returns the next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `end`, which is not zero.
    fn below(&mut self, end: usize) -> usize {
        let end = u128::try_from(end).expect("memory is addressed with 64 bits");
        let wide = u128::from(self.next()) * end;
        usize::try_from(wide >> 64).expect("the product's upper half is below the factor")
    }
}

/// Returns a share of the whole in percent, 0 of nothing.
pub(crate) fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    real(part) * 100.0 / real(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: f64, want: f64) -> bool {
        (got - want).abs() < 1e-9
    }

    #[test]
    fn the_median_of_an_even_count_is_the_mean_of_the_middle_two() {
        let spread = Spread::of(&[4.0, 1.0, 3.0, 2.0]).unwrap();
        assert!(near(spread.median, 2.5));
        assert!(near(spread.min, 1.0) && near(spread.max, 4.0));
        assert!(near(Spread::of(&[9.0, 1.0, 3.0]).unwrap().median, 3.0));
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn pairs_in_constant_ratio_have_an_interval_without_width() {
        let pairs = [(1.0, 4.0), (2.0, 8.0), (0.5, 2.0), (100.0, 400.0)];
        let ratio = Ratio::of(&pairs).unwrap();
        assert!(near(ratio.median, 0.25) && near(ratio.low, 0.25) && near(ratio.high, 0.25));
        assert_eq!(ratio.pairs, 4);
    }

    #[test]
    fn swapping_the_sides_inverts_ratio_and_interval() {
        let pairs: Vec<_> = [1.0, 1.1, 0.9, 1.3, 0.7, 1.05].map(|a| (a, 2.0)).into();
        let swapped: Vec<_> = pairs.iter().map(|&(a, b)| (b, a)).collect();
        let (ratio, inverse) = (Ratio::of(&pairs).unwrap(), Ratio::of(&swapped).unwrap());
        assert!(near(ratio.median * inverse.median, 1.0));
        assert!(near(ratio.low * inverse.high, 1.0));
        assert!(near(ratio.high * inverse.low, 1.0));
    }

    #[test]
    fn the_interval_holds_the_median_and_one_wild_pair_does_not_move_it() {
        let mut pairs = vec![
            (0.30, 1.0),
            (0.31, 1.0),
            (0.29, 1.0),
            (0.30, 1.0),
            (0.32, 1.0),
        ];
        pairs.extend([
            (0.28, 1.0),
            (0.30, 1.0),
            (0.31, 1.0),
            (0.30, 1.0),
            (90.0, 1.0),
        ]);
        let ratio = Ratio::of(&pairs).unwrap();
        assert!(near(ratio.median, 0.30), "{ratio:?}");
        assert!(ratio.low <= ratio.median && ratio.median <= ratio.high);
        assert!(ratio.low >= 0.28 && ratio.high <= 0.32, "{ratio:?}");
    }

    #[test]
    fn a_run_that_measured_nothing_has_no_ratio() {
        assert_eq!(Ratio::of(&[(1.0, 2.0), (0.0, 2.0)]), None);
        assert_eq!(Ratio::of(&[(f64::NAN, 2.0)]), None);
        assert_eq!(Ratio::of(&[]), None);
    }

    #[test]
    fn shares_of_nothing_are_zero() {
        assert!(near(percent(1, 4), 25.0));
        assert!(near(percent(0, 0), 0.0));
    }
}

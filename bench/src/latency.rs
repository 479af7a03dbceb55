//! Latencies: recorded in nanoseconds with three significant digits, told as percentiles.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::units::real;

/// The longest latency told apart; longer ones count as this.
const LATENCY_MAX: Duration = Duration::from_mins(10);

/// Latencies of one thread or one run.
#[derive(Clone, Debug)]
pub(crate) struct Latencies(Histogram<u64>);

/// Percentiles of latencies, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Percentiles {
    /// How many latencies there are.
    pub(crate) count: u64,
    /// The median.
    pub(crate) p50_us: f64,
    /// All but one in 100 are at most this.
    pub(crate) p99_us: f64,
    /// All but one in 1,000 are at most this.
    pub(crate) p999_us: f64,
    /// The longest.
    pub(crate) max_us: f64,
}

impl Latencies {
    /// Makes an empty set.
    pub(crate) fn new() -> Self {
        let max = nanos(LATENCY_MAX);
        let histogram = Histogram::new_with_bounds(1, max, 3);
        Self(histogram.expect("one nanosecond to ten minutes with three digits are valid bounds"))
    }

    /// Adds one latency.
    pub(crate) fn record(&mut self, latency: Duration) {
        self.0.saturating_record(nanos(latency));
    }

    /// Adds all latencies of another set.
    pub(crate) fn merge(&mut self, other: &Self) {
        let merged = self.0.add(&other.0);
        merged.expect("all sets have the same bounds");
    }

    /// Returns how many latencies there are.
    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// Returns the percentiles; all zero without latencies.
    pub(crate) fn percentiles(&self) -> Percentiles {
        let at = |quantile: f64| real(self.0.value_at_quantile(quantile)) / 1000.0;
        Percentiles {
            count: self.count(),
            p50_us: at(0.5),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: real(self.0.max()) / 1000.0,
        }
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "p50 {} p99 {} p99.9 {} max {}",
            Micros(self.p50_us),
            Micros(self.p99_us),
            Micros(self.p999_us),
            Micros(self.max_us)
        )
    }
}

/// A time in microseconds, shown in the unit that people would choose.
pub(crate) struct Micros(pub(crate) f64);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            us if us < 1000.0 => write!(f, "{us:.0} us"),
            us if us < 1_000_000.0 => write!(f, "{:.2} ms", us / 1000.0),
            us => write!(f, "{:.2} s", us / 1_000_000.0),
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_told_in_microseconds_within_a_thousandth() {
        let mut latencies = Latencies::new();
        for micros in 1..=1000 {
            latencies.record(Duration::from_micros(micros));
        }
        let got = latencies.percentiles();
        for (got, want) in [
            (got.p50_us, 500.0),
            (got.p99_us, 990.0),
            (got.p999_us, 999.0),
            (got.max_us, 1000.0),
        ] {
            assert!((got - want).abs() <= want / 1000.0, "{got} for {want}");
        }
        assert_eq!(got.count, 1000);
    }

    #[test]
    fn merged_sets_count_every_latency_once() {
        let (mut one, mut other) = (Latencies::new(), Latencies::new());
        one.record(Duration::from_micros(1));
        other.record(Duration::from_hours(2));
        one.merge(&other);
        assert_eq!(one.count(), 2);
        assert!(one.percentiles().max_us >= 600e6);
    }

    #[test]
    fn times_are_shown_in_the_fitting_unit() {
        assert_eq!(Micros(12.3).to_string(), "12 us");
        assert_eq!(Micros(1234.0).to_string(), "1.23 ms");
        assert_eq!(Micros(2_500_000.0).to_string(), "2.50 s");
    }
}

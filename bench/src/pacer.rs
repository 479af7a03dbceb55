//! When requests of an open loop are due, and how late the generator sent them.
//!
//! The n-th request is due at `start + n / rate`, whatever happened to those before it: a slow answer
//! does not thin out the load, and the wait that it causes counts. What the *generator* adds is told
//! apart as its slip; a run whose generator slipped says nothing about the broker.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::Serialize;
use types::Monotonic;

use crate::latency::{Latencies, Micros};
use crate::statistics::percent;
use crate::units::real;

/// A request sent later than this after it was due was sent late.
const SLIP_MAX: Duration = Duration::from_millis(1);

/// The share of late requests from which a run is called invalid, in percent.
const LATE_PERCENT_MAX: f64 = 1.0;

/// When every request of a run is due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// When the first request is due.
    pub(crate) start: Monotonic,
    /// Requests in a second, of all connections together.
    pub(crate) rate_per_second: NonZeroU32,
}

impl Schedule {
    /// Returns when a request is due, counted from 0.
    pub(crate) fn due(&self, index: u64) -> Monotonic {
        self.start.after(self.offset(index))
    }

    /// Returns how many requests are due before the time given has passed since the start.
    pub(crate) fn count_within(&self, duration: Duration) -> u64 {
        let nanos = duration.as_nanos();
        let count = (nanos * u128::from(self.rate_per_second.get())).div_ceil(1_000_000_000);
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    /// Each request has its place computed anew, so that rounding does not add up.
    fn offset(&self, index: u64) -> Duration {
        let rate = u64::from(self.rate_per_second.get());
        let rest_nanos = (index % rate) * 1_000_000_000 / rate;
        Duration::from_secs(index / rate) + Duration::from_nanos(rest_nanos)
    }
}

/// How late requests were sent.
#[derive(Clone, Debug)]
pub(crate) struct Slips {
    slips: Latencies,
    late_count: u64,
}

/// The generator's part in a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Slip {
    /// Half of the requests were sent at most this long after they were due.
    pub(crate) p50_us: f64,
    /// All but one in 100.
    pub(crate) p99_us: f64,
    /// The latest one.
    pub(crate) max_us: f64,
    /// The share of requests sent more than 1 ms late.
    pub(crate) late_percent: f64,
    /// Whether so few were late that the run counts.
    pub(crate) valid: bool,
}

impl Slips {
    /// Starts without requests.
    pub(crate) fn new() -> Self {
        Self {
            slips: Latencies::new(),
            late_count: 0,
        }
    }

    /// Adds a request that was due and is being sent now; one sent early has no slip.
    pub(crate) fn record(&mut self, due: Monotonic, now: Monotonic) {
        let slip = now.since(due);
        self.slips.record(slip);
        if slip > SLIP_MAX {
            self.late_count += 1;
        }
    }

    /// Adds the requests of another thread.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.slips.merge(&other.slips);
        self.late_count += other.late_count;
    }

    /// Sums up.
    pub(crate) fn slip(&self) -> Slip {
        let percentiles = self.slips.percentiles();
        let late_percent = percent(self.late_count, self.slips.count());
        Slip {
            p50_us: percentiles.p50_us,
            p99_us: percentiles.p99_us,
            max_us: percentiles.max_us,
            late_percent,
            valid: late_percent <= LATE_PERCENT_MAX,
        }
    }
}

impl fmt::Display for Slip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p50, p99, max) = (
            Micros(self.p50_us),
            Micros(self.p99_us),
            Micros(self.max_us),
        );
        let late_ms = real(u64::try_from(SLIP_MAX.as_millis()).unwrap_or(u64::MAX));
        write!(
            f,
            "p50 {p50} p99 {p99} max {max}, {:.2} % later than {late_ms} ms{}",
            self.late_percent,
            if self.valid { "" } else { " - INVALID RUN" }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(rate: u32) -> Schedule {
        Schedule {
            start: Monotonic::from_start(Duration::from_secs(5)),
            rate_per_second: NonZeroU32::new(rate).unwrap(),
        }
    }

    fn since_start(schedule: &Schedule, index: u64) -> Duration {
        schedule.due(index).since(schedule.start)
    }

    #[test]
    fn due_times_do_not_drift_at_a_rate_that_does_not_divide_a_second() {
        let thirds = schedule(3);
        assert_eq!(since_start(&thirds, 0), Duration::ZERO);
        assert_eq!(since_start(&thirds, 1), Duration::from_nanos(333_333_333));
        assert_eq!(since_start(&thirds, 2), Duration::from_nanos(666_666_666));
        assert_eq!(since_start(&thirds, 3), Duration::from_secs(1));
        assert_eq!(
            since_start(&thirds, 3_000_000),
            Duration::from_secs(1_000_000)
        );
    }

    #[test]
    fn requests_within_a_time_are_those_due_before_its_end() {
        let schedule = schedule(1000);
        assert_eq!(schedule.count_within(Duration::ZERO), 0);
        assert_eq!(schedule.count_within(Duration::from_secs(10)), 10_000);
        let count = schedule.count_within(Duration::from_micros(2500));
        assert_eq!(count, 3);
        assert!(since_start(&schedule, count - 1) < Duration::from_micros(2500));
        assert!(since_start(&schedule, count) >= Duration::from_micros(2500));
    }

    #[test]
    fn slips_count_from_the_due_time_and_early_ones_are_none() {
        let due = |micros| Monotonic::from_start(Duration::from_micros(micros));
        let mut slips = Slips::new();
        slips.record(due(1000), due(900));
        slips.record(due(1000), due(1000));
        slips.record(due(1000), due(2000));
        assert_eq!(slips.late_count, 0, "1 ms is not yet late");
        slips.record(due(1000), due(2001));
        assert_eq!(slips.late_count, 1);
        let slip = slips.slip();
        assert!((slip.late_percent - 25.0).abs() < f64::EPSILON);
        assert!((slip.max_us - 1001.0).abs() <= 1.001);
        assert!(!slip.valid);
    }

    #[test]
    fn a_run_is_valid_with_one_late_request_in_a_hundred() {
        let due = Monotonic::ZERO;
        let late = due.after(Duration::from_millis(40));
        let mut slips = Slips::new();
        for index in 0..200 {
            slips.record(due, if index < 2 { late } else { due });
        }
        assert!(slips.slip().valid);
        let mut more = Slips::new();
        more.record(due, late);
        slips.merge(&more);
        assert!(!slips.slip().valid, "three in 201 are too many");
    }
}

//! What the threads of a run counted.

use std::time::Duration;

use types::Monotonic;

use crate::latency::Latencies;

/// Batches, their records and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    /// Record batches.
    pub(crate) batches: u64,
    /// Records in them.
    pub(crate) records: u64,
    /// Bytes of the batches.
    pub(crate) bytes: u64,
}

impl Load {
    /// Adds another load.
    pub(crate) fn add(&mut self, other: Self) {
        self.batches += other.batches;
        self.records += other.records;
        self.bytes += other.bytes;
    }
}

/// When a run measures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// Answers from here on count.
    pub(crate) start: Monotonic,
    /// No request is sent from here on.
    pub(crate) end: Monotonic,
}

impl Window {
    /// Opens after a warm-up, for a while.
    pub(crate) fn new(now: Monotonic, warm_up: Duration, measured: Duration) -> Self {
        let start = now.after(warm_up);
        Self {
            start,
            end: start.after(measured),
        }
    }
}

/// What one thread, or all of a run, counted within the window.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    /// Requests answered.
    pub(crate) requests: u64,
    /// What they moved.
    pub(crate) moved: Load,
    /// How long they took.
    pub(crate) latencies: Latencies,
    /// When the last answer came.
    last: Monotonic,
    start: Monotonic,
}

impl Tally {
    /// Starts at zero.
    pub(crate) fn new(window: &Window) -> Self {
        Self {
            requests: 0,
            moved: Load::default(),
            latencies: Latencies::new(),
            last: window.start,
            start: window.start,
        }
    }

    /// Counts an answer, unless it came during the warm-up.
    pub(crate) fn count(&mut self, load: Load, since: Monotonic, now: Monotonic) {
        if now < self.start {
            return;
        }
        self.requests += 1;
        self.moved.add(load);
        self.latencies.record(now.since(since));
        self.last = now;
    }

    /// Sums up the threads of a run, and says how long it took until the last answer.
    pub(crate) fn sum(window: &Window, tallies: &[Self]) -> (Self, Duration) {
        let mut sum = Self::new(window);
        for tally in tallies {
            sum.requests += tally.requests;
            sum.moved.add(tally.moved);
            sum.latencies.merge(&tally.latencies);
            sum.last = sum.last.max(tally.last);
        }
        let elapsed = sum.last.since(window.start);
        (sum, elapsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_count_from_the_end_of_the_warm_up_to_the_last_one() {
        let at = |millis| Monotonic::from_start(Duration::from_millis(millis));
        let (warm_up, measured) = (Duration::from_millis(500), Duration::from_secs(1));
        let window = Window::new(at(1000), warm_up, measured);
        assert_eq!((window.start, window.end), (at(1500), at(2500)));
        let load = Load {
            batches: 1,
            records: 10,
            bytes: 100,
        };
        let (mut one, mut other) = (Tally::new(&window), Tally::new(&window));
        one.count(load, at(1400), at(1499));
        one.count(load, at(1490), at(1510));
        other.count(load, at(2400), at(2600));
        let (sum, elapsed) = Tally::sum(&window, &[one, other]);
        assert_eq!(sum.requests, 2);
        assert_eq!(sum.moved.bytes, 200);
        assert_eq!(sum.latencies.count(), 2);
        assert_eq!(elapsed, Duration::from_millis(1100));
    }
}

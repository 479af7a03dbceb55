//! A histogram of durations that many counters share.

use std::time::Duration;

/// How many buckets a [`Latencies`] has.
pub const LATENCY_BUCKETS: usize = 26;

/// How many times something took how long, in powers of two.
///
/// *Layout*: bucket `i` counts durations of less than 2^i microseconds that no lower bucket counts,
/// the last one everything longer than 2^24 us (16.8 s) as well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latencies {
    counts: [u64; LATENCY_BUCKETS],
    sum_us: u64,
}

impl Latencies {
    /// Counts one duration.
    pub fn record(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bits = usize::try_from(u64::BITS - micros.leading_zeros()).unwrap_or(LATENCY_BUCKETS);
        if let Some(count) = self.counts.get_mut(bits.min(LATENCY_BUCKETS - 1)) {
            *count += 1;
        }
        self.sum_us = self.sum_us.saturating_add(micros);
    }

    /// Returns each bucket's count, not cumulated, shortest first.
    pub fn counts(&self) -> &[u64; LATENCY_BUCKETS] {
        &self.counts
    }

    /// Returns the first duration that bucket `index` no longer counts; `None` for the last bucket,
    /// which has no end.
    pub fn bucket_end(index: usize) -> Option<Duration> {
        let shift = u32::try_from(index)
            .ok()
            .filter(|_| index + 1 < LATENCY_BUCKETS)?;
        Some(Duration::from_micros(1 << shift))
    }

    /// Returns how many durations were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns the sum of all durations, rounded down to microseconds each.
    pub fn sum(&self) -> Duration {
        Duration::from_micros(self.sum_us)
    }

    /// Adds what another shard counted.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_falls_into_the_first_bucket_that_ends_behind_it() {
        for micros in [0, 1, 2, 3, 4, 1000, 1023, 1024, 16_777_215] {
            let mut latencies = Latencies::default();
            let duration = Duration::from_micros(micros);
            latencies.record(duration);
            let bucket = latencies
                .counts()
                .iter()
                .position(|&count| count == 1)
                .unwrap();
            assert!(
                duration < Latencies::bucket_end(bucket).unwrap(),
                "{micros}"
            );
            if bucket > 0 {
                assert!(
                    duration >= Latencies::bucket_end(bucket - 1).unwrap(),
                    "{micros}"
                );
            }
        }
    }

    #[test]
    fn the_last_bucket_has_no_end() {
        let mut latencies = Latencies::default();
        latencies.record(Duration::from_secs(17));
        latencies.record(Duration::MAX);
        assert_eq!(latencies.counts()[LATENCY_BUCKETS - 1], 2);
        assert_eq!(Latencies::bucket_end(LATENCY_BUCKETS - 1), None);
        assert_eq!(
            Latencies::bucket_end(LATENCY_BUCKETS - 2),
            Some(Duration::from_micros(1 << 24))
        );
    }
}

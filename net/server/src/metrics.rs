//! What one shard counts about its connections: a plain struct, gathered and summed by the broker.

use std::collections::BTreeMap;
use std::time::Duration;

use types::ByteCount;
use wire::api::{self, ApiKey};

use crate::service::Outcome;

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

/// What was counted of one API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiMetrics {
    /// Requests read.
    pub requests: u64,
    /// Requests answered with an error, or refused by closing the connection.
    pub errors: u64,
    /// Bytes of request frames, with their headers, without their length fields.
    pub bytes_in: u64,
    /// Bytes of answer frames, with their headers and length fields.
    pub bytes_out: u64,
    /// From the last byte of a request to its answer being handed to the connection.
    pub latencies: Latencies,
}

impl ApiMetrics {
    fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.latencies.merge(&other.latencies);
    }
}

/// What one shard counted since it started; sums over shards by [`Metrics::merge`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// Per API, every API that is served.
    pub apis: BTreeMap<ApiKey, ApiMetrics>,
    /// Connections that are open now.
    pub connections: u64,
    /// Connections that were opened.
    pub opened: u64,
    /// Connections that the client ended, or the shutdown without loss.
    pub ended: u64,
    /// Connections that ended otherwise, by [`crate::Error::label`].
    pub broken: BTreeMap<&'static str, u64>,
    /// Memory that request frames and answers hold now.
    pub memory_held: ByteCount,
}

impl Default for Metrics {
    fn default() -> Self {
        let apis = api::table()
            .iter()
            .map(|api| (api.key, ApiMetrics::default()));
        Self {
            apis: apis.collect(),
            connections: 0,
            opened: 0,
            ended: 0,
            broken: BTreeMap::new(),
            memory_held: ByteCount::ZERO,
        }
    }
}

impl Metrics {
    /// Adds what another shard counted.
    pub fn merge(&mut self, other: &Self) {
        for (&key, metrics) in &other.apis {
            self.apis.entry(key).or_default().merge(metrics);
        }
        self.connections += other.connections;
        self.opened += other.opened;
        self.ended += other.ended;
        for (&label, count) in &other.broken {
            *self.broken.entry(label).or_default() += count;
        }
        self.memory_held = ByteCount(self.memory_held.0 + other.memory_held.0);
    }

    /// Counts a request that was read.
    pub(crate) fn read(&mut self, key: ApiKey, frame: ByteCount) {
        let api = self.apis.entry(key).or_default();
        api.requests += 1;
        api.bytes_in += frame.0;
    }

    /// Counts what became of a request.
    pub(crate) fn answered(
        &mut self,
        key: ApiKey,
        frame: ByteCount,
        outcome: Outcome,
        took: Duration,
    ) {
        let api = self.apis.entry(key).or_default();
        api.errors += u64::from(outcome == Outcome::Failed);
        api.bytes_out += frame.0;
        api.latencies.record(took);
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

    #[test]
    fn merging_adds_everything() {
        let mut one = Metrics::default();
        one.read(ApiKey::Fetch, ByteCount(10));
        one.answered(
            ApiKey::Fetch,
            ByteCount(100),
            Outcome::Failed,
            Duration::from_micros(5),
        );
        *one.broken.entry("idle").or_default() += 1;
        one.memory_held = ByteCount(7);
        let mut sum = one.clone();
        sum.merge(&one);
        let fetch = &sum.apis[&ApiKey::Fetch];
        assert_eq!((fetch.requests, fetch.errors), (2, 2));
        assert_eq!((fetch.bytes_in, fetch.bytes_out), (20, 200));
        assert_eq!(fetch.latencies.count(), 2);
        assert_eq!(fetch.latencies.sum(), Duration::from_micros(10));
        assert_eq!(sum.broken["idle"], 2);
        assert_eq!(sum.memory_held, ByteCount(14));
    }
}

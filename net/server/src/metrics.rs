//! What one shard counts about its connections: a plain struct, gathered and summed by the broker.

use std::collections::BTreeMap;
use std::time::Duration;

use types::{ByteCount, Latencies};
use wire::api::{self, ApiKey};

use crate::service::Outcome;

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
    /// Connections that moved to another shard; there they are not opened again.
    pub moved: u64,
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
            moved: 0,
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
        self.moved += other.moved;
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

//! What clients have used of their quotas, and how long they must wait: buckets with a hole.
//!
//! A bucket fills with what is used and runs dry at the quota's rate. It holds [`WINDOW`] of the rate:
//! whoever fills it further waits until that has run out.
//!
//! ```text
//!   used ──► │      │ ─┐
//!            │      │  ├ beyond the rim: the time that it takes to run out is the time to wait
//!            ├──────┤ ─┘
//!            │//////│    at most WINDOW x rate: a burst after a rest
//!            └──┐┌──┘
//!               └┘ rate
//! ```
//!
//! Over any time `t` a client so uses at most `rate x (WINDOW + t)`, and one request more. Kafka
//! measures over the same window and names the same time to wait.
//!
//! No clock and no connection in here. Invariants:
//! 1. There are at most `count_max` buckets. A dry one is as good as none and goes first; if all
//!    are wet, those that would be dry soonest go.
//! 2. A level is a number, and not below zero.

use std::collections::BTreeMap;
use std::time::Duration;

use types::Monotonic;

/// How long a quota may be used in advance.
///
/// *Source*: Kafka's defaults of `quota.window.num`, 11 of which the last is being filled, and
/// `quota.window.size.seconds`.
pub const WINDOW: Duration = Duration::from_secs(10);

/// When buckets must go and none is dry, this part of them does.
const CLEARED_SHARE: usize = 10;

/// Buckets by whatever tells who fills them.
#[derive(Debug)]
pub struct Buckets<K> {
    buckets: BTreeMap<K, Bucket>,
    count_max: usize,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    level: f64,
    /// Units a second.
    rate: f64,
    /// When `level` was right.
    at: Monotonic,
}

impl<K: Ord + Clone> Buckets<K> {
    /// Makes room for `count_max` buckets, without any.
    ///
    /// *Panics*: if there is room for none.
    pub fn new(count_max: usize) -> Self {
        assert!(count_max > 0, "there is room for one bucket at least");
        Self {
            buckets: BTreeMap::new(),
            count_max,
        }
    }

    /// Adds what `key` has used and returns how long it must wait before it uses more.
    ///
    /// *Units*: `amount` in whatever `rate` counts a second; neither is negative, `rate` is above
    /// zero. A rate that differs from the last one counts from now on.
    pub fn charge(&mut self, now: Monotonic, key: K, rate: f64, amount: f64) -> Duration {
        if self.buckets.len() >= self.count_max && !self.buckets.contains_key(&key) {
            self.make_room(now);
        }
        let fresh = Bucket {
            level: 0.0,
            rate,
            at: now,
        };
        let bucket = self.buckets.entry(key).or_insert(fresh);
        bucket.level = bucket.level_at(now) + amount;
        bucket.rate = rate;
        bucket.at = now;
        bucket.wait()
    }

    /// Returns how many buckets there are.
    pub fn count(&self) -> usize {
        self.buckets.len()
    }

    fn make_room(&mut self, now: Monotonic) {
        self.buckets.retain(|_, bucket| bucket.level_at(now) > 0.0);
        if self.buckets.len() < self.count_max {
            return;
        }
        let dry_in = |(key, bucket): (&K, &Bucket)| {
            let seconds = bucket.level_at(now) / bucket.rate;
            (seconds, key.clone())
        };
        let mut soonest: Vec<(f64, K)> = self.buckets.iter().map(dry_in).collect();
        soonest.sort_by(|(left, _), (right, _)| left.total_cmp(right));
        for (_, key) in soonest.drain(..self.count_max.div_ceil(CLEARED_SHARE)) {
            self.buckets.remove(&key); // invariant 1
        }
    }
}

impl Bucket {
    fn level_at(&self, now: Monotonic) -> f64 {
        let run_out = self.rate * now.since(self.at).as_secs_f64();
        // The larger of "not a number" and zero is zero: invariant 2 for a rate without end.
        (self.level - run_out).max(0.0)
    }

    fn wait(&self) -> Duration {
        let beyond = self.level - self.rate * WINDOW.as_secs_f64();
        let seconds = (beyond / self.rate).max(0.0);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(count: u64) -> Monotonic {
        Monotonic::from_start(Duration::from_secs(count))
    }

    fn charge(buckets: &mut Buckets<u32>, at: u64, key: u32, amount: f64) -> Duration {
        buckets.charge(second(at), key, 100.0, amount)
    }

    #[test]
    fn ten_seconds_of_the_rate_are_free_and_what_is_beyond_is_waited_for() {
        let mut buckets = Buckets::new(10);
        assert_eq!(charge(&mut buckets, 0, 1, 1000.0), Duration::ZERO);
        assert_eq!(charge(&mut buckets, 0, 1, 50.0), Duration::from_millis(500));
        assert_eq!(
            charge(&mut buckets, 0, 1, 100.0),
            Duration::from_millis(1500)
        );
        assert_eq!(
            charge(&mut buckets, 0, 2, 1000.0),
            Duration::ZERO,
            "another's"
        );
        assert_eq!(charge(&mut buckets, 2, 1, 0.0), Duration::ZERO);
        assert_eq!(charge(&mut buckets, 2, 1, 50.0), Duration::ZERO);
        assert_eq!(charge(&mut buckets, 2, 1, 100.0), Duration::from_secs(1));
    }

    #[test]
    fn whoever_waits_as_told_uses_no_more_than_the_rate() {
        let mut buckets = Buckets::new(10);
        let (mut now, mut used) = (Monotonic::ZERO, 0.0);
        while now < second(1000) {
            used += 730.0;
            let wait = buckets.charge(now, 1, 100.0, 730.0);
            now = now.after(wait);
        }
        let most = 100.0 * (1000.0 + WINDOW.as_secs_f64()) + 730.0;
        assert!(used <= most && used > most - 2.0 * 730.0, "{used}");
    }

    #[test]
    fn a_new_rate_counts_from_now_on() {
        let mut buckets = Buckets::new(10);
        assert_eq!(
            buckets.charge(second(0), 1, 100.0, 3000.0),
            Duration::from_secs(20)
        );
        assert_eq!(buckets.charge(second(5), 1, 250.0, 0.0), Duration::ZERO);
        assert_eq!(
            buckets.charge(second(5), 1, 50.0, 0.0),
            Duration::from_secs(40)
        );
    }

    #[test]
    fn a_rate_without_end_never_makes_wait() {
        let mut buckets = Buckets::new(10);
        for at in [0, 0, 5] {
            assert_eq!(
                buckets.charge(second(at), 1, f64::INFINITY, 1e18),
                Duration::ZERO
            );
        }
        assert_eq!(buckets.charge(second(6), 1, 1.0, 10.0), Duration::ZERO);
    }

    #[test]
    fn a_wait_beyond_all_time_is_the_longest_there_is() {
        let mut buckets = Buckets::new(10);
        assert_eq!(buckets.charge(second(0), 1, 1e-9, 1e18), Duration::MAX);
    }

    #[test]
    fn dry_buckets_go_first_then_those_that_are_dry_soonest() {
        let mut buckets = Buckets::new(20);
        for key in 0..20 {
            charge(&mut buckets, 0, key, 100.0 * f64::from(key + 1));
        }
        charge(&mut buckets, 5, 100, 1.0);
        assert_eq!(buckets.count(), 16, "five were dry");
        for key in 101..105 {
            charge(&mut buckets, 5, key, 1.0);
        }
        assert_eq!(buckets.count(), 20);
        charge(&mut buckets, 5, 200, 1.0);
        assert_eq!(buckets.count(), 19, "two made room");
        assert_eq!(
            charge(&mut buckets, 5, 19, 0.0),
            Duration::from_secs(5),
            "whoever owes most stays"
        );
    }

    #[test]
    fn the_count_stays_within_its_bound() {
        let mut buckets = Buckets::new(3);
        for key in 0..1000 {
            charge(&mut buckets, 0, key, 1e6);
            assert!(buckets.count() <= 3);
        }
    }
}

//! The generator's clocks: the only place that reads the time or sleeps.
//!
//! A load generator measures real time, so the ban that keeps the broker replayable does not serve
//! here; it is lifted for these functions alone.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use types::{Monotonic, TimestampMs};

static START: OnceLock<Instant> = OnceLock::new();

/// Returns the time since the first call in this process.
#[expect(
    clippy::disallowed_methods,
    reason = "a load generator measures real time"
)]
pub(crate) fn now() -> Monotonic {
    let now = Instant::now();
    Monotonic::from_start(now.saturating_duration_since(*START.get_or_init(|| now)))
}

/// Returns the time of day, for timestamps in records and names of topics.
#[expect(clippy::disallowed_methods, reason = "records carry the real time")]
pub(crate) fn wall() -> TimestampMs {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let millis = since_epoch.unwrap_or_default().as_millis();
    TimestampMs(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// Sleeps for a while.
#[expect(
    clippy::disallowed_methods,
    reason = "a thread of the generator waits for its turn"
)]
pub(crate) fn sleep(duration: Duration) {
    std::thread::sleep(duration);
}

/// Sleeps until a point in time; returns at once if it has passed.
///
/// Not spinning is deliberate: on cores that are shared with the broker, a spinning generator
/// delays what it measures.
pub(crate) fn sleep_until(point: Monotonic) {
    let left = point.since(now());
    if !left.is_zero() {
        sleep(left);
    }
}

/// Asks the kernel to end sleeps on time instead of up to 50 us late.
///
/// Threads started afterwards inherit it. Refused, sleeps end later, and the slip says so.
///
/// *Source*: proc_pid_timerslack_ns(5).
pub(crate) fn sharpen() -> bool {
    std::fs::write("/proc/self/timerslack_ns", "1").is_ok()
}

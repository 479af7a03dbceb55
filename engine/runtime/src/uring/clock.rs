//! The kernel's clocks and its randomness.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use types::{Monotonic, TimestampMs};

use super::{shard, sys};

/// The start of the monotonic clock, one for all shards.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Reads the monotonic clock.
pub(crate) fn now() -> Monotonic {
    Monotonic::from_start(START.elapsed())
}

/// Returns when the shard's turn began.
pub(crate) fn recently() -> Monotonic {
    shard::seat().turn.began()
}

/// Reads the wall clock; times before 1970 read as 1970.
pub(crate) fn wall_clock() -> TimestampMs {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    TimestampMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Fills a buffer with the kernel's randomness.
///
/// *Panics*: if the kernel has none to give, which it says only before its pool is first seeded.
pub(crate) fn fill_random(bytes: &mut [u8]) {
    let mut filled = 0;
    while filled < bytes.len() {
        let rest = bytes.get_mut(filled..).unwrap_or_default();
        match sys::random(rest) {
            Ok(count) => filled += count,
            Err(error) => assert_eq!(
                error.kind(),
                std::io::ErrorKind::Interrupted,
                "the kernel gives random bytes"
            ),
        }
    }
}

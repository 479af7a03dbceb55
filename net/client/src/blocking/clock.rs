//! The time, for the blocking half alone.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use types::{Monotonic, TimestampMs};

/// A clock that starts when it is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    start: Instant,
}

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the blocking half runs outside of the runtime"
    )]
    pub(super) fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    pub(super) fn now(&self) -> Monotonic {
        Monotonic::from_start(self.start.elapsed())
    }
}

/// Returns the time of this machine: what records are stamped with, and what ages are told by.
#[expect(
    clippy::disallowed_methods,
    reason = "the blocking half runs outside of the runtime"
)]
pub fn wall_clock() -> TimestampMs {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    TimestampMs(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

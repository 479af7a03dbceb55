//! The two clocks: one that never goes back, one that people read.

use types::{Monotonic, TimestampMs};

/// Reads the monotonic clock: the same start for all shards of a process.
pub fn now() -> Monotonic {
    ambient!(now())
}

/// Reads the wall clock; it may jump either way.
pub fn wall_clock() -> TimestampMs {
    ambient!(wall_clock())
}

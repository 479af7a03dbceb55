//! The two clocks: one that never goes back, one that people read.

use types::{Monotonic, TimestampMs};

/// Reads the monotonic clock: the same start for all shards of a process.
pub fn now() -> Monotonic {
    ambient!(now())
}

/// Returns the monotonic time at which the shard's turn began: a little in the past (a turn that does
/// not end is a stall), and free. For time-outs of seconds.
pub fn recently() -> Monotonic {
    ambient!(recently())
}

/// Reads the wall clock; it may jump either way.
pub fn wall_clock() -> TimestampMs {
    ambient!(wall_clock())
}

//! How often a shard stopped turning.

use std::time::Duration;

/// What the watchdog saw of one shard since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stalls {
    /// How often the shard did not turn for longer than the watchdog allows.
    pub count: u64,
    /// The longest time it did not turn.
    pub longest: Duration,
}

/// Returns what the watchdog saw of this shard; nothing in the simulator.
pub fn stalls() -> Stalls {
    ambient!(stalls())
}

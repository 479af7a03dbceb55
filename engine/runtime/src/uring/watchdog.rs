//! Noticing shards that do not turn, and waking those that lost a wake-up.
//!
//! Each shard counts its turns where the launching thread can see them. That thread looks once a
//! second: a shard that has not turned since is rung through its doorbell. An idle one turns once and
//! sleeps on (tens of microseconds, so an idle shard costs about 0.003 % of a core); one that glommio
//! put to sleep with runnable tasks wakes up and runs them; one that is stuck in a task does not
//! answer, and is reported.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use types::ShardId;

use super::mesh::Doorbell;
use super::shard;
use crate::watchdog::Stalls;

/// How often the launching thread looks.
pub(super) const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// A turn longer than this is a stall: everything else on the shard waited for it.
pub(super) const STALL_MIN: Duration = Duration::from_millis(100);

/// What a shard shows of itself. Written by the shard alone, so relaxed loads and stores do.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    turns: AtomicU64,
    stalls: AtomicU64,
    longest_us: AtomicU64,
}

impl Pulse {
    /// Returns how many turns there have been.
    pub(super) fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// Counts a turn; `ran` is how long the one before lasted.
    pub(super) fn turn(&self, ran: Duration) {
        self.turns
            .store(self.turns.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        if ran >= STALL_MIN {
            self.stall(ran);
        }
    }

    #[cold]
    fn stall(&self, ran: Duration) {
        let stalls = self.stalls.load(Ordering::Relaxed);
        self.stalls.store(stalls + 1, Ordering::Relaxed);
        let ran_us = u64::try_from(ran.as_micros()).unwrap_or(u64::MAX);
        let longest_us = self.longest_us.load(Ordering::Relaxed).max(ran_us);
        self.longest_us.store(longest_us, Ordering::Relaxed);
    }

    fn stalls(&self) -> Stalls {
        Stalls {
            count: self.stalls.load(Ordering::Relaxed),
            longest: Duration::from_micros(self.longest_us.load(Ordering::Relaxed)),
        }
    }
}

/// Returns what the watchdog saw of this shard.
pub(crate) fn stalls() -> Stalls {
    shard::seat().pulse.stalls()
}

/// The launching thread's memory of one shard.
#[derive(Debug, Default)]
pub(super) struct Watched {
    turns: u64,
    silent: u32,
}

impl Watched {
    /// Looks at a shard: rings it if it has not turned since the last look, and reports it when it did
    /// not answer. Returns for how many looks it has been silent.
    pub(super) fn look(&mut self, shard: ShardId, pulse: &Pulse, doorbell: &Doorbell) -> u32 {
        let turns = pulse.turns();
        if turns != std::mem::replace(&mut self.turns, turns) {
            self.silent = 0;
            return 0;
        }
        self.silent = self.silent.saturating_add(1);
        if self.silent > 1 {
            // Rung at the last look, and no turn since.
            let seconds = LOOK_INTERVAL.as_secs() * u64::from(self.silent - 1);
            tracing::warn!(%shard, seconds, "shard does not turn: a task holds it");
        }
        doorbell.kick();
        self.silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uring::mesh;

    #[test]
    fn only_a_shard_that_does_not_answer_is_silent() {
        let (_ports, doorbells) = mesh::fabric::<(), ()>(1).unwrap();
        let doorbell = doorbells.first().unwrap();
        let pulse = Pulse::default();
        let mut watched = Watched::default();
        let mut look = |turned: bool| {
            if turned {
                pulse.turn(Duration::ZERO);
            }
            watched.look(ShardId(0), &pulse, doorbell)
        };
        assert_eq!(look(true), 0);
        assert_eq!(look(false), 1, "rung: it may be asleep");
        assert_eq!(look(true), 0, "it answered");
        assert_eq!(look(false), 1);
        assert_eq!(look(false), 2, "it did not answer");
        assert_eq!(look(false), 3);
        assert_eq!(look(true), 0, "it turns again");
    }

    #[test]
    fn stalls_are_counted_from_the_limit_on_and_the_longest_is_kept() {
        let pulse = Pulse::default();
        for ran in [Duration::ZERO, STALL_MIN, STALL_MIN * 3, STALL_MIN * 2] {
            pulse.turn(ran);
        }
        let stalls = pulse.stalls();
        assert_eq!((stalls.count, stalls.longest), (3, STALL_MIN * 3));
    }
}

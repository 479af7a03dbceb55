//! How busy a shard is, for the others to see.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::time::Duration;

use types::Monotonic;

use super::sys;

/// The time over which it is measured.
const WINDOW: Duration = Duration::from_millis(100);

/// A shard that ran for more of the last window, in hundredths, takes no further connections.
const BUSY_MAX: u8 = 75;

/// Connections that a shard takes in one window: the load of these is not measured yet.
const TAKEN_MAX: u32 = 8;

/// What a shard tells.
#[derive(Debug, Default)]
pub(in crate::uring) struct Load {
    /// How much of the last window it ran, in hundredths.
    busy: AtomicU8,
    /// Connections it has taken since.
    taken: AtomicU32,
}

impl Load {
    /// Returns whether the shard has time for more work.
    pub(super) fn has_time(&self) -> bool {
        self.busy.load(Ordering::Relaxed) < BUSY_MAX
    }

    /// Returns whether the shard has time for the work of one more connection, which is counted.
    pub(super) fn admits(&self) -> bool {
        self.has_time() && self.taken.fetch_add(1, Ordering::Relaxed) < TAKEN_MAX
    }

    fn tell(&self, busy: u8) {
        self.busy.store(busy, Ordering::Relaxed);
        self.taken.store(0, Ordering::Relaxed);
    }
}

/// Measures one shard, by the processor time of its thread.
#[derive(Debug)]
pub(super) struct Gauge {
    load: Arc<Load>,
    began: Cell<Monotonic>,
    ran: Cell<Duration>,
}

impl Gauge {
    pub(super) fn new(load: Arc<Load>) -> Self {
        Self {
            load,
            began: Cell::new(Monotonic::ZERO),
            ran: Cell::new(Duration::ZERO),
        }
    }

    /// Ends a window that is over, and tells how busy the shard was.
    ///
    /// *Cost*: a comparison; a system call every [`WINDOW`].
    pub(super) fn look(&self, now: Monotonic) {
        let passed = now.since(self.began.get());
        if passed < WINDOW {
            return;
        }
        let ran = sys::thread_time();
        let share = share(ran.saturating_sub(self.ran.replace(ran)), passed);
        self.began.set(now);
        self.load.tell(share);
    }
}

/// Returns the hundredths that `ran` is of `passed`.
fn share(ran: Duration, passed: Duration) -> u8 {
    let share = ran.as_nanos() * 100 / passed.as_nanos().max(1);
    u8::try_from(share).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_shard_and_one_that_has_just_taken_many_take_no_more() {
        let load = Load::default();
        let admitted = (0..100).filter(|_| load.admits()).count();
        assert_eq!(admitted, 8);
        assert!(load.has_time());
        load.tell(BUSY_MAX - 1);
        assert!(load.admits());
        load.tell(BUSY_MAX);
        assert!(!load.has_time() && !load.admits());
    }

    #[test]
    fn the_thread_s_own_time_is_measured() {
        let load = Arc::new(Load::default());
        let gauge = Gauge::new(Arc::clone(&load));
        let at = |ms| Monotonic::from_start(Duration::from_millis(ms));
        gauge.look(at(1_000));
        // The thread has run for no hour since.
        gauge.look(at(3_600_000));
        assert_eq!(load.busy.load(Ordering::Relaxed), 0);
        let begin = sys::thread_time();
        while sys::thread_time().saturating_sub(begin) < Duration::from_millis(20) {}
        gauge.look(at(3_600_020 + 80));
        assert!(load.busy.load(Ordering::Relaxed) >= 20);
        assert_eq!(share(Duration::from_millis(50), WINDOW), 50);
    }
}

//! What the shard leaves to glommio's reactor, and passing through it.
//!
//! glommio polls its rings between turns only, a turn lasts until nothing is runnable, and its own
//! `yield_now` ends no turn. A read of an eventfd that is always ready does: its completion is only
//! seen after the rings were polled. Measured at 8 us; a timer of 1 us costs 35 to 44.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::Duration;

use glommio::io::BufferedFile;
use types::Monotonic;

use super::shard::{self, Seat};
use super::turn::TURN_MAX;
use super::{clock, sys};

/// Even with nothing known to wait for it, glommio gets to its rings this often: dropped files are
/// closed there.
const AGE_MAX: Duration = Duration::from_millis(100);

/// The shard's dealings with glommio's reactor.
pub(super) struct Reactor {
    /// An eventfd that never runs dry.
    ready: BufferedFile,
    /// Operations that are completed there and nowhere else.
    open: Cell<usize>,
    passed: Cell<Monotonic>,
}

impl Reactor {
    pub(super) fn new() -> io::Result<Self> {
        // In semaphore mode a read takes one; 2^62 of them are not used up.
        let event = sys::event_fd(1, libc::EFD_SEMAPHORE)?;
        sys::event_add(event.as_fd(), 1 << 62)?;
        Ok(Self {
            ready: sys::ring_file(event),
            open: Cell::new(0),
            passed: Cell::new(clock::now()),
        })
    }

    /// Returns whether an operation waits for it: the shard must sleep there, not elsewhere.
    pub(super) fn is_needed(&self) -> bool {
        self.open.get() > 0
    }

    /// Notes that the executor has been in its reactor.
    pub(super) fn note_pass(&self, now: Monotonic) {
        self.passed.set(now);
    }

    /// Returns whether it has been away from it for too long.
    pub(super) fn is_due(&self, now: Monotonic) -> bool {
        let age_max = if self.is_needed() { TURN_MAX } else { AGE_MAX };
        now.since(self.passed.get()) > age_max
    }

    /// Lets the executor through its reactor, once all other tasks have run.
    pub(super) async fn pass(&self) {
        // An error (no memory for the request) only means that the turn goes on.
        if let Err(error) = self.ready.read_at(0, 8).await {
            tracing::debug!(%error, "a turn could not be ended early");
        }
        self.note_pass(clock::now());
    }
}

/// Counts as open as long as it lives.
struct Open(Rc<Seat>);

impl Drop for Open {
    fn drop(&mut self) {
        let open = &self.0.reactor.open;
        open.set(open.get() - 1);
    }
}

/// Awaits what only glommio's reactor completes.
///
/// Every future of glommio's that needs its rings, its threads or its timers goes through here: a
/// shard that does not know of it may sleep elsewhere.
///
/// *Cost*: an allocation, which keeps the futures around it small.
pub(super) fn through<T>(operation: impl Future<Output = T>) -> impl Future<Output = T> {
    let operation = Box::pin(operation);
    async move {
        let seat = shard::seat();
        let open = &seat.reactor.open;
        open.set(open.get() + 1);
        let open = Open(Rc::clone(&seat));
        let result = operation.await;
        drop(open);
        result
    }
}

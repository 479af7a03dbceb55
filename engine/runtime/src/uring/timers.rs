//! Timers of one shard, fired by its pump.
//!
//! glommio fires its own only when it is in its reactor, which a busy shard avoids.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::collections::btree_map::OccupiedEntry;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use types::Monotonic;

use super::clock;
use super::shard::{self, Seat};

/// What waits for a time, by time and then by age.
#[derive(Debug, Default)]
pub(super) struct Timers {
    waiting: RefCell<BTreeMap<Key, Waker>>,
    made: Cell<u64>,
}

type Key = (Monotonic, u64);

impl Timers {
    /// Returns the earliest time that is waited for.
    pub(super) fn earliest(&self) -> Option<Monotonic> {
        let waiting = self.waiting.borrow();
        waiting.first_key_value().map(|((at, _), _)| *at)
    }

    /// Wakes all whose time has come and returns how many they are.
    pub(super) fn fire(&self, now: Monotonic) -> usize {
        let mut fired = 0;
        loop {
            let mut waiting = self.waiting.borrow_mut();
            let due = waiting.first_entry().filter(|entry| entry.key().0 <= now);
            let Some((_, waker)) = due.map(OccupiedEntry::remove_entry) else {
                return fired;
            };
            drop(waiting);
            waker.wake();
            fired += 1;
        }
    }
}

/// Waits until a point in time.
pub(super) struct Sleep {
    deadline: Monotonic,
    key: Option<Key>,
    seat: Rc<Seat>,
}

impl Sleep {
    pub(super) fn until(deadline: Monotonic) -> Self {
        Self {
            deadline,
            key: None,
            seat: shard::seat(),
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if clock::now() >= self.deadline {
            return Poll::Ready(());
        }
        let timers = &self.seat.timers;
        let is_earliest = timers.earliest().is_none_or(|at| self.deadline < at);
        let key = self.key.unwrap_or_else(|| {
            timers.made.set(timers.made.get() + 1);
            (self.deadline, timers.made.get())
        });
        let waker = context.waker().clone();
        timers.waiting.borrow_mut().insert(key, waker);
        if is_earliest {
            // The pump may rest until a later one.
            self.seat.rest.end();
        }
        self.key = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.seat.timers.waiting.borrow_mut().remove(&key);
        }
    }
}

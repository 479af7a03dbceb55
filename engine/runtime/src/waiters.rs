//! The wakers of futures that wait for one thing, in the order they came.

use std::collections::BTreeMap;
use std::task::{Context, Waker};

/// Waiting futures, each under a key of its own.
///
/// A future keeps its key in an `Option`, registers at each pending poll, and removes itself when
/// it is dropped. Being woken removes the key from here, so that [`Waiters::remove`] tells a future
/// that was woken and never polled again to pass the wake-up on.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    wakers: BTreeMap<u64, Waker>,
    next: u64,
}

impl Waiters {
    /// Adds a future or refreshes its waker; the place in the order is kept.
    pub(crate) fn register(&mut self, key: &mut Option<u64>, context: &Context<'_>) {
        let key = *key.get_or_insert_with(|| {
            self.next += 1;
            self.next
        });
        let waker = self
            .wakers
            .entry(key)
            .or_insert_with(|| context.waker().clone());
        if !waker.will_wake(context.waker()) {
            waker.clone_from(context.waker());
        }
    }

    /// Takes a future off; returns whether it was still waiting (was not woken).
    pub(crate) fn remove(&mut self, key: u64) -> bool {
        self.wakers.remove(&key).is_some()
    }

    /// Takes the first future off, for its waker to be called once nothing is borrowed.
    pub(crate) fn pop(&mut self) -> Option<Waker> {
        self.wakers.pop_first().map(|(_, waker)| waker)
    }

    /// Takes all futures off, for their wakers to be called once nothing is borrowed.
    pub(crate) fn take(&mut self) -> Woken {
        Woken(std::mem::take(&mut self.wakers))
    }
}

/// Futures taken off, to be woken.
#[must_use]
pub(crate) struct Woken(BTreeMap<u64, Waker>);

impl Woken {
    /// Wakes every task once, however many futures of it waited one after the other.
    pub(crate) fn wake(self) {
        let mut last: Option<Waker> = None;
        for waker in self.0.into_values() {
            if last.as_ref().is_some_and(|last| last.will_wake(&waker)) {
                continue;
            }
            if let Some(last) = last.replace(waker) {
                last.wake();
            }
        }
        if let Some(last) = last {
            last.wake();
        }
    }
}

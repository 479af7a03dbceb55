//! A value that tasks of one shard wait on: high watermarks, states, counters.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::waiters::Waiters;

/// A value whose changes can be awaited.
///
/// Every change wakes every waiter; a waiter sees the latest value, not each one between.
pub struct Watch<T> {
    value: RefCell<T>,
    changes: Cell<u64>,
    waiters: RefCell<Waiters>,
}

impl<T: Clone> Watch<T> {
    /// Makes a watch with its first value.
    pub fn new(value: T) -> Self {
        Self {
            value: RefCell::new(value),
            changes: Cell::new(0),
            waiters: RefCell::new(Waiters::default()),
        }
    }

    /// Returns the value.
    pub fn get(&self) -> T {
        self.value.borrow().clone()
    }

    /// Replaces the value and wakes those who wait.
    pub fn set(&self, value: T) {
        self.value.replace(value);
        self.notify();
    }

    /// Changes the value in place and wakes those who wait.
    pub fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(&mut self.value.borrow_mut());
        self.notify();
        result
    }

    /// Waits until the value satisfies a condition and returns it; at once if it does already.
    pub fn wait_until<C: FnMut(&T) -> bool>(&self, condition: C) -> impl Future<Output = T> {
        WaitUntil {
            watch: self,
            condition,
            key: None,
        }
    }

    /// Waits for the next change after this call and returns the value then.
    pub fn changed(&self) -> impl Future<Output = T> {
        let seen = self.changes.get();
        self.wait_until(move |_| self.changes.get() != seen)
    }

    fn notify(&self) {
        self.changes.set(self.changes.get() + 1);
        let woken = self.waiters.borrow_mut().take();
        woken.wake();
    }
}

impl<T: fmt::Debug> fmt::Debug for Watch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watch").field(&self.value).finish()
    }
}

struct WaitUntil<'a, T, C> {
    watch: &'a Watch<T>,
    condition: C,
    key: Option<u64>,
}

// Nothing in it is pinned.
impl<T, C> Unpin for WaitUntil<'_, T, C> {}

impl<T: Clone, C: FnMut(&T) -> bool> Future for WaitUntil<'_, T, C> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let this = self.get_mut();
        let value = this.watch.value.borrow();
        if (this.condition)(&value) {
            return Poll::Ready(value.clone());
        }
        let mut waiters = this.watch.waiters.borrow_mut();
        waiters.register(&mut this.key, context);
        Poll::Pending
    }
}

impl<T, C> Drop for WaitUntil<'_, T, C> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.watch.waiters.borrow_mut().remove(key);
        }
    }
}

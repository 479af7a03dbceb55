//! A list of logs with something to do, and the waiting for it.

use std::cell::RefCell;
use std::collections::VecDeque;

use runtime::Watch;

/// First in, first out. Its bound is the caller's: a log stands in each list at most once.
#[derive(Debug)]
pub(crate) struct WorkList<T> {
    items: RefCell<VecDeque<T>>,
    has_work: Watch<bool>,
}

impl<T> WorkList<T> {
    pub(crate) fn new() -> Self {
        Self {
            items: RefCell::default(),
            has_work: Watch::new(false),
        }
    }

    /// Adds an item at the end.
    pub(crate) fn push(&self, item: T) {
        self.items.borrow_mut().push_back(item);
        self.wake();
    }

    /// Puts an item back at the front.
    pub(crate) fn push_front(&self, item: T) {
        self.items.borrow_mut().push_front(item);
        self.wake();
    }

    /// Takes the first item.
    pub(crate) fn take(&self) -> Option<T> {
        let item = self.items.borrow_mut().pop_front();
        if item.is_none() && self.has_work.get() {
            self.has_work.set(false);
        }
        item
    }

    /// Returns whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.borrow().is_empty()
    }

    /// Waits until there is an item, or [`WorkList::wake`] was called.
    pub(crate) async fn wait(&self) {
        if self.is_empty() {
            self.has_work.set(false);
            self.has_work.wait_until(|has_work| *has_work).await;
        }
    }

    /// Lets those who wait look again.
    pub(crate) fn wake(&self) {
        if !self.has_work.get() {
            self.has_work.set(true);
        }
    }
}

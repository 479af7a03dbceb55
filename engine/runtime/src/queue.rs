//! A bounded first-in-first-out queue between tasks of one shard.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};

use crate::waiters::Waiters;

/// The queue was closed; the item comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the queue is closed")]
pub struct Closed<T>(pub T);

/// Why an item was not taken at once; it comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TryPushError<T> {
    /// The queue holds as many items as it may.
    #[error("the queue is full")]
    Full(T),
    /// The queue was closed.
    #[error("the queue is closed")]
    Closed(T),
}

/// A bounded queue. Pushers and poppers are served in the order they came.
pub struct LocalQueue<T> {
    items: RefCell<VecDeque<T>>,
    capacity: usize,
    closed: Cell<bool>,
    pushers: RefCell<Waiters>,
    poppers: RefCell<Waiters>,
}

impl<T> LocalQueue<T> {
    /// Makes an empty queue for up to `capacity` items.
    ///
    /// *Panics*: if `capacity` is zero.
    pub fn new(capacity: usize) -> Self {
        assert!(capacity > 0, "a queue holds at least one item");
        Self {
            items: RefCell::default(),
            capacity,
            closed: Cell::new(false),
            pushers: RefCell::default(),
            poppers: RefCell::default(),
        }
    }

    /// Appends an item, waiting while the queue is full.
    pub async fn push(&self, item: T) -> Result<(), Closed<T>> {
        let mut item = Some(item);
        let mut place = Place::new(&self.pushers);
        poll_fn(move |context| {
            let candidate = item.take().expect("polled until ready");
            match self.try_push(candidate) {
                Ok(()) => {
                    place.leave();
                    Poll::Ready(Ok(()))
                }
                Err(TryPushError::Closed(back)) => Poll::Ready(Err(Closed(back))),
                Err(TryPushError::Full(back)) => {
                    item = Some(back);
                    place.wait(context);
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Appends an item if there is room now.
    pub fn try_push(&self, item: T) -> Result<(), TryPushError<T>> {
        if self.closed.get() {
            return Err(TryPushError::Closed(item));
        }
        {
            let mut items = self.items.borrow_mut();
            if items.len() == self.capacity {
                return Err(TryPushError::Full(item));
            }
            items.push_back(item);
        }
        wake_first(&self.poppers);
        Ok(())
    }

    /// Takes the first item, waiting while the queue is empty; `None` when it is closed and empty.
    pub async fn pop(&self) -> Option<T> {
        let mut place = Place::new(&self.poppers);
        poll_fn(move |context| {
            if let Some(item) = self.try_pop() {
                place.leave();
                return Poll::Ready(Some(item));
            }
            if self.closed.get() {
                return Poll::Ready(None);
            }
            place.wait(context);
            Poll::Pending
        })
        .await
    }

    /// Takes the first item if there is one now.
    pub fn try_pop(&self) -> Option<T> {
        let item = self.items.borrow_mut().pop_front()?;
        wake_first(&self.pushers);
        Some(item)
    }

    /// Closes the queue: nothing more is taken in, what is inside can still be taken out.
    pub fn close(&self) {
        self.closed.set(true);
        let (pushers, poppers) = (
            self.pushers.borrow_mut().take(),
            self.poppers.borrow_mut().take(),
        );
        pushers.wake();
        poppers.wake();
    }

    /// Returns how many items wait.
    pub fn len(&self) -> usize {
        self.items.borrow().len()
    }

    /// Returns whether no item waits.
    pub fn is_empty(&self) -> bool {
        self.items.borrow().is_empty()
    }

    /// Returns whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.closed.get()
    }
}

impl<T> fmt::Debug for LocalQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalQueue({} of {})", self.len(), self.capacity)
    }
}

fn wake_first(waiters: &RefCell<Waiters>) {
    let waker = waiters.borrow_mut().pop();
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// A future's place among the waiters: given up, or passed on if it was woken in vain, on drop.
struct Place<'a> {
    waiters: &'a RefCell<Waiters>,
    key: Option<u64>,
}

impl<'a> Place<'a> {
    fn new(waiters: &'a RefCell<Waiters>) -> Self {
        Self { waiters, key: None }
    }

    fn wait(&mut self, context: &Context<'_>) {
        self.waiters.borrow_mut().register(&mut self.key, context);
    }

    /// Leaves with what was waited for.
    fn leave(&mut self) {
        if let Some(key) = self.key.take() {
            self.waiters.borrow_mut().remove(key);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let was_woken = !self.waiters.borrow_mut().remove(key);
        if was_woken {
            wake_first(self.waiters);
        }
    }
}

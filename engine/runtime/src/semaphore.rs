//! Permits shared by the tasks of one shard: memory budgets, bounded concurrency.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// A number of permits, given out first come first served. A clone shares them.
///
/// A large request at the front is not overtaken by small ones behind it.
#[derive(Clone)]
pub struct Semaphore(Rc<RefCell<State>>);

struct State {
    capacity: u64,
    available: u64,
    waiting: VecDeque<Waiting>,
    next_key: u64,
}

struct Waiting {
    key: u64,
    permits: u64,
    waker: Waker,
}

impl Semaphore {
    /// Makes a semaphore with all its permits available.
    pub fn new(permits: u64) -> Self {
        Self(Rc::new(RefCell::new(State {
            capacity: permits,
            available: permits,
            waiting: VecDeque::new(),
            next_key: 0,
        })))
    }

    /// Waits for `permits` and takes them until the result is dropped.
    ///
    /// *Panics*: if that is more than there are in all.
    pub fn acquire(&self, permits: u64) -> impl Future<Output = Permit> + use<> {
        let capacity = self.0.borrow().capacity;
        assert!(
            permits <= capacity,
            "{permits} permits are never available of {capacity}"
        );
        Acquire {
            state: Rc::clone(&self.0),
            permits,
            stage: Stage::New,
        }
    }

    /// Takes `permits` if they are available now and nobody waits.
    pub fn try_acquire(&self, permits: u64) -> Option<Permit> {
        let mut state = self.0.borrow_mut();
        if !state.waiting.is_empty() || state.available < permits {
            return None;
        }
        state.available -= permits;
        Some(Permit {
            state: Rc::clone(&self.0),
            permits,
        })
    }

    /// Returns the permits that are not taken.
    pub fn available(&self) -> u64 {
        self.0.borrow().available
    }

    /// Returns the permits there are in all.
    pub fn capacity(&self) -> u64 {
        self.0.borrow().capacity
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Semaphore({} of {})", self.available(), self.capacity())
    }
}

/// Permits taken; dropping it gives them back.
#[must_use = "dropping a permit gives it back"]
pub struct Permit {
    state: Rc<RefCell<State>>,
    permits: u64,
}

impl Permit {
    /// Returns how many permits it stands for.
    pub fn permits(&self) -> u64 {
        self.permits
    }

    /// Gives back all but `permits` of it.
    ///
    /// *Panics*: if it stands for fewer.
    pub fn shrink_to(&mut self, permits: u64) {
        assert!(permits <= self.permits, "a permit does not grow");
        let surplus = self.permits - permits;
        self.permits = permits;
        give_back(&self.state, surplus);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        give_back(&self.state, self.permits);
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permit({})", self.permits)
    }
}

/// Returns permits and hands them to those at the front of the line.
fn give_back(state: &RefCell<State>, permits: u64) {
    state.borrow_mut().available += permits;
    grant(state);
}

/// Serves the front of the line as far as the permits reach: takes the permits for each, takes it
/// off the line and wakes it. A future not in the line any more owns its permits.
fn grant(state: &RefCell<State>) {
    loop {
        let waker = {
            let mut state = state.borrow_mut();
            let Some(front) = state.waiting.front() else {
                return;
            };
            if front.permits > state.available {
                return;
            }
            state.available -= front.permits;
            let front = state.waiting.pop_front().expect("the front was just seen");
            front.waker
        };
        waker.wake();
    }
}

enum Stage {
    New,
    Waiting(u64),
    Done,
}

struct Acquire {
    state: Rc<RefCell<State>>,
    permits: u64,
    stage: Stage,
}

impl Acquire {
    fn permit(&mut self) -> Poll<Permit> {
        self.stage = Stage::Done;
        Poll::Ready(Permit {
            state: Rc::clone(&self.state),
            permits: self.permits,
        })
    }
}

impl Future for Acquire {
    type Output = Permit;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Permit> {
        let shared = Rc::clone(&self.state);
        let mut state = shared.borrow_mut();
        match self.stage {
            Stage::New if state.waiting.is_empty() && state.available >= self.permits => {
                state.available -= self.permits;
                drop(state);
                self.permit()
            }
            Stage::New => {
                let key = state.next_key;
                state.next_key += 1;
                state.waiting.push_back(Waiting {
                    key,
                    permits: self.permits,
                    waker: context.waker().clone(),
                });
                self.stage = Stage::Waiting(key);
                Poll::Pending
            }
            Stage::Waiting(key) => {
                if let Some(place) = state.waiting.iter_mut().find(|place| place.key == key) {
                    if !place.waker.will_wake(context.waker()) {
                        place.waker.clone_from(context.waker());
                    }
                    return Poll::Pending;
                }
                drop(state);
                self.permit()
            }
            Stage::Done => unreachable!("polled after it was ready"),
        }
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        let Stage::Waiting(key) = self.stage else {
            return;
        };
        let mut state = self.state.borrow_mut();
        let place = state.waiting.iter().position(|place| place.key == key);
        if let Some(place) = place {
            state.waiting.remove(place);
            drop(state);
            // A large request that leaves the front lets smaller ones pass.
            grant(&self.state);
        } else {
            drop(state);
            give_back(&self.state, self.permits);
        }
    }
}

//! Work of a shard that takes long, on a helper thread: one piece at a time.
//!
//! A shard has two helper threads, and files are opened and read there too: one piece of long work leaves
//! the other thread to them. What a piece takes in memory, a shard takes once.

use std::fmt;
use std::rc::Rc;

use crate::group::TaskGroup;
use crate::oneshot::oneshot;
use crate::semaphore::Semaphore;
use crate::task::{Queue, offload};

/// The turn of one shard's long work. A clone shares it.
///
/// Invariant: one piece is worked on at a time, also when those who asked for pieces are gone.
#[derive(Clone)]
pub struct LongWork(Rc<Inner>);

struct Inner {
    turn: Semaphore,
    tasks: TaskGroup,
}

impl LongWork {
    /// Makes the turn of a shard on which nothing is worked.
    pub fn new() -> Self {
        Self(Rc::new(Inner {
            turn: Semaphore::new(1),
            tasks: TaskGroup::new(),
        }))
    }

    /// Waits for the turn, first come first served, and returns what the work gives.
    ///
    /// The work must not use this crate: it is not on a shard. Dropping the future before the turn has
    /// come drops the work; after that the work goes on to its end, and the turn with it.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let turn = self.0.turn.acquire(1).await;
        let (sender, receiver) = oneshot();
        self.0.tasks.spawn(Queue::Latency, async move {
            let result = offload(work).await;
            drop(turn);
            // Nobody may want it any more.
            sender.send(result).ok();
        });
        receiver.await.expect("the group lives as long as this")
    }
}

impl Default for LongWork {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for LongWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LongWork({:?})", self.0.tasks)
    }
}

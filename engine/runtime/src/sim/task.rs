//! Tasks of simulated shards.

use std::cell::RefCell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use super::context::{Context, after};
use super::executor::TaskId;
use super::world::World;
use crate::task::Queue;

/// How long work of the blocking pool takes at most.
const OFFLOAD_TIME_MAX: Duration = Duration::from_millis(1);

/// How often in a thousand a turn counts as long enough to yield.
const YIELD_PERMILLE: u16 = 250;

enum Progress<T> {
    Running(Option<Waker>),
    Done(T),
    Taken,
}

/// A spawned task; dropping it cancels.
pub(crate) struct Task<T> {
    id: TaskId,
    world: Rc<World>,
    progress: Rc<RefCell<Progress<T>>>,
    detached: bool,
}

impl<T> Task<T> {
    pub(crate) fn detach(mut self) {
        self.detached = true;
    }
}

impl<T> Future for Task<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<T> {
        let mut progress = self.progress.borrow_mut();
        match &mut *progress {
            Progress::Running(Some(waker)) if waker.will_wake(context.waker()) => Poll::Pending,
            Progress::Running(waker) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
            Progress::Done(_) => match std::mem::replace(&mut *progress, Progress::Taken) {
                Progress::Done(output) => Poll::Ready(output),
                _ => unreachable!("it was just seen to be done"),
            },
            Progress::Taken => unreachable!("polled after it was ready"),
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        if !self.detached {
            drop(self.world.executor.remove(self.id));
        }
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Task({:?})", self.id)
    }
}

/// Starts a task. All queues are served alike: any order may happen on a real machine.
pub(crate) fn spawn<F>(_queue: Queue, future: F) -> Task<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let progress = Rc::new(RefCell::new(Progress::Running(None)));
    let shared = Rc::clone(&progress);
    let body = async move {
        let output = future.await;
        let before = shared.replace(Progress::Done(output));
        if let Progress::Running(Some(waker)) = before {
            waker.wake();
        }
    };
    let context = Context::current();
    let id = context.world.executor.add(context.owner, Box::pin(body));
    Task {
        id,
        world: context.world,
        progress,
        detached: false,
    }
}

/// Yields now and then, as the seed says, so that every place where tasks may interleave is tried.
pub(crate) async fn yield_if_due() {
    let due = Context::with(|context| {
        let executor = &context.world.executor;
        executor.draw(|rng| rng.chance(YIELD_PERMILLE))
    });
    if due {
        yield_once().await;
    }
}

async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Runs the work a moment later, as a pool's thread would.
pub(crate) async fn offload<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let delay = Context::with(|context| {
        let executor = &context.world.executor;
        executor.draw(|rng| rng.duration(Duration::ZERO, OFFLOAD_TIME_MAX))
    });
    after(delay, work).await
}

/// Fills with the seed's randomness.
pub(crate) fn fill_random(bytes: &mut [u8]) {
    Context::with(|context| context.world.executor.draw(|rng| rng.fill(bytes)));
}

//! Tasks of one shard: spawning, sleeping, yielding, and work for the blocking pool.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use types::Monotonic;

/// Which share of the shard's time a task draws on.
///
/// Shares only matter when more is runnable than the core can run; none starves another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Queue {
    /// Answers that someone waits for: connections, commit rounds.
    Latency,
    /// Bulk transfer: cold reads, replication catch-up.
    Throughput,
    /// Work nobody waits for: checkpoints, retention.
    Background,
}

arms! { TaskArm<T> of Task }

/// A spawned task: a future of its result.
///
/// Dropping it cancels the task; [`Task::detach`] lets the task run on without an owner. Prefer to
/// [`race`](crate::race()) futures inside one task: cancelling a spawned one costs more.
#[must_use = "dropping a task cancels it"]
pub struct Task<T>(TaskArm<T>);

impl<T> Task<T> {
    /// Lets the task run to its end on its own.
    pub fn detach(self) {
        on_arm!(self.0, TaskArm, task => task.detach());
    }
}

impl<T> Future for Task<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        on_arm!(&mut self.0, TaskArm, task => Pin::new(task).poll(context))
    }
}

/// Starts a future as a task of this shard.
///
/// *Panics*: a panic in the future is a broken invariant and ends the process.
pub fn spawn<F>(queue: Queue, future: F) -> Task<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    Task(ambient!(TaskArm => spawn(queue, future)))
}

/// Lets I/O be polled if this shard's turn has lasted long (about 200 microseconds).
///
/// *Cost*: one reading of the clock when the turn is young.
pub async fn yield_if_due() {
    ambient!(yield_if_due().await);
}

/// Waits for a time to pass.
pub async fn sleep(duration: Duration) {
    sleep_until(crate::now().after(duration)).await;
}

/// Waits until a point in time; returns at once if it has passed.
pub async fn sleep_until(deadline: Monotonic) {
    ambient!(sleep_until(deadline).await);
}

/// Runs blocking work on the shard's pool of helper threads and returns its result.
///
/// The simulator runs it in place. The work must not use this crate: it is not on a shard.
pub async fn offload<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    ambient!(offload(work).await)
}

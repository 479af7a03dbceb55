//! Tasks on glommio's queues.

#![expect(
    unsafe_code,
    reason = "a pin projection and a drop that is not always wanted"
)]

use std::future::Future;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use types::Monotonic;

use super::timers::Sleep;
use super::{reactor, shard};
use crate::task::Queue;

/// A spawned task; dropping it cancels.
pub(crate) struct Task<T>(glommio::Task<T>);

impl<T> Task<T> {
    /// Lets the task run on.
    pub(crate) fn detach(self) {
        self.0.detach();
    }
}

impl<T> Future for Task<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.0).poll(context)
    }
}

/// A future whose polls are noticed by the shard's turn, and which is not dropped after the executor
/// has ended: what it holds may ask for the executor then (files do, to be closed), and glommio
/// answers that with an abort. The thread ends too, and its memory stays behind.
pub(super) struct Noticed<F>(ManuallyDrop<F>);

impl<F> Noticed<F> {
    pub(super) fn new(future: F) -> Self {
        Self(ManuallyDrop::new(future))
    }
}

impl<F: Future> Future for Noticed<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        shard::enter_turn();
        // SAFETY: the field is pinned with its struct: nothing moves it out, `drop` below drops it in
        // place, and there is no `Unpin` but the automatic one.
        let future = unsafe { self.map_unchecked_mut(|noticed| &mut *noticed.0) };
        future.poll(context)
    }
}

impl<F> Drop for Noticed<F> {
    fn drop(&mut self) {
        if !shard::has_ended() {
            // SAFETY: dropped once, here, and not used after.
            unsafe { ManuallyDrop::drop(&mut self.0) };
        }
    }
}

/// Starts a task on the queue of its class.
pub(crate) fn spawn<F>(queue: Queue, future: F) -> Task<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let queue = shard::seat().queue(queue);
    Task(
        glommio::spawn_local_into(Noticed::new(future), queue)
            .expect("a seat has its queues as long as its executor runs"),
    )
}

/// Waits until a point in time.
pub(crate) async fn sleep_until(deadline: Monotonic) {
    Sleep::until(deadline).await;
}

/// Runs work on the executor's own pool of two threads.
///
/// A panic there would leave this future pending for ever and break the pool (glommio's rule 5), so it
/// is caught and goes on here.
pub(crate) async fn offload<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let work = AssertUnwindSafe(work);
    let working = glommio::executor().spawn_blocking(move || {
        let work = work;
        catch_unwind(work)
    });
    let result = reactor::through(working).await;
    result.unwrap_or_else(|panic| resume_unwind(panic))
}

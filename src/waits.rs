//! Waits of one shard at another: answered when data arrives, ended when nobody waits any more.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use runtime::{Receiver, Sender, oneshot};
use types::ShardId;

/// The running waits of other shards here, each with the means to end it, and numbers for ours there.
#[derive(Default)]
pub struct Waits {
    next: Cell<u64>,
    running: RefCell<BTreeMap<(ShardId, u64), Sender<()>>>,
}

impl Waits {
    /// Returns a number for a wait at another shard that no other wait of this shard has.
    pub fn number(&self) -> u64 {
        self.next.replace(self.next.get() + 1)
    }

    /// Begins a wait, before anything later of that shard is looked at: [`Waits::end`] must find it.
    pub fn begin(&self, from: ShardId, wait: u64) -> Receiver<()> {
        let (end, ended) = oneshot();
        self.running.borrow_mut().insert((from, wait), end);
        ended
    }

    /// Runs a wait that was begun until its condition holds or [`Waits::end`] is called for it.
    pub async fn run(
        &self,
        from: ShardId,
        wait: u64,
        ended: Receiver<()>,
        condition: impl Future<Output = ()>,
    ) {
        runtime::race(condition, ended).await;
        self.running.borrow_mut().remove(&(from, wait));
    }

    /// Ends a wait; one that is over already is no error.
    pub fn end(&self, from: ShardId, wait: u64) {
        if let Some(end) = self.running.borrow_mut().remove(&(from, wait)) {
            // The wait may have come to its end in the same turn.
            let _over = end.send(());
        }
    }
}

/// Waits until the first of several futures is ready; for ever if there are none.
pub async fn first_of(mut futures: Vec<std::pin::Pin<Box<dyn Future<Output = ()> + '_>>>) {
    std::future::poll_fn(|context| {
        let ready = futures
            .iter_mut()
            .any(|future| future.as_mut().poll(context).is_ready());
        if ready {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

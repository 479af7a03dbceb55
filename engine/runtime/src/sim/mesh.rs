//! The mesh between the shards of a simulated node: bounded queues, one per sender and target.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll};

use types::ShardId;

use super::context::Context;
use crate::mesh::PeerGone;
use crate::oneshot::{Receiver, Sender, oneshot};
use crate::waiters::Waiters;

/// Requests that may wait in one direction between two shards. Small, so that full queues are met.
const QUEUE_MAX: usize = 16;

struct Call<Q, R> {
    request: Q,
    answer: Sender<R>,
}

/// What others have asked one shard.
struct Inbox<Q, R> {
    /// One queue per sender.
    queues: RefCell<Vec<VecDeque<Call<Q, R>>>>,
    closed: Cell<bool>,
    senders: RefCell<Waiters>,
    taker: RefCell<Waiters>,
}

impl<Q, R> Inbox<Q, R> {
    fn new(shards: u16) -> Self {
        Self {
            queues: RefCell::new((0..shards).map(|_| VecDeque::new()).collect()),
            closed: Cell::new(false),
            senders: RefCell::default(),
            taker: RefCell::default(),
        }
    }

    fn close(&self) {
        self.closed.set(true);
        let woken = (
            self.senders.borrow_mut().take(),
            self.taker.borrow_mut().take(),
        );
        woken.0.wake();
        woken.1.wake();
    }

    /// Takes a request: of the senders that have one waiting, the seed draws.
    fn take(&self) -> Option<(ShardId, Call<Q, R>)> {
        let mut queues = self.queues.borrow_mut();
        let waiting: Vec<usize> = (0..queues.len())
            .filter(|&sender| !queues[sender].is_empty())
            .collect();
        if waiting.is_empty() {
            return None;
        }
        let drawn = Context::with(|context| {
            let executor = &context.world.executor;
            executor.draw(|rng| rng.index(waiting.len()))
        });
        let sender = waiting[drawn];
        let call = queues[sender].pop_front()?;
        drop(queues);
        let woken = self.senders.borrow_mut().take();
        woken.wake();
        let sender = u16::try_from(sender).expect("shards are counted in 16 bits");
        Some((ShardId(sender), call))
    }
}

/// One shard's end.
pub(crate) struct Mesh<Q, R> {
    own: ShardId,
    inboxes: Rc<Vec<Inbox<Q, R>>>,
    /// Closes this shard's inbox when the last clone of its end is dropped.
    presence: Rc<Presence<Q, R>>,
}

struct Presence<Q, R> {
    own: ShardId,
    inboxes: Rc<Vec<Inbox<Q, R>>>,
}

impl<Q, R> Drop for Presence<Q, R> {
    fn drop(&mut self) {
        let inbox = &self.inboxes[self.own.index()];
        inbox.close();
        let left = inbox.queues.take();
        inbox
            .queues
            .borrow_mut()
            .extend(left.iter().map(|_| VecDeque::new()));
    }
}

impl<Q, R> Mesh<Q, R> {
    /// Makes the ends of all shards of a node.
    pub(crate) fn ends(shards: u16) -> Vec<Self> {
        let inboxes: Vec<_> = (0..shards).map(|_| Inbox::new(shards)).collect();
        let inboxes = Rc::new(inboxes);
        let end = |shard| {
            let own = ShardId(shard);
            let inboxes = Rc::clone(&inboxes);
            let presence = Presence {
                own,
                inboxes: Rc::clone(&inboxes),
            };
            Self {
                own,
                inboxes,
                presence: Rc::new(presence),
            }
        };
        (0..shards).map(end).collect()
    }

    pub(crate) fn id(&self) -> ShardId {
        self.own
    }

    pub(crate) fn shards(&self) -> u16 {
        u16::try_from(self.inboxes.len()).expect("shards are counted in 16 bits")
    }

    #[expect(
        clippy::unused_self,
        reason = "the arm contract: simulated shards always have time"
    )]
    pub(crate) fn has_time(&self, _to: ShardId) -> bool {
        true
    }

    pub(crate) fn admits(&self, to: ShardId) -> bool {
        self.has_time(to)
    }

    pub(crate) async fn call(&self, to: ShardId, request: Q) -> Reply<R> {
        let inbox = &self.inboxes[to.index()];
        let (answer, reply) = oneshot();
        let mut call = Some(Call { request, answer });
        let mut key = None;
        poll_fn(|context| {
            if inbox.closed.get() {
                // Dropping the call tells the caller.
                call = None;
                return Poll::Ready(());
            }
            let mut queues = inbox.queues.borrow_mut();
            let queue = &mut queues[self.own.index()];
            if queue.len() < QUEUE_MAX {
                queue.extend(call.take());
                return Poll::Ready(());
            }
            inbox.senders.borrow_mut().register(&mut key, context);
            Poll::Pending
        })
        .await;
        let woken = inbox.taker.borrow_mut().take();
        woken.wake();
        Reply(reply)
    }

    pub(crate) async fn incoming(&self) -> Option<(ShardId, Q, Responder<R>)> {
        let inbox = &self.inboxes[self.own.index()];
        let mut key = None;
        poll_fn(|context| {
            if let Some((from, call)) = inbox.take() {
                let responder = Responder(call.answer);
                return Poll::Ready(Some((from, call.request, responder)));
            }
            if inbox.closed.get() {
                return Poll::Ready(None);
            }
            inbox.taker.borrow_mut().register(&mut key, context);
            Poll::Pending
        })
        .await
    }

    pub(crate) fn close(&self) {
        self.inboxes[self.own.index()].close();
    }
}

impl<Q, R> Clone for Mesh<Q, R> {
    fn clone(&self) -> Self {
        Self {
            own: self.own,
            inboxes: Rc::clone(&self.inboxes),
            presence: Rc::clone(&self.presence),
        }
    }
}

impl<Q, R> fmt::Debug for Mesh<Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mesh({} of {})", self.own, self.inboxes.len())
    }
}

/// The answer to a call.
pub(crate) struct Reply<R>(Receiver<R>);

impl<R> Future for Reply<R> {
    type Output = Result<R, PeerGone>;

    fn poll(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_err(|_| PeerGone)
    }
}

/// Where an answer goes.
pub(crate) struct Responder<R>(Sender<R>);

impl<R> Responder<R> {
    pub(crate) fn respond(self, response: R) {
        // A caller that has gone needs no answer.
        let _unwanted = self.0.send(response).err();
    }
}

//! One shard's end of the mesh: calling, being called, and the pump between.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::io;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError};
use std::task::{Context, Poll, Waker};

use types::ShardId;

use super::calls::{CallId, Calls, Reply};
use super::doorbell::Doorbell;
use super::lanes::Port;
use crate::semaphore::Semaphore;
use crate::uring::poller::Registration;
use crate::uring::shard;

impl<Q: Send + 'static, R: Send + 'static> Port<Q, R> {
    /// Opens the port on its shard: the mesh, and the pump that the shard must run.
    pub(in crate::uring) fn open(
        self,
    ) -> io::Result<(Mesh<Q, R>, impl Future<Output = ()> + 'static)> {
        let own = self.doorbells.get(self.id.index());
        let own = own.expect("every shard has its doorbell");
        let bell = Registration::new(shard::seat(), &own.bell)?;
        let peers = (0..).map(ShardId).zip(self.ends);
        let peers = peers.map(|(id, ends)| {
            let calls = Rc::new(RefCell::new(Calls::new()));
            Peer {
                port: Rc::new(AnswerPort {
                    answers: ends.answers_out,
                    doorbells: Arc::clone(&self.doorbells),
                    to: id,
                    own: (id == self.id).then(|| Rc::clone(&calls)),
                }),
                requests_out: ends.requests_out,
                requests_in: ends.requests_in,
                answers_in: ends.answers_in,
                wanted_out: ends.wanted_out,
                wanted_in: ends.wanted_in,
                calls,
                turnstile: Semaphore::new(1),
                room: RefCell::new(None),
            }
        });
        let inner = Rc::new(Inner {
            id: self.id,
            doorbells: Arc::clone(&self.doorbells),
            peers: peers.collect(),
            arrivals: RefCell::new(Arrivals {
                stash: None,
                waiting: None,
                next: 0,
                finished: false,
            }),
            ended: Cell::new(false),
        });
        let pump = pump(Rc::downgrade(&inner), bell);
        Ok((Mesh(inner), pump))
    }
}

/// One shard's end of the mesh.
pub(crate) struct Mesh<Q, R>(Rc<Inner<Q, R>>);

struct Inner<Q, R> {
    id: ShardId,
    doorbells: Arc<[Doorbell]>,
    peers: Vec<Peer<Q, R>>,
    arrivals: RefCell<Arrivals<Q>>,
    /// The shard is about to end: the pump stops.
    ended: Cell<bool>,
}

struct Peer<Q, R> {
    port: Rc<AnswerPort<R>>,
    requests_out: SyncSender<(CallId, Q)>,
    requests_in: Receiver<(CallId, Q)>,
    answers_in: Receiver<(CallId, Option<R>)>,
    wanted_out: Arc<AtomicBool>,
    wanted_in: Arc<AtomicBool>,
    calls: Rc<RefCell<Calls<R>>>,
    /// Callers of a full lane wait in line; the first of them waits for room.
    turnstile: Semaphore,
    room: RefCell<Option<Waker>>,
}

struct Arrivals<Q> {
    /// The request that the pump found while `incoming` was waiting.
    stash: Option<(usize, CallId, Q)>,
    waiting: Option<Waker>,
    /// The peer whose lane is looked at first, so that none is served twice before another once.
    next: usize,
    /// `incoming` has said that nothing comes any more.
    finished: bool,
}

impl<Q, R> Clone for Mesh<Q, R> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<Q: Send + 'static, R: Send + 'static> Mesh<Q, R> {
    /// Wraps a clone of this end for the public layer.
    pub(in crate::uring) fn public(&self) -> crate::Mesh<Q, R> {
        crate::mesh::Mesh(crate::mesh::MeshArm::Uring(self.clone()))
    }

    /// Returns the shard this end belongs to.
    pub(crate) fn id(&self) -> ShardId {
        self.0.id
    }

    /// Returns how many shards there are.
    pub(crate) fn shards(&self) -> u16 {
        u16::try_from(self.0.peers.len()).expect("the launcher has counted the shards")
    }

    /// Returns whether a shard has time for more work.
    pub(crate) fn has_time(&self, to: ShardId) -> bool {
        self.0.bell(to).load.has_time()
    }

    /// Returns whether a shard has time for the work of one more connection; that one is counted.
    pub(crate) fn admits(&self, to: ShardId) -> bool {
        self.0.bell(to).load.admits()
    }

    /// Puts a request, waiting while the lane is full.
    pub(crate) async fn call(&self, to: ShardId, request: Q) -> Reply<R> {
        let (peer, bell) = (self.0.peer(to), self.0.bell(to));
        let mut request = Some(request);
        let _turn = match peer.turnstile.try_acquire(1) {
            Some(turn) => turn,
            None => peer.turnstile.acquire(1).await,
        };
        let put = poll_fn(|context| {
            if bell.is_closed() {
                return Poll::Ready(None);
            }
            let Some(taken) = request.take() else {
                return Poll::Ready(None);
            };
            match peer.poll_put(context, taken) {
                Ok(id) => Poll::Ready(Some(id)),
                Err(back) => {
                    request = Some(back);
                    Poll::Pending
                }
            }
        });
        let Some(id) = put.await else {
            return Reply::gone();
        };
        let reply = Reply::new(Rc::clone(&peer.calls), id);
        if to == self.0.id {
            self.0.wake_incoming();
        } else {
            bell.ring();
        }
        if bell.is_gone() {
            // It may have ended, and told so, between the look above and the put.
            peer.settle(true);
        }
        reply
    }

    /// Waits for the next request.
    pub(crate) async fn incoming(&self) -> Option<(ShardId, Q, Responder<R>)> {
        poll_fn(|context| self.0.poll_incoming(context)).await
    }

    /// Stops taking requests.
    pub(crate) fn close(&self) {
        self.0.bell(self.0.id).closed.store(true, Ordering::SeqCst);
        self.0.wake_incoming();
        // Callers that wait for room shall see it; this shard's own pump as well.
        for doorbell in &*self.0.doorbells {
            doorbell.ring();
        }
    }

    /// Ends the pump: the shard's main task has returned.
    pub(in crate::uring) fn end(&self) {
        self.close();
        self.0.ended.set(true);
        self.0.bell(self.0.id).kick();
    }
}

impl<Q, R> Inner<Q, R> {
    fn peer(&self, id: ShardId) -> &Peer<Q, R> {
        let peer = self.peers.get(id.index());
        peer.expect("the public layer has checked the shard")
    }

    fn bell(&self, id: ShardId) -> &Doorbell {
        let bell = self.doorbells.get(id.index());
        bell.expect("every shard has its doorbell")
    }

    fn wake_incoming(&self) {
        if let Some(waker) = self.arrivals.borrow_mut().waiting.take() {
            waker.wake();
        }
    }

    /// Takes a request off the lanes, round robin.
    fn take_request(&self, next: &mut usize) -> Option<(usize, CallId, Q)> {
        let count = self.peers.len();
        for step in 0..count {
            let index = (*next + step) % count;
            let Some(peer) = self.peers.get(index) else {
                continue;
            };
            if let Ok((id, request)) = peer.requests_in.try_recv() {
                *next = (index + 1) % count;
                fence(Ordering::SeqCst);
                if peer.wanted_in.load(Ordering::Relaxed)
                    && peer.wanted_in.swap(false, Ordering::SeqCst)
                {
                    self.bell(peer.port.to).ring();
                }
                return Some((index, id, request));
            }
        }
        None
    }

    fn poll_incoming(&self, context: &Context<'_>) -> Poll<Option<(ShardId, Q, Responder<R>)>> {
        let mut arrivals = self.arrivals.borrow_mut();
        let stash = arrivals.stash.take();
        let found = stash.or_else(|| self.take_request(&mut arrivals.next));
        if let Some((index, id, request)) = found {
            let port = self.peers.get(index).map(|peer| Rc::clone(&peer.port));
            let port = port.expect("the index comes from a look at all peers");
            let from = port.to;
            let responder = Responder {
                call: Some((port, id)),
            };
            return Poll::Ready(Some((from, request, responder)));
        }
        if self.bell(self.id).is_closed() {
            arrivals.finished = true;
            return Poll::Ready(None);
        }
        arrivals.waiting = Some(context.waker().clone());
        Poll::Pending
    }

    /// Does all there is to do and returns whether there was anything.
    fn pass(&self) -> bool {
        let mut busy = false;
        for peer in &self.peers {
            busy |= peer.settle(self.bell(peer.port.to).is_gone());
            busy |= peer.wake_for_room(self.bell(peer.port.to).is_closed());
        }
        busy | self.pass_requests()
    }

    fn pass_requests(&self) -> bool {
        let mut arrivals = self.arrivals.borrow_mut();
        if arrivals.finished {
            // Put after the end was told: dropped, which answers that this shard is gone.
            let mut next = 0;
            let late = std::iter::from_fn(|| self.take_request(&mut next));
            return late.fold(false, |_, (index, id, _)| {
                let port = self.peers.get(index).map(|peer| Rc::clone(&peer.port));
                drop(Responder {
                    call: port.map(|port| (port, id)),
                });
                true
            });
        }
        if arrivals.waiting.is_none() || arrivals.stash.is_some() {
            // Whoever comes for the next request looks at the lanes itself.
            return false;
        }
        let mut next = arrivals.next;
        arrivals.stash = self.take_request(&mut next);
        arrivals.next = next;
        if arrivals.stash.is_none() {
            return false;
        }
        if let Some(waker) = arrivals.waiting.take() {
            waker.wake();
        }
        true
    }
}

impl<Q, R> Peer<Q, R> {
    /// Tries to put a request; gives it back, and remembers the waker, if the lane is full.
    fn poll_put(&self, context: &Context<'_>, request: Q) -> Result<CallId, Q> {
        let id = self.calls.borrow_mut().open();
        let request = match self.try_put(id, request) {
            Ok(()) => return Ok(id),
            Err(request) => request,
        };
        self.wanted_out.store(true, Ordering::SeqCst);
        *self.room.borrow_mut() = Some(context.waker().clone());
        fence(Ordering::SeqCst);
        self.try_put(id, request).map(|()| id).inspect_err(|_| {
            self.calls.borrow_mut().withdraw(id);
        })
    }

    fn try_put(&self, id: CallId, request: Q) -> Result<(), Q> {
        self.requests_out
            .try_send((id, request))
            .map_err(|error| match error {
                TrySendError::Full((_, request)) | TrySendError::Disconnected((_, request)) => {
                    request
                }
            })
    }

    /// Takes the answers that have come; if the peer is gone, ends the calls that got none.
    fn settle(&self, gone: bool) -> bool {
        let mut calls = self.calls.borrow_mut();
        let mut busy = false;
        while let Ok((id, response)) = self.answers_in.try_recv() {
            calls.answer(id, response);
            busy = true;
        }
        if gone {
            calls.peer_gone();
        }
        busy
    }

    fn wake_for_room(&self, closed: bool) -> bool {
        if self.wanted_out.load(Ordering::SeqCst) && !closed {
            return false;
        }
        let waker = self.room.borrow_mut().take();
        waker.map(Waker::wake).is_some()
    }
}

/// Sleeps on the doorbell and does what it was rung for.
async fn pump<Q, R>(inner: Weak<Inner<Q, R>>, bell: Registration) {
    loop {
        let Some(mesh) = inner.upgrade() else { break };
        let own = mesh.bell(mesh.id);
        own.asleep.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        let busy = mesh.pass();
        if mesh.ended.get() {
            break;
        }
        if busy {
            own.asleep.store(false, Ordering::SeqCst);
            continue;
        }
        drop(mesh);
        poll_fn(|context| bell.poll_readable(context)).await;
        // What rings from here on is another event, though the count is never taken.
        bell.read_blocked();
    }
}

/// Where the answers to one peer's requests go.
struct AnswerPort<R> {
    answers: Sender<(CallId, Option<R>)>,
    doorbells: Arc<[Doorbell]>,
    to: ShardId,
    /// A shard's calls to itself are answered in place.
    own: Option<Rc<RefCell<Calls<R>>>>,
}

/// Where the answer to one request goes.
pub(crate) struct Responder<R> {
    call: Option<(Rc<AnswerPort<R>>, CallId)>,
}

impl<R> Responder<R> {
    /// Answers the request.
    pub(crate) fn respond(mut self, response: R) {
        self.send(Some(response));
    }

    fn send(&mut self, response: Option<R>) {
        let Some((port, id)) = self.call.take() else {
            return;
        };
        if let Some(calls) = &port.own {
            calls.borrow_mut().answer(id, response);
            return;
        }
        // A caller that has ended takes no answers.
        if port.answers.send((id, response)).is_ok()
            && let Some(doorbell) = port.doorbells.get(port.to.index())
        {
            doorbell.ring();
        }
    }
}

impl<R> Drop for Responder<R> {
    fn drop(&mut self) {
        self.send(None);
    }
}

//! The calls of one shard to one other that wait for their answers.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::mesh::PeerGone;

/// Identifies a call between two shards until its answer has come; reused afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CallId(u32);

/// One shard's open calls to one other.
///
/// 1. The id of a sent request is not reused before its answer, or the peer's end, has come.
/// 2. A slot belongs to its `Reply` and, once sent, to the answer: the later of the two frees it.
pub(super) struct Calls<R> {
    slots: Vec<Slot<R>>,
    free: Vec<u32>,
}

enum Slot<R> {
    Free,
    Waiting(Option<Waker>),
    /// `None`: the peer is gone, or dropped the request.
    Answered(Option<R>),
    /// The reply was dropped; the answer is still to come.
    Abandoned,
}

impl<R> Calls<R> {
    pub(super) fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Takes an id for a request about to be sent.
    pub(super) fn open(&mut self) -> CallId {
        let id = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::Free);
            u32::try_from(self.slots.len() - 1)
                .expect("calls are bounded by what connections may ask")
        });
        *self.slot(CallId(id)) = Slot::Waiting(None);
        CallId(id)
    }

    /// Gives back the id of a request that was not sent.
    pub(super) fn withdraw(&mut self, id: CallId) {
        self.release(id);
    }

    /// Takes an answer.
    pub(super) fn answer(&mut self, id: CallId, response: Option<R>) {
        let before = std::mem::replace(self.slot(id), Slot::Answered(response));
        match before {
            Slot::Waiting(waker) => {
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
            Slot::Abandoned => self.release(id),
            Slot::Free | Slot::Answered(_) => unreachable!("a call is answered once (invariant 1)"),
        }
    }

    /// Ends all calls that wait: no answer comes any more.
    pub(super) fn peer_gone(&mut self) {
        for id in (0..).map(CallId).take(self.slots.len()) {
            if matches!(self.slot(id), Slot::Waiting(_) | Slot::Abandoned) {
                self.answer(id, None);
            }
        }
    }

    fn poll(&mut self, id: CallId, context: &Context<'_>) -> Poll<Option<R>> {
        match self.slot(id) {
            Slot::Waiting(waker) => {
                match waker {
                    Some(waker) if waker.will_wake(context.waker()) => {}
                    _ => *waker = Some(context.waker().clone()),
                }
                Poll::Pending
            }
            Slot::Answered(response) => {
                let response = response.take();
                self.release(id);
                Poll::Ready(response)
            }
            Slot::Free | Slot::Abandoned => unreachable!("a reply holds its slot (invariant 2)"),
        }
    }

    fn drop_reply(&mut self, id: CallId) {
        match self.slot(id) {
            slot @ Slot::Waiting(_) => *slot = Slot::Abandoned,
            Slot::Answered(_) => self.release(id),
            Slot::Free | Slot::Abandoned => unreachable!("a reply holds its slot (invariant 2)"),
        }
    }

    fn release(&mut self, CallId(id): CallId) {
        *self.slot(CallId(id)) = Slot::Free;
        self.free.push(id);
    }

    fn slot(&mut self, CallId(id): CallId) -> &mut Slot<R> {
        usize::try_from(id)
            .ok()
            .and_then(|index| self.slots.get_mut(index))
            .expect("ids come from `open`")
    }
}

/// The answer to a call, when it comes.
pub(crate) struct Reply<R> {
    /// `None` once the answer was taken, or if the peer was gone before the call.
    open: Option<(Rc<RefCell<Calls<R>>>, CallId)>,
}

impl<R> Reply<R> {
    pub(super) fn new(calls: Rc<RefCell<Calls<R>>>, id: CallId) -> Self {
        Self {
            open: Some((calls, id)),
        }
    }

    pub(super) fn gone() -> Self {
        Self { open: None }
    }
}

impl<R> Future for Reply<R> {
    type Output = Result<R, PeerGone>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some((calls, id)) = &self.open else {
            return Poll::Ready(Err(PeerGone));
        };
        let Poll::Ready(response) = calls.borrow_mut().poll(*id, context) else {
            return Poll::Pending;
        };
        self.open = None;
        Poll::Ready(response.ok_or(PeerGone))
    }
}

impl<R> Drop for Reply<R> {
    fn drop(&mut self) {
        if let Some((calls, id)) = self.open.take() {
            calls.borrow_mut().drop_reply(id);
        }
    }
}

impl<R> fmt::Debug for Reply<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reply")
    }
}

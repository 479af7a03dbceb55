//! One value from one task to another of the same shard.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// The sender went without sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sender was dropped without sending")]
pub struct Dropped;

enum State<T> {
    Waiting(Option<Waker>),
    Sent(T),
    SenderGone,
    ReceiverGone,
}

/// Makes a pair for one value.
pub fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let state = Rc::new(RefCell::new(State::Waiting(None)));
    (Sender(Rc::clone(&state)), Receiver(state))
}

/// Sends the one value.
pub struct Sender<T>(Rc<RefCell<State<T>>>);

impl<T> Sender<T> {
    /// Sends the value; gives it back if the receiver has gone.
    pub fn send(self, value: T) -> Result<(), T> {
        let before = {
            let mut state = self.0.borrow_mut();
            if matches!(*state, State::ReceiverGone) {
                return Err(value);
            }
            std::mem::replace(&mut *state, State::Sent(value))
        };
        if let State::Waiting(Some(waker)) = before {
            waker.wake();
        }
        Ok(())
    }

    /// Returns whether the receiver has gone: nobody needs the value any more.
    pub fn is_unwanted(&self) -> bool {
        matches!(*self.0.borrow(), State::ReceiverGone)
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let waker = {
            let mut state = self.0.borrow_mut();
            let State::Waiting(waker) = &mut *state else {
                return;
            };
            let waker = waker.take();
            *state = State::SenderGone;
            waker
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

/// The value to come.
#[must_use = "a receiver resolves only when it is awaited"]
pub struct Receiver<T>(Rc<RefCell<State<T>>>);

impl<T> Future for Receiver<T> {
    type Output = Result<T, Dropped>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.borrow_mut();
        match &mut *state {
            State::Waiting(Some(waker)) if waker.will_wake(context.waker()) => Poll::Pending,
            State::Waiting(waker) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
            State::SenderGone => Poll::Ready(Err(Dropped)),
            State::Sent(_) => match std::mem::replace(&mut *state, State::SenderGone) {
                State::Sent(value) => Poll::Ready(Ok(value)),
                _ => unreachable!("the state was just seen to be sent"),
            },
            State::ReceiverGone => unreachable!("the receiver is being polled"),
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        // The value, if it was sent, is dropped after the borrow has ended.
        let _before = self.0.replace(State::ReceiverGone);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver")
    }
}

//! The pump: polls all I/O of a shard, and sleeps for it when nothing is to be done.
//!
//! ```text
//!   collect ──found──► end of the line ──► collect …
//!      └──nothing, or the line is long──► let every queue run ──not idle──► collect …
//!                                                  └──idle──► sleep ──► collect …
//! ```
//!
//! Sleep is one `epoll_pwait2` on the sockets, the disk ring and the doorbell, in the middle of
//! glommio's turn: a wake-up costs a few us, through glommio's reactor 45 us. While an operation is
//! left to the reactor, and when nothing has happened for [`SLEEP_MAX`], the shard sleeps in the
//! reactor, which polls the epoll instance through its ring. So no wake-up depends on the pump's
//! knowing everything: what it does not know waits for [`SLEEP_MAX`] at most.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use types::Monotonic;

use super::clock;
use super::poller::Firing;
use super::shard::Seat;
use super::turn::TURN_MAX;

/// Sockets that were looked at so recently are not asked again: if all the work is done, the sleep
/// finds what has come, and saves the call.
const LOOK_AGE: Duration = Duration::from_micros(50);

/// The longest sleep outside the reactor.
const SLEEP_MAX: Duration = Duration::from_millis(10);

/// The pump's sleep in the reactor, ended by who needs the pump.
#[derive(Debug, Default)]
pub(super) struct Rest {
    pump: RefCell<Option<Waker>>,
    ended: Cell<bool>,
}

impl Rest {
    /// Lets the pump look again.
    pub(super) fn end(&self) {
        self.ended.set(true);
        if let Some(pump) = self.pump.borrow_mut().take() {
            pump.wake();
        }
    }

    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        if self.ended.take() {
            return Poll::Ready(());
        }
        *self.pump.borrow_mut() = Some(context.waker().clone());
        Poll::Pending
    }
}

/// One task in each queue but the pump's: when all have answered, all queues have run empty.
#[derive(Debug, Default)]
pub(super) struct RollCall {
    answers: [Answer; 3],
    missing: Cell<usize>,
    caller: RefCell<Option<Waker>>,
}

#[derive(Debug, Default)]
struct Answer {
    called: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl RollCall {
    /// The task that answers for one queue, for ever.
    pub(super) async fn answer(seat: Rc<Seat>, index: usize) {
        poll_fn(|context| {
            seat.roll_call.poll_answer(index, context);
            Poll::<()>::Pending
        })
        .await;
    }

    fn poll_answer(&self, index: usize, context: &Context<'_>) {
        let Some(answer) = self.answers.get(index) else {
            return;
        };
        *answer.waker.borrow_mut() = Some(context.waker().clone());
        if answer.called.take() {
            self.missing.set(self.missing.get() - 1);
            if self.missing.get() == 0
                && let Some(caller) = self.caller.borrow_mut().take()
            {
                caller.wake();
            }
        }
    }

    async fn call(&self) {
        self.missing.set(self.answers.len());
        for answer in &self.answers {
            answer.called.set(true);
            // Before its first poll it has no waker, and will see the call.
            if let Some(waker) = answer.waker.borrow_mut().take() {
                waker.wake();
            }
        }
        poll_fn(|context| {
            if self.missing.get() == 0 {
                return Poll::Ready(());
            }
            *self.caller.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// The task that polls for all others of the shard, until the shard ends.
pub(super) async fn pump(seat: Rc<Seat>) {
    let mut firing = Firing::default();
    let mut slept = Slept::default();
    // How long only this queue has run.
    let mut line = Duration::ZERO;
    // When the sockets were looked at.
    let mut looked = Monotonic::ZERO;
    loop {
        seat.note_reactor();
        let ran = seat.turn.next();
        seat.pulse.turn(ran);
        line += ran;
        let now = seat.turn.began();
        seat.gauge.look(now);
        let is_asked = seat.laps.is_asked();
        // What ended a sleep is collected already.
        let mut sockets = slept.found.take();
        if sockets.is_none() && (is_asked || now.since(looked) >= LOOK_AGE) {
            sockets = Some(seat.poller.collect());
        }
        if sockets.is_some() {
            looked = now;
        }
        let found = sockets.unwrap_or(0) + seat.disk.collect() + seat.timers.fire(now);
        if is_asked && seat.reactor.is_due(now) {
            seat.reactor.pass().await;
        }
        seat.laps.complete();
        if (found > 0 || is_asked) && line <= TURN_MAX {
            end_of_line().await;
            continue;
        }
        line = Duration::ZERO;
        if seat.reactor.is_due(now) && !slept.for_nothing {
            seat.reactor.pass().await;
        } else if is_idle(&seat).await {
            slept = sleep(&seat, &mut firing, slept.for_nothing).await;
        }
    }
}

/// What a sleep brought.
#[derive(Debug, Default)]
struct Slept {
    /// Descriptors that have changed, their tasks woken; `None` if it did not look at them.
    found: Option<usize>,
    /// It was the longest one outside the reactor, and nothing came: the next is in there.
    for_nothing: bool,
}

/// Waits until every task that is runnable in this queue was polled.
async fn end_of_line() {
    let mut is_in_line = false;
    poll_fn(|context| {
        if is_in_line {
            return Poll::Ready(());
        }
        is_in_line = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Lets every queue run empty; returns whether there was nothing to run.
async fn is_idle(seat: &Seat) -> bool {
    let polls = seat.turn.polls();
    seat.roll_call.call().await;
    seat.turn.polls() == polls && !seat.laps.is_asked()
}

/// Sleeps until there is something to collect, or somebody ends the rest.
async fn sleep(seat: &Seat, firing: &mut Firing, in_reactor: bool) -> Slept {
    let wait = seat.timers.earliest().map(|at| at.since(clock::now()));
    if !seat.reactor.is_needed() && !in_reactor {
        let longest = wait.map_or(SLEEP_MAX, |wait| wait.min(SLEEP_MAX));
        let woken = seat.poller.sleep(longest);
        // The time asleep belongs to no turn.
        seat.turn.next();
        return Slept {
            found: woken,
            for_nothing: woken == Some(0) && longest == SLEEP_MAX,
        };
    }
    let mut timer = pin!(async {
        match wait {
            Some(wait) => glommio::timer::sleep(wait).await,
            None => std::future::pending().await,
        }
    });
    poll_fn(|context| {
        let came = firing.poll(&seat.poller, context).is_ready()
            || timer.as_mut().poll(context).is_ready()
            || seat.rest.poll(context).is_ready();
        if came { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    Slept::default()
}

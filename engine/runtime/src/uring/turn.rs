//! Turns: how long the shard's tasks have run since I/O was last polled, and asking for a poll.
//!
//! A turn begins when the pump has let every queue run ([`super::pump`]), or when glommio has been
//! through its reactor. Work that can pause lets I/O be polled once its turn has become too long; its
//! own `yield_now` would only put it behind the tasks that are runnable already.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use types::Monotonic;

use super::{clock, shard};

/// How long a turn may last before work that can pause lets I/O be polled.
pub(super) const TURN_MAX: Duration = Duration::from_micros(200);

/// When the shard's current turn began, as far as its tasks have noticed.
#[derive(Debug)]
pub(super) struct Turn {
    /// The executor's running time when it was last in its reactor: differs after every time.
    mark: Cell<Duration>,
    began: Cell<Monotonic>,
    /// What the pump accounted for, or slept, since the executor was in its reactor.
    accounted: Cell<Duration>,
    /// How many tasks were polled.
    polls: Cell<u64>,
}

impl Turn {
    pub(super) fn new() -> Self {
        Self {
            mark: Cell::new(Duration::ZERO),
            began: Cell::new(clock::now()),
            accounted: Cell::new(Duration::ZERO),
            polls: Cell::new(0),
        }
    }

    /// Notes that a task is polled.
    pub(super) fn note_poll(&self) {
        self.polls.set(self.polls.get() + 1);
    }

    /// Returns how many tasks were polled: the same number twice means that none was in between.
    pub(super) fn polls(&self) -> u64 {
        self.polls.get()
    }

    /// Looks whether the executor has been in its reactor since the last look. If so a turn has begun,
    /// and it returns how long the shard ran in the one before, sleep not counted.
    ///
    /// *Cost*: 8 ns; the clock is read once per turn.
    pub(super) fn enter(&self) -> Option<Duration> {
        let mark = glommio::executor().executor_stats().total_runtime();
        let before = self.mark.replace(mark);
        (mark != before).then(|| {
            self.began.set(clock::now());
            let ran = mark.saturating_sub(before);
            ran.saturating_sub(self.accounted.take())
        })
    }

    /// Ends the turn and begins the next one; returns how long it was.
    pub(super) fn next(&self) -> Duration {
        let now = clock::now();
        let ran = now.since(self.began.replace(now));
        self.accounted.set(self.accounted.get() + ran);
        ran
    }

    /// Returns when the turn began.
    pub(super) fn began(&self) -> Monotonic {
        self.began.get()
    }

    /// Returns whether the turn has become too long.
    pub(super) fn is_due(&self) -> bool {
        clock::now().since(self.began()) > TURN_MAX
    }
}

/// The laps of the pump, each of which polls all I/O, and the tasks that wait for the next.
#[derive(Debug, Default)]
pub(super) struct Laps {
    count: Cell<u64>,
    waiting: RefCell<Vec<Waker>>,
}

impl Laps {
    /// Returns whether a task waits for one.
    pub(super) fn is_asked(&self) -> bool {
        !self.waiting.borrow().is_empty()
    }

    /// Notes that I/O was polled, and lets those go on that waited for it.
    pub(super) fn complete(&self) {
        self.count.set(self.count.get() + 1);
        for waker in self.waiting.take() {
            waker.wake();
        }
    }
}

/// A wait for I/O to be polled.
#[derive(Debug)]
struct Asked {
    /// The laps there had been.
    before: u64,
    /// The waker on the list: woken early, a task is not listed twice.
    listed: Option<Waker>,
}

impl Asked {
    fn poll(&mut self, laps: &Laps, context: &Context<'_>) -> Poll<()> {
        if laps.count.get() > self.before {
            return Poll::Ready(());
        }
        let waker = context.waker();
        if !matches!(&self.listed, Some(listed) if listed.will_wake(waker)) {
            self.listed = Some(waker.clone());
            laps.waiting.borrow_mut().push(waker.clone());
        }
        Poll::Pending
    }
}

/// Lets I/O be polled if the turn is longer than [`TURN_MAX`].
pub(crate) async fn yield_if_due() {
    let seat = shard::seat();
    if !seat.turn.is_due() {
        return;
    }
    let mut asked = Asked {
        before: seat.laps.count.get(),
        listed: None,
    };
    poll_fn(|context| {
        let polled = asked.poll(&seat.laps, context);
        if polled.is_pending() {
            seat.rest.end();
        }
        polled
    })
    .await;
}

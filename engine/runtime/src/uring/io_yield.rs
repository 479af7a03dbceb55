//! Letting I/O be polled in the middle of a long turn.
//!
//! glommio polls its rings between turns only, a turn lasts until nothing is runnable, and its own
//! `yield_now` ends no turn. A read of an eventfd that is always ready does: its completion is only
//! seen after the rings were polled. Measured at 8 us; a timer of 1 us costs 35 to 44.
//!
//! One task per shard makes these reads, for all tasks that wait at the same time: sixty connections
//! in a turn that has become too long cost one read, not sixty.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use glommio::io::BufferedFile;

use super::shard::{self, Seat};
use super::sys;

/// How long a turn may last before work that can pause lets I/O be polled.
pub(super) const TURN_MAX: Duration = Duration::from_micros(200);

/// An eventfd that never runs dry, and the tasks that wait for its next read.
pub(super) struct IoYield {
    ready: BufferedFile,
    waiting: RefCell<Vec<Waker>>,
    /// The task that reads, while it has nothing to do.
    reader: RefCell<Option<Waker>>,
    passes: Cell<u64>,
    ended: Cell<bool>,
}

impl IoYield {
    /// Makes one for this executor.
    pub(super) fn new() -> io::Result<Self> {
        // In semaphore mode a read takes one; 2^62 of them are not used up.
        let event = sys::event_fd(1, libc::EFD_SEMAPHORE)?;
        sys::event_add(event.as_fd(), 1 << 62)?;
        Ok(Self {
            ready: sys::ring_file(event),
            waiting: RefCell::default(),
            reader: RefCell::default(),
            passes: Cell::new(0),
            ended: Cell::new(false),
        })
    }

    /// Asks for a poll of I/O.
    fn ask(&self) -> Asked {
        Asked {
            before: self.passes.get(),
            listed: None,
        }
    }

    /// Ends [`read_when_asked`].
    pub(super) fn end(&self) {
        self.ended.set(true);
        if let Some(reader) = self.reader.borrow_mut().take() {
            reader.wake();
        }
    }
}

/// A wait for I/O to be polled.
#[derive(Debug)]
pub(super) struct Asked {
    /// The polls there had been.
    before: u64,
    /// The waker on the list: woken early, a task is not listed twice.
    listed: Option<Waker>,
}

impl Asked {
    fn poll(&mut self, io_yield: &IoYield, context: &Context<'_>) -> Poll<()> {
        if io_yield.passes.get() > self.before {
            return Poll::Ready(());
        }
        let waker = context.waker();
        if !matches!(&self.listed, Some(listed) if listed.will_wake(waker)) {
            self.listed = Some(waker.clone());
            io_yield.waiting.borrow_mut().push(waker.clone());
        }
        if let Some(reader) = io_yield.reader.borrow_mut().take() {
            reader.wake();
        }
        Poll::Pending
    }
}

/// The task that reads for all.
pub(super) async fn read_when_asked(seat: Rc<Seat>) {
    let io_yield = &seat.io_yield;
    loop {
        poll_fn(|context| {
            if io_yield.ended.get() || !io_yield.waiting.borrow().is_empty() {
                return Poll::Ready(());
            }
            *io_yield.reader.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
        if io_yield.ended.get() {
            return;
        }
        // An error (no memory for the request) only means that the turn goes on.
        if let Err(error) = io_yield.ready.read_at(0, 8).await {
            tracing::debug!(%error, "a turn could not be ended early");
        }
        io_yield.passes.set(io_yield.passes.get() + 1);
        for waker in io_yield.waiting.take() {
            waker.wake();
        }
    }
}

/// When the shard's current turn began, as far as its tasks have noticed.
#[derive(Debug)]
pub(super) struct Turn {
    /// The executor's running time at the end of the turn before: differs in every turn.
    mark: Cell<Duration>,
    began: Cell<Instant>,
}

impl Turn {
    pub(super) fn new() -> Self {
        Self {
            mark: Cell::new(Duration::ZERO),
            began: Cell::new(Instant::now()),
        }
    }

    /// Notes that a task is polled. In the first poll of a turn, returns how long the shard ran since
    /// the first poll of the turn before, sleep not counted.
    ///
    /// *Cost*: 8 ns; the clock is read once per turn.
    pub(super) fn enter(&self) -> Option<Duration> {
        let mark = glommio::executor().executor_stats().total_runtime();
        let before = self.mark.replace(mark);
        (mark != before).then(|| {
            self.began.set(Instant::now());
            mark.saturating_sub(before)
        })
    }

    fn is_due(&self) -> bool {
        self.began.get().elapsed() > TURN_MAX
    }
}

/// Lets I/O be polled if the turn is longer than [`TURN_MAX`].
pub(crate) async fn yield_if_due() {
    let seat = shard::seat();
    if seat.turn.is_due() {
        let mut asked = seat.io_yield.ask();
        poll_fn(|context| asked.poll(&seat.io_yield, context)).await;
    }
}

/// A pause of one task for the others: to the end of the line, or to the next turn if this one has
/// become too long.
#[derive(Debug, Default)]
pub(super) enum Pause {
    /// Not begun.
    #[default]
    New,
    /// At the end of the line.
    InLine,
    /// Until I/O has been polled.
    UntilPolled(Asked),
}

impl Pause {
    /// Begins the pause or tells whether it is over. It may end early, if the task is woken.
    pub(super) fn poll(&mut self, context: &Context<'_>) -> Poll<()> {
        let seat = shard::seat();
        match self {
            Self::New if seat.turn.is_due() => {
                let mut asked = seat.io_yield.ask();
                let polled = asked.poll(&seat.io_yield, context);
                *self = Self::UntilPolled(asked);
                polled
            }
            Self::New => {
                *self = Self::InLine;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Self::InLine => Poll::Ready(()),
            Self::UntilPolled(asked) => asked.poll(&seat.io_yield, context),
        }
    }
}

//! Whether a connection may live on: what it waits for, since when, and who has ended it.
//!
//! A connection's two halves note what they wait for; they set no timers. Once in a while the
//! server looks at all connections of the shard and cuts the overdue ones, so that a request costs
//! the server no timer.
//!
//! | the connection | is cut after | as |
//! |---|---|---|
//! | waits for a frame, owes no answer and is not muted | `idle_timeout` | [`Error::Idle`] |
//! | receives a frame | `frame_timeout` and its length at `frame_rate_min` | [`Error::SlowWriter`] |
//! | sends a piece of an answer | `write_timeout` | [`Error::SlowReader`] |
//! | has seen the client's end and still owes answers | `write_timeout` | [`Error::HalfClosed`] |
//!
//! While frames wait for memory that other frames hold, `frame_timeout` shrinks to
//! `pressed_timeout`; while they wait for memory that answers hold, `write_timeout` does: whoever
//! holds memory without moving makes room first. A connection that waits for memory, for
//! the service or for the end of a mute is never overdue: that is not the client's doing.
//!
//! Invariants:
//! 1. A stage never goes back: open, draining, cut.
//! 2. The first cause of a cut is kept.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use types::{ByteCount, Monotonic};

use crate::error::Error;
use crate::memory::Pressure;
use crate::options::ServerOptions;
use crate::order::{remember, wake};

/// What the reading half waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The first bytes of the next frame.
    Quiet {
        /// Since when.
        since: Monotonic,
    },
    /// The rest of a frame.
    Frame {
        /// Since when.
        since: Monotonic,
        /// The frame's announced length.
        length: ByteCount,
    },
    /// A place in the window, the end of a mute, memory, or the service.
    Serving,
    /// Nothing: the client has ended its side, or reading has stopped.
    Ended {
        /// Since when.
        since: Monotonic,
    },
}

/// What the writing half waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    /// An answer.
    Resting {
        /// Since when.
        since: Monotonic,
    },
    /// The client to take what was sent.
    Sending {
        /// Since when.
        since: Monotonic,
        /// How much is to be taken.
        queued: ByteCount,
    },
}

/// How a connection stands with us, besides what its halves wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Its requests that were read and not answered.
    pub(crate) unanswered: usize,
    /// When its last mute ends.
    pub(crate) muted_until: Monotonic,
    /// What the shard's frames wait for.
    pub(crate) pressure: Pressure,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Open,
    Draining,
    Cut,
}

/// The life of one connection.
pub(crate) struct Lifeline {
    pub(crate) reading: Cell<Reading>,
    pub(crate) writing: Cell<Writing>,
    stage: Cell<Stage>,
    cause: RefCell<Option<Error>>,
    reading_waker: RefCell<Option<Waker>>,
    writing_waker: RefCell<Option<Waker>>,
}

impl Lifeline {
    /// Makes the lifeline of a connection opened at `now`.
    pub(crate) fn new(now: Monotonic) -> Self {
        Self {
            reading: Cell::new(Reading::Quiet { since: now }),
            writing: Cell::new(Writing::Resting { since: now }),
            stage: Cell::new(Stage::Open),
            cause: RefCell::new(None),
            reading_waker: RefCell::new(None),
            writing_waker: RefCell::new(None),
        }
    }

    /// Stops reading; what was read is still answered.
    pub(crate) fn drain(&self) {
        self.advance(Stage::Draining);
    }

    /// Ends the connection at once.
    pub(crate) fn cut(&self, cause: Error) {
        self.cause.borrow_mut().get_or_insert(cause); // invariant 2
        self.advance(Stage::Cut);
    }

    /// Takes the cause of the cut, if there was one.
    pub(crate) fn take_cause(&self) -> Option<Error> {
        self.cause.borrow_mut().take()
    }

    /// Resolves when the reading half shall take nothing more on.
    pub(crate) async fn draining(&self) {
        poll_fn(|context| self.poll_stage(Stage::Draining, &self.reading_waker, context)).await;
    }

    /// Resolves when the reading half shall stop whatever it does.
    pub(crate) async fn reading_cut(&self) {
        poll_fn(|context| self.poll_stage(Stage::Cut, &self.reading_waker, context)).await;
    }

    /// Resolves when the writing half shall stop whatever it does.
    pub(crate) async fn writing_cut(&self) {
        poll_fn(|context| self.poll_stage(Stage::Cut, &self.writing_waker, context)).await;
    }

    /// Returns why the connection is overdue at `now`; `None` while it is not.
    pub(crate) fn overdue(
        &self,
        now: Monotonic,
        options: &ServerOptions,
        standing: Standing,
    ) -> Option<Error> {
        let Standing {
            unanswered,
            muted_until,
            pressure,
        } = standing;
        let write_timeout = match pressure {
            Pressure::Answers => options.write_timeout.min(options.pressed_timeout),
            Pressure::Frames | Pressure::None => options.write_timeout,
        };
        let rested = match self.writing.get() {
            Writing::Sending { since, queued } => {
                if now.since(since) > write_timeout {
                    return Some(Error::SlowReader { queued: queued.0 });
                }
                return self.frame_overdue(now, options, pressure);
            }
            Writing::Resting { since } => since,
        };
        match self.reading.get() {
            Reading::Quiet { since } if unanswered == 0 => {
                // A client that was told to keep still does.
                let quiet_since = since.max(rested).max(muted_until);
                (now.since(quiet_since) > options.idle_timeout).then_some(Error::Idle)
            }
            Reading::Ended { since } => {
                (now.since(since) > options.write_timeout).then_some(Error::HalfClosed)
            }
            _ => self.frame_overdue(now, options, pressure),
        }
    }

    fn frame_overdue(
        &self,
        now: Monotonic,
        options: &ServerOptions,
        pressure: Pressure,
    ) -> Option<Error> {
        let Reading::Frame { since, length } = self.reading.get() else {
            return None;
        };
        let allowed = if pressure == Pressure::Frames {
            options.frame_timeout.min(options.pressed_timeout)
        } else {
            let at_lowest_rate = length.0 / options.frame_rate_min.0.max(1);
            options.frame_timeout + Duration::from_secs(at_lowest_rate)
        };
        let overdue = now.since(since) > allowed;
        overdue.then_some(Error::SlowWriter { length: length.0 })
    }

    fn advance(&self, stage: Stage) {
        if self.stage.get() < stage {
            self.stage.set(stage); // invariant 1
            wake(self.reading_waker.borrow_mut().take());
            wake(self.writing_waker.borrow_mut().take());
        }
    }

    fn poll_stage(
        &self,
        awaited: Stage,
        waker: &RefCell<Option<Waker>>,
        context: &Context<'_>,
    ) -> Poll<()> {
        if self.stage.get() >= awaited {
            return Poll::Ready(());
        }
        remember(&mut waker.borrow_mut(), context);
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(count: u64) -> Monotonic {
        Monotonic::from_start(Duration::from_secs(count))
    }

    fn label(
        lifeline: &Lifeline,
        at: u64,
        unanswered: usize,
        pressure: Pressure,
    ) -> Option<&'static str> {
        let options = ServerOptions::default();
        let standing = Standing {
            unanswered,
            muted_until: Monotonic::ZERO,
            pressure,
        };
        let overdue = lifeline.overdue(second(at), &options, standing);
        overdue.map(|error| error.label())
    }

    #[test]
    fn a_quiet_connection_is_idle_from_its_last_request_or_answer() {
        let lifeline = Lifeline::new(second(0));
        assert_eq!(label(&lifeline, 600, 0, Pressure::None), None);
        assert_eq!(label(&lifeline, 601, 0, Pressure::None), Some("idle"));
        assert_eq!(
            label(&lifeline, 601, 1, Pressure::None),
            None,
            "it is owed an answer"
        );
        lifeline
            .writing
            .set(Writing::Resting { since: second(100) });
        assert_eq!(label(&lifeline, 700, 0, Pressure::None), None);
        assert_eq!(label(&lifeline, 701, 0, Pressure::None), Some("idle"));
    }

    #[test]
    fn a_muted_connection_is_idle_from_the_end_of_the_mute() {
        let lifeline = Lifeline::new(second(0));
        let options = ServerOptions::default();
        let standing = Standing {
            unanswered: 0,
            muted_until: second(5000),
            pressure: Pressure::None,
        };
        for at in [601, 5000, 5600] {
            assert!(lifeline.overdue(second(at), &options, standing).is_none());
        }
        let overdue = lifeline.overdue(second(5601), &options, standing);
        assert_eq!(overdue.map(|error| error.label()), Some("idle"));
    }

    #[test]
    fn a_longer_frame_may_take_longer() {
        let lifeline = Lifeline::new(second(0));
        lifeline.reading.set(Reading::Frame {
            since: second(0),
            length: ByteCount(100),
        });
        assert_eq!(label(&lifeline, 30, 0, Pressure::None), None);
        assert_eq!(label(&lifeline, 31, 0, Pressure::None), Some("slow_writer"));
        lifeline.reading.set(Reading::Frame {
            since: second(0),
            length: ByteCount::mib(100),
        });
        assert_eq!(label(&lifeline, 430, 0, Pressure::None), None);
        assert_eq!(
            label(&lifeline, 431, 0, Pressure::None),
            Some("slow_writer")
        );
    }

    #[test]
    fn whoever_holds_memory_is_cut_sooner_while_others_wait_for_it() {
        let lifeline = Lifeline::new(second(0));
        lifeline.reading.set(Reading::Frame {
            since: second(0),
            length: ByteCount::mib(100),
        });
        assert_eq!(label(&lifeline, 6, 0, Pressure::None), None);
        assert_eq!(
            label(&lifeline, 6, 0, Pressure::Frames),
            Some("slow_writer")
        );
        lifeline.reading.set(Reading::Serving);
        assert_eq!(
            label(&lifeline, 6, 1, Pressure::Frames),
            None,
            "serving is not the client's doing"
        );
        lifeline.writing.set(Writing::Sending {
            since: second(0),
            queued: ByteCount::mib(1),
        });
        assert_eq!(label(&lifeline, 6, 1, Pressure::None), None);
        assert_eq!(
            label(&lifeline, 6, 1, Pressure::Answers),
            Some("slow_reader")
        );
        assert_eq!(label(&lifeline, 61, 1, Pressure::None), Some("slow_reader"));
    }

    #[test]
    fn a_client_that_ended_its_side_waits_only_so_long() {
        let lifeline = Lifeline::new(second(0));
        lifeline.reading.set(Reading::Ended { since: second(10) });
        assert_eq!(label(&lifeline, 70, 1, Pressure::None), None);
        assert_eq!(label(&lifeline, 71, 1, Pressure::None), Some("half_closed"));
    }

    #[test]
    fn the_first_cause_of_a_cut_is_kept() {
        let lifeline = Lifeline::new(second(0));
        lifeline.cut(Error::Idle);
        lifeline.drain();
        lifeline.cut(Error::Shutdown);
        assert_eq!(lifeline.stage.get(), Stage::Cut);
        assert_eq!(
            lifeline.take_cause().map(|error| error.label()),
            Some("idle")
        );
    }
}

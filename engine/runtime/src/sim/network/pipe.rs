//! One direction of a connection: what was written arrives later, in order, in pieces.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};

use crate::sim::rng::Rng;

/// How often in a thousand a read or write takes only a part of what it could.
const PARTIAL_PERMILLE: u16 = 250;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// More may be written.
    Open,
    /// The writer has finished; the reader learns it at this time, after the data.
    Finished(Duration),
    /// The connection was aborted: what had arrived can be read, then it is an error.
    Reset,
}

#[derive(Debug)]
struct State {
    /// Pieces with the time they arrive, in order.
    pieces: VecDeque<(Duration, Bytes)>,
    held: usize,
    window: usize,
    arrives_last: Duration,
    /// The time up to which things are known to have arrived.
    arrived_until: Duration,
    end: End,
    reader_gone: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// One direction of a connection, shared by its writer and its reader.
#[derive(Clone, Debug)]
pub(crate) struct Pipe(Arc<Mutex<State>>);

impl Pipe {
    pub(crate) fn new(window: usize) -> Self {
        assert!(window > 0, "a window lets something through");
        Self(Arc::new(Mutex::new(State {
            pieces: VecDeque::new(),
            held: 0,
            window,
            arrives_last: Duration::ZERO,
            arrived_until: Duration::ZERO,
            end: End::Open,
            reader_gone: false,
            reader: None,
            writer: None,
        })))
    }

    /// Waits until there is room, and returns how much of `wanted` bytes is taken.
    pub(crate) fn poll_room(
        &self,
        context: &Context<'_>,
        wanted: usize,
        rng: &mut Rng,
    ) -> Poll<io::Result<usize>> {
        let mut state = self.lock();
        if state.end != End::Open || state.reader_gone {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = state.window - state.held;
        if room == 0 {
            state.writer = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(portion(room.min(wanted), rng)))
    }

    /// Writes bytes that there was room for, to arrive `latency` from now or after what was written
    /// before; returns when they arrive.
    pub(crate) fn write(&self, bytes: Bytes, now: Duration, latency: Duration) -> Duration {
        let mut state = self.lock();
        let arrives = state.arrives_last.max(now + latency);
        state.arrives_last = arrives;
        state.held += bytes.len();
        state.pieces.push_back((arrives, bytes));
        arrives
    }

    /// Reads what has arrived into the spare capacity of a buffer; 0 is the end.
    pub(crate) fn poll_read(
        &self,
        context: &Context<'_>,
        buffer: &mut BytesMut,
        now: Duration,
        rng: &mut Rng,
    ) -> Poll<io::Result<usize>> {
        let mut state = self.lock();
        let state = &mut *state;
        let spare = buffer.capacity() - buffer.len();
        assert!(spare > 0, "a read has room for something");
        let arrived: usize = state
            .pieces
            .iter()
            .take_while(|(arrives, _)| *arrives <= now)
            .map(|(_, piece)| piece.len())
            .sum();
        if arrived == 0 {
            return match state.end {
                End::Reset => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                End::Finished(at) if state.pieces.is_empty() && at <= now => Poll::Ready(Ok(0)),
                End::Open | End::Finished(_) => {
                    state.reader = Some(context.waker().clone());
                    Poll::Pending
                }
            };
        }
        let count = portion(arrived.min(spare), rng);
        let mut left = count;
        while left > 0 {
            let (_, piece) = state.pieces.front_mut().expect("as much has arrived");
            let step = left.min(piece.len());
            buffer.extend_from_slice(&piece[..step]);
            piece.advance(step);
            if piece.is_empty() {
                state.pieces.pop_front();
            }
            left -= step;
        }
        state.held -= count;
        if let Some(writer) = state.writer.take() {
            writer.wake();
        }
        Poll::Ready(Ok(count))
    }

    /// Lets the reader know what has arrived by now.
    pub(crate) fn arrive(&self, now: Duration) {
        let reader = {
            let mut state = self.lock();
            state.arrived_until = state.arrived_until.max(now);
            state.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Ends the direction after all that was written; returns when the reader can know.
    pub(crate) fn finish(&self, now: Duration, latency: Duration) -> Duration {
        let mut state = self.lock();
        let at = state.arrives_last.max(now + latency);
        if state.end == End::Open {
            state.end = End::Finished(at);
        }
        at
    }

    /// Aborts the direction: what is under way is lost.
    pub(crate) fn reset(&self) {
        let mut state = self.lock();
        state.end = End::Reset;
        let arrived_until = state.arrived_until;
        state
            .pieces
            .retain(|(arrives, _)| *arrives <= arrived_until);
        state.held = state.pieces.iter().map(|(_, piece)| piece.len()).sum();
        let wakers = [state.reader.take(), state.writer.take()];
        drop(state);
        for waker in wakers.into_iter().flatten() {
            waker.wake();
        }
    }

    /// Notes that nobody reads any more: the writer is told at its next write.
    pub(crate) fn abandon(&self) {
        let mut state = self.lock();
        state.reader_gone = true;
        let writer = state.writer.take();
        drop(state);
        if let Some(writer) = writer {
            writer.wake();
        }
    }

    /// Returns whether data was written that nobody has read.
    pub(crate) fn has_unread(&self) -> bool {
        !self.lock().pieces.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Draws how much of `possible` bytes is taken: mostly all, at times a part.
fn portion(possible: usize, rng: &mut Rng) -> usize {
    if possible > 1 && rng.chance(PARTIAL_PERMILLE) {
        1 + rng.index(possible)
    } else {
        possible
    }
}

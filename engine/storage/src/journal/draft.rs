//! What a log gives to a round: frames, built from its waiting entries and its tail.

use std::rc::Rc;

use bytes::Bytes;
use runtime::Sender;
use types::{ByteCount, Offset};

use super::frame::{Entry, Frame, frame_size};
use crate::log_core::{LogCore, LogState};

/// A frame to be written, with its payload.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) frame: Frame,
    pub(crate) payload: Vec<Bytes>,
}

/// What one log has in a round, to be told of when it is synced.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) core: Rc<LogCore>,
    /// Everything below is in the journal.
    pub(crate) end: Offset,
    /// The log's count of truncations then.
    pub(crate) truncations: u32,
    /// Those who wait for an entry of this round.
    pub(crate) done: Vec<Sender<()>>,
}

/// What is left in a chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// Frames may take so many bytes.
    pub(crate) size: usize,
    /// The first frame of a chunk may take so many: a large batch has a chunk of its own.
    pub(crate) first_size: usize,
}

/// Whether a log has more than fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    Nothing,
    More,
}

/// Takes from a log what fits the budget, and notes it as placed in the journal file `ordinal`.
///
/// Entries come before batches. Batches of one segment that follow each other become one frame;
/// a batch is never split, so that the end of every frame is an end of the log.
pub(crate) fn take(
    core: &Rc<LogCore>,
    ordinal: u64,
    budget: &mut Budget,
    drafts: &mut Vec<Draft>,
) -> (Option<Placed>, Left) {
    if core.check_online().is_err() {
        return (None, Left::Nothing);
    }
    let state = &mut *core.state.borrow_mut();
    let incarnation = core.id.incarnation;
    let mut done = Vec::new();
    let before = drafts.len();
    while !state.controls.is_empty() && budget.take(0) {
        let Some(control) = state.controls.pop_front() else {
            break;
        };
        place(state, &control.entry, 0);
        let frame = Frame {
            incarnation,
            entry: control.entry,
        };
        drafts.push(Draft {
            frame,
            payload: Vec::new(),
        });
        done.push(control.done);
    }
    while state.controls.is_empty() && state.placed < state.end {
        let Some((entry, payload, size)) = take_run(state, budget) else {
            break;
        };
        place(state, &entry, size);
        drafts.push(Draft {
            frame: Frame { incarnation, entry },
            payload,
        });
    }
    let left = if state.controls.is_empty() && state.placed == state.end {
        Left::Nothing
    } else {
        Left::More
    };
    if drafts.len() == before {
        return (None, left);
    }
    note_file(state, ordinal);
    let placed = Placed {
        core: Rc::clone(core),
        end: state.placed,
        truncations: state.truncations,
        done,
    };
    (Some(placed), left)
}

impl Budget {
    /// Takes room for a frame; `false` if there is none.
    fn take(&mut self, payload: usize) -> bool {
        let size = frame_size(payload);
        if size > self.size.max(self.first_size) {
            return false;
        }
        self.size = self.size.saturating_sub(size);
        self.first_size = 0;
        true
    }

    /// Makes the frame that room was taken for larger; `false` if there is no room.
    fn extend(&mut self, payload: usize, more: usize) -> bool {
        let size = frame_size(payload + more) - frame_size(payload);
        if size > self.size {
            return false;
        }
        self.size -= size;
        true
    }
}

/// Takes the batches from `placed` on that stand one behind the other and fit.
fn take_run(state: &LogState, budget: &mut Budget) -> Option<(Entry, Vec<Bytes>, usize)> {
    let mut batches = state.tail.from(state.placed);
    let first = batches.next()?;
    assert_eq!(first.first, state.placed);
    if !budget.take(first.bytes.len()) {
        return None;
    }
    let mut payload = vec![first.bytes.clone()];
    let mut size = first.bytes.len();
    let (mut next, mut epoch, mut producers) = (first.next, first.epoch, first.has_producer);
    for batch in batches {
        if batch.segment != first.segment || !budget.extend(size, batch.bytes.len()) {
            break;
        }
        payload.push(batch.bytes.clone());
        size += batch.bytes.len();
        (next, epoch) = (batch.next, batch.epoch);
        producers |= batch.has_producer;
    }
    let entry = Entry::Data {
        segment: first.segment,
        position: first.position,
        first: first.first,
        next,
        epoch,
        producers,
    };
    Some((entry, payload, size))
}

/// Moves the log's placed mark, and its row of the end table, over an entry.
fn place(state: &mut LogState, entry: &Entry, size: usize) {
    match entry {
        Entry::Data { next, .. } => state.placed = *next,
        Entry::Truncate { .. } => state.cut_due = true,
        Entry::Start { .. } | Entry::Epoch { .. } => {}
    }
    state.placed_end.apply(entry, ByteCount::from(size).0);
}

/// Notes that the journal file has frames of this log, up to its placed mark.
fn note_file(state: &mut LogState, ordinal: u64) {
    match state.journal_files.back_mut() {
        Some((last, end)) if *last == ordinal => *end = state.placed,
        _ => state.journal_files.push_back((ordinal, state.placed)),
    }
}

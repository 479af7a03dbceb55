//! The state of one log: its marks, its tail, and what is known of its past.
//!
//! No I/O here. `journal/` moves `placed`, `durable` and `acknowledged`; `segment/` moves `written`
//! and `synced`; `log/` moves `end` and `start`. A mark that moves is checked by
//! [`LogState::check`] against the invariants of [`crate::Positions`].

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use runtime::{Permit, Semaphore, Sender, Watch};
use types::{LeaderEpoch, Monotonic, Offset, TimestampMs};

use crate::config::LogConfig;
use crate::epochs::Epochs;
use crate::error::Offline;
use crate::index::IndexTail;
use crate::journal::Entry;
use crate::log_end::LogEnd;
use crate::log_id::LogId;
use crate::positions::{Positions, Progress};
use crate::producers::Producers;
use crate::ranges::Ranges;
use crate::snapshot::Snapshot;
use crate::tail::Tail;

/// One log, shared by all parts of its shard.
#[derive(Debug)]
pub(crate) struct LogCore {
    /// Which log.
    pub(crate) id: LogId,
    /// What watchers wait on.
    pub(crate) progress: Watch<Progress>,
    /// One permit: whoever holds it may write to the log's files.
    ///
    /// Lazy writes, checkpoints and truncation share the last block of a segment: two of them in
    /// flight have lost an acknowledged batch before.
    pub(crate) io: Semaphore,
    /// One permit: whoever holds it syncs the log's segments.
    pub(crate) syncing: Semaphore,
    /// One permit: whoever holds it reads the log's past in.
    pub(crate) loading: Semaphore,
    pub(crate) state: RefCell<LogState>,
}

/// A place in a log's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The segment's base offset.
    pub(crate) segment: Offset,
    /// Bytes from its start.
    pub(crate) position: u64,
}

/// Where the last segment's appends go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Active {
    pub(crate) place: Place,
    /// The clock at the first append that this run saw; `None` before.
    pub(crate) since: Option<TimestampMs>,
}

/// A frame without payload that waits for its round.
#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) entry: Entry,
    /// Told when the frame is synced; dropped when it never will be.
    pub(crate) done: Sender<()>,
}

/// Whether the files' past is known to memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Past {
    /// Only what this run appended: the rest is read when it is asked for.
    Unread,
    /// All of it.
    Loaded,
}

/// Whether appends are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Appends {
    Open,
    /// The log is being truncated.
    Held,
}

/// The lists of the shard that a log stands in, each at most once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Listed {
    pub(crate) pending: bool,
    pub(crate) write_out: bool,
    pub(crate) oldest: bool,
}

/// A snapshot that was taken, and may not be written before what it describes is durable.
#[derive(Debug)]
pub(crate) struct WaitingSnapshot {
    pub(crate) snapshot: Snapshot,
    /// For its producers, of those that the snapshots of all logs may hold.
    pub(crate) room: Permit,
}

/// What is known of a log's snapshots.
#[derive(Debug)]
pub(crate) struct Snapshots {
    /// That of the last one.
    pub(crate) sequence: u64,
    /// The segment that was the last then.
    pub(crate) segment: Offset,
    /// Bytes appended since.
    pub(crate) distance: u64,
    /// When the last one of this run was taken.
    pub(crate) taken_at: Monotonic,
    /// One that was taken and is to be written.
    pub(crate) waiting: Option<WaitingSnapshot>,
}

/// A place to go on reading at, so that a reader in order needs no index.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    pub(crate) offset: Offset,
    pub(crate) place: Place,
}

/// How many readers in order a log remembers.
const CURSORS_MAX: usize = 16;

/// All of one log that is in memory.
#[derive(Debug)]
pub(crate) struct LogState {
    pub(crate) config: LogConfig,
    pub(crate) tail: Tail,
    pub(crate) active: Active,

    pub(crate) start: Offset,
    pub(crate) first_segment: Offset,
    pub(crate) synced: Offset,
    pub(crate) written: Offset,
    pub(crate) placed: Offset,
    pub(crate) durable: Offset,
    pub(crate) acknowledged: Offset,
    pub(crate) end: Offset,

    /// Where `written` stands in the files.
    pub(crate) written_at: Place,
    /// The bytes of the block that `written_at` lies in, up to it; `None`: they are on disk alone.
    pub(crate) partial: Option<Vec<u8>>,
    /// Segments written to since their last sync.
    pub(crate) unsynced: BTreeSet<Offset>,

    /// What the last placed frame left: the log's row in the next head's table.
    pub(crate) placed_end: LogEnd,
    pub(crate) controls: VecDeque<Control>,
    /// For each journal file with frames of this log: its ordinal, and the end of the last frame.
    pub(crate) journal_files: VecDeque<(u64, Offset)>,

    pub(crate) epoch: LeaderEpoch,
    pub(crate) epoch_start: Offset,
    pub(crate) truncations: u32,
    pub(crate) has_producers: bool,

    /// Where the log ended when it was opened.
    pub(crate) opened: LogEnd,
    pub(crate) past: Past,
    /// Closed segments and their lengths in bytes.
    pub(crate) closed: BTreeMap<Offset, u64>,
    pub(crate) epochs: Epochs,
    pub(crate) producers: Producers,
    /// Index entries not yet in their files, by segment.
    pub(crate) indexes: BTreeMap<Offset, IndexTail>,
    /// What was checked, or written by this run, by segment.
    pub(crate) verified: BTreeMap<Offset, Ranges>,
    pub(crate) cursors: VecDeque<Cursor>,
    pub(crate) snapshots: Snapshots,

    pub(crate) appends: Appends,
    /// A truncation is in the journal and not yet in the files.
    pub(crate) cut_due: bool,
    pub(crate) listed: Listed,
}

impl LogCore {
    /// Makes the state of a log that ends where its journal says.
    pub(crate) fn new(id: LogId, config: LogConfig, end: LogEnd) -> Self {
        let place = Place {
            segment: end.segment,
            position: end.position,
        };
        let past = if end.is_untouched() {
            Past::Loaded
        } else {
            Past::Unread
        };
        let mut epochs = Epochs::default();
        if past == Past::Loaded {
            epochs.note(end.epoch, end.epoch_start);
        }
        let mut indexes = BTreeMap::new();
        indexes.insert(end.segment, IndexTail::default());
        let state = LogState {
            config,
            tail: Tail::default(),
            active: Active { place, since: None },
            start: end.start,
            first_segment: end.first_segment,
            synced: end.next,
            written: end.next,
            placed: end.next,
            durable: end.next,
            acknowledged: end.next,
            end: end.next,
            written_at: place,
            partial: None,
            unsynced: BTreeSet::new(),
            placed_end: end,
            controls: VecDeque::new(),
            journal_files: VecDeque::new(),
            epoch: end.epoch,
            epoch_start: end.epoch_start,
            truncations: end.truncations,
            has_producers: end.has_producers,
            opened: end,
            past,
            closed: BTreeMap::new(),
            epochs,
            producers: Producers::default(),
            indexes,
            verified: BTreeMap::new(),
            cursors: VecDeque::new(),
            snapshots: Snapshots {
                sequence: 0,
                segment: end.segment,
                distance: 0,
                taken_at: Monotonic::ZERO,
                waiting: None,
            },
            appends: Appends::Open,
            cut_due: false,
            listed: Listed::default(),
        };
        state.check();
        Self {
            id,
            progress: Watch::new(Progress {
                durable: end.next,
                acknowledged: end.next,
                offline: None,
            }),
            io: Semaphore::new(1),
            syncing: Semaphore::new(1),
            loading: Semaphore::new(1),
            state: RefCell::new(state),
        }
    }

    /// Returns why the log takes part in nothing any more, if so.
    pub(crate) fn check_online(&self) -> Result<(), Offline> {
        self.progress.get().offline.map_or(Ok(()), Err)
    }

    /// Takes the log out of service, once and for ever; those who wait are told.
    pub(crate) fn take_offline(&self, why: Offline) {
        let (controls, snapshot) = {
            let state = &mut *self.state.borrow_mut();
            let controls = std::mem::take(&mut state.controls);
            (controls, state.snapshots.waiting.take())
        };
        drop((controls, snapshot));
        if self.progress.get().offline.is_none() {
            self.progress
                .update(|progress| progress.offline = Some(why));
        }
    }

    /// Moves `durable` after a sync that covers everything below `end`.
    ///
    /// A sync of before a truncation moves nothing: it says nothing about the bytes that stand
    /// there now.
    pub(crate) fn journal_synced(&self, end: Offset, truncations: u32) {
        let durable = {
            let mut state = self.state.borrow_mut();
            if state.truncations != truncations {
                return;
            }
            state.durable = state.durable.max(end);
            state.acknowledged = state.acknowledged.max(end);
            state.check();
            (state.durable, state.acknowledged)
        };
        self.publish(durable);
    }

    /// Moves `acknowledged` after a write without a sync.
    pub(crate) fn journal_written(&self, end: Offset, truncations: u32) {
        let marks = {
            let mut state = self.state.borrow_mut();
            if state.truncations != truncations {
                return;
            }
            state.acknowledged = state.acknowledged.max(end);
            state.check();
            (state.durable, state.acknowledged)
        };
        self.publish(marks);
    }

    /// Tells watchers of the marks, if they moved.
    pub(crate) fn publish(&self, (durable, acknowledged): (Offset, Offset)) {
        let known = self.progress.get();
        if (known.durable, known.acknowledged) != (durable, acknowledged) {
            self.progress.update(|progress| {
                progress.durable = durable;
                progress.acknowledged = acknowledged;
            });
        }
    }
}

impl LogState {
    /// Asserts the invariants between the marks.
    pub(crate) fn check(&self) {
        assert!(self.synced <= self.written); // invariant 1
        assert!(self.written <= self.durable); // invariant 1
        assert!(self.durable <= self.acknowledged); // invariant 2
        assert!(self.acknowledged <= self.placed);
        assert!(self.placed <= self.end); // invariant 1
        assert!(self.start <= self.durable); // invariant 2
    }

    /// Returns the marks as the outside sees them.
    pub(crate) fn positions(&self) -> Positions {
        Positions {
            start: self.start,
            synced: self.synced,
            written: self.written,
            durable: self.durable,
            acknowledged: self.acknowledged,
            end: self.end,
        }
    }

    /// Notes that `[place, place + length)` holds what it should.
    pub(crate) fn note_verified(&mut self, place: Place, length: u64) {
        let ranges = self.verified.entry(place.segment).or_default();
        ranges.add(place.position, place.position + length);
    }

    /// Returns where a reader in order goes on, if one stopped at `offset`.
    pub(crate) fn cursor(&self, offset: Offset) -> Option<Place> {
        let known = self.cursors.iter().find(|cursor| cursor.offset == offset);
        known.map(|cursor| cursor.place)
    }

    /// Notes where a reader stopped.
    pub(crate) fn note_cursor(&mut self, offset: Offset, place: Place) {
        self.cursors.retain(|cursor| cursor.offset != offset);
        if self.cursors.len() == CURSORS_MAX {
            self.cursors.pop_front();
        }
        self.cursors.push_back(Cursor { offset, place });
    }
}

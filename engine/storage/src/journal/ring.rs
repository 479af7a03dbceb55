//! The files of a journal and the order they are used in.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

use runtime::{AlignedBuffer, File, Watch};
use types::{BLOCK_SIZE, ByteCount};

use super::head::{Head, head_size};
use super::sequence::Sequence;
use crate::log_core::LogCore;
use crate::shared::Shared;

/// A journal file that is open.
#[derive(Debug)]
pub(crate) struct JournalFile {
    pub(crate) file: File,
    /// Its size in bytes; all of it has been written once.
    pub(crate) size: u64,
}

/// A journal file as recovery or a start finds it.
#[derive(Debug)]
pub(crate) struct FoundFile {
    pub(crate) index: u64,
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    pub(crate) size: u64,
    pub(crate) head: Option<Head>,
}

/// A file whose frames may be needed for a replay.
#[derive(Debug)]
pub(crate) struct LiveFile {
    pub(crate) file: Rc<JournalFile>,
    /// Counts the uses of files; what a log notes of its frames.
    pub(crate) ordinal: u64,
    /// The counter of its head.
    pub(crate) first_counter: u64,
    /// The logs with frames in it, each once.
    pub(crate) logs: Vec<Rc<LogCore>>,
}

/// Where a chunk goes.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) file: Rc<JournalFile>,
    pub(crate) position: u64,
    pub(crate) sequence: Sequence,
    pub(crate) live_from: u64,
    pub(crate) durable_through: u64,
}

#[derive(Debug)]
struct State {
    /// May be overwritten.
    free: Vec<Rc<JournalFile>>,
    /// Checkpointed, with the last counter placed then; free once a later one is synced.
    retired: Vec<(Rc<JournalFile>, u64)>,
    /// Oldest first; the last one is being written.
    live: VecDeque<LiveFile>,
    /// The number of the next file that is made.
    next_index: u64,
    next_ordinal: u64,
    /// The last one given out.
    sequence: Sequence,
    /// Where the next chunk goes in the current file.
    position: u64,
    /// The last counter that is synced.
    durable_through: u64,
    /// The sum of the files' sizes.
    size: u64,
    /// What the ring should grow to.
    wanted_size: u64,
    /// The smallest file that can hold a head and the largest chunk.
    needed_file_size: u64,
}

impl State {
    /// Lets go of free files that cannot hold a head and the largest chunk any more: logs were added,
    /// or an earlier run had other options. Counted as part of the ring they would keep growth and
    /// checkpoints from happening, and nothing else could come free. A later start finds them.
    fn drop_unfit(&mut self) -> bool {
        let before = self.size;
        let needed = self.needed_file_size;
        for unfit in self.free.extract_if(.., |file| file.size < needed) {
            self.size -= unfit.size;
        }
        self.size < before
    }

    /// Rule 3: a synced head or chunk that was placed after a file was checkpointed says that the
    /// file is not needed.
    fn free_retired(&mut self, counter: u64) -> bool {
        let before = self.retired.len();
        let (free, retired) = std::mem::take(&mut self.retired)
            .into_iter()
            .partition(|&(_, placed)| placed < counter);
        self.retired = retired;
        self.free.extend(Vec::into_iter(free).map(|(file, _)| file));
        self.retired.len() < before
    }
}

/// The ring of one shard's journal files.
#[derive(Debug)]
pub(crate) struct Journal {
    state: RefCell<State>,
    /// Changes when a file becomes free or live, or growth is wanted.
    pub(crate) changed: Watch<u64>,
}

impl Journal {
    /// Makes the ring of a new generation; [`Journal::begin_file`] must follow.
    ///
    /// `first` is a file that no replay needs, `others` may be overwritten after the first head.
    pub(crate) fn new(
        generation: u32,
        first: JournalFile,
        others: Vec<JournalFile>,
        next_index: u64,
    ) -> Self {
        let size = first.size + others.iter().map(|file| file.size).sum::<u64>();
        let state = State {
            free: vec![Rc::new(first)],
            retired: others.into_iter().map(|file| (Rc::new(file), 0)).collect(),
            live: VecDeque::new(),
            next_index,
            next_ordinal: 0,
            sequence: Sequence {
                generation,
                counter: 0,
            },
            position: 0,
            durable_through: 0,
            size,
            wanted_size: size,
            needed_file_size: 0,
        };
        Self {
            state: RefCell::new(state),
            changed: Watch::new(0),
        }
    }

    fn note_change(&self) {
        self.changed.update(|changes| *changes += 1);
    }

    /// Returns the ordinal of the file being written.
    pub(crate) fn ordinal(&self) -> u64 {
        let state = self.state.borrow();
        state.live.back().map_or(0, |live| live.ordinal)
    }

    /// Returns how many bytes are left in the file being written, its last block not counted.
    ///
    /// That block is for [`Journal::place_last`].
    pub(crate) fn room(&self) -> u64 {
        let state = self.state.borrow();
        let size = state.live.back().map_or(0, |live| live.file.size);
        size.saturating_sub(state.position + BLOCK_SIZE)
    }

    /// Gives out the last block of a full file, if a chunk there would make another file free.
    ///
    /// A file that was checkpointed when no file was free could otherwise never be told so: the next
    /// head would need a free file itself.
    pub(crate) fn place_last(&self) -> Option<Slot> {
        let is_of_use = {
            let state = self.state.borrow();
            let size = state.live.back().map_or(0, |live| live.file.size);
            let fits = |(file, _): &(Rc<JournalFile>, u64)| file.size >= state.needed_file_size;
            state.position + BLOCK_SIZE <= size && state.retired.iter().any(fits)
        };
        is_of_use.then(|| self.give_out(BLOCK_SIZE))
    }

    /// Gives out the next `size` bytes of the current file, and the next number.
    ///
    /// *Panics*: if they do not fit.
    pub(crate) fn place(&self, size: u64) -> Slot {
        assert!(size <= self.room());
        self.give_out(size)
    }

    fn give_out(&self, size: u64) -> Slot {
        let state = &mut *self.state.borrow_mut();
        state.sequence = state.sequence.next();
        let position = state.position;
        state.position += size;
        let live = state.live.back().expect("a ring has a current file");
        Slot {
            file: Rc::clone(&live.file),
            position,
            sequence: state.sequence,
            live_from: live_from(&state.live),
            durable_through: state.durable_through,
        }
    }

    /// Notes that a log has frames in the current file.
    pub(crate) fn note_log(&self, core: &Rc<LogCore>) {
        let mut state = self.state.borrow_mut();
        let live = state.live.back_mut().expect("a ring has a current file");
        live.logs.push(Rc::clone(core));
    }

    /// Notes that everything up to the counter is synced.
    pub(crate) fn note_synced(&self, counter: u64) {
        let frees = {
            let state = &mut *self.state.borrow_mut();
            assert!(counter >= state.durable_through);
            state.durable_through = counter;
            state.free_retired(counter)
        };
        if frees {
            self.note_change();
        }
    }

    /// Returns the file being written, and the last counter placed in it.
    pub(crate) fn current(&self) -> (Rc<JournalFile>, u64) {
        let state = self.state.borrow();
        let live = state.live.back().expect("a ring has a current file");
        (Rc::clone(&live.file), state.sequence.counter)
    }

    /// Takes a free file into use: writes its head with the state of all logs, and syncs it.
    ///
    /// The caller has synced every chunk so far, and places none meanwhile. Returns `false` if no
    /// file is free; growth is asked for then.
    pub(crate) async fn begin_file(&self, shared: &Shared, chunk_size: u64) -> io::Result<bool> {
        let ends: Vec<_> = shared
            .logs()
            .iter()
            .map(|core| core.state.borrow().placed_end)
            .collect();
        let head_size = head_size(ends.len());
        let needed = head_size + chunk_size + BLOCK_SIZE;
        self.state.borrow_mut().needed_file_size = needed;
        if self.state.borrow_mut().drop_unfit() {
            self.note_change();
        }
        let Some((file, head, ordinal)) = self.take_free(ends) else {
            return Ok(false);
        };
        let mut buffer = AlignedBuffer::zeroed(ByteCount(head_size).as_usize());
        head.write(&mut buffer);
        file.file.write_at_synced(buffer, 0).await?;
        {
            let state = &mut *self.state.borrow_mut();
            state.position = head_size;
            state.durable_through = head.sequence.counter;
            state.free_retired(head.sequence.counter);
            state.live.push_back(LiveFile {
                file,
                ordinal,
                first_counter: head.sequence.counter,
                logs: Vec::new(),
            });
        }
        self.note_change();
        Ok(true)
    }

    fn take_free(&self, ends: Vec<crate::log_end::LogEnd>) -> Option<(Rc<JournalFile>, Head, u64)> {
        let state = &mut *self.state.borrow_mut();
        // Rule 2: everything before the head is synced.
        assert_eq!(state.durable_through, state.sequence.counter);
        if state.free.is_empty() {
            return None;
        }
        let file = state.free.remove(0);
        state.sequence = state.sequence.next();
        let ordinal = state.next_ordinal;
        state.next_ordinal += 1;
        let live_from = match state.live.front() {
            Some(live) => live.first_counter,
            None => state.sequence.counter,
        };
        let head = Head {
            sequence: state.sequence,
            live_from,
            ends,
        };
        Some((file, head, ordinal))
    }

    /// Asks for the ring to grow to at least `size` bytes.
    pub(crate) fn want(&self, size: u64) {
        let grows = {
            let mut state = self.state.borrow_mut();
            let grows = size > state.wanted_size;
            state.wanted_size = state.wanted_size.max(size);
            grows
        };
        if grows {
            self.note_change();
        }
    }

    /// Returns the bytes of all files, what is wanted, and the smallest file that is of use.
    pub(crate) fn sizes(&self) -> (u64, u64, u64) {
        let state = self.state.borrow();
        (state.size, state.wanted_size, state.needed_file_size)
    }

    /// Gives up growing, when the disk has no room.
    pub(crate) fn stop_wanting(&self) {
        let mut state = self.state.borrow_mut();
        state.wanted_size = state.size;
    }

    /// Returns whether a file of the needed size is free.
    pub(crate) fn has_free(&self) -> bool {
        let state = self.state.borrow();
        state
            .free
            .iter()
            .any(|file| file.size >= state.needed_file_size)
    }

    /// Returns a new file's number.
    pub(crate) fn take_index(&self) -> u64 {
        let mut state = self.state.borrow_mut();
        let index = state.next_index;
        state.next_index += 1;
        index
    }

    /// Takes a new file into the ring.
    pub(crate) fn add_file(&self, file: JournalFile) {
        {
            let mut state = self.state.borrow_mut();
            state.size += file.size;
            state.free.push(Rc::new(file));
        }
        self.note_change();
    }

    /// Returns the bytes of live files, the one being written up to where it is.
    pub(crate) fn live_size(&self) -> u64 {
        let state = self.state.borrow();
        let before = state.live.len().saturating_sub(1);
        let full: u64 = state.live.iter().take(before).map(|l| l.file.size).sum();
        full + state.position
    }

    /// Returns the oldest live file's ordinal and logs, if more than `share` of the ring is live
    /// and it is not the one being written.
    pub(crate) fn oldest_above(&self, share: u64) -> Option<(u64, Vec<Rc<LogCore>>)> {
        let live_size = self.live_size();
        let state = self.state.borrow();
        if state.live.len() < 2 || live_size < share {
            return None;
        }
        let oldest = state.live.front()?;
        Some((oldest.ordinal, oldest.logs.clone()))
    }

    /// Notes that everything in the oldest live file is in synced segments.
    ///
    /// *Panics*: if it is another file than `ordinal`, or the one being written.
    pub(crate) fn retire_oldest(&self, ordinal: u64) {
        {
            let state = &mut *self.state.borrow_mut();
            assert!(state.live.len() >= 2);
            let oldest = state.live.pop_front().expect("there are two");
            assert_eq!(oldest.ordinal, ordinal);
            state.retired.push((oldest.file, state.sequence.counter));
        }
        self.note_change();
    }

    /// Says of every file that it is not needed: the next head starts anew.
    ///
    /// The caller has everything in synced segments, and places nothing but that head.
    pub(crate) fn retire_all(&self) {
        let state = &mut *self.state.borrow_mut();
        let counter = state.sequence.counter;
        let live = std::mem::take(&mut state.live);
        let retired = live.into_iter().map(|live| (live.file, counter));
        state.retired.extend(retired);
    }

    /// Returns how many logs have frames in the newest file.
    pub(crate) fn active_logs(&self) -> usize {
        let state = self.state.borrow();
        state.live.back().map_or(0, |live| live.logs.len())
    }
}

fn live_from(live: &VecDeque<LiveFile>) -> u64 {
    live.front().map_or(0, |oldest| oldest.first_counter)
}

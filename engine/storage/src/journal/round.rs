//! The commit rounds: what all logs have waiting, one write, one sync, then all are told.
//!
//! Rounds form by themselves: what is appended while one is being synced makes up the next. One
//! round is in flight at a time, and is one chunk.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use runtime::AlignedBuffer;
use types::size::block_ceil;
use types::{BLOCK_SIZE, ByteCount, Monotonic};

use super::chunk::{CHUNK_HEADER_SIZE, ChunkHeader};
use super::draft::{self, Budget, Draft, Left, Placed};
use super::frame::frame_size;
use super::ring::{Journal, Slot};
use crate::config::Durability;
use crate::error::Offline;
use crate::mutants::{self, Mutant};
use crate::shared::Shared;

/// A chunk is not made larger than this, unless one batch is.
const CHUNK_SIZE_MAX: usize = 1024 * 1024;

/// The sync of logs that do not wait for it follows within this time ...
const DEFERRED_SYNC_AGE_MAX: Duration = Duration::from_millis(50);

/// ... or this many bytes.
const DEFERRED_SYNC_SIZE_MAX: u64 = 1024 * 1024;

/// For each log with frames in the newest file, the ring should have so much, and twice that.
const RING_SIZE_PER_LOG: u64 = 64 * 1024;

/// Returns the largest batch that the journal files of `file_size` bytes take.
///
/// An eighth is left for the head; a ring with more logs than fit there grows larger files.
pub(crate) fn batch_size_max(file_size: ByteCount) -> u64 {
    let overhead = CHUNK_HEADER_SIZE + frame_size(0);
    (file_size.0 / 8 * 7)
        .saturating_sub(BLOCK_SIZE)
        .saturating_sub(ByteCount::from(overhead).0)
}

/// Returns the bytes that the chunk of the largest batch takes in its file.
pub(crate) fn chunk_size_max(file_size: ByteCount) -> u64 {
    let overhead = ByteCount::from(CHUNK_HEADER_SIZE + frame_size(0)).0;
    block_ceil(batch_size_max(file_size) + overhead)
}

/// Chunks that are written and not synced, by logs that do not wait for it.
#[derive(Debug)]
struct Deferred {
    since: Monotonic,
    size: u64,
    placed: Vec<Placed>,
}

/// One chunk before it is written.
struct Chunk {
    drafts: Vec<Draft>,
    placed: Vec<Placed>,
}

/// Runs the rounds of a shard until its store is closed.
///
/// *Errors*: why the store went offline.
pub(crate) async fn run_rounds(shared: Rc<Shared>, journal: Rc<Journal>) -> Result<(), Offline> {
    let mut rounds = Rounds {
        shared,
        journal,
        deferred: None,
    };
    loop {
        rounds.wait().await;
        rounds.shared.check_online()?;
        if rounds.shared.pending.is_empty() {
            rounds.sync_deferred().await?;
            if rounds.shared.is_closing() {
                return Ok(());
            }
            continue;
        }
        rounds.round().await?;
        rounds.sync_deferred().await?;
        runtime::yield_if_due().await;
    }
}

struct Rounds {
    shared: Rc<Shared>,
    journal: Rc<Journal>,
    deferred: Option<Deferred>,
}

impl Rounds {
    /// Waits for work, or for the time of a deferred sync.
    async fn wait(&self) {
        let work = self.shared.pending.wait();
        match &self.deferred {
            None if self.shared.is_closing() && self.shared.pending.is_empty() => {}
            None => work.await,
            Some(deferred) => {
                let due = deferred.since.after(DEFERRED_SYNC_AGE_MAX);
                runtime::race(work, runtime::sleep_until(due)).await;
            }
        }
    }

    async fn round(&mut self) -> Result<(), Offline> {
        let chunk = self.collect();
        if chunk.drafts.is_empty() {
            if !self.shared.pending.is_empty() {
                self.next_file().await?;
            }
            return Ok(());
        }
        let began = runtime::now();
        let payload: usize = payload_size(&chunk.drafts);
        let (slot, buffer) = self.build(&chunk.drafts);
        let size = ByteCount::from(buffer.len()).0;
        drop(chunk.drafts);
        let counter = slot.sequence.counter;
        self.shared.counters.count(|counters| {
            counters.rounds += 1;
            counters.journal_written_bytes += size;
            counters.journal_payload_bytes += ByteCount::from(payload).0;
        });
        if may_defer(&chunk.placed) {
            self.write(slot, buffer, Sync::Later).await?;
            self.defer(chunk.placed, size);
            return Ok(());
        }
        if mutants::is_on(Mutant::AcknowledgeBeforeSync) {
            for placed in &chunk.placed {
                placed.core.journal_synced(placed.end, placed.truncations);
            }
        }
        match self.deferred.take() {
            None => self.write(slot, buffer, Sync::Now).await?,
            Some(deferred) => {
                let file = Rc::clone(&slot.file);
                self.write(slot, buffer, Sync::Later).await?;
                self.check(file.file.sync_data().await)?;
                self.tell(deferred.placed);
            }
        }
        self.journal.note_synced(counter);
        self.shared.counters.count_sync(runtime::now().since(began));
        self.tell(chunk.placed);
        self.shared.relieve_pressure();
        Ok(())
    }

    /// Takes what the waiting logs have, as far as it fits a chunk and the current file.
    fn collect(&self) -> Chunk {
        let block = ByteCount(BLOCK_SIZE).as_usize();
        let room = ByteCount(self.journal.room()).as_usize() / block * block;
        let room = room.saturating_sub(CHUNK_HEADER_SIZE);
        let mut budget = Budget {
            size: room.min(CHUNK_SIZE_MAX - CHUNK_HEADER_SIZE),
            first_size: room,
        };
        let ordinal = self.journal.ordinal();
        let mut chunk = Chunk {
            drafts: Vec::new(),
            placed: Vec::new(),
        };
        while let Some(core) = self.shared.pending.take() {
            let is_new =
                core.state.borrow().journal_files.back().map(|file| file.0) != Some(ordinal);
            let (placed, left) = draft::take(&core, ordinal, &mut budget, &mut chunk.drafts);
            if placed.is_some() && is_new {
                self.journal.note_log(&core);
            }
            chunk.placed.extend(placed);
            match left {
                Left::Nothing => core.state.borrow_mut().listed.pending = false,
                Left::More => {
                    self.shared.pending.push_front(core);
                    break;
                }
            }
        }
        chunk
    }

    /// Copies the frames into one aligned buffer.
    fn build(&self, drafts: &[Draft]) -> (Slot, AlignedBuffer) {
        let frames: usize = drafts
            .iter()
            .map(|draft| frame_size(draft_size(draft)))
            .sum();
        let length = CHUNK_HEADER_SIZE + frames;
        let size = block_ceil(ByteCount::from(length).0);
        let slot = self.journal.place(size);
        let header = ChunkHeader {
            sequence: slot.sequence,
            length: u32::try_from(length).expect("a chunk fits its file"),
            frame_count: u32::try_from(drafts.len()).expect("a chunk has room for fewer frames"),
            live_from: slot.live_from,
            durable_through: slot.durable_through,
        };
        let buffer = AlignedBuffer::filled(ByteCount(size).as_usize(), |buffer| {
            header.write(buffer);
            let (_, mut rest) = buffer
                .split_at_mut_checked(CHUNK_HEADER_SIZE)
                .expect("a chunk is a block at least");
            for draft in drafts {
                let payload = draft.payload.iter().map(|bytes| &bytes[..]);
                rest = draft.frame.write(slot.sequence, payload, rest);
            }
            length
        });
        (slot, buffer)
    }

    async fn write(&self, slot: Slot, buffer: AlignedBuffer, sync: Sync) -> Result<(), Offline> {
        let file = &slot.file.file;
        self.check(match sync {
            Sync::Now => file.write_at_synced(buffer, slot.position).await,
            Sync::Later => file.write_at(buffer, slot.position).await,
        })
    }

    fn check(&self, result: io::Result<()>) -> Result<(), Offline> {
        result.map_err(|error| self.shared.fail("journal write or sync", &error))
    }

    fn defer(&mut self, placed: Vec<Placed>, size: u64) {
        for placed in &placed {
            placed.core.journal_written(placed.end, placed.truncations);
        }
        let deferred = self.deferred.get_or_insert_with(|| Deferred {
            since: runtime::now(),
            size: 0,
            placed: Vec::new(),
        });
        deferred.size += size;
        deferred.placed.extend(placed);
    }

    /// Syncs what was deferred, if it is due or nothing else is to be done.
    async fn sync_deferred(&mut self) -> Result<(), Offline> {
        let Some(deferred) = &self.deferred else {
            return Ok(());
        };
        let age = runtime::now().since(deferred.since);
        let is_due = age >= DEFERRED_SYNC_AGE_MAX || deferred.size >= DEFERRED_SYNC_SIZE_MAX;
        if is_due || self.shared.is_closing() {
            self.sync_all().await?;
        }
        Ok(())
    }

    /// Syncs every chunk that was written.
    async fn sync_all(&mut self) -> Result<(), Offline> {
        let Some(deferred) = self.deferred.take() else {
            return Ok(());
        };
        let began = runtime::now();
        let (written, counter) = self.journal.current();
        self.check(written.file.sync_data().await)?;
        self.journal.note_synced(counter);
        self.shared.counters.count_sync(runtime::now().since(began));
        self.tell(deferred.placed);
        self.shared.relieve_pressure();
        Ok(())
    }

    /// Tells the logs, and those who wait for their entries, that a round is synced.
    fn tell(&self, placed: Vec<Placed>) {
        for placed in placed {
            placed.core.journal_synced(placed.end, placed.truncations);
            self.shared.enlist_by_size(&placed.core);
            for done in placed.done {
                if done.send(()).is_err() {
                    tracing::trace!("nobody waits for an entry any more");
                }
            }
        }
    }

    /// Goes on to the next file; waits for one if none is free.
    async fn next_file(&mut self) -> Result<(), Offline> {
        self.sync_all().await?;
        self.want_size();
        let chunk_size = chunk_size_max(self.shared.options.journal_file_size);
        let mut has_stalled = false;
        loop {
            self.shared.check_online()?;
            let changed = self.journal.changed.changed();
            match self.journal.begin_file(&self.shared, chunk_size).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) => return Err(self.shared.fail("journal head", &error)),
            }
            if let Some(slot) = self.journal.place_last() {
                let counter = slot.sequence.counter;
                let buffer = empty_chunk(&slot);
                self.write(slot, buffer, Sync::Now).await?;
                self.journal.note_synced(counter);
                continue;
            }
            if !has_stalled {
                has_stalled = true;
                self.shared
                    .counters
                    .count(|counters| counters.journal_stalls += 1);
                let (size, _, _) = self.journal.sizes();
                self.want_up_to(size * 2);
            }
            runtime::race(changed, self.shared.ended()).await;
        }
    }

    /// Asks for a ring that gives each active log time to gather a piece worth writing.
    fn want_size(&self) {
        let logs = u64::try_from(self.journal.active_logs()).expect("logs are counted in memory");
        self.want_up_to(logs * RING_SIZE_PER_LOG * 2);
    }

    fn want_up_to(&self, size: u64) {
        let size_max = self.shared.options.journal_size_max.0;
        self.journal.want(size.min(size_max));
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sync {
    Now,
    Later,
}

/// Returns whether nobody in a round waits for its sync.
fn may_defer(placed: &[Placed]) -> bool {
    let waits = |placed: &Placed| {
        let durability = placed.core.state.borrow().config.durability;
        durability == Durability::Group || !placed.done.is_empty()
    };
    !placed.iter().any(waits)
}

/// Builds a chunk that says from where on the journal is needed, and nothing else.
fn empty_chunk(slot: &Slot) -> AlignedBuffer {
    let mut buffer = AlignedBuffer::zeroed(ByteCount(BLOCK_SIZE).as_usize());
    let header = ChunkHeader {
        sequence: slot.sequence,
        length: u32::try_from(CHUNK_HEADER_SIZE).expect("a header is small"),
        frame_count: 0,
        live_from: slot.live_from,
        durable_through: slot.durable_through,
    };
    header.write(&mut buffer);
    buffer
}

fn draft_size(draft: &Draft) -> usize {
    draft.payload.iter().map(bytes::Bytes::len).sum()
}

fn payload_size(drafts: &[Draft]) -> usize {
    drafts.iter().map(draft_size).sum()
}

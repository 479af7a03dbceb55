//! What is written behind a segment's batches: its index, its exact length, the log's snapshots.
//!
//! None of it is needed to keep a promise: a full disk skips it, and what a crash tears is rebuilt.

use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use runtime::{AlignedBuffer, File, OpenMode};
use types::size::{block_ceil, block_floor};
use types::{BLOCK_SIZE, ByteCount, Monotonic, Offset};

use crate::error::Offline;
use crate::index::{ENTRY_SIZE, Entry, IndexKey};
use crate::layout::index_name;
use crate::log_core::{LogCore, LogState, Past, Place, WaitingSnapshot};
use crate::shared::Shared;
use crate::snapshot::{self, Snapshot};

/// What is not in the index, or not in a snapshot, a load must read again. Both are written when so
/// much stands behind them ...
const DISTANCE_MAX: u64 = 8 * 1024 * 1024;

/// ... or, when the last time is this long ago, as soon as it is worth it.
const AGE_MIN: Duration = Duration::from_secs(1);

/// Index entries that are worth a write.
const PENDING_ENTRIES_MIN: usize = 32;

/// A block of index entries is always written.
const PENDING_ENTRIES_MAX: usize = 128;

/// The distance, in bytes, that is worth a snapshot of a log with idempotent producers.
const SNAPSHOT_DISTANCE_MIN: u64 = 128 * 1024;

/// Closes the segment being written, because batches of `next_segment` come next.
///
/// The caller holds the log's `io` permit.
pub(super) async fn close_segment(
    shared: &Rc<Shared>,
    core: &Rc<LogCore>,
    next_segment: Offset,
) -> Result<(), Offline> {
    let (segment, length, is_known) = {
        let mut state = core.state.borrow_mut();
        let place = state.written_at;
        let epoch = state.epoch;
        // The last batch before the next segment is the last one written.
        assert_eq!(state.written, next_segment);
        let is_known = state.past == Past::Loaded || place.segment > state.opened.segment;
        if let Some(index) = state.indexes.get_mut(&place.segment) {
            index.close(next_segment, place.position, epoch);
        }
        (place.segment, place.position, is_known)
    };
    let opened = shared.files.open(&shared.layout, &core.id, segment).await;
    let file = opened.map_err(|error| shared.fail("opening a segment", &error))?;
    let closed = async {
        file.file.set_len(length).await?;
        file.allocated.set(length);
        file.file.sync_data().await
    };
    closed
        .await
        .map_err(|error| shared.fail("closing a segment", &error))?;
    if is_known {
        flush_index(shared, core, segment).await?;
    }
    let mut state = core.state.borrow_mut();
    let left = state.indexes.remove(&segment);
    if left.is_some_and(|index| !index.pending.is_empty()) {
        // The file lacks the last entries, and so does what was read of it: it is made anew when it is
        // asked for.
        shared.indexes.remove(core.id.incarnation, segment);
    }
    state.unsynced.remove(&segment);
    state.closed.insert(segment, length);
    state.written_at.segment = next_segment;
    state.written_at.position = 0;
    state.partial = None;
    Ok(())
}

/// Writes index entries and a snapshot if enough has gathered.
///
/// The caller holds the log's `io` permit.
pub(super) async fn flush_due(shared: &Rc<Shared>, core: &Rc<LogCore>) -> Result<(), Offline> {
    let due = {
        let state = core.state.borrow();
        let segment = state.written_at.segment;
        (is_flush_due(&state) && is_known(&state, segment)).then_some(segment)
    };
    if let Some(segment) = due {
        flush_index(shared, core, segment).await?;
    }
    write_waiting_snapshot(shared, core).await?;
    take_snapshot(shared, core);
    // If all is durable by now, nothing of the log has to be written out for this one any more.
    write_waiting_snapshot(shared, core).await
}

/// Returns whether the log's past is to be loaded before its index entries can be written.
pub(crate) fn is_waiting_for_past(core: &LogCore) -> bool {
    let state = core.state.borrow();
    is_flush_due(&state) && !is_known(&state, state.written_at.segment)
}

/// Returns whether enough entries of the segment being written have gathered.
fn is_flush_due(state: &LogState) -> bool {
    let Place { segment, position } = state.written_at;
    let Some(index) = state.indexes.get(&segment) else {
        return false;
    };
    let oldest = index
        .pending
        .first()
        .map_or(position, |entry| entry.position);
    index.pending.len() >= PENDING_ENTRIES_MAX
        || position.saturating_sub(oldest) >= DISTANCE_MAX
        || (index.pending.len() >= PENDING_ENTRIES_MIN && is_long_ago(index.flushed_at))
}

fn is_long_ago(last: Monotonic) -> bool {
    runtime::now().since(last) >= AGE_MIN
}

/// Returns whether it is known what the segment's index file holds.
fn is_known(state: &LogState, segment: Offset) -> bool {
    state.past == Past::Loaded || segment > state.opened.segment
}

/// Writes the entries of batches that are in the segment to its index file.
///
/// The caller holds the log's `io` permit.
///
/// *Errors*: why the log is offline; a full disk is no error.
pub(crate) async fn flush_index(
    shared: &Shared,
    core: &LogCore,
    segment: Offset,
) -> Result<(), Offline> {
    let (key, flushed, entries) = {
        let state = core.state.borrow();
        let Some(index) = state.indexes.get(&segment) else {
            return Ok(());
        };
        let written = if segment == state.written_at.segment {
            state.written_at.position
        } else {
            u64::MAX
        };
        let is_in_file = |entry: &&Entry| index.is_closed() || entry.position < written;
        let entries: Vec<Entry> = index
            .pending
            .iter()
            .take_while(is_in_file)
            .copied()
            .collect();
        let key = IndexKey {
            segment,
            truncations: state.truncations,
        };
        (key, index.flushed, entries)
    };
    if entries.is_empty() {
        return Ok(());
    }
    let path = shared.layout.log(&core.id).join(index_name(segment));
    match write_index(&path, key, flushed, &entries).await {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::StorageFull => return Ok(()),
        Err(error) => return Err(shared.fail("index write", &error)),
    }
    let mut state = core.state.borrow_mut();
    let is_current = state.truncations == key.truncations;
    if let Some(index) = state.indexes.get_mut(&segment).filter(|_| is_current) {
        index.pending.drain(..entries.len());
        index.flushed = flushed + ByteCount::from(entries.len()).0;
        index.flushed_at = runtime::now();
        shared
            .indexes
            .extend(core.id.incarnation, segment, &entries);
    }
    Ok(())
}

/// Writes entries behind the first `flushed` ones of an index file; with none flushed, a new file.
pub(crate) async fn write_index(
    path: &Path,
    key: IndexKey,
    flushed: u64,
    entries: &[Entry],
) -> io::Result<()> {
    let file = File::open(path, OpenMode::Create).await?;
    let entry_size = ByteCount::from(ENTRY_SIZE).0;
    let start = if flushed == 0 {
        0
    } else {
        (flushed + 1) * entry_size
    };
    let floor = block_floor(start);
    let mut bytes = Vec::with_capacity((entries.len() + 1) * ENTRY_SIZE);
    if flushed == 0 {
        file.set_len(0).await?;
        bytes.extend_from_slice(&key.header());
    } else {
        let block = file
            .read_at(floor, ByteCount(BLOCK_SIZE).as_usize())
            .await?;
        let kept = block.get(..ByteCount(start - floor).as_usize());
        bytes.extend_from_slice(kept.ok_or(io::ErrorKind::UnexpectedEof)?);
    }
    for entry in entries {
        bytes.extend_from_slice(&key.entry(entry));
    }
    write_padded(&file, floor, &bytes).await?;
    file.close().await
}

/// Writes bytes at a block's start, zeros behind them up to the next.
async fn write_padded(file: &File, position: u64, bytes: &[u8]) -> io::Result<()> {
    let size = ByteCount(block_ceil(ByteCount::of(bytes).0)).as_usize();
    let mut buffer = AlignedBuffer::zeroed(size);
    let (place, _) = buffer
        .split_at_mut_checked(bytes.len())
        .expect("the buffer was made for these bytes");
    place.copy_from_slice(bytes);
    file.write_at(buffer, position).await
}

/// Takes a snapshot of the log's end if one is due and the last one was written.
///
/// It is put off while others that wait hold too many producers; those logs have more to be written
/// out, and their snapshots with it.
fn take_snapshot(shared: &Shared, core: &LogCore) {
    let state = &mut *core.state.borrow_mut();
    let active = state.active.place;
    let snapshots = &state.snapshots;
    let is_behind = snapshots.distance >= DISTANCE_MAX
        || (snapshots.distance >= SNAPSHOT_DISTANCE_MIN && is_long_ago(snapshots.taken_at));
    let is_due = snapshots.segment != active.segment || (state.has_producers && is_behind);
    if state.past != Past::Loaded || !is_due || snapshots.waiting.is_some() {
        return;
    }
    let count = ByteCount::from(state.producers.count()).0;
    if let Some(room) = shared.snapshot_room.try_acquire(count) {
        let snapshot = snapshot_of(state);
        state.snapshots.waiting = Some(WaitingSnapshot { snapshot, room });
    }
}

fn snapshot_of(state: &mut LogState) -> Snapshot {
    let active = state.active.place;
    state.snapshots.sequence += 1;
    state.snapshots.segment = active.segment;
    state.snapshots.distance = 0;
    state.snapshots.taken_at = runtime::now();
    Snapshot {
        sequence: state.snapshots.sequence,
        truncations: state.truncations,
        segment: active.segment,
        position: active.position,
        next: state.end,
        epochs: state.epochs.clone(),
        producers: state.producers.clone(),
    }
}

/// Writes the snapshot that was taken, once all it describes is durable.
async fn write_waiting_snapshot(shared: &Shared, core: &LogCore) -> Result<(), Offline> {
    let waiting = {
        let mut state = core.state.borrow_mut();
        let durable = state.durable;
        let is_due = |waiting: &mut WaitingSnapshot| waiting.snapshot.next <= durable;
        state.snapshots.waiting.take_if(is_due)
    };
    let Some(WaitingSnapshot { snapshot, room }) = waiting else {
        return Ok(());
    };
    write_snapshot(shared, core, &snapshot).await?;
    drop(room);
    Ok(())
}

/// Writes a snapshot of the end of a log that takes no appends any more.
///
/// The caller holds the log's `io` permit.
///
/// *Errors*: why the log is offline; a full disk is no error.
pub(crate) async fn close_snapshot(shared: &Shared, core: &LogCore) -> Result<(), Offline> {
    let snapshot = {
        let state = &mut *core.state.borrow_mut();
        let is_new = state.snapshots.distance > 0;
        let has_files = state.written_at.position > 0 || !state.closed.is_empty();
        if state.past != Past::Loaded || !is_new || !has_files {
            return Ok(());
        }
        assert_eq!(state.durable, state.end);
        state.snapshots.waiting = None;
        snapshot_of(state)
    };
    write_snapshot(shared, core, &snapshot).await
}

async fn write_snapshot(
    shared: &Shared,
    core: &LogCore,
    snapshot: &Snapshot,
) -> Result<(), Offline> {
    let name = snapshot::file_name(snapshot.sequence);
    let path = shared.layout.log(&core.id).join(name);
    let written = async {
        let file = File::open(&path, OpenMode::Create).await?;
        write_padded(&file, 0, &snapshot.to_bytes()).await?;
        file.close().await
    };
    match written.await {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(()),
        Err(error) => Err(shared.fail("snapshot write", &error)),
    }
}

#[cfg(test)]
mod tests {
    use record::Producer;
    use types::{
        Incarnation, PartitionIndex, ProducerEpoch, ProducerId, Sequence, ShardId, TimestampMs,
        TopicId, TopicPartition,
    };

    use super::*;
    use crate::config::{LogConfig, StoreOptions};
    use crate::layout::Layout;
    use crate::log_end::LogEnd;
    use crate::log_id::LogId;
    use crate::producers::ProducerBatch;

    fn shared(dir: &Path, producers_max: usize) -> Rc<Shared> {
        let options = StoreOptions {
            producers_max,
            ..StoreOptions::default()
        };
        let layout = Layout::new(dir.to_path_buf(), 0);
        Rc::new(Shared::new(
            layout,
            ShardId(0),
            options,
            runtime::LongWork::new(),
        ))
    }

    /// A log with a directory, three producers, and a snapshot due; not durable yet.
    async fn log(shared: &Shared, incarnation: u64) -> Rc<LogCore> {
        let partition = TopicPartition {
            topic: TopicId([7; 16]),
            partition: PartitionIndex::new(0).unwrap(),
        };
        let id = LogId {
            partition,
            incarnation: Incarnation(incarnation),
        };
        let directory = shared.layout.log(&id);
        runtime::create_dir_all(&directory).await.unwrap();
        let core = LogCore::new(id, LogConfig::default(), LogEnd::empty(id.incarnation));
        note_producers(&mut core.state.borrow_mut());
        Rc::new(core)
    }

    fn note_producers(state: &mut LogState) {
        for number in 0..3 {
            let producer = Producer {
                id: ProducerId(number),
                epoch: ProducerEpoch(0),
                base_sequence: Sequence::ZERO,
            };
            let batch = ProducerBatch {
                first_sequence: Sequence::ZERO,
                last_sequence: Sequence::ZERO,
                first: state.end,
                next: state.end.advance(1),
                timestamp: TimestampMs(0),
            };
            state.producers.note(&producer, batch, TimestampMs(0));
            state.end = batch.next;
        }
        state.has_producers = true;
        state.snapshots.distance = DISTANCE_MAX;
    }

    fn sync(core: &LogCore) {
        let state = &mut *core.state.borrow_mut();
        for mark in [
            &mut state.placed,
            &mut state.acknowledged,
            &mut state.durable,
        ] {
            *mark = state.end;
        }
    }

    async fn has_snapshot(shared: &Shared, core: &LogCore) -> bool {
        let path = shared.layout.log(&core.id).join(snapshot::file_name(1));
        runtime::exists(&path).await.unwrap()
    }

    runtime::both_arms!(
        snapshots_that_wait_hold_no_more_producers_than_the_logs_may,
        |dir| async move {
            let shared = shared(&dir, 7);
            let mut logs = Vec::new();
            for number in 1..=3 {
                logs.push(log(&shared, number).await);
            }
            let [first, second, third] = &logs[..] else {
                unreachable!("three were made");
            };
            for core in &logs {
                flush_due(&shared, core).await.unwrap();
            }
            let waits = |core: &LogCore| core.state.borrow().snapshots.waiting.is_some();
            assert_eq!(
                [first, second, third].map(|core| waits(core)),
                [true, true, false]
            );
            // One that is written makes room, and so does one that never will be.
            sync(first);
            flush_due(&shared, first).await.unwrap();
            assert!(has_snapshot(&shared, first).await);
            flush_due(&shared, third).await.unwrap();
            assert!(waits(third));
            assert_eq!(shared.snapshot_room.available(), 1);
            second.take_offline(Offline::Removed);
            assert_eq!(shared.snapshot_room.available(), 4);
        }
    );

    runtime::both_arms!(
        a_snapshot_of_what_is_durable_does_not_wait,
        |dir| async move {
            let shared = shared(&dir, 7);
            let core = log(&shared, 1).await;
            sync(&core);
            flush_due(&shared, &core).await.unwrap();
            assert!(has_snapshot(&shared, &core).await);
            assert_eq!(shared.snapshot_room.available(), 7);
        }
    );
}

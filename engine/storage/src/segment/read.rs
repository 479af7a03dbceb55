//! Reading a log's segments: finding a place by the index, and answering with ranges.
//!
//! What this run wrote, or has read and checked, is sent by file. Anything else is read past the
//! page cache first, checked batch by batch, and sent from memory: damage is never served, and a
//! cold reader does not push others out of the page cache.

use std::io;
use std::rc::Rc;

use record::Batches;
use runtime::Chunk;
use types::{ByteCount, LeaderEpoch, Offset, TimestampMs};

use super::scan::{ScanError, Scanner};
use crate::error::ReadError;
use crate::files::SegmentFile;
use crate::index::{ENTRY_SIZE, Entries, Entry, IndexKey, IndexTail};
use crate::layout::index_name;
use crate::log_core::{LogCore, LogState, Place};
use crate::shared::Shared;

/// How much that is not yet checked is read at a time.
const CHECKED_READ_SIZE_MAX: u64 = 1024 * 1024;

/// How much a short walk reads at a time.
pub(crate) const WALK_PIECE_SIZE: u64 = 16 * 1024;

/// The largest index file that is read: an entry per 4 KiB of a segment of 4 GiB.
const INDEX_SIZE_MAX: u64 = 64 * 1024 * 1024;

/// A segment with its index and where it ends on disk.
#[derive(Debug)]
pub(crate) struct IndexedSegment {
    pub(crate) segment: Offset,
    /// The offset behind its last batch on disk, and where that is.
    pub(crate) end: (Offset, u64),
    in_file: Entries,
    pending: Vec<Entry>,
}

impl IndexedSegment {
    /// Returns the last entry at or below an offset, else the segment's start.
    pub(crate) fn floor(&self, offset: Offset) -> Entry {
        self.last_until(|entry| entry.offset <= offset)
    }

    /// Returns the last entry before which every timestamp is below `timestamp`.
    pub(crate) fn floor_by_time(&self, timestamp: TimestampMs) -> Entry {
        self.last_until(|entry| entry.max_timestamp < timestamp)
    }

    /// Returns the last entry in `(position, position_max]`: a place between batches.
    fn last_between(&self, position: u64, position_max: u64) -> Option<Entry> {
        let entry = self.last_until(|entry| entry.position <= position_max);
        (entry.position > position).then_some(entry)
    }

    /// Returns the last entry of those, from the first on, that satisfy a condition.
    fn last_until(&self, condition: impl Fn(&Entry) -> bool) -> Entry {
        let parts = [&self.pending[..], &self.in_file[..]];
        let last = parts.iter().find_map(|entries| {
            let count = entries.partition_point(&condition);
            entries.get(count.checked_sub(1)?)
        });
        last.copied().unwrap_or(Entry {
            offset: self.segment,
            position: 0,
            max_timestamp: TimestampMs::NONE,
            epoch: LeaderEpoch::ZERO,
        })
    }

    /// Returns the entries below a position.
    pub(crate) fn entries_below(&self, position: u64) -> Vec<Entry> {
        let entries = self.in_file.iter().chain(&self.pending);
        entries
            .filter(|entry| entry.position < position)
            .copied()
            .collect()
    }

    /// Returns the largest timestamp, if the segment is closed and its index whole.
    pub(crate) fn max_timestamp(&self) -> Option<TimestampMs> {
        let last = self.in_file.last()?;
        (last.position == self.end.1).then_some(last.max_timestamp)
    }
}

/// Returns a segment's index; read from its file, or rebuilt when that does not hold.
pub(crate) async fn index_of(
    shared: &Shared,
    core: &LogCore,
    segment: Offset,
) -> Result<IndexedSegment, ReadError> {
    let (key, end, pending, flushed, is_closed) = {
        let state = core.state.borrow();
        let key = IndexKey {
            segment,
            truncations: state.truncations,
        };
        let tail = state.indexes.get(&segment);
        let pending = tail.map_or_else(Vec::new, |tail| tail.pending.clone());
        let flushed = tail.map_or(0, |tail| tail.flushed);
        let is_closed = state.closed.contains_key(&segment);
        (
            key,
            end_on_disk(&state, segment),
            pending,
            flushed,
            is_closed,
        )
    };
    let incarnation = core.id.incarnation;
    let cached = shared.indexes.find(incarnation, segment);
    let in_file = match cached {
        Some(entries) => entries,
        None if !is_closed && flushed == 0 => Entries::default(),
        None => {
            let entries = read_or_rebuild(shared, core, key, end, is_closed).await?;
            // Of a segment that was closed meanwhile they may not be all.
            if core.state.borrow().closed.contains_key(&segment) == is_closed {
                shared.indexes.insert(incarnation, segment, entries.clone());
            }
            Rc::new(entries)
        }
    };
    Ok(IndexedSegment {
        segment,
        end,
        in_file,
        pending,
    })
}

/// Returns the offset and position where a segment ends on disk.
fn end_on_disk(state: &LogState, segment: Offset) -> (Offset, u64) {
    match state.closed.get(&segment) {
        Some(&length) => {
            let behind = (
                std::ops::Bound::Excluded(segment),
                std::ops::Bound::Unbounded,
            );
            let next = state.closed.range(behind).next().map(|(&next, _)| next);
            (next.unwrap_or(state.written_at.segment), length)
        }
        None => (state.written, state.written_at.position),
    }
}

async fn read_or_rebuild(
    shared: &Shared,
    core: &LogCore,
    key: IndexKey,
    end: (Offset, u64),
    is_closed: bool,
) -> Result<Vec<Entry>, ReadError> {
    let path = shared.layout.log(&core.id).join(index_name(key.segment));
    let read = runtime::read_file(&path, ByteCount(INDEX_SIZE_MAX)).await;
    let mut entries = match read {
        Ok(bytes) => key.read(&bytes).unwrap_or_default(),
        Err(error) if is_unusable(&error) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    if !is_closed {
        // The tail in memory has what is behind.
        let flushed = core
            .state
            .borrow()
            .indexes
            .get(&key.segment)
            .map_or(0, |tail| tail.flushed);
        entries.truncate(ByteCount(flushed).as_usize());
        return Ok(entries);
    }
    if entries
        .last()
        .is_some_and(|last| (last.offset, last.position) == end)
    {
        return Ok(entries);
    }
    tracing::info!(log = %core.id, segment = %key.segment, "rebuilding an index");
    let file = shared
        .files
        .open(&shared.layout, &core.id, key.segment)
        .await?;
    let entries = rebuild(&file, core, key, end).await?;
    match super::flush::write_index(&path, key, 0, &entries).await {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::StorageFull => {}
        Err(error) => {
            // The directory of a log that was removed meanwhile is gone.
            core.check_online()?;
            return Err(shared.fail("index write", &error).into());
        }
    }
    Ok(entries)
}

fn is_unusable(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::InvalidData
    )
}

/// Makes the index of a closed segment from its batches, up to damage that cannot be passed.
async fn rebuild(
    file: &SegmentFile,
    core: &LogCore,
    key: IndexKey,
    end: (Offset, u64),
) -> Result<Vec<Entry>, ReadError> {
    let interval = core.state.borrow().config.index_interval.0;
    let mut tail = IndexTail::default();
    let mut scanner = Scanner::new(&file.file, 0, end.1, key.segment, LeaderEpoch::ZERO);
    let mut epoch = LeaderEpoch::ZERO;
    loop {
        match scanner.next().await {
            Ok(Some(found)) => {
                epoch = found.epoch;
                tail.note(&found.indexed(), interval);
            }
            Ok(None) => break,
            Err(ScanError::Io(error)) => return Err(error.into()),
            Err(ScanError::Damaged { position }) => {
                let segment = key.segment;
                tracing::error!(log = %core.id, %segment, position, "segment is damaged");
                match scanner.pass_damage().await {
                    Ok(Some(_)) => {}
                    Ok(None) => return Ok(tail.pending),
                    Err(error) => return Err(error.in_segment(segment)),
                }
            }
        }
    }
    if scanner.next_offset() == end.0 {
        tail.close(end.0, end.1, epoch);
    }
    Ok(tail.pending)
}

/// Whether the first batch of a read may be larger than the read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstBatch {
    /// It is returned whole, however large: a consumer must get on.
    Whole,
    /// It is returned only if it is within the limit.
    WithinLimit,
}

/// How far a read goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RangeLimits {
    pub(crate) size_max: u64,
    pub(crate) until: Offset,
    /// What is done with a first batch that is larger; `None` if the read holds batches already.
    pub(crate) first_batch: Option<FirstBatch>,
}

/// Reads batches from the one that holds `from` on, all from one segment file.
///
/// `None` if the first batch is larger than allowed. The offset is the one behind the last batch.
///
/// *Errors*: [`ReadError::Corrupt`] if the first batch is damaged: a range ends before damage.
pub(crate) async fn read_range(
    shared: &Shared,
    core: &LogCore,
    from: Offset,
    limits: RangeLimits,
) -> Result<Option<(Chunk, Offset)>, ReadError> {
    let segment = segment_of(&core.state.borrow(), from);
    let index = index_of(shared, core, segment).await?;
    let file = shared.files.open(&shared.layout, &core.id, segment).await?;
    let known = core.state.borrow().cursor(from);
    let start = match known.filter(|place| place.segment == segment) {
        Some(place) => (from, place.position),
        None => find(&file, &index, from).await?,
    };
    let stop = if limits.until >= index.end.0 {
        index.end
    } else {
        find(&file, &index, limits.until).await?
    };
    if stop.1 <= start.1 {
        return Ok(None);
    }
    let verified = {
        let state = core.state.borrow();
        let ranges = state.verified.get(&segment);
        ranges.map_or(start.1, |ranges| ranges.end_from(start.1))
    };
    let bounded = if verified >= stop.1.min(start.1.saturating_add(limits.size_max)) {
        limits
    } else {
        RangeLimits {
            size_max: limits.size_max.min(CHECKED_READ_SIZE_MAX),
            ..limits
        }
    };
    let Some(end) = choose_end(&file, &index, start, stop, bounded).await? else {
        return Ok(None);
    };
    let length = end.1 - start.1;
    let (chunk, end) = if end.1 <= verified {
        let chunk = Chunk::File {
            reader: file.file.reader(),
            position: start.1,
            length,
        };
        (chunk, end)
    } else {
        read_checked(core, &file, &index, start, length).await?
    };
    let place = Place {
        segment,
        position: end.1,
    };
    core.state.borrow_mut().note_cursor(end.0, place);
    Ok(Some((chunk, end.0)))
}

/// Returns the place and first offset of the batch that holds an offset below `written`.
pub(crate) async fn place_of(
    shared: &Shared,
    core: &LogCore,
    offset: Offset,
) -> Result<(Place, Offset), ReadError> {
    let segment = segment_of(&core.state.borrow(), offset);
    let index = index_of(shared, core, segment).await?;
    let file = shared.files.open(&shared.layout, &core.id, segment).await?;
    let (first, position) = find(&file, &index, offset).await?;
    Ok((Place { segment, position }, first))
}

/// Returns the segment on disk that holds an offset below `written`.
pub(crate) fn segment_of(state: &LogState, offset: Offset) -> Offset {
    if offset >= state.written_at.segment {
        return state.written_at.segment;
    }
    let holding = state.closed.range(..=offset).next_back();
    holding.map_or(state.first_segment, |(&segment, _)| segment)
}

/// Walks from the index to the batch that holds an offset; returns its first offset and position.
/// What the index knows is not read.
///
/// Damaged batches on the way are passed if it can be told where they end.
async fn find(
    file: &SegmentFile,
    index: &IndexedSegment,
    offset: Offset,
) -> Result<(Offset, u64), ReadError> {
    let entry = index.floor(offset);
    if entry.offset == offset {
        return Ok((offset, entry.position));
    }
    let (at, end) = (entry.position, index.end.1);
    let scanner = Scanner::new(&file.file, at, end, entry.offset, entry.epoch);
    let mut scanner = scanner.with_piece_size(WALK_PIECE_SIZE);
    loop {
        let place = (scanner.next_offset(), scanner.position());
        match scanner.next().await {
            Ok(Some(found)) if found.next <= offset => {}
            Ok(_) => return Ok(place),
            Err(damage @ ScanError::Damaged { .. }) => {
                let passed = scanner.pass_damage().await;
                let passed = passed.map_err(|error| corrupt(index, error))?;
                if passed.is_none() || scanner.next_offset() > offset {
                    return Err(corrupt(index, damage));
                }
            }
            Err(error) => return Err(corrupt(index, error)),
        }
    }
}

fn corrupt(index: &IndexedSegment, error: ScanError) -> ReadError {
    error.in_segment(index.segment)
}

/// Chooses where a range ends: between batches, within the limits if it can be.
async fn choose_end(
    file: &SegmentFile,
    index: &IndexedSegment,
    start: (Offset, u64),
    stop: (Offset, u64),
    limits: RangeLimits,
) -> Result<Option<(Offset, u64)>, ReadError> {
    let position_max = start.1.saturating_add(limits.size_max);
    if stop.1 <= position_max {
        return Ok(Some(stop));
    }
    if let Some(entry) = index.last_between(start.1, position_max) {
        return Ok(Some((entry.offset, entry.position)));
    }
    // No entry in between: the batches are larger than the interval, or the limit is small. A read
    // that holds something does without them: the disk would be asked for headers alone.
    let Some(first_batch) = limits.first_batch else {
        return Ok(None);
    };
    let epoch = index.floor(start.0).epoch;
    let scanner = Scanner::new(&file.file, start.1, stop.1, start.0, epoch);
    let mut scanner = scanner.with_piece_size(WALK_PIECE_SIZE);
    let mut end = None;
    loop {
        let found = match scanner.next().await {
            Ok(Some(found)) => found,
            Ok(None) => break,
            // What is before the damage is answered.
            Err(ScanError::Damaged { .. }) if end.is_some() => break,
            Err(error) => return Err(corrupt(index, error)),
        };
        let fits = scanner.position() <= position_max;
        if fits || (first_batch == FirstBatch::Whole && end.is_none()) {
            end = Some((found.next, scanner.position()));
        }
        if !fits {
            break;
        }
    }
    Ok(end)
}

/// Reads a range past the page cache and checks every batch; ends before the first damage.
async fn read_checked(
    core: &LogCore,
    file: &SegmentFile,
    index: &IndexedSegment,
    start: (Offset, u64),
    length: u64,
) -> Result<(Chunk, (Offset, u64)), ReadError> {
    let mut bytes = file
        .file
        .read_at(start.1, ByteCount(length).as_usize())
        .await?
        .into_bytes();
    let mut epoch = index.floor(start.0).epoch;
    let mut next = start.0;
    let mut size = 0;
    let mut batches = Batches::new(&bytes);
    while let Some(Ok(batch)) = batches.next() {
        let Ok(checked) = record::check_stored(batch) else {
            break;
        };
        let follows = checked.base_offset() == next
            && checked
                .header()
                .leader_epoch()
                .is_some_and(|of_batch| of_batch >= epoch);
        if !follows {
            break;
        }
        epoch = checked.header().leader_epoch().unwrap_or(epoch);
        next = checked.end_offset();
        size = batches.position();
    }
    if size == 0 {
        return Err(ReadError::Corrupt {
            segment: index.segment,
            position: start.1,
        });
    }
    bytes.truncate(size);
    let size = ByteCount::from(size).0;
    let place = Place {
        segment: index.segment,
        position: start.1,
    };
    core.state.borrow_mut().note_verified(place, size);
    Ok((Chunk::Memory(bytes), (next, start.1 + size)))
}

const _: () = assert!(INDEX_SIZE_MAX >= (4 << 30) / 4096 * (ENTRY_SIZE as u64));

//! Writing a log's tail into its segments: lazily, in large aligned pieces, one at a time.

use std::io;
use std::ops::Bound;
use std::rc::Rc;

use bytes::Bytes;
use runtime::AlignedBuffer;
use types::size::{block_ceil, block_floor};
use types::{BLOCK_SIZE, ByteCount, Offset};

use super::flush;
use crate::error::Offline;
use crate::files::SegmentFile;
use crate::log_core::{LogCore, Place};
use crate::shared::Shared;

/// How much is written at a time.
const PIECE_SIZE_MAX: u64 = 1024 * 1024;

/// The first reservation of a segment; each further one doubles it, up to the largest step.
const ALLOCATION_MIN: u64 = 16 * 1024;
const ALLOCATION_STEP_MAX: u64 = 8 * 1024 * 1024;

/// Batches that stand one behind the other in one segment.
struct Piece {
    place: Place,
    batches: Vec<Bytes>,
    size: u64,
    next: Offset,
}

/// Writes a log's batches below `until` that are durable into its segments.
///
/// *Errors*: why the log is offline. A full disk is waited for: what was accepted stands in the
/// journal meanwhile.
pub(crate) async fn write_out(
    shared: &Rc<Shared>,
    core: &Rc<LogCore>,
    until: Offset,
) -> Result<(), Offline> {
    // One write in flight per log, over all paths.
    let permit = core.io.acquire(1).await;
    loop {
        core.check_online()?;
        let Some(piece) = take_piece(core, until) else {
            break;
        };
        let written_in = core.state.borrow().written_at.segment;
        if piece.place.segment != written_in {
            flush::close_segment(shared, core, piece.place.segment).await?;
        }
        write_piece(shared, core, piece).await?;
    }
    if let Some(next_segment) = segment_behind(core) {
        flush::close_segment(shared, core, next_segment).await?;
    }
    flush::flush_due(shared, core).await?;
    drop(permit);
    shared.relist_oldest(core);
    Ok(())
}

fn take_piece(core: &LogCore, until: Offset) -> Option<Piece> {
    let state = core.state.borrow();
    let until = until.min(state.durable);
    let mut batches = state.tail.from(state.written);
    let first = batches.next().filter(|batch| batch.next <= until)?;
    let mut piece = Piece {
        place: Place {
            segment: first.segment,
            position: first.position,
        },
        batches: vec![first.bytes.clone()],
        size: first.size(),
        next: first.next,
    };
    for batch in batches {
        let size = piece.size + batch.size();
        if batch.segment != first.segment || batch.next > until || size > PIECE_SIZE_MAX {
            break;
        }
        piece.batches.push(batch.bytes.clone());
        piece.size = size;
        piece.next = batch.next;
    }
    Some(piece)
}

/// Returns the segment behind the one being written, if that one has all its batches.
fn segment_behind(core: &LogCore) -> Option<Offset> {
    let state = core.state.borrow();
    let behind = (Bound::Excluded(state.written_at.segment), Bound::Unbounded);
    let (&next, _) = state.indexes.range(behind).next()?;
    (state.written == next && state.written_at.position > 0).then_some(next)
}

async fn write_piece(shared: &Rc<Shared>, core: &Rc<LogCore>, piece: Piece) -> Result<(), Offline> {
    let Place { segment, position } = piece.place;
    assert_eq!(core.state.borrow().written_at, piece.place);
    let opened = if position == 0 {
        shared.files.create(&shared.layout, &core.id, segment).await
    } else {
        shared.files.open(&shared.layout, &core.id, segment).await
    };
    let file = opened.map_err(|error| shared.fail("opening a segment", &error))?;
    let end = position + piece.size;
    allocate(shared, core, &file, end).await?;
    let partial = take_partial(core, &file, position)
        .await
        .map_err(|error| shared.fail("reading a segment's last block", &error))?;
    let floor = block_floor(position);
    let size = block_ceil(end) - floor;
    let used = ByteCount(end - floor).as_usize();
    let buffer = AlignedBuffer::filled(ByteCount(size).as_usize(), |buffer| {
        let mut target = buffer;
        let batches = piece.batches.iter().map(|bytes| &bytes[..]);
        for bytes in std::iter::once(&partial[..]).chain(batches) {
            let (place, rest) = target
                .split_at_mut_checked(bytes.len())
                .expect("the buffer was made for all of them");
            place.copy_from_slice(bytes);
            target = rest;
        }
        used
    });
    let last_block = ByteCount(block_floor(end) - floor).as_usize();
    let rest = buffer.get(last_block..used).map(<[u8]>::to_vec);
    file.file
        .write_at(buffer, floor)
        .await
        .map_err(|error| shared.fail("segment write", &error))?;
    shared
        .counters
        .count(|counters| counters.segment_written_bytes += size);
    let released = {
        let mut state = core.state.borrow_mut();
        state.written = piece.next;
        state.written_at.position = end;
        state.partial = rest;
        state.unsynced.insert(segment);
        state.note_verified(piece.place, piece.size);
        state.check();
        state.tail.release_below(piece.next)
    };
    shared.release_tail(released);
    Ok(())
}

/// Returns what stands in the block of `position` before it.
async fn take_partial(core: &LogCore, file: &SegmentFile, position: u64) -> io::Result<Vec<u8>> {
    let floor = block_floor(position);
    let size = ByteCount(position - floor).as_usize();
    if size == 0 {
        return Ok(Vec::new());
    }
    let known = core.state.borrow_mut().partial.take();
    if let Some(known) = known {
        assert_eq!(known.len(), size);
        return Ok(known);
    }
    let block = file
        .file
        .read_at(floor, ByteCount(BLOCK_SIZE).as_usize())
        .await?;
    let partial = block.get(..size).ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(partial.to_vec())
}

/// Reserves space up to `end`; waits while the disk is full.
async fn allocate(
    shared: &Rc<Shared>,
    core: &LogCore,
    file: &SegmentFile,
    end: u64,
) -> Result<(), Offline> {
    while file.allocated.get() < end {
        core.check_online()?;
        let from = block_ceil(file.allocated.get());
        let largest = block_ceil(core.state.borrow().config.segment_size_max.0);
        let step = from.clamp(ALLOCATION_MIN, ALLOCATION_STEP_MAX);
        let to = (from + step).min(largest).max(block_ceil(end));
        match file.file.allocate(from, to - from).await {
            Ok(()) => file.allocated.set(to),
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                let reported = shared.space.report_full().await;
                reported.map_err(|error| shared.fail("giving the reserve back", &error))?;
                // The smallest step, once the reserve is given back, before a wait.
                let needed = block_ceil(end);
                match file.file.allocate(from, needed - from).await {
                    Ok(()) => file.allocated.set(needed),
                    Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                        if shared.is_closing() {
                            return Err(shared.fail("writing out before the close", &error));
                        }
                        shared.space.wait_before_retry().await;
                    }
                    Err(error) => return Err(shared.fail("segment allocation", &error)),
                }
            }
            Err(error) => return Err(shared.fail("segment allocation", &error)),
        }
    }
    Ok(())
}

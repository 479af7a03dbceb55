//! Reading a journal: which files, which chunks, in which order.

use std::io;

use bytes::Bytes;
use runtime::{File, OpenMode};
use types::size::block_ceil;
use types::{BLOCK_SIZE, ByteCount, ShardId};

use super::window::Window;
use crate::error::Error;
use crate::journal::{
    ChunkHeader, FoundFile, Frame, Head, JOURNAL_VERSION, NoHead, Sequence, announced_size,
    head_size, read_frames,
};
use crate::layout::{Layout, journal_index};
use crate::log_end::LogEnd;
use crate::mutants::{self, Mutant};

/// A frame and its payload.
#[derive(Clone, Debug)]
pub(crate) struct ReadFrame {
    pub(crate) frame: Frame,
    pub(crate) payload: Bytes,
}

/// What a journal says.
#[derive(Debug)]
pub(crate) struct Chain {
    /// The newest head.
    pub(crate) head: Head,
    /// Where the logs ended before the first of `older`.
    pub(crate) oldest_ends: Vec<LogEnd>,
    /// The frames behind the newest head, in order.
    pub(crate) newest: Vec<ReadFrame>,
    /// The frames before it that may not be in the segments, in order.
    pub(crate) older: Vec<ReadFrame>,
}

/// The chunks of one file.
struct FileChunks {
    frames: Vec<ReadFrame>,
    /// The last that continues the head.
    last: Sequence,
    /// The largest one announced.
    live_from: u64,
    /// Where the next one would be.
    end: u64,
}

/// Opens the files of a shard's journal, with their heads.
///
/// *Errors*: [`Error::Io`], [`Error::NewerFormat`].
pub(crate) async fn find_files(layout: &Layout, shard: ShardId) -> Result<Vec<FoundFile>, Error> {
    let directory = layout.journal(shard);
    let listed = match runtime::list_dir(&directory).await {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("listing", directory)(error)),
    };
    let mut files = Vec::new();
    for entry in listed {
        let Some(index) = journal_index(&entry.name) else {
            continue;
        };
        let path = directory.join(&entry.name);
        let opened = async {
            let file = File::open(&path, OpenMode::Existing).await?;
            let size = file.size().await?;
            let head = read_head(&file, size).await?;
            Ok((file, size, head))
        };
        let (file, size, head) = opened.await.map_err(Error::io("opening", &path))?;
        let head = match head {
            Ok(head) => Some(head),
            Err(NoHead::Invalid) => None,
            Err(NoHead::NewerFormat { found }) => {
                return Err(Error::NewerFormat {
                    path,
                    found,
                    supported: JOURNAL_VERSION,
                });
            }
        };
        files.push(FoundFile {
            index,
            path,
            file,
            size,
            head,
        });
    }
    Ok(files)
}

async fn read_head(file: &File, size: u64) -> io::Result<Result<Head, NoHead>> {
    let block = file.read_at(0, ByteCount(BLOCK_SIZE).as_usize()).await?;
    let announced = announced_size(&block).filter(|&announced| announced <= size);
    let Some(announced) = announced else {
        return Ok(Err(NoHead::Invalid));
    };
    if announced <= BLOCK_SIZE {
        return Ok(Head::read(&block));
    }
    let bytes = file.read_at(0, ByteCount(announced).as_usize()).await?;
    Ok(Head::read(&bytes))
}

/// Reads what the files of a journal say; `None` if it was never begun.
///
/// *Errors*: [`Error::JournalDamaged`] for a hole below what was synced; [`Error::Io`].
pub(crate) async fn read_chain(
    shard: ShardId,
    files: Vec<FoundFile>,
) -> Result<Option<Chain>, Error> {
    let mut begun: Vec<(Head, FoundFile)> = files
        .into_iter()
        .filter_map(|mut file| file.head.take().map(|head| (head, file)))
        .collect();
    begun.sort_by_key(|(head, _)| head.sequence);
    let Some((head, newest_file)) = begun.pop() else {
        return Ok(None);
    };
    // What a killed process wrote can be read and still be lost with the power: a replay that acts
    // on a chunk which the next replay does not find would leave the segments ahead of the journal.
    let synced = newest_file.file.sync_data().await;
    synced.map_err(Error::io("sync", &newest_file.path))?;
    let mut window = Window::new(&newest_file);
    let newest = read_chunks(&head, &mut window).await;
    let newest = newest.map_err(Error::io("read", &newest_file.path))?;
    let is_hole = is_before_synced_chunk(&newest, &mut window).await;
    if is_hole.map_err(Error::io("read", &newest_file.path))? {
        return Err(damaged(shard, &newest_file, newest.end));
    }
    // Rule 4 of recycling: what is before the newest word on it may be overwritten already.
    let live_from = newest.live_from;
    let mut older = Vec::new();
    let mut expected = Sequence {
        counter: live_from,
        ..head.sequence
    };
    let is_needed = |found: &(Head, FoundFile)| found.0.sequence >= expected;
    let needed: Vec<(Head, FoundFile)> = begun.into_iter().filter(is_needed).collect();
    let mut last_file = &newest_file;
    let mut last_end = 0;
    for (head, file) in &needed {
        if head.sequence != expected {
            return Err(damaged(shard, last_file, last_end));
        }
        let chunks = read_chunks(head, &mut Window::new(file)).await;
        let chunks = chunks.map_err(Error::io("read", &file.path))?;
        older.extend(chunks.frames);
        expected = chunks.last.next();
        (last_file, last_end) = (file, chunks.end);
    }
    // Everything before the newest head was synced before it was written: no hole is legal there.
    if head.sequence != expected {
        return Err(damaged(shard, last_file, last_end));
    }
    let oldest = needed.first().map_or(&head, |(head, _)| head);
    Ok(Some(Chain {
        oldest_ends: oldest.ends.clone(),
        head,
        newest: newest.frames,
        older,
    }))
}

fn damaged(shard: ShardId, file: &FoundFile, position: u64) -> Error {
    Error::JournalDamaged {
        shard,
        path: file.path.clone(),
        position,
    }
}

/// Reads the chunks of one file that continue its head.
///
/// *Cost*: the chunks in memory, until the last frame of them is redone.
async fn read_chunks(head: &Head, window: &mut Window<'_>) -> io::Result<FileChunks> {
    let mut chunks = FileChunks {
        frames: Vec::new(),
        last: head.sequence,
        live_from: head.live_from,
        end: head_size(head.ends.len()),
    };
    while let Some(block) = window.at(chunks.end, BLOCK_SIZE).await? {
        let Some(header) = ChunkHeader::read(block) else {
            break;
        };
        // Rule 1: anything but the next number is what an earlier lap left.
        let continues = header.sequence == chunks.last.next();
        if !continues && !mutants::is_on(Mutant::StaleFrameAccepted) {
            break;
        }
        let Some(chunk) = window.at(chunks.end, header.length.into()).await? else {
            break;
        };
        let chunk = Bytes::copy_from_slice(chunk);
        let Some(frames) = read_frames(&header, &chunk) else {
            break;
        };
        let owned = |(frame, payload): (Frame, &[u8])| ReadFrame {
            frame,
            payload: chunk.slice_ref(payload),
        };
        chunks.frames.extend(frames.into_iter().map(owned));
        chunks.last = header.sequence;
        chunks.live_from = chunks.live_from.max(header.live_from);
        chunks.end += block_ceil(header.length.into());
        runtime::yield_if_due().await;
    }
    Ok(chunks)
}

/// Looks behind the end of the newest file's chunks for one that proves that the end is a hole.
///
/// A chunk says what was synced when it was placed. If that is at or behind the first missing one,
/// the missing one was synced, and acknowledged.
async fn is_before_synced_chunk(chunks: &FileChunks, window: &mut Window<'_>) -> io::Result<bool> {
    let missing = chunks.last.next();
    let proves = |header: ChunkHeader| {
        header.sequence > missing
            && header.sequence.generation == missing.generation
            && header.durable_through >= missing.counter
    };
    let mut position = chunks.end;
    while let Some(block) = window.at(position, BLOCK_SIZE).await? {
        if ChunkHeader::read(block).is_some_and(proves) {
            return Ok(true);
        }
        position += BLOCK_SIZE;
        runtime::yield_if_due().await;
    }
    Ok(false)
}

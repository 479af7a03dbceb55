//! Redoing one log: its frames into its segments, then its end made definite.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use runtime::{File, OpenMode};
use types::size::{block_ceil, block_floor};
use types::{BLOCK_SIZE, ByteCount, Offset};

use super::chain::ReadFrame;
use super::overlay::overlay;
use crate::cut::cut_file;
use crate::error::Error;
use crate::journal::Entry;
use crate::layout::{index_name, segment_name, segment_of};
use crate::log_end::LogEnd;
use crate::mutants::{self, Mutant};
use crate::segment::{ScanError, Scanner};

/// Bytes that stand one behind the other in one segment.
#[derive(Debug)]
struct Run {
    position: u64,
    payload: Vec<Bytes>,
    size: u64,
}

impl Run {
    fn end(&self) -> u64 {
        self.position + self.size
    }

    /// Removes what lies at or behind `position`.
    fn clip(&mut self, position: u64) {
        while self.size > 0 && self.end() > position {
            let excess = self.end() - position;
            let Some(last) = self.payload.last_mut() else {
                return;
            };
            let cut = excess.min(ByteCount::of(last).0);
            last.truncate(last.len() - ByteCount(cut).as_usize());
            self.size -= cut;
            if last.is_empty() {
                self.payload.pop();
            }
        }
    }
}

/// What is to be written of one log.
#[derive(Debug, Default)]
pub(crate) struct Redo {
    runs: BTreeMap<Offset, Vec<Run>>,
    /// Where each segment ends that frames say something of.
    lengths: BTreeMap<Offset, u64>,
    /// Segments behind the last one may be there.
    is_cut: bool,
}

/// Whether the directory is to be synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    Unchanged,
    Changed,
}

impl Redo {
    /// Takes the next frame of the log in; `before` is where the log ended before it.
    pub(crate) fn note(&mut self, read: &ReadFrame, before: &LogEnd) {
        match read.frame.entry {
            Entry::Data {
                segment, position, ..
            } => {
                if segment > before.segment && before.position > 0 {
                    // The log rolled: the segment before has exactly its batches.
                    self.lengths.insert(before.segment, before.position);
                }
                self.note_data(segment, position, &read.payload);
            }
            Entry::Truncate {
                segment, position, ..
            } => {
                // Earlier frames behind the cut are clipped.
                self.is_cut = true;
                self.runs.retain(|&base, _| base <= segment);
                self.lengths.retain(|&base, _| base < segment);
                self.lengths.insert(segment, position);
                if let Some(runs) = self.runs.get_mut(&segment) {
                    runs.retain_mut(|run| {
                        run.clip(position);
                        run.size > 0
                    });
                }
            }
            Entry::Start { segment, .. } => {
                self.runs.retain(|&base, _| base >= segment);
                self.lengths.retain(|&base, _| base >= segment);
            }
            Entry::Epoch { .. } => {}
        }
    }

    fn note_data(&mut self, segment: Offset, position: u64, payload: &Bytes) {
        let runs = self.runs.entry(segment).or_default();
        let size = ByteCount::of(payload).0;
        self.lengths.insert(segment, position + size);
        match runs.last_mut() {
            Some(last) if last.end() == position => {
                last.payload.push(payload.clone());
                last.size += size;
            }
            _ => runs.push(Run {
                position,
                payload: vec![payload.clone()],
                size,
            }),
        }
    }

    /// Returns whether nothing is to be done: the log's files are as its end says.
    pub(crate) fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// Writes everything back and makes the log's end definite; returns the end found.
    ///
    /// *Errors*: [`Error`]; a second attempt finds the same and does the same.
    pub(crate) async fn carry_out(self, directory: &Path, end: LogEnd) -> Result<LogEnd, Error> {
        let mut names = Names::Unchanged;
        if self.is_cut {
            let kept = (end.position > 0).then_some(end.segment);
            names = remove_behind(directory, kept, end.segment).await?;
        }
        let found = self.write(directory, end, &mut names).await?;
        if names == Names::Changed && !mutants::is_on(Mutant::DirectoryNotSynced) {
            runtime::sync_dir(directory)
                .await
                .map_err(Error::io("sync", directory))?;
        }
        Ok(found)
    }

    async fn write(
        self,
        directory: &Path,
        end: LogEnd,
        names: &mut Names,
    ) -> Result<LogEnd, Error> {
        let mut found = end;
        for (&segment, &length) in &self.lengths {
            let is_empty = segment == end.segment && length == 0;
            if segment < end.first_segment || is_empty {
                continue;
            }
            let path = directory.join(segment_name(segment));
            let runs = self.runs.get(&segment).map_or(&[][..], Vec::as_slice);
            let (file, size) = open_segment(&path, names).await?;
            let first = runs.first().map_or(0, |run| run.position);
            if first == 0 {
                // Its name may not be durable: the run that made it may not have come that far.
                *names = Names::Changed;
            }
            if first > size {
                return Err(Error::SegmentMissing {
                    incarnation: end.incarnation,
                    segment,
                });
            }
            redo_segment(&file, runs)
                .await
                .map_err(Error::io("redo", &path))?;
            if segment == end.segment {
                found = settle(&file, &path, end).await?;
            } else {
                close(&file, length)
                    .await
                    .map_err(Error::io("closing", &path))?;
            }
            file.close().await.map_err(Error::io("closing", &path))?;
        }
        Ok(found)
    }
}

/// Opens a segment, made with its directory when missing; returns its size too.
async fn open_segment(path: &Path, names: &mut Names) -> Result<(File, u64), Error> {
    let opened = async {
        let file = match File::open(path, OpenMode::Existing).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                *names = Names::Changed;
                let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
                runtime::create_dir_all(directory).await?;
                File::open(path, OpenMode::Create).await?
            }
            other => other?,
        };
        let size = file.size().await?;
        Ok((file, size))
    };
    opened.await.map_err(Error::io("opening", path))
}

async fn redo_segment(file: &File, runs: &[Run]) -> io::Result<()> {
    let end = runs.iter().map(Run::end).max().unwrap_or(0);
    let size = file.size().await?;
    if size < end {
        let from = block_floor(size);
        file.allocate(from, block_ceil(end) - from).await?;
    }
    for run in runs {
        overlay(file, run.position, &run.payload).await?;
    }
    Ok(())
}

/// A segment that another follows has exactly its batches.
async fn close(file: &File, length: u64) -> io::Result<()> {
    file.set_len(length).await?;
    file.sync_data().await
}

/// Takes in batches behind the known end that continue the log, and zeros what is behind them.
async fn settle(file: &File, path: &Path, end: LogEnd) -> Result<LogEnd, Error> {
    let size = file.size().await.map_err(Error::io("lookup", path))?;
    if size < end.position {
        return Err(Error::SegmentMissing {
            incarnation: end.incarnation,
            segment: end.segment,
        });
    }
    let mut found = end;
    // Mostly there is nothing: one block tells.
    let scanner = Scanner::new(file, end.position, size, end.next, end.epoch);
    let mut scanner = scanner.with_piece_size(BLOCK_SIZE);
    loop {
        match scanner.next().await {
            Ok(Some(batch)) => {
                found.position = scanner.position();
                found.next = batch.next;
                found.has_producers |= batch.producer.is_some();
                if batch.epoch > found.epoch {
                    found.epoch = batch.epoch;
                    found.epoch_start = batch.first;
                }
            }
            Ok(None) | Err(ScanError::Damaged { .. }) => break,
            Err(ScanError::Io(error)) => return Err(Error::io("read", path)(error)),
        }
    }
    cut_file(file, found.position)
        .await
        .map_err(Error::io("cutting", path))?;
    Ok(found)
}

/// Removes segments from `last` on, but for the one that is kept: they were cut off.
async fn remove_behind(
    directory: &Path,
    kept: Option<Offset>,
    last: Offset,
) -> Result<Names, Error> {
    let listed = match runtime::list_dir(directory).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Names::Unchanged),
        other => other.map_err(Error::io("listing", directory))?,
    };
    let segments = listed.iter().filter_map(|entry| segment_of(&entry.name));
    for segment in segments.filter(|&segment| segment >= last && Some(segment) != kept) {
        remove_if_there(directory.join(segment_name(segment))).await?;
        remove_if_there(directory.join(index_name(segment))).await?;
    }
    // Also if nothing was removed now: a removal that was cut short may not be durable.
    Ok(Names::Changed)
}

async fn remove_if_there(path: PathBuf) -> Result<(), Error> {
    match runtime::remove_file(&path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("removal", path)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

//! Truncation: cutting the end off a log, for a follower whose leader has another history.
//!
//! The commit point is the sync of a journal entry. Before it nothing is lost; after it a crash
//! finds the entry and does the rest again.

use std::io;

use types::size::block_ceil;
use types::{LeaderEpoch, Offset};

use super::handle::Log;
use crate::cut::cut_file;
use crate::error::{Error, Offline, ReadError};
use crate::index::IndexTail;
use crate::journal::Entry;
use crate::layout::{index_name, segment_name};
use crate::load::load;
use crate::log_core::{Appends, LogState, Place};
use crate::segment::{self, ScanError, Scanner, index_of, place_of};
use crate::tail::TailBatch;

/// Lets appends in again, also when the future is dropped half-way.
struct Hold<'a> {
    log: &'a Log,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing is decided.
    Before,
    /// The journal may say that the log is cut.
    Committing,
    /// Memory and files are cut too.
    Done,
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        if self.stage == Stage::Committing {
            // Memory and journal may disagree: a restart will tell.
            self.log.core.take_offline(Offline::Failed);
        }
        self.log.core.state.borrow_mut().appends = Appends::Open;
        self.log.shared.note_room();
    }
}

/// Where a log is cut.
#[derive(Clone, Debug)]
struct Cut {
    place: Place,
    end: Offset,
    truncations: u32,
    /// The last segment's index up to the cut, to be written anew.
    index: IndexTail,
}

impl Log {
    /// Removes every batch that reaches beyond `to`, or beyond the log's start if that is higher, and
    /// goes on in `epoch`.
    ///
    /// Durable when it returns. Nothing happens if the log ends at or below `to`. The future should
    /// run to its end: a log whose truncation is dropped half-way is offline until a restart.
    ///
    /// *Errors*: [`Error::Offline`], [`Error::Read`].
    /// *Panics*: if `epoch` is not above that of the last batch: a recovery could not tell what was
    /// cut from what follows.
    pub async fn truncate(&self, to: Offset, epoch: LeaderEpoch) -> Result<(), Error> {
        load(&self.shared, &self.core).await?;
        self.hold().await?;
        let mut hold = Hold {
            log: self,
            stage: Stage::Before,
        };
        let (start, end) = {
            let state = self.core.state.borrow();
            (state.start, state.end)
        };
        let to = to.max(start);
        if to >= end {
            return Ok(());
        }
        {
            let state = self.core.state.borrow();
            assert!(epoch > state.epoch || (epoch == state.epoch && state.epoch_start >= end));
        }
        // Drained: no round and no waiting batch has anything behind the cut.
        self.durable_to(end).await?;
        let cut = self.cut_at(to).await?;
        let entry = Entry::Truncate {
            segment: cut.place.segment,
            position: cut.place.position,
            next: cut.end,
            epoch,
            truncations: cut.truncations,
        };
        hold.stage = Stage::Committing;
        self.place(entry).await?;
        self.carry_out(cut, epoch).await?;
        hold.stage = Stage::Done;
        Ok(())
    }

    /// Holds appends back; waits for another truncation to end first.
    async fn hold(&self) -> Result<(), Offline> {
        self.wait_until_open().await?;
        self.core.state.borrow_mut().appends = Appends::Held;
        Ok(())
    }

    /// Finds the start of the batch that holds `to`.
    async fn cut_at(&self, to: Offset) -> Result<Cut, ReadError> {
        // Nothing moves from the tail to the segments meanwhile.
        let permit = self.core.io.acquire(1).await;
        self.core.check_online()?;
        let (in_tail, truncations) = {
            let state = self.core.state.borrow();
            let batch = state.tail.from(to).next();
            let found = batch.filter(|batch| batch.first <= to).map(|batch| {
                let (segment, position) = (batch.segment, batch.position);
                (Place { segment, position }, batch.first)
            });
            (found, state.truncations + 1)
        };
        let (place, end) = match in_tail {
            Some(found) => found,
            None => place_of(&self.shared, &self.core, to).await?,
        };
        let index = self.index_below(place).await?;
        drop(permit);
        Ok(Cut {
            place,
            end,
            truncations,
            index,
        })
    }

    /// Makes the index of a segment up to a place, with the largest timestamps of what stays.
    async fn index_below(&self, cut: Place) -> Result<IndexTail, ReadError> {
        let interval = self.core.state.borrow().config.index_interval.0;
        let mut entries = Vec::new();
        let mut index = IndexTail::default();
        let (mut position, mut next) = (0, cut.segment);
        let mut epoch = LeaderEpoch::ZERO;
        let is_on_disk = {
            let state = self.core.state.borrow();
            cut.segment <= state.written_at.segment && state.written > cut.segment
        };
        if is_on_disk {
            let known = index_of(&self.shared, &self.core, cut.segment).await?;
            entries = known.entries_below(cut.position.min(known.end.1));
            if let Some(last) = entries.last() {
                index = IndexTail::behind(last);
                (position, next, epoch) = (last.position, last.offset, last.epoch);
            }
            let (shared, id) = (&self.shared, &self.core.id);
            let file = shared.files.open(&shared.layout, id, cut.segment).await?;
            let end = cut.position.min(known.end.1);
            let mut scanner = Scanner::new(&file.file, position, end, next, epoch);
            loop {
                match scanner.next().await {
                    Ok(Some(found)) => index.note(&found.indexed(), interval),
                    Ok(None) => break,
                    Err(ScanError::Io(error)) => return Err(error.into()),
                    Err(ScanError::Damaged { position }) => {
                        let segment = cut.segment;
                        return Err(ReadError::Corrupt { segment, position });
                    }
                }
            }
            next = scanner.next_offset();
        }
        let state = self.core.state.borrow();
        let stays = |batch: &&TailBatch| {
            batch.segment == cut.segment && batch.position < cut.position && batch.first >= next
        };
        for batch in state.tail.from(next).filter(stays) {
            index.note(&batch.indexed(), interval);
        }
        index.restore(entries);
        Ok(index)
    }

    /// Cuts memory and files, now that the journal says so.
    async fn carry_out(&self, cut: Cut, epoch: LeaderEpoch) -> Result<(), Offline> {
        let permit = self.core.io.acquire(1).await;
        self.core.check_online()?;
        let segment = cut.place.segment;
        let released = {
            let state = &mut *self.core.state.borrow_mut();
            let released = state.tail.cut_from(cut.end);
            cut_state(state, cut.clone(), epoch);
            released
        };
        self.shared.release_tail(released);
        self.shared.recount_producers(&self.core);
        self.shared
            .indexes
            .remove(self.core.id.incarnation, segment);
        let done = self.cut_files(cut.place).await;
        done.map_err(|error| self.shared.fail("truncation", &error))?;
        drop(permit);
        if cut.place.position == 0 {
            // The segment before ends here, and no batch may come to say so: it gets its exact
            // length before the frames that tell it may go.
            segment::write_out(&self.shared, &self.core, cut.end).await?;
        }
        self.core.state.borrow_mut().cut_due = false;
        let marks = {
            let state = self.core.state.borrow();
            (state.durable, state.acknowledged)
        };
        self.core.publish(marks);
        self.shared.note_room();
        Ok(())
    }

    /// Removes what lies behind the cut from the files, and syncs them.
    async fn cut_files(&self, cut: Place) -> io::Result<()> {
        let (shared, core) = (&self.shared, &self.core);
        let directory = shared.layout.log(&core.id);
        let is_on_disk = runtime::exists(&directory).await?;
        if !is_on_disk {
            return Ok(());
        }
        for entry in runtime::list_dir(&directory).await? {
            let Some(segment) = crate::layout::segment_of(&entry.name) else {
                continue;
            };
            if segment > cut.segment {
                shared.files.forget(core.id.incarnation, Some(segment));
                shared.indexes.remove(core.id.incarnation, segment);
                runtime::remove_file(&directory.join(&entry.name)).await?;
                remove_if_there(&directory.join(index_name(segment))).await?;
            }
        }
        remove_if_there(&directory.join(index_name(cut.segment))).await?;
        let path = directory.join(segment_name(cut.segment));
        if runtime::exists(&path).await? {
            let written = core.state.borrow().written_at;
            let file = shared
                .files
                .open(&shared.layout, &core.id, cut.segment)
                .await?;
            // What the file has of the log; the rest of it is in the tail.
            let size = written.position.min(cut.position);
            cut_file(&file.file, size).await?;
            file.allocated.set(block_ceil(size));
        }
        runtime::sync_dir(&directory).await
    }
}

async fn remove_if_there(path: &std::path::Path) -> io::Result<()> {
    match runtime::remove_file(path).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn cut_state(state: &mut LogState, cut: Cut, epoch: LeaderEpoch) {
    let Cut {
        place,
        end,
        truncations,
        index,
    } = cut;
    state.truncations = truncations;
    state.active.place = place;
    state.active.since = None;
    if end < state.written {
        state.written = end;
        state.written_at = place;
        state.partial = None;
    }
    for mark in [
        &mut state.synced,
        &mut state.placed,
        &mut state.durable,
        &mut state.acknowledged,
        &mut state.end,
    ] {
        *mark = (*mark).min(end);
    }
    state.closed.retain(|&segment, _| segment < place.segment);
    state.unsynced.retain(|&segment| segment < place.segment);
    state
        .verified
        .retain(|&segment, _| segment <= place.segment);
    if let Some(ranges) = state.verified.get_mut(&place.segment) {
        ranges.cut(place.position);
    }
    state.indexes.retain(|&segment, _| segment < place.segment);
    state.indexes.insert(place.segment, index);
    state.cursors.clear();
    state.epochs.truncate(end);
    if epoch > state.epoch {
        state.epoch = epoch;
        state.epoch_start = end;
    }
    state.epoch_start = state.epoch_start.min(end);
    // The cut may go through the batch that the start lies in.
    state.start = state.start.min(end);
    state.epochs.note(state.epoch, state.epoch_start);
    state.producers.truncate(end);
    state.snapshots.waiting = None;
    state.snapshots.distance = u64::MAX / 2;
    for (_, file_end) in &mut state.journal_files {
        *file_end = (*file_end).min(end);
    }
    state.check();
}

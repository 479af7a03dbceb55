//! Deleting the beginning of a log: by request, by age, by size.

use std::io;
use std::rc::Rc;

use runtime::Queue;
use types::{Offset, TimestampMs};

use super::append::roll;
use super::handle::Log;
use crate::error::{Error, Offline, ReadError};
use crate::journal::{Entry, checkpoint_log};
use crate::layout::{index_name, segment_name};
use crate::load::load;
use crate::log_core::Appends;
use crate::segment::index_of;

impl Log {
    /// Moves the log's start up to `to`, or to the durable end if that is lower, and deletes the
    /// segments that lie below it as a whole; returns the start.
    ///
    /// The new start is durable before anything is deleted, and when this returns.
    ///
    /// *Errors*: [`Error::Offline`], [`Error::Read`].
    pub async fn delete_prefix(&self, to: Offset) -> Result<Offset, Error> {
        load(&self.shared, &self.core).await?;
        let first = {
            let state = self.core.state.borrow();
            to.min(state.durable).max(state.start)
        };
        self.close_segments_below(first).await?;
        // The start stands still while the log is being cut.
        self.wait_until_open().await?;
        let (segment, first, is_new) = {
            let mut state = self.core.state.borrow_mut();
            let first = first.min(state.durable).max(state.start);
            let segment = first_kept(&state, first);
            let is_new = first > state.start || segment > state.first_segment;
            state.start = state.start.max(first);
            state.first_segment = state.first_segment.max(segment);
            (state.first_segment, first, is_new)
        };
        if is_new {
            self.place(Entry::Start { segment, first }).await?;
            self.remove_segments_below(segment).await?;
        }
        Ok(self.core.state.borrow().start)
    }

    /// Deletes the oldest segments as far as the settings for age and size ask for it.
    ///
    /// *Errors*: [`Error::Offline`], [`Error::Read`].
    pub async fn apply_retention(&self, now: TimestampMs) -> Result<(), Error> {
        load(&self.shared, &self.core).await?;
        self.roll_if_expired(now).await?;
        let behind = self.core.state.borrow().active.place.segment;
        self.close_segments_below(behind).await?;
        let by_age = self.first_not_expired(now).await?;
        let by_size = self.first_within_size();
        let to = by_age.max(by_size);
        if to > self.core.state.borrow().start {
            self.delete_prefix(to).await?;
        }
        Ok(())
    }

    /// Writes out what segments below `first` end with: only whole ones are deleted.
    async fn close_segments_below(&self, first: Offset) -> Result<(), Error> {
        let is_open = {
            let state = self.core.state.borrow();
            let segment = state.written_at.segment;
            segment < state.active.place.segment && segment < first
        };
        if is_open && !self.shared.space.is_full() {
            // A task of its own: a write that nobody waits for any more would go on beside the next one
            // to the same block.
            let (shared, core) = (Rc::clone(&self.shared), Rc::clone(&self.core));
            let (done, written) = runtime::oneshot();
            let checkpoint = async move {
                // Whoever asked may be gone.
                let _unheard = done.send(checkpoint_log(&shared, &core).await);
            };
            runtime::spawn(Queue::Background, checkpoint).detach();
            written.await.unwrap_or(Err(Offline::Closed))?;
        }
        Ok(())
    }

    /// Goes on to a new segment if the last one is wholly too old, so that it can be deleted.
    async fn roll_if_expired(&self, now: TimestampMs) -> Result<(), ReadError> {
        let Some(oldest) = self.oldest_kept(now) else {
            return Ok(());
        };
        let segment = self.core.state.borrow().active.place.segment;
        let newest = self.max_timestamp_of(segment).await?;
        if newest >= oldest || newest == TimestampMs::NONE {
            return Ok(());
        }
        let state = &mut *self.core.state.borrow_mut();
        let place = state.active.place;
        let is_settled = state.appends == Appends::Open && state.durable == state.end;
        if place.segment == segment && place.position > 0 && is_settled {
            roll(state);
            state.active.since = None;
        }
        Ok(())
    }

    /// Returns the oldest timestamp to be kept; `None` if age does not matter.
    fn oldest_kept(&self, now: TimestampMs) -> Option<TimestampMs> {
        let age = self.config().retention_age?;
        let age_ms = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        Some(TimestampMs(now.0.saturating_sub(age_ms)))
    }

    /// Returns the largest timestamp of a segment, closed or not; [`TimestampMs::NONE`] if no record has
    /// one.
    async fn max_timestamp_of(&self, segment: Offset) -> Result<TimestampMs, ReadError> {
        let open = {
            let state = self.core.state.borrow();
            state.indexes.get(&segment).map(|index| index.max_timestamp)
        };
        if let Some(timestamp) = open {
            return Ok(timestamp);
        }
        let index = index_of(&self.shared, &self.core, segment).await?;
        // Without a whole index nothing is known, and nothing is deleted.
        Ok(index.max_timestamp().unwrap_or(TimestampMs(i64::MAX)))
    }

    /// Returns the base of the first segment that has a record young enough. One without any timestamps
    /// goes with those behind it, and not by itself.
    async fn first_not_expired(&self, now: TimestampMs) -> Result<Offset, ReadError> {
        let start = self.core.state.borrow().start;
        let Some(oldest) = self.oldest_kept(now) else {
            return Ok(start);
        };
        let segments = self.segments();
        let mut kept = start;
        for (segment, next) in segments {
            let Some(next) = next else {
                break;
            };
            let newest = self.max_timestamp_of(segment).await?;
            if newest >= oldest {
                break;
            }
            if newest > TimestampMs::NONE {
                kept = next;
            }
        }
        Ok(kept)
    }

    /// Returns the base of the first segment without which the log would be too small.
    fn first_within_size(&self) -> Offset {
        let state = self.core.state.borrow();
        let Some(size_max) = state.config.retention_size else {
            return state.start;
        };
        let closed: u64 = state.closed.values().sum();
        let mut size = closed + state.written_at.position + state.tail.size();
        let mut kept = state.start;
        let mut segments = state.closed.iter().peekable();
        while let Some((_, length)) = segments.next() {
            if size - length < size_max.0 {
                break;
            }
            size -= length;
            let next = segments.peek().map(|&(&segment, _)| segment);
            kept = next.unwrap_or(state.written_at.segment);
        }
        kept
    }

    /// Lists all segments with the base of the one behind each; the last one has none.
    fn segments(&self) -> Vec<(Offset, Option<Offset>)> {
        let state = self.core.state.borrow();
        let closed = state.closed.keys().copied();
        let open = state.indexes.keys().copied();
        let all: std::collections::BTreeSet<Offset> = closed.chain(open).collect();
        let behind = all.iter().skip(1).copied().map(Some).chain([None]);
        all.iter().copied().zip(behind).collect()
    }

    /// Deletes the files of segments below `segment`.
    async fn remove_segments_below(&self, segment: Offset) -> Result<(), Error> {
        let gone = {
            let state = &mut *self.core.state.borrow_mut();
            let kept = state.closed.split_off(&segment);
            let gone = std::mem::replace(&mut state.closed, kept);
            state.verified = state.verified.split_off(&segment);
            state
                .cursors
                .retain(|cursor| cursor.place.segment >= segment);
            gone
        };
        let directory = self.shared.layout.log(&self.core.id);
        for &segment in gone.keys() {
            self.shared
                .files
                .forget(self.core.id.incarnation, Some(segment));
            self.shared
                .indexes
                .remove(self.core.id.incarnation, segment);
            for name in [segment_name(segment), index_name(segment)] {
                let path = directory.join(name);
                match runtime::remove_file(&path).await {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(Error::io("removal", path)(error));
                    }
                    Ok(()) | Err(_) => {}
                }
            }
        }
        if gone.is_empty() {
            return Ok(());
        }
        runtime::sync_dir(&directory)
            .await
            .map_err(Error::io("sync", directory))
    }
}

/// Returns the first segment with anything at or behind `first`, of those that are on disk whole.
fn first_kept(state: &crate::log_core::LogState, first: Offset) -> Offset {
    let mut kept = state.first_segment;
    let bases = state
        .closed
        .keys()
        .copied()
        .chain([state.written_at.segment]);
    for base in bases {
        if base <= first {
            kept = kept.max(base);
        }
    }
    kept
}

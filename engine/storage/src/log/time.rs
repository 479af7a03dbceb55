//! Finding records by their timestamps.

use std::ops::ControlFlow;

use bytes::Bytes;
use record::{
    Batch, CheckedBatch, DECOMPRESSED_SIZE_MAX, DecompressError, TimesError, visit_times,
};
use types::limits::DECOMPRESSED_IN_PLACE_MAX;
use types::{ByteCount, LeaderEpoch, Offset, TimestampMs};

use super::handle::Log;
use crate::error::ReadError;
use crate::load::load;
use crate::segment::{Scanner, WALK_PIECE_SIZE, index_of, segment_of};
use crate::tail::TailBatch;

/// A record's place by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampOffset {
    /// The record's timestamp.
    pub timestamp: TimestampMs,
    /// Its offset.
    pub offset: Offset,
    /// The leader epoch of its batch.
    pub leader_epoch: LeaderEpoch,
}

/// Which records are looked for: for each offset the first that is neither before it nor older than
/// the time, as far as they are in the first batch that has any.
#[derive(Clone, Debug)]
struct Wanted {
    /// At least one; they ascend.
    offsets: Vec<Offset>,
    timestamp: TimestampMs,
}

impl Log {
    /// Finds the first record below `until` whose timestamp is at least `timestamp`.
    ///
    /// *Errors*: [`ReadError`].
    /// *Cost*: one index interval is read and checked, and the one batch decompressed as far as the
    /// record; beside the shard, in its turn of long work, if that is far.
    pub async fn offset_for_timestamp(
        &self,
        timestamp: TimestampMs,
        until: Offset,
    ) -> Result<Option<TimestampOffset>, ReadError> {
        let wanted = Wanted {
            offsets: vec![self.positions().start],
            timestamp,
        };
        Ok(self.find(&wanted, until).await?.pop())
    }

    /// Finds the first record below `until` at or behind each of these offsets, which ascend: in their
    /// order, for as many as have theirs in the first batch that has any.
    ///
    /// *Errors*: [`ReadError`].
    /// *Cost*: as for [`Self::offset_for_timestamp`].
    pub async fn timestamps_of(
        &self,
        offsets: &[Offset],
        until: Offset,
    ) -> Result<Vec<TimestampOffset>, ReadError> {
        if offsets.first().is_none_or(|&first| first >= until) {
            return Ok(Vec::new());
        }
        let start = self.positions().start;
        let wanted = Wanted {
            offsets: offsets.iter().map(|&offset| offset.max(start)).collect(),
            timestamp: TimestampMs(i64::MIN),
        };
        self.find(&wanted, until).await
    }

    /// Finds the first of the records below `until` with the largest timestamp.
    ///
    /// *Errors*: [`ReadError`].
    pub async fn max_timestamp(&self, until: Offset) -> Result<Option<TimestampOffset>, ReadError> {
        load(&self.shared, &self.core).await?;
        let mut largest = TimestampMs::NONE;
        for segment in self.segments_on_disk(Offset::ZERO) {
            let index = index_of(&self.shared, &self.core, segment).await?;
            let of_segment = match index.max_timestamp() {
                Some(timestamp) => timestamp,
                None => self.open_max_timestamp(segment),
            };
            largest = largest.max(of_segment);
        }
        {
            let state = self.core.state.borrow();
            let timestamps = state
                .tail
                .from(state.start)
                .map(|batch| batch.max_timestamp);
            largest = timestamps.fold(largest, Ord::max);
        }
        if largest == TimestampMs::NONE {
            return Ok(None);
        }
        self.offset_for_timestamp(largest, until).await
    }

    async fn find(
        &self,
        wanted: &Wanted,
        until: Offset,
    ) -> Result<Vec<TimestampOffset>, ReadError> {
        load(&self.shared, &self.core).await?;
        let mut from = wanted.first();
        let mut found = Vec::new();
        while found.is_empty() && from < until {
            let written = self.core.state.borrow().written;
            if from < written {
                found = self.find_in_segments(from, wanted).await?;
                from = written;
            } else if let Some(batch) = self.next_in_tail(from, wanted.timestamp) {
                from = batch.next;
                let looked = match wanted.look_here(&batch.bytes, batch.epoch) {
                    Err(Unseen::Large(bytes)) => self.look_beside(bytes, batch.epoch, wanted).await,
                    looked => looked,
                };
                found = looked.unwrap_or_default();
            } else {
                break;
            }
        }
        found.retain(|found| found.offset < until);
        Ok(found)
    }

    async fn find_in_segments(
        &self,
        from: Offset,
        wanted: &Wanted,
    ) -> Result<Vec<TimestampOffset>, ReadError> {
        for segment in self.segments_on_disk(from) {
            let found = self.find_in_segment(segment, from, wanted).await?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    /// Returns the first batch of the tail at or behind `from` with a record that is not older.
    fn next_in_tail(&self, from: Offset, timestamp: TimestampMs) -> Option<TailBatch> {
        let state = self.core.state.borrow();
        let mut batches = state.tail.from(from);
        batches
            .find(|batch| batch.max_timestamp >= timestamp)
            .cloned()
    }

    /// Looks through a batch on a helper thread.
    async fn look_beside(
        &self,
        bytes: Bytes,
        epoch: LeaderEpoch,
        wanted: &Wanted,
    ) -> Result<Vec<TimestampOffset>, Unseen> {
        let wanted = wanted.clone();
        let work = move || wanted.look(&bytes, epoch, DECOMPRESSED_SIZE_MAX);
        let looked = self.shared.long_work.run(work).await;
        looked.map_err(|_| Unseen::Unreadable)
    }

    /// Lists the segments with batches on disk at or behind an offset, oldest first.
    fn segments_on_disk(&self, from: Offset) -> Vec<Offset> {
        let state = self.core.state.borrow();
        if from >= state.written {
            return Vec::new();
        }
        let holding = segment_of(&state, from);
        let closed = state.closed.range(holding..);
        let mut segments: Vec<_> = closed.map(|(&segment, _)| segment).collect();
        if state.written_at.position > 0 {
            segments.push(state.written_at.segment);
        }
        segments
    }

    fn open_max_timestamp(&self, segment: Offset) -> TimestampMs {
        let state = self.core.state.borrow();
        let index = state.indexes.get(&segment);
        index.map_or(TimestampMs::NONE, |index| index.max_timestamp)
    }

    async fn find_in_segment(
        &self,
        segment: Offset,
        from: Offset,
        wanted: &Wanted,
    ) -> Result<Vec<TimestampOffset>, ReadError> {
        let index = index_of(&self.shared, &self.core, segment).await?;
        if index
            .max_timestamp()
            .is_some_and(|largest| largest < wanted.timestamp)
        {
            return Ok(Vec::new());
        }
        let by_time = index.floor_by_time(wanted.timestamp);
        let by_offset = index.floor(from);
        let entry = std::cmp::max_by_key(by_time, by_offset, |entry| entry.offset);
        let file = self
            .shared
            .files
            .open(&self.shared.layout, &self.core.id, segment)
            .await?;
        let end = index.end.1;
        let scanner = Scanner::new(&file.file, entry.position, end, entry.offset, entry.epoch);
        let mut scanner = scanner.with_piece_size(WALK_PIECE_SIZE);
        loop {
            let look = |batch: &CheckedBatch<'_>| {
                let is_wanted =
                    batch.max_timestamp() >= wanted.timestamp && batch.end_offset() > from;
                let epoch = batch.header().leader_epoch().unwrap_or(entry.epoch);
                is_wanted.then(|| wanted.look_here(batch.bytes(), epoch))
            };
            let looked = match scanner.next_with(look).await {
                Ok(Some((found, Some(looked)))) => (found, looked),
                Ok(Some((_, None))) => continue,
                Ok(None) => return Ok(Vec::new()),
                Err(error) => return Err(error.in_segment(segment)),
            };
            let (found, looked) = match looked {
                (found, Err(Unseen::Large(bytes))) => {
                    (found, self.look_beside(bytes, found.epoch, wanted).await)
                }
                looked => looked,
            };
            match looked {
                Ok(records) if records.is_empty() => {}
                Ok(records) => return Ok(records),
                Err(_) => {
                    let position = found.position;
                    return Err(ReadError::Corrupt { segment, position });
                }
            }
        }
    }
}

/// Why it is not known which of the wanted records a batch has.
#[derive(Debug)]
enum Unseen {
    /// It takes long to say; here is the batch.
    Large(Bytes),
    /// Its body cannot be decompressed or walked, under a right checksum.
    Unreadable,
}

impl Wanted {
    /// Returns where to begin.
    fn first(&self) -> Offset {
        *self.offsets.first().expect("at least one is wanted")
    }

    /// Looks through a batch in place, unless that takes long.
    fn look_here(&self, bytes: &[u8], epoch: LeaderEpoch) -> Result<Vec<TimestampOffset>, Unseen> {
        match self.look(bytes, epoch, DECOMPRESSED_IN_PLACE_MAX) {
            Ok(found) => Ok(found),
            Err(TimesError::Decompress(DecompressError::TooLarge { .. })) => {
                Err(Unseen::Large(Bytes::copy_from_slice(bytes)))
            }
            Err(_) => Err(Unseen::Unreadable),
        }
    }

    /// Finds the records that are wanted in a batch.
    fn look(
        &self,
        bytes: &[u8],
        leader_epoch: LeaderEpoch,
        decompressed_max: ByteCount,
    ) -> Result<Vec<TimestampOffset>, TimesError> {
        let batch = Batch::parse(bytes).expect("it was checked when it was appended or found");
        let mut found = Vec::new();
        visit_times(&batch, decompressed_max, |offset, timestamp| {
            while self
                .offsets
                .get(found.len())
                .is_some_and(|&wanted| wanted <= offset)
                && timestamp >= self.timestamp
            {
                found.push(TimestampOffset {
                    timestamp,
                    offset,
                    leader_epoch,
                });
            }
            if found.len() < self.offsets.len() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        Ok(found)
    }
}

//! Finding records by their timestamps.

use bytes::Bytes;
use record::{Batch, CheckedBatch, DECOMPRESSED_SIZE_MAX, Records};
use types::{LeaderEpoch, Offset, TimestampMs};

use super::handle::Log;
use crate::error::ReadError;
use crate::load::load;
use crate::segment::{ScanError, Scanner, index_of};

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

impl Log {
    /// Finds the first record below `until` whose timestamp is at least `timestamp`.
    ///
    /// *Errors*: [`ReadError`].
    /// *Cost*: one index interval is read and checked, and the one batch decompressed.
    pub async fn offset_for_timestamp(
        &self,
        timestamp: TimestampMs,
        until: Offset,
    ) -> Result<Option<TimestampOffset>, ReadError> {
        load(&self.shared, &self.core).await?;
        for segment in self.segments_on_disk() {
            let found = self.find_in_segment(segment, timestamp).await?;
            if let Some(found) = found {
                return Ok(Some(found).filter(|found| found.offset < until));
            }
        }
        let found = self.find_in_tail(timestamp);
        Ok(found.filter(|found| found.offset < until))
    }

    /// Finds the first of the records below `until` with the largest timestamp.
    ///
    /// *Errors*: [`ReadError`].
    pub async fn max_timestamp(&self, until: Offset) -> Result<Option<TimestampOffset>, ReadError> {
        load(&self.shared, &self.core).await?;
        let mut largest = TimestampMs::NONE;
        for segment in self.segments_on_disk() {
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

    /// Lists the segments with batches on disk that are not deleted, oldest first.
    fn segments_on_disk(&self) -> Vec<Offset> {
        let state = self.core.state.borrow();
        let mut segments: Vec<_> = state.closed.keys().copied().collect();
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
        timestamp: TimestampMs,
    ) -> Result<Option<TimestampOffset>, ReadError> {
        let index = index_of(&self.shared, &self.core, segment).await?;
        if index
            .max_timestamp()
            .is_some_and(|largest| largest < timestamp)
        {
            return Ok(None);
        }
        let start = self.core.state.borrow().start;
        let entry = index.floor_by_time(timestamp);
        let file = self
            .shared
            .files
            .open(&self.shared.layout, &self.core.id, segment)
            .await?;
        let end = index.end.1;
        let mut scanner = Scanner::new(&file.file, entry.position, end, entry.offset, entry.epoch);
        loop {
            let look = |batch: &CheckedBatch<'_>| {
                let is_wanted = batch.max_timestamp() >= timestamp && batch.end_offset() > start;
                is_wanted.then(|| find_record(&batch.batch(), start, timestamp))
            };
            match scanner.next_with(look).await {
                Ok(Some((found, Some(Ok(Some(record)))))) => {
                    return Ok(Some(TimestampOffset {
                        leader_epoch: found.epoch,
                        ..record
                    }));
                }
                Ok(Some((found, Some(Err(Unreadable))))) => {
                    let position = found.position;
                    return Err(ReadError::Corrupt { segment, position });
                }
                Ok(Some((_, None | Some(Ok(None))))) => {}
                Ok(None) => return Ok(None),
                Err(ScanError::Io(error)) => return Err(error.into()),
                Err(ScanError::Damaged { position }) => {
                    return Err(ReadError::Corrupt { segment, position });
                }
            }
        }
    }

    fn find_in_tail(&self, timestamp: TimestampMs) -> Option<TimestampOffset> {
        let (start, batches) = {
            let state = self.core.state.borrow();
            let is_wanted = |batch: &&crate::tail::TailBatch| batch.max_timestamp >= timestamp;
            let batches = state.tail.from(state.start).filter(is_wanted);
            let batches: Vec<(Bytes, LeaderEpoch)> = batches
                .map(|batch| (batch.bytes.clone(), batch.epoch))
                .collect();
            (state.start, batches)
        };
        batches.iter().find_map(|(bytes, leader_epoch)| {
            let batch = Batch::parse(bytes).ok()?;
            let record = find_record(&batch, start, timestamp).ok()??;
            Some(TimestampOffset {
                leader_epoch: *leader_epoch,
                ..record
            })
        })
    }
}

/// The body of a batch cannot be decompressed or walked, under a right checksum.
struct Unreadable;

/// Finds the first record of a batch at or behind `start` that is not older than `timestamp`.
fn find_record(
    batch: &Batch<'_>,
    start: Offset,
    timestamp: TimestampMs,
) -> Result<Option<TimestampOffset>, Unreadable> {
    let body = record::decompress(batch, DECOMPRESSED_SIZE_MAX).map_err(|_| Unreadable)?;
    for record in Records::new(batch.header(), &body) {
        let record = record.map_err(|_| Unreadable)?;
        if record.offset >= start && record.timestamp >= timestamp {
            return Ok(Some(TimestampOffset {
                timestamp: record.timestamp,
                offset: record.offset,
                leader_epoch: LeaderEpoch::ZERO,
            }));
        }
    }
    Ok(None)
}

//! Finding records by their timestamps.

use bytes::Bytes;
use record::{Batch, CheckedBatch, DECOMPRESSED_SIZE_MAX, Records};
use types::{LeaderEpoch, Offset, TimestampMs};

use super::handle::Log;
use crate::error::ReadError;
use crate::load::load;
use crate::segment::{Scanner, WALK_PIECE_SIZE, index_of, segment_of};

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

/// Which records are looked for: those neither before an offset nor older than a time, of the first
/// batch that has any.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    from: Offset,
    timestamp: TimestampMs,
    count_max: usize,
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
        let wanted = Wanted {
            from: self.positions().start,
            timestamp,
            count_max: 1,
        };
        Ok(self.find(wanted, until).await?.pop())
    }

    /// Finds the records at or behind `from` and below `until`, of the first batch that has any.
    ///
    /// *Errors*: [`ReadError`].
    /// *Cost*: as for [`Self::offset_for_timestamp`].
    pub async fn timestamps_from(
        &self,
        from: Offset,
        until: Offset,
    ) -> Result<Vec<TimestampOffset>, ReadError> {
        if from >= until {
            return Ok(Vec::new());
        }
        let wanted = Wanted {
            from: from.max(self.positions().start),
            timestamp: TimestampMs(i64::MIN),
            count_max: usize::MAX,
        };
        self.find(wanted, until).await
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

    async fn find(&self, wanted: Wanted, until: Offset) -> Result<Vec<TimestampOffset>, ReadError> {
        load(&self.shared, &self.core).await?;
        let mut found = Vec::new();
        for segment in self.segments_on_disk(wanted.from) {
            found = self.find_in_segment(segment, wanted).await?;
            if !found.is_empty() {
                break;
            }
        }
        if found.is_empty() {
            found = self.find_in_tail(wanted);
        }
        found.retain(|found| found.offset < until);
        Ok(found)
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
        wanted: Wanted,
    ) -> Result<Vec<TimestampOffset>, ReadError> {
        let index = index_of(&self.shared, &self.core, segment).await?;
        if index
            .max_timestamp()
            .is_some_and(|largest| largest < wanted.timestamp)
        {
            return Ok(Vec::new());
        }
        let by_time = index.floor_by_time(wanted.timestamp);
        let by_offset = index.floor(wanted.from);
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
                    batch.max_timestamp() >= wanted.timestamp && batch.end_offset() > wanted.from;
                let epoch = batch.header().leader_epoch().unwrap_or(entry.epoch);
                is_wanted.then(|| find_records(&batch.batch(), epoch, wanted))
            };
            match scanner.next_with(look).await {
                Ok(Some((_, Some(Ok(records))))) if !records.is_empty() => return Ok(records),
                Ok(Some((found, Some(Err(Unreadable))))) => {
                    let position = found.position;
                    return Err(ReadError::Corrupt { segment, position });
                }
                Ok(Some((_, None | Some(Ok(_))))) => {}
                Ok(None) => return Ok(Vec::new()),
                Err(error) => return Err(error.in_segment(segment)),
            }
        }
    }

    fn find_in_tail(&self, wanted: Wanted) -> Vec<TimestampOffset> {
        let batches: Vec<(Bytes, LeaderEpoch)> = {
            let state = self.core.state.borrow();
            let batches = state.tail.from(wanted.from);
            let batches = batches.filter(|batch| batch.max_timestamp >= wanted.timestamp);
            batches
                .map(|batch| (batch.bytes.clone(), batch.epoch))
                .collect()
        };
        let mut found = batches.iter().filter_map(|(bytes, epoch)| {
            let batch = Batch::parse(bytes).ok()?;
            find_records(&batch, *epoch, wanted).ok()
        });
        let found = found.find(|records| !records.is_empty());
        found.unwrap_or_default()
    }
}

/// The body of a batch cannot be decompressed or walked, under a right checksum.
struct Unreadable;

/// Finds the records that are wanted in a batch.
fn find_records(
    batch: &Batch<'_>,
    leader_epoch: LeaderEpoch,
    wanted: Wanted,
) -> Result<Vec<TimestampOffset>, Unreadable> {
    let body = record::decompress(batch, DECOMPRESSED_SIZE_MAX).map_err(|_| Unreadable)?;
    let mut found = Vec::new();
    for record in Records::new(batch.header(), &body) {
        let record = record.map_err(|_| Unreadable)?;
        if record.offset >= wanted.from && record.timestamp >= wanted.timestamp {
            found.push(TimestampOffset {
                timestamp: record.timestamp,
                offset: record.offset,
                leader_epoch,
            });
        }
        if found.len() >= wanted.count_max {
            break;
        }
    }
    Ok(found)
}

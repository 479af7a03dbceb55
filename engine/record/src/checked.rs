//! A batch that was checked once, with what its next owners need to know of it.
//!
//! Storage takes a [`CheckedBatch`] and checks nothing again; only this crate can make one.

use bytes::Bytes;
use types::{ByteCount, Offset, ProducerEpoch, ProducerId, Sequence, TimestampMs};

use crate::error::Damaged;
use crate::header::{BATCH_HEADER_SIZE, BatchHeader};
use crate::stamp::{self, Stamp};
use crate::view::Batch;

/// Who wrote an idempotent batch, and where it stands in that producer's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Producer {
    /// The producer.
    pub id: ProducerId,
    /// Its generation.
    pub epoch: ProducerEpoch,
    /// The sequence of the first record.
    pub base_sequence: Sequence,
}

/// One batch whose frame, checksum and counts hold, borrowed.
///
/// Invariants:
/// 1. The checksum matches the bytes.
/// 2. `1 <= offset_count`, and base offset + offset count is an offset.
/// 3. From [`validate_produced`](crate::validate_produced) also: every record follows the grammar,
///    offset deltas are 0, 1, 2, ..., and the largest timestamp is that of the records.
#[derive(Clone, Copy, Debug)]
pub struct CheckedBatch<'a> {
    batch: Batch<'a>,
    offset_count: u32,
    largest: LargestTimestamp,
}

/// The largest timestamp of a batch, and the first record that has it if records were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LargestTimestamp {
    pub(crate) timestamp: TimestampMs,
    pub(crate) offset_delta: Option<u32>,
}

/// A [`CheckedBatch`] that has its bytes.
#[derive(Clone, Debug)]
pub struct OwnedBatch {
    bytes: Bytes,
    offset_count: u32,
    largest: LargestTimestamp,
}

impl OwnedBatch {
    /// Keeps bytes that pass a check.
    pub(crate) fn check<E>(
        bytes: Bytes,
        check: impl for<'a> FnOnce(&'a [u8]) -> Result<CheckedBatch<'a>, E>,
    ) -> Result<Self, E> {
        let CheckedBatch {
            offset_count,
            largest,
            ..
        } = check(&bytes)?;
        Ok(Self {
            bytes,
            offset_count,
            largest,
        })
    }

    /// Returns the batch.
    pub fn checked(&self) -> CheckedBatch<'_> {
        let batch = Batch::parse(&self.bytes).expect("the same bytes were parsed before");
        CheckedBatch::new(batch, self.offset_count, self.largest)
    }
}

impl<'a> CheckedBatch<'a> {
    /// Vouches for invariants 1 to 3.
    pub(crate) fn new(batch: Batch<'a>, offset_count: u32, largest: LargestTimestamp) -> Self {
        assert!(offset_count >= 1); // invariant 2
        Self {
            batch,
            offset_count,
            largest,
        }
    }

    /// Returns the batch.
    pub fn batch(&self) -> Batch<'a> {
        self.batch
    }

    /// Returns the header as it came, not yet stamped.
    pub fn header(&self) -> &'a BatchHeader {
        self.batch.header()
    }

    /// Returns the whole batch as it came.
    pub fn bytes(&self) -> &'a [u8] {
        self.batch.bytes()
    }

    /// Returns the bytes behind the header.
    pub fn body(&self) -> &'a [u8] {
        self.batch.body()
    }

    /// Returns the size of the whole batch.
    pub fn size(&self) -> ByteCount {
        ByteCount::of(self.batch.bytes())
    }

    /// Returns how many offsets the batch takes: last offset delta + 1.
    ///
    /// In a compacted batch that is more than the number of its records.
    pub fn offset_count(&self) -> u32 {
        self.offset_count
    }

    /// Returns the base offset of the header: zero from a client, a place in the log when stored.
    pub fn base_offset(&self) -> Offset {
        self.header().base_offset()
    }

    /// Returns the offset behind the last one, by the header's base offset.
    pub fn end_offset(&self) -> Offset {
        self.base_offset().advance(self.offset_count)
    }

    /// Returns the largest timestamp: of the records if they were read, else of the header.
    pub fn max_timestamp(&self) -> TimestampMs {
        self.largest.timestamp
    }

    /// Returns the offset delta of the first record with the largest timestamp.
    ///
    /// `None` if the records were not read ([`check_stored`]); [`Records`](crate::Records) tells.
    pub fn max_timestamp_offset_delta(&self) -> Option<u32> {
        self.largest.offset_delta
    }

    /// Returns the idempotent producer; `None` for a plain one and for control batches.
    pub fn producer(&self) -> Option<Producer> {
        let header = self.header();
        Some(Producer {
            id: header.producer_id()?,
            epoch: header.producer_epoch(),
            base_sequence: header.base_sequence()?,
        })
    }

    /// Returns the header that a leader writes in front of [`CheckedBatch::body`].
    ///
    /// So a batch can be copied to its place in the log in two pieces, and is never changed there.
    /// A largest timestamp in the header that is not the records' is put right.
    ///
    /// *Cost*: nothing per byte, unless a field under the checksum changes (log append time, a
    /// wrong largest timestamp): then one pass over the body.
    pub fn stamped_header(&self, stamp: &Stamp) -> [u8; BATCH_HEADER_SIZE] {
        stamp::stamped_header(&self.batch, self.max_timestamp(), stamp)
    }
}

/// Checks a batch that comes from a log: our own disk, or a leader.
///
/// Checks the checksum and that the offsets can be; not the records, which were checked when they
/// were produced and which the checksum covers since.
///
/// *Errors*: [`Damaged`].
/// *Cost*: one pass for the checksum.
pub fn check_stored(batch: Batch<'_>) -> Result<CheckedBatch<'_>, Damaged> {
    batch.check_crc()?;
    let header = batch.header();
    let offsets = Damaged::Offsets {
        base_offset: header.base_offset().get(),
        last_offset_delta: header.last_offset_delta(),
        record_count: header.record_count(),
    };
    let Ok(last_offset_delta) = u32::try_from(header.last_offset_delta()) else {
        return Err(offsets);
    };
    let offset_count = last_offset_delta + 1;
    // Compaction leaves fewer records than offsets, down to none.
    let record_count_fits =
        u32::try_from(header.record_count()).is_ok_and(|count| count <= offset_count);
    let end = header.base_offset().get().checked_add(offset_count.into());
    if !record_count_fits || end.is_none() {
        return Err(offsets);
    }
    let largest = LargestTimestamp {
        timestamp: header.max_timestamp(),
        offset_delta: None,
    };
    Ok(CheckedBatch::new(batch, offset_count, largest))
}

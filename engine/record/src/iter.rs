//! The records of one batch, one by one, as borrowed slices.
//!
//! For reading what a log holds: compaction, consumers. Each record is checked as it
//! is reached, so a body needs no check before.

use std::iter::FusedIterator;

use types::{Offset, TimestampMs};

use crate::error::RecordFault;
use crate::grammar::{read_header, read_record};
use crate::header::{BatchHeader, TimestampType};
use crate::source::{SliceSource, Source};

/// One record.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// Its place in the log.
    pub offset: Offset,
    /// Its time: the producer's, or that of the append if the batch says so.
    pub timestamp: TimestampMs,
    /// The key; `None` is null, which is not the same as empty.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is null, a tombstone in a compacted topic.
    pub value: Option<&'a [u8]>,
    /// The headers, in order; keys may repeat.
    pub headers: Headers<'a>,
}

/// One header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// The key: text by convention, but nothing makes sure of it.
    pub key: &'a [u8],
    /// The value; `None` is null.
    pub value: Option<&'a [u8]>,
}

/// The headers of one record.
///
/// Invariant: the bytes hold `left` headers and nothing else; [`Records`] made sure of it.
#[derive(Clone, Debug)]
pub struct Headers<'a> {
    left: u32,
    bytes: SliceSource<'a>,
}

impl<'a> Iterator for Headers<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (key, value) =
            read_header(&mut self.bytes).expect("the record's headers were read before");
        Some(Header { key, value })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Headers<'_> {}
impl FusedIterator for Headers<'_> {}

/// Walks the records of a batch in the order of their offsets.
///
/// Ends after as many records as the header announces, or after the first error.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    base: Base,
    left: u32,
    source: SliceSource<'a>,
}

impl<'a> Records<'a> {
    /// Starts in front of the first record.
    ///
    /// *Layout*: `body` is what [`decompress`](crate::decompress) returns for the batch that
    /// `header` belongs to. A negative record count is read as zero.
    pub fn new(header: &BatchHeader, body: &'a [u8]) -> Self {
        Self {
            base: Base::of(header),
            left: u32::try_from(header.record_count()).unwrap_or(0),
            source: SliceSource::new(body),
        }
    }

    fn read(&mut self) -> Result<Record<'a>, RecordFault> {
        let raw = read_record(&mut self.source)?;
        let offset = self.base.offset(raw.offset_delta)?;
        let timestamp = self.base.timestamp(raw.timestamp_delta)?;
        if self.left == 0 && !self.source.body_is_spent()? {
            return Err(RecordFault::TrailingRecords);
        }
        Ok(Record {
            offset,
            timestamp,
            key: raw.key,
            value: raw.value,
            headers: Headers {
                left: raw.header_count,
                bytes: SliceSource::within_record(raw.headers),
            },
        })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, RecordFault>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let record = self.read();
        if record.is_err() {
            self.left = 0;
        }
        Some(record)
    }
}

impl FusedIterator for Records<'_> {}

/// What the offsets and timestamps of a batch's records are counted from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Base {
    offset: Offset,
    last_offset_delta: i32,
    timestamp: i64,
    log_append_time: Option<TimestampMs>,
}

impl Base {
    /// Returns what a batch's header says.
    pub(crate) fn of(header: &BatchHeader) -> Self {
        let log_append_time = match header.attributes().timestamp_type() {
            TimestampType::CreateTime => None,
            TimestampType::LogAppendTime => Some(header.max_timestamp()),
        };
        Self {
            offset: header.base_offset(),
            last_offset_delta: header.last_offset_delta(),
            timestamp: header.base_timestamp().0,
            log_append_time,
        }
    }

    /// Returns the offset of a record.
    pub(crate) fn offset(&self, delta: i32) -> Result<Offset, RecordFault> {
        (0..=self.last_offset_delta)
            .contains(&delta)
            .then(|| self.offset.get().checked_add(delta.into()))
            .flatten()
            .and_then(Offset::new)
            .ok_or(RecordFault::OffsetOutOfRange { delta })
    }

    /// Returns the timestamp of a record.
    pub(crate) fn timestamp(&self, delta: i64) -> Result<TimestampMs, RecordFault> {
        match self.log_append_time {
            Some(time) => Ok(time),
            None => self
                .timestamp
                .checked_add(delta)
                .map(TimestampMs)
                .ok_or(RecordFault::TimestampOverflow { delta }),
        }
    }
}

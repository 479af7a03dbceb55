//! What a produced batch must be before it enters a log.
//!
//! Checks run in this order, and the first that fails is the answer:
//!
//! 1. exactly one whole batch of version 2;
//! 2. base offset 0, size, checksum;
//! 3. counts, no control batch, producer fields, codec, timestamp type;
//! 4. every record: grammar, offset deltas 0, 1, 2, ..., key if the topic is compacted, timestamp.
//!
//! A compressed body is walked too, through a window: it is never in memory as a whole. Nothing is
//! skipped, and nothing is allocated per record.
//!
//! Not here: whether the producer's sequence follows (storage), who may write (handlers), and zstd
//! with old Produce versions (handlers; the header tells the codec).
//!
//! *Source*: docs/formats/record_batch.md; KIP-467 for answers per record.

use std::io;

use thiserror::Error;
use types::{ByteCount, TimestampMs};

use crate::checked::{CheckedBatch, LargestTimestamp};
use crate::codec::UnknownCodec;
use crate::compression::{DECOMPRESSED_SIZE_MAX, Decoder, DecompressError};
use crate::error::{ChecksumMismatch, Malformed, RecordFault};
use crate::grammar::{RawRecord, read_record};
use crate::header::{BatchHeader, TimestampType};
use crate::source::{SliceSource, Source, StreamFault, StreamSource};
use crate::view::Batch;

/// What a topic asks of a produced batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The largest whole batch, `max.message.bytes`.
    pub batch_size_max: ByteCount,
    /// What timestamps mean in this topic; the leader's time needs no window.
    pub timestamp_type: TimestampType,
    /// Which record timestamps are taken.
    pub timestamp_window: TimestampWindow,
    /// Whether records need a key.
    pub keys: Keys,
}

/// Whether records need a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// A record may come without.
    Optional,
    /// The topic is compacted: a record without a key could never be replaced.
    Required,
}

/// Which record timestamps a topic takes, both ends included; "no timestamp" is always taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampWindow {
    /// The earliest.
    pub earliest: TimestampMs,
    /// The latest.
    pub latest: TimestampMs,
}

impl TimestampWindow {
    /// Takes every timestamp.
    pub const UNBOUNDED: Self = Self {
        earliest: TimestampMs(i64::MIN),
        latest: TimestampMs(i64::MAX),
    };

    /// Takes timestamps from `before_ms` before `now` to `after_ms` after it.
    ///
    /// *Source*: `message.timestamp.before.max.ms` and `message.timestamp.after.max.ms`.
    pub fn around(now: TimestampMs, before_ms: u64, after_ms: u64) -> Self {
        Self {
            earliest: TimestampMs(now.0.saturating_sub_unsigned(before_ms)),
            latest: TimestampMs(now.0.saturating_add_unsigned(after_ms)),
        }
    }

    #[inline]
    fn takes(&self, timestamp: TimestampMs) -> bool {
        (self.earliest <= timestamp && timestamp <= self.latest) || timestamp == TimestampMs::NONE
    }
}

/// Why a produced batch is refused; each variant names the code to answer.
#[derive(Debug, Error)]
pub enum Invalid {
    /// Not one whole batch of version 2, or more than one: `INVALID_RECORD`.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Clients count offsets from 0: `INVALID_RECORD`.
    #[error("base offset {base_offset} of a produced batch is not 0")]
    BaseOffset {
        /// The base offset field.
        base_offset: i64,
    },
    /// `MESSAGE_TOO_LARGE`.
    #[error("batch of {size} is larger than {max}")]
    TooLarge {
        /// The size of the batch.
        size: ByteCount,
        /// What the topic takes.
        max: ByteCount,
    },
    /// `CORRUPT_MESSAGE`.
    #[error(transparent)]
    Checksum(#[from] ChecksumMismatch),
    /// The counts contradict each other or are not positive: `INVALID_RECORD`.
    #[error("record count {record_count} does not fit last offset delta {last_offset_delta}")]
    Counts {
        /// The record count field.
        record_count: i32,
        /// The last offset delta field.
        last_offset_delta: i32,
    },
    /// Only brokers write control batches: `INVALID_RECORD`.
    #[error("control batch from a client")]
    ControlBatch,
    /// A producer id without epoch or sequence, or a transaction without producer:
    /// `INVALID_RECORD`.
    #[error("producer id {id} with epoch {epoch} and sequence {base_sequence}")]
    ProducerFields {
        /// The producer id field.
        id: i64,
        /// The producer epoch field.
        epoch: i16,
        /// The base sequence field.
        base_sequence: i32,
    },
    /// `UNSUPPORTED_COMPRESSION_TYPE`.
    #[error(transparent)]
    Codec(#[from] UnknownCodec),
    /// Only leaders set the time of appending: `INVALID_TIMESTAMP`.
    #[error("timestamp type of a produced batch is log append time")]
    TimestampType,
    /// The body cannot be decompressed: `INVALID_RECORD`.
    #[error("body cannot be decompressed")]
    Decompression(#[source] io::Error),
    /// The body decompresses to more than any consumer takes: `MESSAGE_TOO_LARGE`, on which
    /// clients split the batch.
    #[error("body decompresses to more than {max}")]
    DecompressedTooLarge {
        /// [`DECOMPRESSED_SIZE_MAX`].
        max: ByteCount,
    },
    /// One record does not follow the grammar: `INVALID_RECORD`.
    #[error("record {batch_index} of the batch is malformed")]
    Record {
        /// The record's index in its batch.
        batch_index: u32,
        /// What is wrong with it.
        #[source]
        fault: RecordFault,
    },
    /// Offset deltas are not 0, 1, 2, ...: `INVALID_RECORD`.
    #[error("record {batch_index} of the batch has offset delta {offset_delta}")]
    OffsetDelta {
        /// The record's index in its batch, which the delta should be.
        batch_index: u32,
        /// The offset delta field.
        offset_delta: i32,
    },
    /// At least one timestamp is not taken: `INVALID_TIMESTAMP` with record errors.
    #[error("{} records rejected, timestamps among the reasons", .0.count)]
    Timestamps(RecordErrors),
    /// Records without the key they need: `INVALID_RECORD` with record errors.
    #[error("{} records rejected for want of a key", .0.count)]
    KeysMissing(RecordErrors),
}

/// How many record errors an answer lists at most.
pub const RECORD_ERRORS_MAX: usize = 64;

/// The records that stand in the way of their batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordErrors {
    /// The first [`RECORD_ERRORS_MAX`] of them.
    pub errors: Vec<RecordError>,
    /// How many there are in all.
    pub count: u32,
}

/// One rejected record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// The record's index in its batch.
    pub batch_index: u32,
    /// Why; its text is the message to answer.
    pub rejection: Rejection,
}

/// Why a well-formed record is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Rejection {
    /// A compacted topic needs a key.
    #[error("compacted topic cannot take a record without key")]
    KeyMissing,
    /// The timestamp is outside the topic's window.
    #[error("timestamp {timestamp} is not within [{}, {}]", .window.earliest, .window.latest)]
    Timestamp {
        /// The record's timestamp.
        timestamp: TimestampMs,
        /// What the topic takes.
        window: TimestampWindow,
    },
}

impl RecordErrors {
    #[cold]
    fn push(&mut self, batch_index: u32, rejection: Rejection) {
        self.count += 1;
        if self.errors.len() < RECORD_ERRORS_MAX {
            self.errors.push(RecordError {
                batch_index,
                rejection,
            });
        }
    }
}

/// Checks the bytes that a client sent for one partition, in the order above.
///
/// *Layout*: `bytes` must be one batch, nothing in front and nothing behind.
/// *Errors*: [`Invalid`], which names the code to answer.
/// *Cost*: one pass for the checksum and a few nanoseconds a record; a compressed body is
/// decompressed once, through a window.
pub fn validate_produced<'a>(bytes: &'a [u8], rules: &Rules) -> Result<CheckedBatch<'a>, Invalid> {
    let batch = Batch::parse(bytes)?;
    let header = batch.header();
    let base_offset = header.base_offset().get();
    if base_offset != 0 {
        return Err(Invalid::BaseOffset { base_offset });
    }
    let size = ByteCount::of(bytes);
    if size > rules.batch_size_max {
        return Err(Invalid::TooLarge {
            size,
            max: rules.batch_size_max,
        });
    }
    batch.check_crc()?;
    let record_count = check_header(header)?;
    let compression = header.attributes().compression()?;
    if header.attributes().timestamp_type() == TimestampType::LogAppendTime {
        return Err(Invalid::TimestampType);
    }
    let mut walk = Walk::new(header, rules);
    match Decoder::new(compression, batch.body()) {
        Ok(None) => walk.run(record_count, &mut SliceSource::new(batch.body()))?,
        Ok(Some(decoder)) => {
            let mut source = StreamSource::new(decoder, DECOMPRESSED_SIZE_MAX);
            walk.run(record_count, &mut source)?;
        }
        Err(DecompressError::Corrupt(cause)) => return Err(Invalid::Decompression(cause)),
        Err(DecompressError::UnknownCodec(unknown)) => return Err(unknown.into()),
        Err(DecompressError::TooLarge { max }) => {
            return Err(Invalid::DecompressedTooLarge { max });
        }
    }
    walk.finish()
        .map(|largest| CheckedBatch::new(batch, record_count, largest))
}

/// Checks counts, flags and producer fields; returns the number of records, 1 or more.
fn check_header(header: &BatchHeader) -> Result<u32, Invalid> {
    let record_count = match u32::try_from(header.record_count()) {
        Ok(count) if count > 0 && header.last_offset_delta() == header.record_count() - 1 => count,
        _ => {
            return Err(Invalid::Counts {
                record_count: header.record_count(),
                last_offset_delta: header.last_offset_delta(),
            });
        }
    };
    if header.attributes().is_control() {
        return Err(Invalid::ControlBatch);
    }
    let fields_fit = match header.producer_id() {
        Some(_) => header.producer_epoch().0 >= 0 && header.base_sequence().is_some(),
        None => !header.attributes().is_transactional(),
    };
    if fields_fit {
        Ok(record_count)
    } else {
        Err(Invalid::ProducerFields {
            id: header.producer_id.get(),
            epoch: header.producer_epoch.get(),
            base_sequence: header.base_sequence.get(),
        })
    }
}

/// One walk over a body's records.
struct Walk<'a> {
    base_timestamp: i64,
    rules: &'a Rules,
    /// What the topic's timestamp type leaves of the window.
    window: TimestampWindow,
    largest: TimestampMs,
    largest_index: u32,
    errors: RecordErrors,
    /// Whether a timestamp is among the errors, listed or not.
    timestamp_rejected: bool,
}

impl<'a> Walk<'a> {
    fn new(header: &BatchHeader, rules: &'a Rules) -> Self {
        Self {
            base_timestamp: header.base_timestamp().0,
            rules,
            window: match rules.timestamp_type {
                TimestampType::CreateTime => rules.timestamp_window,
                TimestampType::LogAppendTime => TimestampWindow::UNBOUNDED,
            },
            largest: TimestampMs(i64::MIN),
            largest_index: 0,
            errors: RecordErrors::default(),
            timestamp_rejected: false,
        }
    }

    fn run<S: Source>(&mut self, record_count: u32, source: &mut S) -> Result<(), Invalid>
    where
        Refused: From<S::Error>,
    {
        for index in 0..record_count {
            let record = read_record(source).map_err(|error| Refused::from(error).at(index))?;
            self.check(index, &record)?;
        }
        let last_index = record_count - 1;
        match source.body_is_spent() {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refused(RecordFault::TrailingRecords.into()).at(last_index)),
            Err(error) => Err(Refused::from(error).at(last_index)),
        }
    }

    #[inline]
    fn check<S>(&mut self, batch_index: u32, record: &RawRecord<S>) -> Result<(), Invalid> {
        if u32::try_from(record.offset_delta) != Ok(batch_index) {
            return Err(Invalid::OffsetDelta {
                batch_index,
                offset_delta: record.offset_delta,
            });
        }
        let delta = record.timestamp_delta;
        let Some(timestamp) = self.base_timestamp.checked_add(delta).map(TimestampMs) else {
            let fault = RecordFault::TimestampOverflow { delta };
            return Err(Invalid::Record { batch_index, fault });
        };
        if timestamp > self.largest {
            self.largest = timestamp;
            self.largest_index = batch_index;
        }
        if record.key.is_none() && self.rules.keys == Keys::Required {
            self.errors.push(batch_index, Rejection::KeyMissing);
        } else if !self.window.takes(timestamp) {
            self.timestamp_rejected = true;
            let window = self.window;
            self.errors
                .push(batch_index, Rejection::Timestamp { timestamp, window });
        }
        Ok(())
    }

    fn finish(self) -> Result<LargestTimestamp, Invalid> {
        if self.errors.count > 0 {
            return Err(if self.timestamp_rejected {
                Invalid::Timestamps(self.errors)
            } else {
                Invalid::KeysMissing(self.errors)
            });
        }
        Ok(LargestTimestamp {
            timestamp: self.largest,
            offset_delta: Some(self.largest_index),
        })
    }
}

/// A source's failure, on its way to the record it happened at.
struct Refused(StreamFault);

impl From<RecordFault> for Refused {
    fn from(fault: RecordFault) -> Self {
        Self(fault.into())
    }
}

impl From<StreamFault> for Refused {
    fn from(fault: StreamFault) -> Self {
        Self(fault)
    }
}

impl Refused {
    #[cold]
    fn at(self, batch_index: u32) -> Invalid {
        match self.0 {
            StreamFault::Record(fault) => Invalid::Record { batch_index, fault },
            StreamFault::Codec(cause) => Invalid::Decompression(cause),
            StreamFault::TooLarge => Invalid::DecompressedTooLarge {
                max: DECOMPRESSED_SIZE_MAX,
            },
        }
    }
}

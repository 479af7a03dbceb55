//! Why a produced batch is refused, with what its answer needs.
//!
//! The handler turns each variant into a code; the docs here say which.

use std::io;

use thiserror::Error;
use types::{ByteCount, TimestampMs};

use crate::codec::UnknownCodec;
use crate::error::{ChecksumMismatch, Malformed, RecordFault};
use crate::rules::TimestampWindow;

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
        /// [`DECOMPRESSED_SIZE_MAX`](crate::DECOMPRESSED_SIZE_MAX).
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
    pub(crate) fn push(&mut self, batch_index: u32, rejection: Rejection) {
        self.count += 1;
        if self.errors.len() < RECORD_ERRORS_MAX {
            self.errors.push(RecordError {
                batch_index,
                rejection,
            });
        }
    }
}

//! What can be wrong with bytes that should be a batch, whoever sent them.
//!
//! Not here: what only a produce request can do wrong (`validate.rs`), and failures of a codec
//! (`compression`).

use thiserror::Error;

/// The bytes are not one whole batch of version 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// Fewer bytes than a header.
    #[error("{available} bytes do not hold a batch header")]
    HeaderTruncated {
        /// How many bytes there are.
        available: usize,
    },
    /// The length field leaves no room for the header it stands in.
    #[error("batch length {length} is shorter than a header")]
    LengthTooSmall {
        /// The length field.
        length: i32,
    },
    /// The batch ends behind the bytes.
    #[error("batch of {size} bytes is cut off after {available}")]
    Truncated {
        /// The size by the length field, in bytes.
        size: usize,
        /// How many bytes there are.
        available: usize,
    },
    /// Bytes follow where only one batch may be.
    #[error("{count} bytes follow the batch")]
    TrailingBytes {
        /// How many.
        count: usize,
    },
    /// Another version of the format, or no batch at all.
    #[error("batch format version {magic} is not 2")]
    UnknownMagic {
        /// The byte at position 16.
        magic: u8,
    },
    /// A base offset that no log has.
    #[error("base offset {base_offset} is negative")]
    NegativeBaseOffset {
        /// The base offset field.
        base_offset: i64,
    },
}

/// The bytes are not those that the checksum was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("checksum of the batch is {got:#010x}, its header says {want:#010x}")]
pub struct ChecksumMismatch {
    /// What the header says.
    pub want: u32,
    /// What the bytes give.
    pub got: u32,
}

/// A batch of a log is not what this crate or a leader wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Damaged {
    /// No batch stands here.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Bytes have changed.
    #[error(transparent)]
    Checksum(#[from] ChecksumMismatch),
    /// The header's offsets and counts contradict each other, under a right checksum.
    #[error(
        "offsets {base_offset} + {last_offset_delta} with {record_count} records cannot be a batch"
    )]
    Offsets {
        /// The base offset field.
        base_offset: i64,
        /// The last offset delta field.
        last_offset_delta: i32,
        /// The record count field.
        record_count: i32,
    },
}

/// One record's bytes do not follow the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RecordFault {
    /// A field reaches behind the end of its record, or a record behind the end of the body.
    #[error("record is cut off")]
    Truncated,
    /// A variable-length number has more bits than its type.
    #[error("variable-length number is too long")]
    VarintTooLong,
    /// A length below -1, or below 0 where null is not allowed.
    #[error("length {length} is negative")]
    NegativeLength {
        /// The length field.
        length: i32,
    },
    /// A negative number of headers.
    #[error("header count {count} is negative")]
    NegativeHeaderCount {
        /// The count field.
        count: i32,
    },
    /// The record's fields end before its length does.
    #[error("bytes follow the last field of the record")]
    TrailingBytes,
    /// The body goes on after as many records as the header announces.
    #[error("bytes follow the last record of the batch")]
    TrailingRecords,
    /// Base timestamp and delta do not add up to a timestamp.
    #[error("timestamp delta {delta} overflows")]
    TimestampOverflow {
        /// The timestamp delta field, in ms.
        delta: i64,
    },
    /// An offset outside the range that the batch's header gives.
    #[error("offset delta {delta} lies outside the batch")]
    OffsetOutOfRange {
        /// The offset delta field.
        delta: i32,
    },
}

//! The 61 bytes in front of every batch, as a view over the bytes themselves.
//!
//! Not here: the body, and any judgement beyond "this can be a header" ([`BatchHeader::read`]).

use types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence, TimestampMs};
use zerocopy::byteorder::big_endian::{I16, I32, I64, U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::codec::{Compression, UnknownCodec};
use crate::error::Malformed;

/// The size of a batch header, in bytes.
pub const BATCH_HEADER_SIZE: usize = size_of::<BatchHeader>();

/// Where the length field ends: it counts the bytes from here on.
pub const LENGTH_END: usize = 12;

/// Where the checksum begins to cover.
pub(crate) const CRC_COVER_START: usize = 21;

/// Where the format version stands, in this format and in the two before it.
const MAGIC_POSITION: usize = 16;

/// The version of the format.
pub(crate) const MAGIC: u8 = 2;

const _: () = assert!(BATCH_HEADER_SIZE == 61);

/// A view of a batch's header.
///
/// *Layout*: the fields in this order, big-endian, packed.
/// *Source*: docs/formats/record_batch.md; KIP-98.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct BatchHeader {
    pub(crate) base_offset: I64,
    pub(crate) length: I32,
    pub(crate) leader_epoch: I32,
    pub(crate) magic: u8,
    pub(crate) crc: U32,
    pub(crate) attributes: U16,
    pub(crate) last_offset_delta: I32,
    pub(crate) base_timestamp: I64,
    pub(crate) max_timestamp: I64,
    pub(crate) producer_id: I64,
    pub(crate) producer_epoch: I16,
    pub(crate) base_sequence: I32,
    pub(crate) record_count: I32,
}

impl BatchHeader {
    /// Reads the header at the start of `bytes`; the body need not be there.
    ///
    /// Checks magic, a length that holds the header, and the sign of the base offset.
    ///
    /// *Errors*: [`Malformed`], never `Truncated` or `TrailingBytes`.
    pub fn read(bytes: &[u8]) -> Result<&Self, Malformed> {
        // First, so that a message of the old formats is named as such even if it is short.
        match bytes.get(MAGIC_POSITION) {
            Some(&magic) if magic != MAGIC => return Err(Malformed::UnknownMagic { magic }),
            _ => {}
        }
        let Ok((header, _)) = Self::ref_from_prefix(bytes) else {
            return Err(Malformed::HeaderTruncated {
                available: bytes.len(),
            });
        };
        if header.checked_total_size().is_none() {
            return Err(Malformed::LengthTooSmall {
                length: header.length.get(),
            });
        }
        match header.base_offset.get() {
            base_offset if base_offset < 0 => Err(Malformed::NegativeBaseOffset { base_offset }),
            _ => Ok(header),
        }
    }

    fn checked_total_size(&self) -> Option<usize> {
        let size = usize::try_from(self.length.get()).ok()? + LENGTH_END;
        (size >= BATCH_HEADER_SIZE).then_some(size)
    }

    /// Returns the size of the whole batch, header and body, in bytes: 61 to 2^31 + 11.
    ///
    /// *Panics*: if the header does not come from [`BatchHeader::read`].
    pub fn total_size(&self) -> usize {
        self.checked_total_size()
            .expect("a header that was read has a length that holds it")
    }

    /// Returns the offset of the batch's first record, as the last writer stamped it.
    ///
    /// *Panics*: if the header does not come from [`BatchHeader::read`].
    pub fn base_offset(&self) -> Offset {
        Offset::new(self.base_offset.get()).expect("a header that was read has a base offset")
    }

    /// Returns the epoch of the leader that stamped the batch; `None` before a leader did.
    pub fn leader_epoch(&self) -> Option<LeaderEpoch> {
        LeaderEpoch::new(self.leader_epoch.get())
    }

    /// Returns the checksum field.
    pub fn crc(&self) -> u32 {
        self.crc.get()
    }

    /// Returns the attribute bits.
    pub fn attributes(&self) -> Attributes {
        Attributes(self.attributes.get())
    }

    /// Returns the last record's offset minus the base offset, unchecked.
    pub fn last_offset_delta(&self) -> i32 {
        self.last_offset_delta.get()
    }

    /// Returns what record timestamp deltas count from.
    pub fn base_timestamp(&self) -> TimestampMs {
        TimestampMs(self.base_timestamp.get())
    }

    /// Returns the largest timestamp of the batch as its writer gave it.
    pub fn max_timestamp(&self) -> TimestampMs {
        TimestampMs(self.max_timestamp.get())
    }

    /// Returns the idempotent producer; `None` for a plain one.
    pub fn producer_id(&self) -> Option<ProducerId> {
        let id = self.producer_id.get();
        (id >= 0).then_some(ProducerId(id))
    }

    /// Returns the producer's epoch, meaningful if there is a producer id.
    pub fn producer_epoch(&self) -> ProducerEpoch {
        ProducerEpoch(self.producer_epoch.get())
    }

    /// Returns the first record's sequence; `None` for a plain producer and in control batches.
    pub fn base_sequence(&self) -> Option<Sequence> {
        Sequence::new(self.base_sequence.get())
    }

    /// Returns the number of records, unchecked.
    pub fn record_count(&self) -> i32 {
        self.record_count.get()
    }
}

/// What a record's timestamp means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer's time, each record its own.
    #[default]
    CreateTime,
    /// The leader's time of appending, one for the whole batch.
    LogAppendTime,
}

/// The attribute bits of a batch.
///
/// *Layout*: bits 0-2 codec, 3 timestamp type, 4 transactional, 5 control, 6 delete horizon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes(u16);

impl Attributes {
    pub(crate) const CODEC_MASK: u16 = 0b0000_0111;
    pub(crate) const LOG_APPEND_TIME: u16 = 0b0000_1000;
    pub(crate) const TRANSACTIONAL: u16 = 0b0001_0000;
    pub(crate) const CONTROL: u16 = 0b0010_0000;
    pub(crate) const DELETE_HORIZON: u16 = 0b0100_0000;

    /// Returns the codec of the body.
    ///
    /// *Errors*: [`UnknownCodec`] for the three numbers without a meaning.
    pub fn compression(self) -> Result<Compression, UnknownCodec> {
        Compression::from_bits(self.0 & Self::CODEC_MASK)
    }

    /// Returns what the timestamps mean.
    pub fn timestamp_type(self) -> TimestampType {
        if self.0 & Self::LOG_APPEND_TIME == 0 {
            TimestampType::CreateTime
        } else {
            TimestampType::LogAppendTime
        }
    }

    /// Returns whether the records belong to a transaction.
    pub fn is_transactional(self) -> bool {
        self.0 & Self::TRANSACTIONAL != 0
    }

    /// Returns whether the batch is a marker that brokers write and consumers skip.
    pub fn is_control(self) -> bool {
        self.0 & Self::CONTROL != 0
    }

    /// Returns whether the base timestamp is a time to delete tombstones at.
    pub fn has_delete_horizon(self) -> bool {
        self.0 & Self::DELETE_HORIZON != 0
    }
}

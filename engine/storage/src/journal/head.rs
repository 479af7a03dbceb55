//! The head of a journal file: where every log of the shard stood when the file was begun.
//!
//! *Layout*: docs/formats/journal.md. A header of 64 bytes, the end table, zeros up to a block.

use types::size::block_ceil;
use types::{BLOCK_SIZE, Incarnation, LeaderEpoch, Offset};
use zerocopy::little_endian::{I32, I64, U32, U64};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::sequence::Sequence;
use crate::log_end::LogEnd;

/// The version of the journal's format.
pub(crate) const JOURNAL_VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"rrjourn\n";
const HEAD_HEADER_SIZE: usize = size_of::<RawHead>();
const FLAG_PRODUCERS: u32 = 1;

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct RawHead {
    magic: [u8; 8],
    version: U32,
    entry_count: U32,
    generation: U32,
    reserved_1: U32,
    counter: U64,
    live_from: U64,
    reserved_2: [u8; 20],
    crc: U32,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct RawEnd {
    incarnation: U64,
    start: I64,
    first_segment: I64,
    segment: I64,
    position: U64,
    next: I64,
    epoch_start: I64,
    epoch: I32,
    truncations: U32,
    flags: U32,
    reserved: U32,
}

/// What stands at the start of a journal file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The head's own place; the file's first chunk has the next one.
    pub(crate) sequence: Sequence,
    /// The oldest counter of this generation that a replay needs.
    pub(crate) live_from: u64,
    /// Every log of the shard as of the last chunk placed before.
    pub(crate) ends: Vec<LogEnd>,
}

/// Why the start of a file is no head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoHead {
    /// A newer release wrote it.
    NewerFormat {
        /// Its version.
        found: u32,
    },
    /// It was never written, or is torn.
    Invalid,
}

/// Returns the bytes a head takes, in whole blocks.
pub(crate) fn head_size(entry_count: usize) -> u64 {
    let bytes = HEAD_HEADER_SIZE + entry_count * size_of::<RawEnd>();
    block_ceil(u64::try_from(bytes).expect("the table of a shard's logs fits memory"))
}

/// Reads how large the head is that starts with this block; `None` if it is no head.
pub(crate) fn announced_size(block: &[u8]) -> Option<u64> {
    let (raw, _) = RawHead::read_from_prefix(block).ok()?;
    let entry_count = usize::try_from(raw.entry_count.get()).ok()?;
    (raw.magic == MAGIC).then(|| head_size(entry_count))
}

impl Head {
    /// Writes the head over the start of `bytes`, which are zero.
    ///
    /// *Panics*: if there are fewer than [`head_size`].
    pub(crate) fn write(&self, bytes: &mut [u8]) {
        let (head, table) = bytes
            .split_at_mut_checked(HEAD_HEADER_SIZE)
            .expect("a head is a block at least");
        let places = table.chunks_exact_mut(size_of::<RawEnd>());
        assert!(places.len() >= self.ends.len());
        for (place, end) in places.zip(&self.ends) {
            place.copy_from_slice(raw_end(end).as_bytes());
        }
        let mut raw = RawHead::new_zeroed();
        raw.magic = MAGIC;
        raw.version = JOURNAL_VERSION.into();
        raw.entry_count = u32::try_from(self.ends.len())
            .expect("a shard has fewer logs than 2^32")
            .into();
        raw.generation = self.sequence.generation.into();
        raw.counter = self.sequence.counter.into();
        raw.live_from = self.live_from.into();
        let (table, _) = table
            .split_at_checked(self.ends.len() * size_of::<RawEnd>())
            .expect("the places were counted");
        raw.crc = head_crc(&raw, table).into();
        head.copy_from_slice(raw.as_bytes());
    }

    /// Reads the head at the start of `bytes`.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, NoHead> {
        let (raw, rest) = RawHead::read_from_prefix(bytes).map_err(|_| NoHead::Invalid)?;
        if raw.magic != MAGIC {
            return Err(NoHead::Invalid);
        }
        let entry_count = usize::try_from(raw.entry_count.get()).map_err(|_| NoHead::Invalid)?;
        let table = entry_count
            .checked_mul(size_of::<RawEnd>())
            .and_then(|size| rest.get(..size))
            .ok_or(NoHead::Invalid)?;
        if raw.crc.get() != head_crc(&raw, table) {
            return Err(NoHead::Invalid);
        }
        if raw.version.get() > JOURNAL_VERSION {
            let found = raw.version.get();
            return Err(NoHead::NewerFormat { found });
        }
        let ends = table
            .chunks_exact(size_of::<RawEnd>())
            .map(|place| {
                RawEnd::read_from_bytes(place)
                    .ok()
                    .and_then(|raw| end(&raw))
            })
            .collect::<Option<Vec<_>>>()
            .ok_or(NoHead::Invalid)?;
        Ok(Self {
            sequence: Sequence {
                generation: raw.generation.get(),
                counter: raw.counter.get(),
            },
            live_from: raw.live_from.get(),
            ends,
        })
    }
}

fn raw_end(end: &LogEnd) -> RawEnd {
    RawEnd {
        incarnation: end.incarnation.0.into(),
        start: end.start.get().into(),
        first_segment: end.first_segment.get().into(),
        segment: end.segment.get().into(),
        position: end.position.into(),
        next: end.next.get().into(),
        epoch_start: end.epoch_start.get().into(),
        epoch: end.epoch.get().into(),
        truncations: end.truncations.into(),
        flags: if end.has_producers { FLAG_PRODUCERS } else { 0 }.into(),
        reserved: 0.into(),
    }
}

fn end(raw: &RawEnd) -> Option<LogEnd> {
    Some(LogEnd {
        incarnation: Incarnation(raw.incarnation.get()),
        start: Offset::new(raw.start.get())?,
        first_segment: Offset::new(raw.first_segment.get())?,
        segment: Offset::new(raw.segment.get())?,
        position: raw.position.get(),
        next: Offset::new(raw.next.get())?,
        epoch: LeaderEpoch::new(raw.epoch.get())?,
        epoch_start: Offset::new(raw.epoch_start.get())?,
        truncations: raw.truncations.get(),
        has_producers: raw.flags.get() & FLAG_PRODUCERS != 0,
    })
}

fn head_crc(raw: &RawHead, table: &[u8]) -> u32 {
    let (covered, _) = raw
        .as_bytes()
        .split_at_checked(HEAD_HEADER_SIZE - size_of::<U32>())
        .expect("the checksum is the last field");
    crc32c::crc32c_append(crc32c::crc32c(covered), table)
}

const _: () = assert!(HEAD_HEADER_SIZE as u64 <= BLOCK_SIZE);

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        let mut end = LogEnd::empty(Incarnation(9));
        end.position = 77;
        end.next = Offset::new(5).unwrap();
        end.has_producers = true;
        Head {
            sequence: Sequence {
                generation: 4,
                counter: 10,
            },
            live_from: 8,
            ends: vec![LogEnd::empty(Incarnation(1)), end],
        }
    }

    #[test]
    fn a_head_is_read_back() {
        let mut bytes = vec![0; usize::try_from(head_size(2)).unwrap()];
        head().write(&mut bytes);
        assert_eq!(announced_size(&bytes), Some(4096));
        assert_eq!(Head::read(&bytes), Ok(head()));
    }

    #[test]
    fn the_golden_head_is_read() {
        let mut bytes = vec![0; usize::try_from(head_size(2)).unwrap()];
        head().write(&mut bytes);
        let then = crate::golden::golden("journal_head_v1.bin", &bytes);
        assert_eq!(Head::read(&then), Ok(head()));
    }

    #[test]
    fn every_flipped_bit_of_a_head_is_refused() {
        let mut bytes = vec![0; 4096];
        head().write(&mut bytes);
        for bit in 0..(HEAD_HEADER_SIZE + 2 * size_of::<RawEnd>()) * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Head::read(&bytes), Err(NoHead::Invalid), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn a_newer_format_is_named() {
        let mut bytes = vec![0; 4096];
        head().write(&mut bytes);
        let (mut raw, _) = RawHead::read_from_prefix(&bytes).unwrap();
        raw.version = 2.into();
        raw.crc = head_crc(&raw, &bytes[64..64 + 2 * size_of::<RawEnd>()]).into();
        bytes[..64].copy_from_slice(raw.as_bytes());
        assert_eq!(Head::read(&bytes), Err(NoHead::NewerFormat { found: 2 }));
    }

    #[test]
    fn large_tables_take_more_blocks() {
        assert_eq!(head_size(0), 4096);
        assert_eq!(head_size(1_000), 73_728);
    }
}

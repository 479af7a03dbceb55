//! One entry of a segment's index, and the index as a list of them.
//!
//! *Layout*: docs/formats/index.md. A header of 32 bytes, then entries of 32 bytes, sorted.

use types::{LeaderEpoch, Offset, TimestampMs};
use zerocopy::little_endian::{I32, I64, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The version of the index format.
pub(crate) const INDEX_VERSION: u32 = 1;

/// The size of an entry, and of the header in front of the first, in bytes.
pub(crate) const ENTRY_SIZE: usize = 32;

const MAGIC: [u8; 8] = *b"rrindex\n";

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct RawHeader {
    magic: [u8; 8],
    version: U32,
    truncations: U32,
    segment: I64,
    reserved: U32,
    crc: U32,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct RawEntry {
    offset: I64,
    position: U64,
    max_timestamp: I64,
    epoch: I32,
    crc: U32,
}

const _: () = assert!(size_of::<RawHeader>() == ENTRY_SIZE);
const _: () = assert!(size_of::<RawEntry>() == ENTRY_SIZE);

/// Whose index it is: mixed into every entry's checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IndexKey {
    /// The segment's base offset.
    pub(crate) segment: Offset,
    /// How often the log had been truncated when the file was begun.
    pub(crate) truncations: u32,
}

/// Where one batch stands, and what lies before it.
///
/// An entry of a closed segment may point at its end: then there is no batch, and the maximum is
/// that of the whole segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The batch's base offset.
    pub(crate) offset: Offset,
    /// Where it starts, in bytes from the segment's start.
    pub(crate) position: u64,
    /// The largest timestamp of the batches before it in the segment; none: [`TimestampMs::NONE`].
    pub(crate) max_timestamp: TimestampMs,
    /// The batch's leader epoch; every change of epoch has an entry.
    pub(crate) epoch: LeaderEpoch,
}

impl IndexKey {
    fn crc_seed(self) -> u32 {
        let seed = crc32c::crc32c(&self.segment.get().to_le_bytes());
        crc32c::crc32c_append(seed, &self.truncations.to_le_bytes())
    }

    /// Returns the file's first 32 bytes.
    pub(crate) fn header(self) -> [u8; ENTRY_SIZE] {
        let mut raw = RawHeader {
            magic: MAGIC,
            version: INDEX_VERSION.into(),
            truncations: self.truncations.into(),
            segment: self.segment.get().into(),
            reserved: 0.into(),
            crc: 0.into(),
        };
        raw.crc = crc_of(self.crc_seed(), raw.as_bytes()).into();
        zerocopy::transmute!(raw)
    }

    /// Reads the entries of an index file up to the first that does not hold.
    ///
    /// `None` if the header is another's or of another version: the index is to be rebuilt.
    pub(crate) fn read(self, bytes: &[u8]) -> Option<Vec<Entry>> {
        let (header, rest) = bytes.split_at_checked(ENTRY_SIZE)?;
        if header != self.header() {
            return None;
        }
        let mut entries: Vec<Entry> = Vec::with_capacity(rest.len() / ENTRY_SIZE);
        for bytes in rest.chunks_exact(ENTRY_SIZE) {
            let Some(entry) = self.read_entry(bytes) else {
                break;
            };
            let follows = entries.last().is_none_or(|last| {
                last.offset < entry.offset
                    && last.position < entry.position
                    && last.max_timestamp <= entry.max_timestamp
                    && last.epoch <= entry.epoch
            });
            if !follows {
                break;
            }
            entries.push(entry);
        }
        Some(entries)
    }

    fn read_entry(self, bytes: &[u8]) -> Option<Entry> {
        let raw = RawEntry::read_from_bytes(bytes).ok()?;
        if raw.crc.get() != crc_of(self.crc_seed(), bytes) {
            return None;
        }
        Some(Entry {
            offset: Offset::new(raw.offset.get())?,
            position: raw.position.get(),
            max_timestamp: TimestampMs(raw.max_timestamp.get()),
            epoch: LeaderEpoch::new(raw.epoch.get())?,
        })
    }

    /// Returns the bytes of one entry.
    pub(crate) fn entry(self, entry: &Entry) -> [u8; ENTRY_SIZE] {
        let mut raw = RawEntry {
            offset: entry.offset.get().into(),
            position: entry.position.into(),
            max_timestamp: entry.max_timestamp.0.into(),
            epoch: entry.epoch.get().into(),
            crc: 0.into(),
        };
        raw.crc = crc_of(self.crc_seed(), raw.as_bytes()).into();
        zerocopy::transmute!(raw)
    }
}

/// Header and entries both end in their checksum.
fn crc_of(seed: u32, bytes: &[u8]) -> u32 {
    let (covered, _) = bytes
        .split_at_checked(ENTRY_SIZE - size_of::<U32>())
        .expect("an entry has 32 bytes");
    crc32c::crc32c_append(seed, covered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> IndexKey {
        IndexKey {
            segment: Offset::new(100).unwrap(),
            truncations: 2,
        }
    }

    fn entry(offset: i64) -> Entry {
        Entry {
            offset: Offset::new(offset).unwrap(),
            position: u64::try_from(offset - 100).unwrap() * 50,
            max_timestamp: TimestampMs(offset),
            epoch: LeaderEpoch::new(1).unwrap(),
        }
    }

    fn file() -> Vec<u8> {
        let mut bytes = key().header().to_vec();
        for offset in [100, 101, 110] {
            bytes.extend_from_slice(&key().entry(&entry(offset)));
        }
        bytes
    }

    #[test]
    fn an_index_is_read_back_up_to_its_zeros() {
        let mut bytes = file();
        bytes.resize(4096, 0);
        assert_eq!(
            key().read(&bytes),
            Some(vec![entry(100), entry(101), entry(110)])
        );
    }

    #[test]
    fn the_golden_index_is_read() {
        let then = crate::golden::golden("index_v1.bin", &file());
        assert_eq!(
            key().read(&then),
            Some(vec![entry(100), entry(101), entry(110)])
        );
    }

    #[test]
    fn a_flipped_bit_ends_the_index_before_its_entry() {
        let good = file();
        for bit in 0..good.len() * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let whole = (bit / 8 / ENTRY_SIZE).checked_sub(1);
            assert_eq!(
                key().read(&bytes).map(|entries| entries.len()),
                whole,
                "bit {bit}"
            );
        }
    }

    #[test]
    fn an_index_of_before_a_truncation_is_not_believed() {
        let other = IndexKey {
            truncations: 3,
            ..key()
        };
        assert_eq!(other.read(&file()), None);
    }
}

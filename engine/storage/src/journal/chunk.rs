//! A chunk: the frames of one write to the journal.
//!
//! *Layout*: docs/formats/journal.md. A header of 48 bytes, then frames, then zeros up to a block.

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::frame::Frame;
use super::sequence::Sequence;

/// The size of a chunk's header, in bytes.
pub(crate) const CHUNK_HEADER_SIZE: usize = size_of::<RawChunk>();

const MAGIC: u32 = u32::from_le_bytes(*b"rrch");

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct RawChunk {
    magic: U32,
    length: U32,
    generation: U32,
    frame_count: U32,
    counter: U64,
    live_from: U64,
    durable_through: U64,
    reserved: U32,
    crc: U32,
}

/// The header of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChunkHeader {
    /// The chunk's place.
    pub(crate) sequence: Sequence,
    /// From header to the end of the last frame, in bytes, without the padding.
    pub(crate) length: u32,
    /// How many frames follow.
    pub(crate) frame_count: u32,
    /// The oldest counter of this generation that a replay needs.
    pub(crate) live_from: u64,
    /// The newest counter that was synced when this chunk was placed: a hole at or below it is
    /// damage, a hole above it is the torn tail of a round that nobody was told of.
    pub(crate) durable_through: u64,
}

impl ChunkHeader {
    /// Writes the header at the start of `chunk`.
    ///
    /// *Panics*: if `chunk` is shorter than a header.
    pub(crate) fn write(&self, chunk: &mut [u8]) {
        let mut raw = RawChunk {
            magic: MAGIC.into(),
            length: self.length.into(),
            generation: self.sequence.generation.into(),
            frame_count: self.frame_count.into(),
            counter: self.sequence.counter.into(),
            live_from: self.live_from.into(),
            durable_through: self.durable_through.into(),
            reserved: 0.into(),
            crc: 0.into(),
        };
        raw.crc = header_crc(&raw).into();
        let (head, _) = chunk
            .split_at_mut_checked(CHUNK_HEADER_SIZE)
            .expect("a chunk is a block at least");
        head.copy_from_slice(raw.as_bytes());
    }

    /// Reads a header; `None` if these bytes are not one.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (raw, _) = RawChunk::read_from_prefix(bytes).ok()?;
        if raw.magic.get() != MAGIC || raw.crc.get() != header_crc(&raw) {
            return None;
        }
        let length = raw.length.get();
        if usize::try_from(length).ok()? < CHUNK_HEADER_SIZE {
            return None;
        }
        Some(Self {
            sequence: Sequence {
                generation: raw.generation.get(),
                counter: raw.counter.get(),
            },
            length,
            frame_count: raw.frame_count.get(),
            live_from: raw.live_from.get(),
            durable_through: raw.durable_through.get(),
        })
    }
}

fn header_crc(raw: &RawChunk) -> u32 {
    let (covered, _) = raw
        .as_bytes()
        .split_at_checked(CHUNK_HEADER_SIZE - size_of::<U32>())
        .expect("the checksum is the last field");
    crc32c::crc32c(covered)
}

/// Reads the frames of a chunk, whose bytes start with the header that was read.
///
/// `None` unless every frame is valid and together they are exactly what the header says.
pub(crate) fn read_frames<'a>(
    header: &ChunkHeader,
    chunk: &'a [u8],
) -> Option<Vec<(Frame, &'a [u8])>> {
    let length = usize::try_from(header.length).ok()?;
    let mut rest = chunk.get(CHUNK_HEADER_SIZE..length)?;
    let mut frames = Vec::new();
    for _ in 0..header.frame_count {
        let (frame, payload, behind) = Frame::read(header.sequence, rest)?;
        frames.push((frame, payload));
        rest = behind;
    }
    rest.is_empty().then_some(frames)
}

#[cfg(test)]
mod tests {
    use types::{Incarnation, LeaderEpoch, Offset};

    use super::super::frame::{Entry, frame_size};
    use super::*;

    const HERE: Sequence = Sequence {
        generation: 1,
        counter: 5,
    };

    fn offset(offset: i64) -> Offset {
        Offset::new(offset).unwrap()
    }

    /// One frame of each kind.
    fn frames() -> Vec<(Frame, &'static [u8])> {
        let epoch = LeaderEpoch::new(4).unwrap();
        let entries = [
            Entry::Data {
                segment: offset(100),
                position: 4_000,
                first: offset(120),
                next: offset(123),
                epoch,
                producers: true,
            },
            Entry::Truncate {
                segment: offset(100),
                position: 3_000,
                next: offset(119),
                epoch,
                truncations: 2,
            },
            Entry::Start {
                segment: offset(100),
                first: offset(110),
            },
            Entry::Epoch {
                epoch,
                first: offset(119),
            },
        ];
        let frame = |entry| Frame {
            incarnation: Incarnation(3),
            entry,
        };
        let payloads: [&[u8]; 4] = [b"whole batches", b"", b"", b""];
        entries.into_iter().map(frame).zip(payloads).collect()
    }

    const LENGTH: usize = CHUNK_HEADER_SIZE + frame_size(13) + 3 * frame_size(0);

    fn chunk() -> Vec<u8> {
        let mut bytes = vec![0; 4096];
        let mut rest = &mut bytes[CHUNK_HEADER_SIZE..];
        for (frame, payload) in frames() {
            rest = frame.write(HERE, std::iter::once(payload), rest);
        }
        let header = ChunkHeader {
            sequence: HERE,
            length: u32::try_from(LENGTH).unwrap(),
            frame_count: 4,
            live_from: 1,
            durable_through: 4,
        };
        header.write(&mut bytes);
        bytes
    }

    #[test]
    fn the_golden_chunk_is_read() {
        let then = crate::golden::golden("journal_chunk_v1.bin", &chunk()[..LENGTH]);
        let header = ChunkHeader::read(&then).unwrap();
        assert_eq!(read_frames(&header, &then), Some(frames()));
    }

    #[test]
    fn a_chunk_is_read_back() {
        let bytes = chunk();
        let header = ChunkHeader::read(&bytes).unwrap();
        assert_eq!((header.sequence.counter, header.durable_through), (5, 4));
        assert_eq!(read_frames(&header, &bytes), Some(frames()));
    }

    #[test]
    fn every_flipped_bit_of_a_chunk_is_refused() {
        let mut bytes = chunk();
        let padding = LENGTH - 3 * frame_size(0) - 3..LENGTH - 3 * frame_size(0);
        for bit in (0..LENGTH * 8).filter(|bit| !padding.contains(&(bit / 8))) {
            bytes[bit / 8] ^= 1 << (bit % 8);
            let read = ChunkHeader::read(&bytes).and_then(|h| read_frames(&h, &bytes).map(|_| ()));
            assert!(read.is_none(), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn arbitrary_bytes_are_no_chunk() {
        assert_eq!(ChunkHeader::read(&[]), None);
        assert_eq!(ChunkHeader::read(&[0xff; 64]), None);
        assert_eq!(ChunkHeader::read(&[0; 4096]), None);
    }
}

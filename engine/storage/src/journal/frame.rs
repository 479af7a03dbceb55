//! A frame: what one log has in one chunk.
//!
//! *Layout*: docs/formats/journal.md. A header of 64 bytes, the payload, and zeros up to a multiple
//! of 8. Redo is physical: "these bytes at this position of this segment".

use types::{Incarnation, LeaderEpoch, Offset};
use zerocopy::little_endian::{I32, I64, U16, U32, U64};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::sequence::Sequence;

/// The size of a frame's header, in bytes.
pub(crate) const FRAME_HEADER_SIZE: usize = size_of::<RawFrame>();

/// Frames start at multiples of this within their chunk.
const FRAME_ALIGNMENT: usize = 8;

const KIND_DATA: u8 = 1;
const KIND_TRUNCATE: u8 = 2;
const KIND_START: u8 = 3;
const KIND_EPOCH: u8 = 4;

/// Batches of an idempotent producer are in the payload.
const FLAG_PRODUCERS: u8 = 1;

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct RawFrame {
    kind: u8,
    flags: u8,
    reserved: U16,
    epoch: I32,
    incarnation: U64,
    segment: I64,
    position: U64,
    first: I64,
    next: I64,
    length: U32,
    truncations: U32,
    payload_crc: U32,
    crc: U32,
}

/// What a frame says about its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// The payload stands at `position` of `segment`; it is whole batches `[first, next)`.
    Data {
        /// The segment's base offset.
        segment: Offset,
        /// Where the first byte goes, in bytes from the segment's start.
        position: u64,
        /// The first batch's base offset.
        first: Offset,
        /// The offset behind the last batch.
        next: Offset,
        /// The leader epoch of the last batch.
        epoch: LeaderEpoch,
        /// Whether an idempotent producer wrote any of it.
        producers: bool,
    },
    /// The log ends at `next`, at `position` of `segment`, and goes on in `epoch`.
    Truncate {
        /// The segment that becomes the last.
        segment: Offset,
        /// Its length in bytes.
        position: u64,
        /// The new end.
        next: Offset,
        /// The epoch that follows: no batch of an older one may stand behind the cut.
        epoch: LeaderEpoch,
        /// How often the log has been cut, this time included.
        truncations: u32,
    },
    /// The log starts at `first`; segments below `segment` are gone.
    Start {
        /// The first segment that stays.
        segment: Offset,
        /// The new start.
        first: Offset,
    },
    /// `epoch` starts at `first`, the end of the log.
    Epoch {
        /// The epoch.
        epoch: LeaderEpoch,
        /// Its first offset.
        first: Offset,
    },
}

/// One frame without its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Whose it is.
    pub(crate) incarnation: Incarnation,
    /// What it says.
    pub(crate) entry: Entry,
}

/// Returns what a frame takes in its chunk, padding included.
pub(crate) const fn frame_size(payload: usize) -> usize {
    (FRAME_HEADER_SIZE + payload).next_multiple_of(FRAME_ALIGNMENT)
}

impl Frame {
    fn raw(&self, length: u32) -> RawFrame {
        let mut raw = RawFrame::new_zeroed();
        raw.incarnation = self.incarnation.0.into();
        raw.length = length.into();
        match self.entry {
            Entry::Data {
                segment,
                position,
                first,
                next,
                epoch,
                producers,
            } => {
                raw.kind = KIND_DATA;
                raw.flags = if producers { FLAG_PRODUCERS } else { 0 };
                raw.segment = segment.get().into();
                raw.position = position.into();
                raw.first = first.get().into();
                raw.next = next.get().into();
                raw.epoch = epoch.get().into();
            }
            Entry::Truncate {
                segment,
                position,
                next,
                epoch,
                truncations,
            } => {
                raw.kind = KIND_TRUNCATE;
                raw.segment = segment.get().into();
                raw.position = position.into();
                raw.next = next.get().into();
                raw.epoch = epoch.get().into();
                raw.truncations = truncations.into();
            }
            Entry::Start { segment, first } => {
                raw.kind = KIND_START;
                raw.segment = segment.get().into();
                raw.first = first.get().into();
            }
            Entry::Epoch { epoch, first } => {
                raw.kind = KIND_EPOCH;
                raw.epoch = epoch.get().into();
                raw.first = first.get().into();
            }
        }
        raw
    }

    fn from_raw(raw: &RawFrame) -> Option<Self> {
        let segment = Offset::new(raw.segment.get())?;
        let first = Offset::new(raw.first.get())?;
        let next = Offset::new(raw.next.get())?;
        let epoch = LeaderEpoch::new(raw.epoch.get())?;
        let position = raw.position.get();
        let entry = match raw.kind {
            KIND_DATA if first < next && raw.length.get() > 0 => Entry::Data {
                segment,
                position,
                first,
                next,
                epoch,
                producers: raw.flags & FLAG_PRODUCERS != 0,
            },
            KIND_TRUNCATE => Entry::Truncate {
                segment,
                position,
                next,
                epoch,
                truncations: raw.truncations.get(),
            },
            KIND_START => Entry::Start { segment, first },
            KIND_EPOCH => Entry::Epoch { epoch, first },
            _ => return None,
        };
        Some(Self {
            incarnation: Incarnation(raw.incarnation.get()),
            entry,
        })
    }

    /// Writes the frame at the start of `target` and returns the bytes behind it.
    ///
    /// *Panics*: if `target` is shorter than [`frame_size`].
    pub(crate) fn write<'a, 'p>(
        &self,
        sequence: Sequence,
        payload: impl Iterator<Item = &'p [u8]>,
        target: &'a mut [u8],
    ) -> &'a mut [u8] {
        let (head, mut body) = target
            .split_at_mut_checked(FRAME_HEADER_SIZE)
            .expect("a chunk has room for its frames");
        let mut length = 0;
        let mut crc = 0;
        for piece in payload {
            let (place, rest) = body
                .split_at_mut_checked(piece.len())
                .expect("a chunk has room for its frames");
            place.copy_from_slice(piece);
            crc = crc32c::crc32c_append(crc, piece);
            length += piece.len();
            body = rest;
        }
        let mut raw = self.raw(u32::try_from(length).expect("a frame fits a chunk"));
        raw.payload_crc = crc.into();
        raw.crc = frame_crc(sequence, &raw).into();
        head.copy_from_slice(raw.as_bytes());
        let padding = frame_size(length) - FRAME_HEADER_SIZE - length;
        let (padding, rest) = body
            .split_at_mut_checked(padding)
            .expect("a chunk has room for its frames");
        padding.fill(0);
        rest
    }

    /// Reads the frame at the start of `bytes`: itself, its payload, and the bytes behind it.
    ///
    /// `None` if it is not a frame that was written at this place of the sequence.
    pub(crate) fn read(sequence: Sequence, bytes: &[u8]) -> Option<(Self, &[u8], &[u8])> {
        let (raw, rest) = RawFrame::read_from_prefix(bytes).ok()?;
        let length = usize::try_from(raw.length.get()).ok()?;
        let (payload, _) = rest.split_at_checked(length)?;
        let (_, behind) = bytes.split_at_checked(frame_size(length))?;
        let valid = raw.crc.get() == frame_crc(sequence, &raw)
            && raw.payload_crc.get() == crc32c::crc32c(payload);
        if !valid {
            return None;
        }
        Some((Self::from_raw(&raw)?, payload, behind))
    }
}

/// Checks the header, and through it the payload, for one place of the sequence alone.
fn frame_crc(sequence: Sequence, raw: &RawFrame) -> u32 {
    let (covered, _) = raw
        .as_bytes()
        .split_at_checked(FRAME_HEADER_SIZE - size_of::<U32>())
        .expect("the checksum is the last field");
    crc32c::crc32c_append(sequence.crc_seed(), covered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        Frame {
            incarnation: Incarnation(7),
            entry: Entry::Data {
                segment: Offset::new(10).unwrap(),
                position: 4_000,
                first: Offset::new(12).unwrap(),
                next: Offset::new(15).unwrap(),
                epoch: LeaderEpoch::new(3).unwrap(),
                producers: true,
            },
        }
    }

    const HERE: Sequence = Sequence {
        generation: 2,
        counter: 9,
    };

    #[test]
    fn a_frame_is_read_back() {
        // What stood there before does not get to the disk.
        let mut bytes = vec![0xA5; frame_size(5) + 3];
        let rest = frame().write(HERE, [&b"ab"[..], b"cde"].into_iter(), &mut bytes);
        assert_eq!(rest.len(), 3);
        let (read, payload, behind) = Frame::read(HERE, &bytes).unwrap();
        assert_eq!((read, payload, behind.len()), (frame(), &b"abcde"[..], 3));
        let padding = &bytes[FRAME_HEADER_SIZE + 5..frame_size(5)];
        assert!(!padding.is_empty() && padding.iter().all(|&byte| byte == 0));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let mut bytes = vec![0; frame_size(16)];
        frame().write(HERE, [&[7_u8; 16][..]].into_iter(), &mut bytes);
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Frame::read(HERE, &bytes).is_none(), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        for length in 0..bytes.len() {
            assert!(
                Frame::read(HERE, &bytes[..length]).is_none(),
                "{length} bytes"
            );
        }
    }

    #[test]
    fn a_frame_is_valid_at_its_place_of_the_sequence_alone() {
        let mut bytes = vec![0; frame_size(0)];
        let epoch = Frame {
            incarnation: Incarnation(1),
            entry: Entry::Epoch {
                epoch: LeaderEpoch::ZERO,
                first: Offset::ZERO,
            },
        };
        epoch.write(HERE, std::iter::empty(), &mut bytes);
        assert!(Frame::read(HERE, &bytes).is_some());
        assert!(Frame::read(HERE.next(), &bytes).is_none());
    }
}

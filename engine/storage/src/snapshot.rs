//! A log's snapshot: its epochs and producers at one place, so that loading need not read it all.
//!
//! *Layout*: docs/formats/snapshot.md. A header of 32 bytes, then an rkyv archive. Two files take
//! turns and are not synced: a torn one is not believed, and costs only a longer scan. A snapshot
//! never describes more than is durable, and none of before a truncation is believed.

use std::collections::VecDeque;

use rkyv::rancor;
use rkyv::util::AlignedVec;
use types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence, TimestampMs};
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::epochs::Epochs;
use crate::producers::{ProducerBatch, ProducerState, Producers};

/// The version of the snapshot format.
pub(crate) const SNAPSHOT_VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"rrsnap\n\0";
const HEADER_SIZE: usize = size_of::<RawHeader>();

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct RawHeader {
    magic: [u8; 8],
    version: U32,
    length: U32,
    sequence: U64,
    reserved: U32,
    crc: U32,
}

#[derive(rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
struct Body {
    truncations: u32,
    segment: i64,
    position: u64,
    next: i64,
    epochs: Vec<EpochBody>,
    producers: Vec<ProducerBody>,
}

#[derive(rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
struct EpochBody {
    epoch: i32,
    start: i64,
}

#[derive(rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
struct ProducerBody {
    id: i64,
    epoch: i16,
    seen: i64,
    batches: Vec<BatchBody>,
}

#[derive(rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
struct BatchBody {
    first_sequence: i32,
    last_sequence: i32,
    first: i64,
    next: i64,
    timestamp: i64,
}

/// A log's epochs and producers at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// Counts the log's snapshots; the higher of two valid ones is newer.
    pub(crate) sequence: u64,
    /// The log's count of truncations then.
    pub(crate) truncations: u32,
    /// The segment that was the last.
    pub(crate) segment: Offset,
    /// Its length then, in bytes.
    pub(crate) position: u64,
    /// The end of the log then.
    pub(crate) next: Offset,
    /// The epochs of all batches below.
    pub(crate) epochs: Epochs,
    /// The producers of all batches below.
    pub(crate) producers: Producers,
}

/// Returns the name of one of the two files that take turns.
pub(crate) fn file_name(sequence: u64) -> &'static str {
    if sequence.is_multiple_of(2) {
        "snapshot-0"
    } else {
        "snapshot-1"
    }
}

impl Snapshot {
    /// Returns the file's content.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let body = self.body();
        let archive = rkyv::to_bytes::<rancor::Error>(&body)
            .expect("an archive of plain numbers in memory cannot fail");
        let mut raw = RawHeader::new_zeroed();
        raw.magic = MAGIC;
        raw.version = SNAPSHOT_VERSION.into();
        raw.length = u32::try_from(archive.len())
            .expect("the producers of a log are bounded")
            .into();
        raw.sequence = self.sequence.into();
        raw.crc = crc_of(&raw, &archive).into();
        [raw.as_bytes(), &archive].concat()
    }

    /// Reads a snapshot from a file's content; `None` if it is torn, damaged or of another version.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (raw, rest) = RawHeader::read_from_prefix(bytes).ok()?;
        let archive = rest.get(..usize::try_from(raw.length.get()).ok()?)?;
        let is_ours = raw.magic == MAGIC && raw.version.get() == SNAPSHOT_VERSION;
        if !is_ours || raw.crc.get() != crc_of(&raw, archive) {
            return None;
        }
        let mut aligned = AlignedVec::<16>::with_capacity(archive.len());
        aligned.extend_from_slice(archive);
        let body = rkyv::from_bytes::<Body, rancor::Error>(&aligned).ok()?;
        Self::from_body(raw.sequence.get(), &body)
    }

    fn body(&self) -> Body {
        let epoch = |(epoch, start): (LeaderEpoch, Offset)| EpochBody {
            epoch: epoch.get(),
            start: start.get(),
        };
        let batch = |batch: &ProducerBatch| BatchBody {
            first_sequence: batch.first_sequence.get(),
            last_sequence: batch.last_sequence.get(),
            first: batch.first.get(),
            next: batch.next.get(),
            timestamp: batch.timestamp.0,
        };
        let producer = |(id, state): (ProducerId, &ProducerState)| ProducerBody {
            id: id.0,
            epoch: state.epoch.0,
            seen: state.seen.0,
            batches: state.batches.iter().map(batch).collect(),
        };
        Body {
            truncations: self.truncations,
            segment: self.segment.get(),
            position: self.position,
            next: self.next.get(),
            epochs: self.epochs.iter().map(epoch).collect(),
            producers: self.producers.iter().map(producer).collect(),
        }
    }

    fn from_body(sequence: u64, body: &Body) -> Option<Self> {
        let mut epochs = Epochs::default();
        for noted in &body.epochs {
            epochs.note(LeaderEpoch::new(noted.epoch)?, Offset::new(noted.start)?);
        }
        let mut producers = Producers::default();
        for producer in &body.producers {
            let batches = producer.batches.iter().map(batch_from_body);
            let state = ProducerState {
                epoch: ProducerEpoch(producer.epoch),
                seen: TimestampMs(producer.seen),
                batches: batches.collect::<Option<VecDeque<_>>>()?,
            };
            producers.restore(ProducerId(producer.id), state);
        }
        Some(Self {
            sequence,
            truncations: body.truncations,
            segment: Offset::new(body.segment)?,
            position: body.position,
            next: Offset::new(body.next)?,
            epochs,
            producers,
        })
    }
}

fn batch_from_body(batch: &BatchBody) -> Option<ProducerBatch> {
    Some(ProducerBatch {
        first_sequence: Sequence::new(batch.first_sequence)?,
        last_sequence: Sequence::new(batch.last_sequence)?,
        first: Offset::new(batch.first)?,
        next: Offset::new(batch.next)?,
        timestamp: TimestampMs(batch.timestamp),
    })
}

fn crc_of(raw: &RawHeader, archive: &[u8]) -> u32 {
    let (covered, _) = raw
        .as_bytes()
        .split_at_checked(HEADER_SIZE - size_of::<U32>())
        .expect("the checksum is the last field");
    crc32c::crc32c_append(crc32c::crc32c(covered), archive)
}

#[cfg(test)]
mod tests {
    use record::Producer;

    use super::*;

    fn snapshot() -> Snapshot {
        let mut epochs = Epochs::default();
        epochs.note(LeaderEpoch::ZERO, Offset::ZERO);
        let mut producers = Producers::default();
        let producer = Producer {
            id: ProducerId(5),
            epoch: ProducerEpoch(1),
            base_sequence: Sequence::ZERO,
        };
        let batch = ProducerBatch {
            first_sequence: Sequence::ZERO,
            last_sequence: Sequence::ZERO.after(2),
            first: Offset::new(7).unwrap(),
            next: Offset::new(10).unwrap(),
            timestamp: TimestampMs(1_000),
        };
        producers.note(&producer, batch, TimestampMs(2_000));
        Snapshot {
            sequence: 3,
            truncations: 1,
            segment: Offset::ZERO,
            position: 500,
            next: Offset::new(10).unwrap(),
            epochs,
            producers,
        }
    }

    #[test]
    fn a_snapshot_is_read_back() {
        let bytes = snapshot().to_bytes();
        let mut padded = bytes.clone();
        padded.resize(4096, 0);
        assert_eq!(Snapshot::from_bytes(&bytes), Some(snapshot()));
        assert_eq!(Snapshot::from_bytes(&padded), Some(snapshot()));
    }

    #[test]
    fn the_golden_snapshot_is_read() {
        let then = crate::golden::golden("snapshot_v1.bin", &snapshot().to_bytes());
        assert_eq!(Snapshot::from_bytes(&then), Some(snapshot()));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let mut bytes = snapshot().to_bytes();
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Snapshot::from_bytes(&bytes), None, "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        for length in 0..bytes.len() {
            assert_eq!(Snapshot::from_bytes(&bytes[..length]), None);
        }
    }
}

//! Units and snapshots of the metadata log, as bytes.

use types::ByteCount;
use types::size::block_floor;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The version of the metadata log's format.
pub(super) const METADATA_VERSION: u32 = 1;

const UNIT_MAGIC: u32 = u32::from_le_bytes(*b"rrmu");
const SNAPSHOT_MAGIC: [u8; 8] = *b"rrmeta\n\0";
const UNIT_HEADER_SIZE: usize = size_of::<RawUnit>();
const SNAPSHOT_HEADER_SIZE: usize = size_of::<RawSnapshot>();
const UNIT_ALIGNMENT: usize = 8;

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct RawUnit {
    magic: U32,
    version: U32,
    index: U64,
    /// For the quorum that will write this log: zero.
    term: U32,
    record_count: U32,
    length: U32,
    crc: U32,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct RawSnapshot {
    magic: [u8; 8],
    version: U32,
    length: U32,
    index: U64,
    reserved: U32,
    crc: U32,
}

/// Builds the bytes of one append.
pub(super) fn unit(index: u64, records: &[&[u8]]) -> Vec<u8> {
    let mut body = Vec::new();
    for record in records {
        let length = u32::try_from(record.len()).expect("a record's size was checked");
        body.extend_from_slice(&length.to_le_bytes());
        body.extend_from_slice(record);
    }
    let mut raw = RawUnit::new_zeroed();
    raw.magic = UNIT_MAGIC.into();
    raw.version = METADATA_VERSION.into();
    raw.index = index.into();
    raw.record_count = u32::try_from(records.len())
        .expect("an append has fewer records than 2^32")
        .into();
    raw.length = u32::try_from(body.len())
        .expect("an append is smaller than 4 GiB")
        .into();
    raw.crc = unit_crc(&raw, &body).into();
    let mut bytes = [raw.as_bytes(), &body].concat();
    bytes.resize(bytes.len().next_multiple_of(UNIT_ALIGNMENT), 0);
    bytes
}

fn unit_crc(raw: &RawUnit, body: &[u8]) -> u32 {
    let (covered, _) = raw
        .as_bytes()
        .split_at_checked(UNIT_HEADER_SIZE - size_of::<U32>())
        .expect("the checksum is the last field");
    crc32c::crc32c_append(crc32c::crc32c(covered), body)
}

/// The valid units from the start of a file.
#[derive(Debug, Default)]
pub(super) struct Units {
    pub(super) records: Records,
    /// Where the next unit goes.
    pub(super) end: u64,
    /// The bytes of the block that the end lies in, up to it.
    pub(super) partial: Vec<u8>,
}

impl Units {
    /// Returns the index behind the last record, if the first has index `base`.
    pub(super) fn next_index(&self, base: u64) -> u64 {
        base + ByteCount::from(self.records.len()).0
    }
}

/// Why bytes are not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Something that was synced is missing or changed.
    Damaged { position: u64 },
    /// A newer release wrote it.
    NewerFormat { found: u32 },
}

pub(super) fn parse_units(bytes: &[u8], base: u64) -> Result<Units, Fault> {
    let mut units = Units::default();
    let mut rest = bytes;
    let mut end = 0;
    while let Some((records, size)) = read_unit(rest, units.next_index(base))? {
        units.records.extend(records);
        end += size;
        rest = rest.get(size..).unwrap_or(&[]);
    }
    units.end = ByteCount::from(end).0;
    // A unit behind the first bad one was appended after that had been synced.
    let mut behind = rest.get(UNIT_ALIGNMENT..).unwrap_or(&[]);
    while behind.len() >= UNIT_HEADER_SIZE {
        if is_later_unit(behind, units.next_index(base)) {
            let position = units.end;
            return Err(Fault::Damaged { position });
        }
        behind = behind.get(UNIT_ALIGNMENT..).unwrap_or(&[]);
    }
    let floor = ByteCount(block_floor(units.end)).as_usize();
    units.partial = bytes.get(floor..end).map_or_else(Vec::new, <[u8]>::to_vec);
    Ok(units)
}

/// The records of some units, in order.
pub(super) type Records = Vec<Vec<u8>>;

/// Reads the unit at the start of `bytes`; `None` if none with this index is there whole.
fn read_unit(bytes: &[u8], index: u64) -> Result<Option<(Records, usize)>, Fault> {
    let Some((raw, body)) = whole_unit(bytes) else {
        return Ok(None);
    };
    if raw.version.get() > METADATA_VERSION {
        let found = raw.version.get();
        return Err(Fault::NewerFormat { found });
    }
    if raw.index.get() != index {
        return Ok(None);
    }
    let mut records = Vec::new();
    let mut rest = body;
    for _ in 0..raw.record_count.get() {
        let Some((length, behind)) = rest.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let length = ByteCount(u32::from_le_bytes(*length).into()).as_usize();
        let Some((record, behind)) = behind.split_at_checked(length) else {
            return Ok(None);
        };
        records.push(record.to_vec());
        rest = behind;
    }
    let size = (UNIT_HEADER_SIZE + body.len()).next_multiple_of(UNIT_ALIGNMENT);
    Ok(rest.is_empty().then_some((records, size)))
}

fn whole_unit(bytes: &[u8]) -> Option<(RawUnit, &[u8])> {
    let (raw, rest) = RawUnit::read_from_prefix(bytes).ok()?;
    if raw.magic.get() != UNIT_MAGIC {
        return None;
    }
    let body = rest.get(..ByteCount(raw.length.get().into()).as_usize())?;
    (raw.crc.get() == unit_crc(&raw, body)).then_some((raw, body))
}

fn is_later_unit(bytes: &[u8], missing: u64) -> bool {
    whole_unit(bytes).is_some_and(|(raw, _)| raw.index.get() > missing)
}

pub(super) fn snapshot_bytes(index: u64, snapshot: &[u8]) -> Vec<u8> {
    let mut raw = RawSnapshot::new_zeroed();
    raw.magic = SNAPSHOT_MAGIC;
    raw.version = METADATA_VERSION.into();
    raw.length = u32::try_from(snapshot.len())
        .expect("a snapshot is smaller than 4 GiB")
        .into();
    raw.index = index.into();
    raw.crc = snapshot_crc(&raw, snapshot).into();
    [raw.as_bytes(), snapshot].concat()
}

fn snapshot_crc(raw: &RawSnapshot, snapshot: &[u8]) -> u32 {
    let (covered, _) = raw
        .as_bytes()
        .split_at_checked(SNAPSHOT_HEADER_SIZE - size_of::<U32>())
        .expect("the checksum is the last field");
    crc32c::crc32c_append(crc32c::crc32c(covered), snapshot)
}

/// Reads a snapshot, which was written as a whole: anything wrong with it is damage.
pub(super) fn parse_snapshot(bytes: &[u8], index: u64) -> Result<Vec<u8>, Fault> {
    let damaged = Fault::Damaged { position: 0 };
    let (raw, body) = RawSnapshot::read_from_prefix(bytes).map_err(|_| damaged)?;
    let is_whole = raw.magic == SNAPSHOT_MAGIC
        && raw.index.get() == index
        && ByteCount::of(body).0 == u64::from(raw.length.get())
        && raw.crc.get() == snapshot_crc(&raw, body);
    if !is_whole {
        return Err(damaged);
    }
    match raw.version.get() {
        found if found > METADATA_VERSION => Err(Fault::NewerFormat { found }),
        _ => Ok(body.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Vec<u8> {
        let mut bytes = unit(5, &[b"one", b""]);
        bytes.extend(unit(7, &[b"three"]));
        bytes
    }

    #[test]
    fn units_are_read_back_up_to_their_end() {
        let mut bytes = file();
        let end = ByteCount::of(&bytes).0;
        bytes.resize(8192, 0);
        let units = parse_units(&bytes, 5).unwrap();
        assert_eq!(
            units.records,
            vec![b"one".to_vec(), vec![], b"three".to_vec()]
        );
        assert_eq!((units.end, units.next_index(5)), (end, 8));
        assert_eq!(ByteCount::of(&units.partial).0, end);
    }

    #[test]
    fn a_torn_last_unit_is_cut_off_and_a_torn_earlier_one_is_damage() {
        let good = file();
        let first = unit(5, &[b"one", b""]).len();
        for position in 0..good.len() {
            let mut bytes = good.clone();
            bytes[position] ^= 0x10;
            let parsed = parse_units(&bytes, 5);
            let is_padding = parsed.as_ref().is_ok_and(|units| units.records.len() == 3);
            match parsed {
                Ok(_) if is_padding => {}
                Ok(units) => assert!(position >= first && units.records.len() == 2, "{position}"),
                Err(fault) => assert_eq!(fault, Fault::Damaged { position: 0 }, "{position}"),
            }
        }
    }

    #[test]
    fn the_golden_log_and_snapshot_are_read() {
        let then = crate::golden::golden("metadata_log_v1.bin", &file());
        assert_eq!(parse_units(&then, 5).unwrap().records.len(), 3);
        let written = snapshot_bytes(8, b"an image");
        let then = crate::golden::golden("metadata_snapshot_v1.bin", &written);
        assert_eq!(parse_snapshot(&then, 8), Ok(b"an image".to_vec()));
        assert_eq!(
            parse_snapshot(&then, 9),
            Err(Fault::Damaged { position: 0 })
        );
    }

    #[test]
    fn a_newer_format_is_named() {
        let body = [1, 0, 0, 0, b'x'];
        let mut raw = RawUnit::new_zeroed();
        raw.magic = UNIT_MAGIC.into();
        raw.version = 2.into();
        raw.record_count = 1.into();
        raw.length = 5.into();
        raw.crc = unit_crc(&raw, &body).into();
        let bytes = [raw.as_bytes(), &body].concat();
        assert_eq!(
            parse_units(&bytes, 0).unwrap_err(),
            Fault::NewerFormat { found: 2 }
        );
    }
}

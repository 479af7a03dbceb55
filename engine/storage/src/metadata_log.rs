//! The metadata log: small records, each append synced before it returns, read whole at a start.
//!
//! *Layout*: docs/formats/metadata_log.md. `log-<first index>` holds units, one per append, one
//! behind the other from a multiple of 8 on; `snapshot-<index>` replaces every record below its
//! index. A unit is a header of 32 bytes, then each record with its length.
//!
//! A torn unit is legal at the end alone; anything valid behind it makes it damage.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use runtime::{AlignedBuffer, File, OpenMode, Semaphore};
use types::ByteCount;
use types::limits::METADATA_RECORD_SIZE_MAX;
use types::size::{block_ceil, block_floor};
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::cut::cut_file;
use crate::error::{Error, Offline};
use crate::layout::Layout;

/// The version of the metadata log's format.
pub(crate) const METADATA_VERSION: u32 = 1;

const UNIT_MAGIC: u32 = u32::from_le_bytes(*b"rrmu");
const SNAPSHOT_MAGIC: [u8; 8] = *b"rrmeta\n\0";
const UNIT_HEADER_SIZE: usize = size_of::<RawUnit>();
const SNAPSHOT_HEADER_SIZE: usize = size_of::<RawSnapshot>();
const UNIT_ALIGNMENT: usize = 8;

/// The largest log file and the largest snapshot that are read.
const FILE_SIZE_MAX: ByteCount = ByteCount::mib(1024);

/// Space is reserved in steps of this.
const ALLOCATION_STEP: u64 = 256 * 1024;

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

/// What the metadata log held at a start.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct MetadataReplay {
    /// The newest snapshot, and the index of the first record it does not contain.
    pub snapshot: Option<(u64, Vec<u8>)>,
    /// The records behind it, with their indexes.
    pub records: Vec<(u64, Vec<u8>)>,
}

struct State {
    file: Rc<File>,
    path: PathBuf,
    /// The bytes of the file's last, unfinished block.
    partial: Vec<u8>,
    /// Where the next unit goes.
    position: u64,
    allocated: u64,
    next_index: u64,
    has_failed: bool,
}

/// The log of the cluster's metadata on this node.
pub struct MetadataLog {
    directory: PathBuf,
    /// One write at a time.
    turn: Semaphore,
    state: RefCell<State>,
}

impl fmt::Debug for MetadataLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetadataLog")
            .field("next_index", &self.next_index())
            .finish_non_exhaustive()
    }
}

impl MetadataLog {
    /// Opens the log, or begins one, and reads all of it.
    ///
    /// *Errors*: [`Error::Damaged`], [`Error::NewerFormat`], [`Error::Io`].
    pub async fn open(layout: &Layout) -> Result<(Self, MetadataReplay), Error> {
        let directory = layout.metadata();
        runtime::create_dir_all(&directory)
            .await
            .map_err(Error::io("creation", &directory))?;
        let found = Found::look(&directory).await?;
        let snapshot = match found.snapshots.last() {
            Some(&index) => Some((index, read_snapshot(&directory, index).await?)),
            None => None,
        };
        let snapshot_index = snapshot.as_ref().map_or(0, |&(index, _)| index);
        let base = found
            .logs
            .iter()
            .rev()
            .find(|&&base| base <= snapshot_index);
        let (base, units) = match base {
            Some(&base) => (base, read_units(&log_path(&directory, base), base).await?),
            None if snapshot_index == 0 && found.logs.is_empty() => (0, Units::default()),
            None => {
                let path = log_path(&directory, snapshot_index);
                return Err(Error::Damaged { path, position: 0 });
            }
        };
        let path = log_path(&directory, base);
        if units.next_index(base) < snapshot_index {
            // The snapshot holds what its log must have held.
            let position = units.end;
            return Err(Error::Damaged { path, position });
        }
        let file = open_at_end(&path, units.end).await;
        let file = file.map_err(Error::io("opening", &path))?;
        runtime::sync_dir(&directory)
            .await
            .map_err(Error::io("sync", &directory))?;
        let state = State {
            file: Rc::new(file),
            path,
            partial: units.partial.clone(),
            position: units.end,
            allocated: block_ceil(units.end),
            next_index: units.next_index(base),
            has_failed: false,
        };
        let log = Self {
            directory,
            turn: Semaphore::new(1),
            state: RefCell::new(state),
        };
        log.remove_older(snapshot_index, base).await?;
        let numbered = (base..).zip(units.records);
        let records = numbered
            .filter(|&(index, _)| index >= snapshot_index)
            .collect();
        Ok((log, MetadataReplay { snapshot, records }))
    }

    /// Returns the index that the next record gets.
    pub fn next_index(&self) -> u64 {
        self.state.borrow().next_index
    }

    /// Appends records as one unit: after a crash all of them are there, or none.
    ///
    /// Durable when it returns; returns the first one's index.
    ///
    /// *Errors*: [`Error::MetadataRecordTooLarge`], nothing was written; [`Error::Io`], after which
    /// nothing is appended any more unless the disk was only full; [`Error::Offline`] then.
    pub async fn append(&self, records: &[&[u8]]) -> Result<u64, Error> {
        let size_max = METADATA_RECORD_SIZE_MAX.0;
        if let Some(large) = records
            .iter()
            .find(|record| ByteCount::of(record).0 > size_max)
        {
            let size = large.len();
            return Err(Error::MetadataRecordTooLarge { size, size_max });
        }
        let turn = self.turn.acquire(1).await;
        let first = self.next_index();
        if !records.is_empty() {
            let unit = unit(first, records);
            self.write(&unit).await?;
            let mut state = self.state.borrow_mut();
            state.next_index += ByteCount::from(records.len()).0;
        }
        drop(turn);
        Ok(first)
    }

    /// Writes one unit behind the last and syncs it.
    async fn write(&self, unit: &[u8]) -> Result<(), Error> {
        let (file, path, bytes, floor, allocated) = {
            let state = self.state.borrow();
            if state.has_failed {
                return Err(Offline::Failed.into());
            }
            let bytes = [&state.partial[..], unit].concat();
            let file = Rc::clone(&state.file);
            let floor = block_floor(state.position);
            (file, state.path.clone(), bytes, floor, state.allocated)
        };
        let end = floor + ByteCount::of(&bytes).0;
        if end > allocated {
            let length = block_ceil(end - allocated).max(ALLOCATION_STEP);
            let reserved = file.allocate(allocated, length).await;
            reserved.map_err(Error::io("allocation", &path))?;
            self.state.borrow_mut().allocated = allocated + length;
        }
        let written = file.write_at_synced(padded(&bytes), floor).await;
        let mut state = self.state.borrow_mut();
        if let Err(error) = written {
            // Nothing is known of the file's end now; a failed sync is never retried.
            state.has_failed = true;
            return Err(Error::io("write", path)(error));
        }
        let kept = ByteCount(block_floor(end) - floor).as_usize();
        state.partial = bytes.get(kept..).map_or_else(Vec::new, <[u8]>::to_vec);
        state.position = end;
        Ok(())
    }

    /// Replaces the records below `index` by a snapshot, durably, and removes what it replaces.
    ///
    /// *Errors*: as [`MetadataLog::append`].
    /// *Panics*: if `index` is beyond the next one.
    pub async fn snapshot(&self, index: u64, snapshot: &[u8]) -> Result<(), Error> {
        let turn = self.turn.acquire(1).await;
        assert!(index <= self.next_index());
        if self.state.borrow().has_failed {
            return Err(Offline::Failed.into());
        }
        let path = snapshot_path(&self.directory, index);
        runtime::write_file_durably(&path, &snapshot_bytes(index, snapshot))
            .await
            .map_err(Error::io("write", path))?;
        // The records behind the snapshot move on to a log of their own, if there are none.
        if index == self.next_index() {
            let path = log_path(&self.directory, index);
            let opened = open_at_end(&path, 0).await;
            let file = opened.map_err(Error::io("creation", &path))?;
            runtime::sync_dir(&self.directory)
                .await
                .map_err(Error::io("sync", &self.directory))?;
            {
                let mut state = self.state.borrow_mut();
                state.file = Rc::new(file);
                state.path = path;
                state.partial.clear();
                state.position = 0;
                state.allocated = 0;
            }
            self.remove_older(index, index).await?;
        }
        drop(turn);
        Ok(())
    }

    /// Removes logs before `base` and snapshots before `index`.
    async fn remove_older(&self, index: u64, base: u64) -> Result<(), Error> {
        let found = Found::look(&self.directory).await?;
        let logs = found.logs.iter().filter(|&&other| other < base);
        let snapshots = found.snapshots.iter().filter(|&&other| other < index);
        let paths = logs
            .map(|&base| log_path(&self.directory, base))
            .chain(snapshots.map(|&index| snapshot_path(&self.directory, index)));
        for path in paths {
            runtime::remove_file(&path)
                .await
                .map_err(Error::io("removal", path))?;
        }
        Ok(())
    }
}

/// The files of the directory, by index.
struct Found {
    logs: Vec<u64>,
    snapshots: Vec<u64>,
}

impl Found {
    async fn look(directory: &Path) -> Result<Self, Error> {
        let listed = runtime::list_dir(directory)
            .await
            .map_err(Error::io("listing", directory))?;
        let indexes = |prefix: &str| {
            let digits = listed
                .iter()
                .filter_map(|entry| entry.name.strip_prefix(prefix));
            let mut indexes: Vec<u64> = digits.filter_map(|digits| digits.parse().ok()).collect();
            indexes.sort_unstable();
            indexes
        };
        Ok(Self {
            logs: indexes("log-"),
            snapshots: indexes("snapshot-"),
        })
    }
}

fn log_path(directory: &Path, base: u64) -> PathBuf {
    directory.join(format!("log-{base:020}"))
}

fn snapshot_path(directory: &Path, index: u64) -> PathBuf {
    directory.join(format!("snapshot-{index:020}"))
}

/// Opens a log file and makes sure that nothing stands behind its end.
async fn open_at_end(path: &Path, end: u64) -> io::Result<File> {
    let file = File::open(path, OpenMode::Create).await?;
    cut_file(&file, end).await?;
    Ok(file)
}

fn padded(bytes: &[u8]) -> AlignedBuffer {
    let size = block_ceil(ByteCount::of(bytes).0);
    let mut buffer = AlignedBuffer::zeroed(ByteCount(size).as_usize());
    let (place, _) = buffer
        .split_at_mut_checked(bytes.len())
        .expect("the buffer was made for these bytes");
    place.copy_from_slice(bytes);
    buffer
}

/// Builds the bytes of one append.
fn unit(index: u64, records: &[&[u8]]) -> Vec<u8> {
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
struct Units {
    records: Records,
    end: u64,
    partial: Vec<u8>,
}

impl Units {
    fn next_index(&self, base: u64) -> u64 {
        base + ByteCount::from(self.records.len()).0
    }
}

async fn read_units(path: &Path, base: u64) -> Result<Units, Error> {
    let bytes = runtime::read_file(path, FILE_SIZE_MAX)
        .await
        .map_err(Error::io("read", path))?;
    parse_units(&bytes, base).map_err(|fault| fault.at(path))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Damaged { position: u64 },
    NewerFormat { found: u32 },
}

impl Fault {
    /// Names the file that has it.
    fn at(self, path: &Path) -> Error {
        let path = path.to_path_buf();
        match self {
            Self::Damaged { position } => Error::Damaged { path, position },
            Self::NewerFormat { found } => Error::NewerFormat {
                path,
                found,
                supported: METADATA_VERSION,
            },
        }
    }
}

fn parse_units(bytes: &[u8], base: u64) -> Result<Units, Fault> {
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

type Records = Vec<Vec<u8>>;

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

fn snapshot_bytes(index: u64, snapshot: &[u8]) -> Vec<u8> {
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

async fn read_snapshot(directory: &Path, index: u64) -> Result<Vec<u8>, Error> {
    let path = snapshot_path(directory, index);
    let bytes = runtime::read_file(&path, FILE_SIZE_MAX)
        .await
        .map_err(Error::io("read", &path))?;
    parse_snapshot(&bytes, index).map_err(|fault| fault.at(&path))
}

/// Reads a snapshot, which was written as a whole: anything wrong with it is damage.
fn parse_snapshot(bytes: &[u8], index: u64) -> Result<Vec<u8>, Fault> {
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

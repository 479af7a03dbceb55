//! The metadata log as a file: opening, appending, replacing by a snapshot.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use runtime::{AlignedBuffer, File, OpenMode, Semaphore};
use types::ByteCount;
use types::limits::METADATA_RECORD_SIZE_MAX;
use types::size::{block_ceil, block_floor};

use super::unit::{
    Fault, METADATA_VERSION, Units, parse_snapshot, parse_units, snapshot_bytes, unit,
};
use crate::cut::cut_file;
use crate::error::{Error, Offline};
use crate::layout::Layout;

/// The largest log file and the largest snapshot that are read.
const FILE_SIZE_MAX: ByteCount = ByteCount::mib(1024);

/// Space is reserved in steps of this.
const ALLOCATION_STEP: u64 = 256 * 1024;

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
    /// The first record that no snapshot contains.
    snapshot_index: u64,
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
            snapshot_index,
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

    /// Returns how many records are behind the last snapshot, and what their log file takes.
    pub fn since_snapshot(&self) -> (u64, ByteCount) {
        let state = self.state.borrow();
        let records = state.next_index - state.snapshot_index;
        (records, ByteCount(state.position))
    }

    /// Appends records as one unit: after a crash all of them are there, or none.
    ///
    /// Durable when it returns; returns the first one's index.
    ///
    /// *Errors*: [`Error::MetadataRecordTooLarge`], nothing was written; [`Error::Io`], after which
    /// nothing is appended any more unless the disk was only full, or the file as large as one is read;
    /// [`Error::Offline`] then.
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
        if end > FILE_SIZE_MAX.0 {
            let full = io::ErrorKind::FileTooLarge.into();
            return Err(Error::io("allocation", path)(full));
        }
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
    /// *Errors*: as [`MetadataLog::append`]; the log goes on as it was where it can.
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
        self.state.borrow_mut().snapshot_index = index;
        // The records behind the snapshot move on to a log of their own, if there are none.
        if index == self.next_index() {
            let path = log_path(&self.directory, index);
            let file = match self.begin_file(&path).await {
                Ok(file) => file,
                Err(error) => {
                    self.undo_begin(&path).await;
                    return Err(Error::io("creation", path)(error));
                }
            };
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

    async fn begin_file(&self, path: &Path) -> io::Result<File> {
        let file = open_at_end(path, 0).await?;
        runtime::sync_dir(&self.directory).await?;
        Ok(file)
    }

    /// Removes a log file that was perhaps begun: an empty newer one would be taken for the log at a
    /// start, and what goes to this one be lost. Where that fails nothing is appended any more.
    async fn undo_begin(&self, path: &Path) {
        let removed = async {
            match runtime::remove_file(path).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            runtime::sync_dir(&self.directory).await
        };
        if removed.await.is_err() {
            self.state.borrow_mut().has_failed = true;
        }
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

async fn read_units(path: &Path, base: u64) -> Result<Units, Error> {
    let bytes = runtime::read_file(path, FILE_SIZE_MAX)
        .await
        .map_err(Error::io("read", path))?;
    parse_units(&bytes, base).map_err(|fault| fault_at(fault, path))
}

async fn read_snapshot(directory: &Path, index: u64) -> Result<Vec<u8>, Error> {
    let path = snapshot_path(directory, index);
    let bytes = runtime::read_file(&path, FILE_SIZE_MAX)
        .await
        .map_err(Error::io("read", &path))?;
    parse_snapshot(&bytes, index).map_err(|fault| fault_at(fault, &path))
}

/// Names the file that has a fault.
fn fault_at(fault: Fault, path: &Path) -> Error {
    let path = path.to_path_buf();
    match fault {
        Fault::Damaged { position } => Error::Damaged { path, position },
        Fault::NewerFormat { found } => Error::NewerFormat {
            path,
            found,
            supported: METADATA_VERSION,
        },
    }
}

//! Open segment files, least recently used closed first.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::rc::Rc;

use runtime::{File, OpenMode};
use types::{Incarnation, Offset};

use crate::layout::{Layout, segment_name};
use crate::log_id::LogId;
use crate::mutants::{self, Mutant};

/// An open segment file.
#[derive(Debug)]
pub(crate) struct SegmentFile {
    pub(crate) file: File,
    /// The file's size in bytes: space is reserved up to here.
    pub(crate) allocated: Cell<u64>,
}

type Key = (Incarnation, Offset);

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<Key, (Rc<SegmentFile>, u64)>,
    used: BTreeMap<u64, Key>,
    clock: u64,
}

/// The segment files of a shard that are open; their number is bounded.
///
/// A file in use is never closed under its user: it goes when the last one lets go of it.
#[derive(Debug)]
pub(crate) struct OpenFiles {
    count_max: usize,
    state: RefCell<State>,
}

impl OpenFiles {
    pub(crate) fn new(count_max: usize) -> Self {
        Self {
            count_max: count_max.max(1),
            state: RefCell::default(),
        }
    }

    /// Returns how many files are open.
    pub(crate) fn count(&self) -> usize {
        self.state.borrow().files.len()
    }

    /// Opens a segment that exists.
    pub(crate) async fn open(
        &self,
        layout: &Layout,
        id: &LogId,
        segment: Offset,
    ) -> io::Result<Rc<SegmentFile>> {
        let key = (id.incarnation, segment);
        if let Some(file) = self.find(key) {
            return Ok(file);
        }
        let path = layout.log(id).join(segment_name(segment));
        self.take_in(key, &path, OpenMode::Existing).await
    }

    /// Opens a segment, made with its directory when missing; its name is durable when this returns.
    pub(crate) async fn create(
        &self,
        layout: &Layout,
        id: &LogId,
        segment: Offset,
    ) -> io::Result<Rc<SegmentFile>> {
        let key = (id.incarnation, segment);
        if let Some(file) = self.find(key) {
            return Ok(file);
        }
        let directory = layout.log(id);
        runtime::create_dir_all(&directory).await?;
        let path = directory.join(segment_name(segment));
        let file = self.take_in(key, &path, OpenMode::Create).await?;
        if !mutants::is_on(Mutant::DirectoryNotSynced) {
            runtime::sync_dir(&directory).await?;
        }
        Ok(file)
    }

    /// Forgets the files of one segment, or of one log.
    pub(crate) fn forget(&self, incarnation: Incarnation, segment: Option<Offset>) {
        let state = &mut *self.state.borrow_mut();
        state.files.retain(|key, (_, stamp)| {
            let goes = key.0 == incarnation && segment.is_none_or(|segment| key.1 == segment);
            if goes {
                state.used.remove(stamp);
            }
            !goes
        });
    }

    fn find(&self, key: Key) -> Option<Rc<SegmentFile>> {
        let state = &mut *self.state.borrow_mut();
        let (file, stamp) = state.files.get_mut(&key)?;
        state.clock += 1;
        state.used.remove(stamp);
        *stamp = state.clock;
        state.used.insert(state.clock, key);
        Some(Rc::clone(file))
    }

    async fn take_in(&self, key: Key, path: &Path, mode: OpenMode) -> io::Result<Rc<SegmentFile>> {
        let file = File::open(path, mode).await?;
        let allocated = Cell::new(file.size().await?);
        // Another task may have opened it meanwhile: one file has one size here.
        if let Some(known) = self.find(key) {
            return Ok(known);
        }
        let file = Rc::new(SegmentFile { file, allocated });
        let state = &mut *self.state.borrow_mut();
        state.clock += 1;
        state.files.insert(key, (Rc::clone(&file), state.clock));
        state.used.insert(state.clock, key);
        while state.files.len() > self.count_max {
            let Some((_, oldest)) = state.used.pop_first() else {
                break;
            };
            state.files.remove(&oldest);
        }
        Ok(file)
    }
}

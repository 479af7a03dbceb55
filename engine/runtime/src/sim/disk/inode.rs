//! A file on a simulated disk: its bytes, the space it takes, and who still needs it.
//!
//! Shared as `Send + Sync`, since a reader of it may cross shards (which are one thread here).

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use types::ByteCount;

use super::content::{Content, PAGE_SIZE};
use super::extents::Extents;
use crate::dir::DiskSpace;

/// The space of one disk, in blocks of [`PAGE_SIZE`].
#[derive(Debug)]
pub(crate) struct Space {
    capacity: u64,
    used: u64,
}

impl Space {
    pub(crate) fn new(capacity_bytes: u64) -> Self {
        Self {
            capacity: capacity_bytes / PAGE_SIZE,
            used: 0,
        }
    }

    pub(crate) fn set_capacity(&mut self, capacity_bytes: u64) {
        self.capacity = capacity_bytes / PAGE_SIZE;
    }

    pub(crate) fn room(&self) -> DiskSpace {
        let free = self.capacity.saturating_sub(self.used);
        DiskSpace {
            total: ByteCount(self.capacity * PAGE_SIZE),
            free: ByteCount(free * PAGE_SIZE),
        }
    }
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) content: Content,
    extents: Extents,
    /// Whether a name leads to it.
    linked: bool,
    handles: u64,
}

impl State {
    fn is_needed(&self) -> bool {
        self.linked || self.handles > 0
    }
}

/// One file; a clone is the same file.
#[derive(Clone, Debug)]
pub(crate) struct Inode {
    state: Arc<Mutex<State>>,
    space: Arc<Mutex<Space>>,
}

impl Inode {
    pub(crate) fn new(space: &Arc<Mutex<Space>>) -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                content: Content::default(),
                extents: Extents::default(),
                linked: true,
                handles: 0,
            })),
            space: Arc::clone(space),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes space for the bytes `[position, position + len)`; `None` if there is not enough.
    pub(crate) fn reserve(&self, position: u64, len: u64) -> Option<()> {
        let (start, end) = (position / PAGE_SIZE, (position + len).div_ceil(PAGE_SIZE));
        let mut state = self.lock();
        let mut space = self.lock_space();
        let missing = state.extents.missing(start, end);
        if missing > 0 && space.used + missing > space.capacity {
            return None;
        }
        state.extents.insert(start, end);
        space.used += missing;
        Some(())
    }

    /// Gives back the space of the bytes from `len` on.
    pub(crate) fn release_beyond(&self, len: u64) {
        let removed = self.lock().extents.cut(len.div_ceil(PAGE_SIZE));
        self.lock_space().used -= removed;
    }

    /// Gives back the space beyond the end of the file.
    pub(crate) fn trim(&self) {
        let size = self.lock().content.size();
        self.release_beyond(size);
    }

    /// Notes that no name leads to the file any more.
    pub(crate) fn unlink(&self) {
        self.change_need(|state| state.linked = false);
    }

    /// Notes that a name leads to the file (again, after a power failure).
    pub(crate) fn link(&self) {
        self.change_need(|state| state.linked = true);
    }

    pub(crate) fn open(&self, path: PathBuf) -> Arc<Handle> {
        self.change_need(|state| state.handles += 1);
        Arc::new(Handle {
            inode: self.clone(),
            path,
        })
    }

    /// Changes who needs the file; its space is taken while anyone does.
    fn change_need(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        let before = state.is_needed();
        change(&mut state);
        let after = state.is_needed();
        let blocks = state.extents.count();
        drop(state);
        let mut space = self.lock_space();
        match (before, after) {
            (true, false) => space.used -= blocks,
            (false, true) => space.used += blocks,
            (true, true) | (false, false) => {}
        }
    }

    fn lock_space(&self) -> MutexGuard<'_, Space> {
        self.space.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open file: keeps the bytes while it lives.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) inode: Inode,
    /// The path it was opened by, for faults that name one.
    pub(crate) path: PathBuf,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.inode.change_need(|state| state.handles -= 1);
    }
}

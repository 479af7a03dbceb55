//! Directories and small whole files.
//!
//! A name that was created, renamed or removed is durable after [`sync_dir`] of its directory;
//! until then it may vanish or come back at a power failure.

use std::fmt;
use std::io;
use std::path::Path;

use types::ByteCount;

/// What a name in a directory stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A file, or anything else that is no directory.
    File,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// The name within the directory.
    pub name: String,
    /// What it stands for.
    pub kind: EntryKind,
}

impl DirEntry {
    /// Returns whether it is a directory.
    pub fn is_dir(&self) -> bool {
        self.kind == EntryKind::Directory
    }
}

/// The room on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    /// All of it.
    pub total: ByteCount,
    /// What an unprivileged writer has left.
    pub free: ByteCount,
}

/// Creates a directory and its missing parents, durably: every directory it changed is synced.
pub async fn create_dir_all(path: &Path) -> io::Result<()> {
    ambient!(create_dir_all(path).await)
}

/// Makes the names in a directory durable.
pub async fn sync_dir(path: &Path) -> io::Result<()> {
    ambient!(sync_dir(path).await)
}

/// Lists a directory, sorted by name.
///
/// *Errors*: `InvalidData` for a name that is not UTF-8.
pub async fn list_dir(path: &Path) -> io::Result<Vec<DirEntry>> {
    ambient!(list_dir(path).await)
}

/// Returns whether a name stands for anything.
pub async fn exists(path: &Path) -> io::Result<bool> {
    ambient!(exists(path).await)
}

/// Removes a file's name.
pub async fn remove_file(path: &Path) -> io::Result<()> {
    ambient!(remove_file(path).await)
}

/// Removes a directory and all below it.
pub async fn remove_dir_all(path: &Path) -> io::Result<()> {
    ambient!(remove_dir_all(path).await)
}

/// Gives a file or directory another name, atomically replacing a file of that name.
pub async fn rename(from: &Path, to: &Path) -> io::Result<()> {
    ambient!(rename(from, to).await)
}

/// Returns the room on the disk that holds `path`.
pub async fn disk_space(path: &Path) -> io::Result<DiskSpace> {
    ambient!(disk_space(path).await)
}

/// Reads a whole file of at most `size_max` bytes.
///
/// *Errors*: `InvalidData` for a larger file, before its content is read.
pub async fn read_file(path: &Path, size_max: ByteCount) -> io::Result<Vec<u8>> {
    ambient!(read_file(path, size_max).await)
}

/// Replaces a file as a whole: after a crash it holds the old content or the new, never a mixture.
///
/// Written under a temporary name (the path with `.new` appended), synced, renamed, and the
/// directory synced: durable when it returns.
pub async fn write_file_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    ambient!(write_file_durably(path, content).await)
}

/// Why a lock was not given.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("held by process {pid}")]
    HeldBy {
        /// The number that the holder wrote into the file; 0 if it could not be read.
        pid: u32,
    },
    /// The file could not be opened, locked or written.
    #[error("the lock file cannot be used")]
    Io(#[from] io::Error),
}

arms! { DirLockArm of DirLock }

/// An exclusive lock between processes, held until it is dropped.
#[must_use = "dropping the lock releases it"]
pub struct DirLock(DirLockArm);

impl fmt::Debug for DirLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        on_arm!(&self.0, DirLockArm, lock => write!(f, "DirLock({:?})", lock.path()))
    }
}

/// Takes an exclusive lock on the file at `path`, created when missing, and writes this process's
/// number into it. Never waits.
///
/// The lock goes with the process, however it ends; the file stays.
pub async fn lock_file(path: &Path) -> Result<DirLock, LockError> {
    Ok(DirLock(ambient!(DirLockArm => lock_file(path).await?)))
}

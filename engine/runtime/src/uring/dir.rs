//! Directories and small files, by the standard library on helper threads.

use std::ffi::OsString;
use std::fs::{self, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use types::ByteCount;

use super::{sys, task};
use crate::dir::{DirEntry, DiskSpace, EntryKind, LockError};

/// Creates a directory with its missing parents and syncs the parent of each that is new.
pub(crate) async fn create_dir_all(path: &Path) -> io::Result<()> {
    on_path(path, |path| {
        let mut missing = Vec::new();
        let mut ancestor = path;
        while !ancestor.as_os_str().is_empty() && !ancestor.try_exists()? {
            missing.push(ancestor);
            match ancestor.parent() {
                Some(parent) => ancestor = parent,
                None => break,
            }
        }
        for directory in missing.into_iter().rev() {
            match fs::create_dir(directory) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                result => result?,
            }
            sync(parent_of(directory))?;
        }
        // Refused if the name is there and stands for something else.
        fs::create_dir_all(path)
    })
    .await
}

/// Syncs a directory's names.
pub(crate) async fn sync_dir(path: &Path) -> io::Result<()> {
    on_path(path, sync).await
}

/// Lists a directory.
pub(crate) async fn list_dir(path: &Path) -> io::Result<Vec<DirEntry>> {
    on_path(path, |path| {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let kind = if entry.file_type()?.is_dir() {
                EntryKind::Directory
            } else {
                EntryKind::File
            };
            let name = entry
                .file_name()
                .into_string()
                .map_err(|name| not_utf8(&name))?;
            entries.push(DirEntry { name, kind });
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    })
    .await
}

/// Returns whether a name stands for anything.
pub(crate) async fn exists(path: &Path) -> io::Result<bool> {
    on_path(path, Path::try_exists).await
}

/// Removes a file's name.
pub(crate) async fn remove_file(path: &Path) -> io::Result<()> {
    on_path(path, |path| fs::remove_file(path)).await
}

/// Removes a directory and all below it.
pub(crate) async fn remove_dir_all(path: &Path) -> io::Result<()> {
    on_path(path, |path| fs::remove_dir_all(path)).await
}

/// Renames.
pub(crate) async fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let to = to.to_owned();
    on_path(from, move |from| fs::rename(from, to)).await
}

/// Returns the space left.
pub(crate) async fn disk_space(path: &Path) -> io::Result<DiskSpace> {
    on_path(path, sys::disk_space).await
}

/// Reads a file that is at most `size_max` long.
pub(crate) async fn read_file(path: &Path, size_max: ByteCount) -> io::Result<Vec<u8>> {
    on_path(path, move |path| {
        let file = fs::File::open(path)?;
        let size = file.metadata()?.len();
        if size > size_max.0 {
            return Err(too_large(size, size_max));
        }
        let mut content = Vec::with_capacity(ByteCount(size).as_usize());
        // It may grow while it is read: one byte more than allowed tells.
        file.take(size_max.0.saturating_add(1))
            .read_to_end(&mut content)?;
        let size = ByteCount::of(&content);
        if size > size_max {
            return Err(too_large(size.0, size_max));
        }
        Ok(content)
    })
    .await
}

/// Replaces a file as a whole.
pub(crate) async fn write_file_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    let content = content.to_vec();
    on_path(path, move |path| {
        let mut temporary = OsString::from(path);
        temporary.push(".new");
        let mut file = fs::File::create(&temporary)?;
        file.write_all(&content)?;
        file.sync_data()?;
        drop(file);
        fs::rename(&temporary, path)?;
        sync(parent_of(path))
    })
    .await
}

/// An advisory lock of the whole file (flock); the kernel releases it with the descriptor.
pub(crate) struct DirLock {
    path: PathBuf,
    #[expect(dead_code, reason = "held open: closing it releases the lock")]
    file: fs::File,
}

impl DirLock {
    /// Returns the name of the locked file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Locks a file and writes this process's number into it.
pub(crate) async fn lock_file(path: &Path) -> Result<DirLock, LockError> {
    let path = path.to_owned();
    task::offload(move || lock(path)).await
}

fn lock(path: PathBuf) -> Result<DirLock, LockError> {
    let mut file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // Unreadable or empty (the holder has not written yet): reported as 0.
            let read = (&mut file).take(16).read_to_string(&mut text);
            let pid = read
                .ok()
                .and_then(|_| text.trim().parse().ok())
                .unwrap_or(0);
            return Err(LockError::HeldBy { pid });
        }
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())?;
    Ok(DirLock { path, file })
}

async fn on_path<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let path: PathBuf = path.to_owned();
    task::offload(move || work(&path)).await
}

fn sync(directory: &Path) -> io::Result<()> {
    fs::File::open(directory)?.sync_all()
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn not_utf8(name: &OsString) -> io::Error {
    let message = format!("a name is not UTF-8: {}", name.display());
    io::Error::new(io::ErrorKind::InvalidData, message)
}

fn too_large(size: u64, size_max: ByteCount) -> io::Error {
    let message = format!("{size} bytes, at most {} are expected", size_max.0);
    io::Error::new(io::ErrorKind::InvalidData, message)
}

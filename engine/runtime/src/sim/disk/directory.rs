//! Directories and small whole files of simulated hosts.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::PoisonError;

use types::ByteCount;

use super::Disk;
use super::file::{File, operate};
use super::namespace::NodeId;
use crate::dir::{DirEntry, DiskSpace, EntryKind, LockError};
use crate::file::OpenMode;
use crate::sim::context::Context;
use crate::sim::faults::Operation;

pub(crate) async fn create_dir_all(path: &Path) -> io::Result<()> {
    let mut missing = Vec::new();
    let mut parent = Some(path);
    while let Some(directory) = parent
        && !exists(directory).await?
    {
        missing.push(directory);
        parent = directory.parent();
    }
    for directory in missing.into_iter().rev() {
        let owned = directory.to_owned();
        let work = move |disk: &Disk| {
            let mut names = disk.names.borrow_mut();
            let place = names.place(&owned)?;
            match names.add_directory(place) {
                // Another task made it meanwhile.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                result => result.map(drop),
            }
        };
        operate(Operation::Name, directory, work).await?;
        sync_dir(directory.parent().unwrap_or_else(|| Path::new("/"))).await?;
    }
    if is_directory(path) {
        Ok(())
    } else {
        Err(io::ErrorKind::NotADirectory.into())
    }
}

pub(crate) async fn sync_dir(path: &Path) -> io::Result<()> {
    let disk = disk();
    let stamp = disk.names.borrow().stamp();
    let directory = disk.names.borrow().find(path)?;
    disk.names.borrow().list(directory)?;
    let work = move |disk: &Disk| {
        disk.names.borrow_mut().settle(directory, stamp);
        Ok(())
    };
    operate(Operation::SyncDir, path, work).await
}

pub(crate) async fn list_dir(path: &Path) -> io::Result<Vec<DirEntry>> {
    let disk = disk();
    let names = disk.names.borrow();
    let entries = names.list(names.find(path)?)?;
    let entry = |(name, node): (&String, &NodeId)| DirEntry {
        name: name.clone(),
        kind: if names.is_directory(*node) {
            EntryKind::Directory
        } else {
            EntryKind::File
        },
    };
    Ok(entries.iter().map(entry).collect())
}

pub(crate) async fn exists(path: &Path) -> io::Result<bool> {
    match disk().names.borrow().find(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

pub(crate) async fn remove_file(path: &Path) -> io::Result<()> {
    let owned = path.to_owned();
    let work = move |disk: &Disk| {
        let mut names = disk.names.borrow_mut();
        let node = names.find(&owned)?;
        names.file(node)?;
        let place = names.place(&owned)?;
        names.remove(&place)
    };
    operate(Operation::Name, path, work).await
}

pub(crate) async fn remove_dir_all(path: &Path) -> io::Result<()> {
    let owned = path.to_owned();
    let work = move |disk: &Disk| {
        let mut names = disk.names.borrow_mut();
        let place = names.place(&owned)?;
        names.remove_all(&place)
    };
    operate(Operation::Name, path, work).await
}

pub(crate) async fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let (source, target) = (from.to_owned(), to.to_owned());
    let work = move |disk: &Disk| {
        let mut names = disk.names.borrow_mut();
        let (from, to) = (names.place(&source)?, names.place(&target)?);
        names.rename(&from, &to)
    };
    operate(Operation::Name, from, work).await
}

pub(crate) async fn disk_space(path: &Path) -> io::Result<DiskSpace> {
    let disk = disk();
    disk.names.borrow().find(path)?;
    let space = disk.space.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(space.room())
}

pub(crate) async fn read_file(path: &Path, size_max: ByteCount) -> io::Result<Vec<u8>> {
    let file = File::open(path, OpenMode::ReadOnly).await?;
    let size = ByteCount(file.size().await?);
    if size > size_max {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("the file has {size}, at most {size_max} are expected"),
        ));
    }
    let content = file.read_at(0, size.as_usize()).await?;
    Ok(content.as_slice().to_vec())
}

pub(crate) async fn write_file_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    let file = File::open(&temporary, OpenMode::Create).await?;
    file.set_len(0).await?;
    file.write_bytes(content).await?;
    file.sync_data().await?;
    file.close().await?;
    rename(&temporary, path).await?;
    sync_dir(path.parent().unwrap_or_else(|| Path::new("/"))).await
}

pub(crate) async fn lock_file(path: &Path) -> Result<DirLock, LockError> {
    let file = File::open(path, OpenMode::Create).await?;
    let disk = disk();
    let node = disk.names.borrow().find(path)?;
    if disk.locks.borrow().contains(&node) {
        let holder = file.read_at(0, 16).await?;
        let text = String::from_utf8_lossy(holder.as_slice());
        let pid = text.trim().parse().unwrap_or(0);
        return Err(LockError::HeldBy { pid });
    }
    disk.locks.borrow_mut().insert(node);
    let lock = DirLock {
        life: disk.life(),
        disk,
        node,
        path: path.to_owned(),
    };
    file.set_len(0).await?;
    // Every life of a process has its own number, as far as a simulation needs it.
    let number = lock.life + 1;
    file.write_bytes(format!("{number}\n").as_bytes()).await?;
    Ok(lock)
}

/// A lock of one life of a process.
pub(crate) struct DirLock {
    disk: Rc<Disk>,
    node: NodeId,
    life: u64,
    path: PathBuf,
}

impl DirLock {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for DirLock {
    fn drop(&mut self) {
        if self.disk.life() == self.life {
            self.disk.locks.borrow_mut().remove(&self.node);
        }
    }
}

impl fmt::Debug for DirLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DirLock({})", self.path.display())
    }
}

fn disk() -> Rc<Disk> {
    Context::with(|context| Rc::clone(&context.host.disk))
}

fn is_directory(path: &Path) -> bool {
    let disk = disk();
    let names = disk.names.borrow();
    names.find(path).is_ok_and(|node| names.is_directory(node))
}

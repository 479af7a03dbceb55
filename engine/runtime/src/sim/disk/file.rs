//! Files of simulated shards: each operation takes its time and then takes effect at once.

use std::fmt;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::Disk;
use super::content::SECTOR;
use super::inode::Handle;
use super::volume::Failure;
use crate::file::OpenMode;
use crate::sim::buffer::{AlignedBuffer, ReadBuffer};
use crate::sim::context::{Context, after};
use crate::sim::faults::Operation;
use crate::sim::world::World;

/// An operation that has been given to a disk.
pub(super) struct Submitted {
    pub(super) world: Rc<World>,
    pub(super) disk: Rc<Disk>,
    life: u64,
    delay: Duration,
    failure: Option<Failure>,
}

impl Submitted {
    /// Gives an operation to the disk of the host that runs now.
    pub(super) fn new(operation: Operation, path: &Path) -> Self {
        let Context { world, host, .. } = Context::current();
        let disk = Rc::clone(&host.disk);
        let executor = &world.executor;
        let (delay, failure) = executor.draw(|rng| disk.begin(operation, path, rng));
        let nanoseconds = u64::try_from(delay.as_nanos()).expect("delays are short");
        executor.record(nanoseconds);
        Self {
            life: disk.life(),
            world,
            disk,
            delay,
            failure,
        }
    }

    /// Completes the operation: unless the process died first, does `work`, which learns how the
    /// disk fails it, if it does. That happens whether or not the caller still waits.
    pub(super) async fn complete<T: 'static>(
        self,
        work: impl FnOnce(&World, &Disk, Option<Failure>) -> io::Result<T> + 'static,
    ) -> io::Result<T> {
        let delay = self.delay;
        let happen = move || {
            if self.disk.life() != self.life {
                return Err(Failure::Io.into());
            }
            work(&self.world, &self.disk, self.failure)
        };
        after(delay, happen).await
    }
}

/// Does an operation that fails without any effect.
pub(super) async fn operate<T: 'static>(
    operation: Operation,
    path: &Path,
    work: impl FnOnce(&Disk) -> io::Result<T> + 'static,
) -> io::Result<T> {
    let submitted = Submitted::new(operation, path);
    let whole = move |_: &World, disk: &Disk, failure| match failure {
        Some(failure) => Err(io::Error::from(failure)),
        None => work(disk),
    };
    submitted.complete(whole).await
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Synced {
    Yes,
    No,
}

/// An open file.
pub(crate) struct File {
    handle: Arc<Handle>,
    mode: OpenMode,
    /// The life of the process that opened it.
    life: u64,
}

impl File {
    pub(crate) async fn open(path: &Path, mode: OpenMode) -> io::Result<Self> {
        let owned = path.to_owned();
        let work = move |disk: &Disk| {
            let node = disk.names.borrow().find(&owned);
            let node = match (mode, node) {
                (OpenMode::CreateNew, Ok(_)) => return Err(io::ErrorKind::AlreadyExists.into()),
                (OpenMode::Create | OpenMode::CreateNew, Err(error))
                    if error.kind() == io::ErrorKind::NotFound =>
                {
                    let mut names = disk.names.borrow_mut();
                    let place = names.place(&owned)?;
                    names.add_file(place, disk.new_file())?
                }
                (_, node) => node?,
            };
            let handle = disk.names.borrow().file(node)?.open(owned);
            Ok((handle, disk.life()))
        };
        let (handle, life) = operate(Operation::Open, path, work).await?;
        Ok(Self { handle, mode, life })
    }

    pub(crate) async fn write_at(&self, buffer: AlignedBuffer, position: u64) -> io::Result<()> {
        let bytes = buffer.as_slice().to_vec();
        self.write(bytes, position, Synced::No).await
    }

    pub(crate) async fn write_at_synced(
        &self,
        buffer: AlignedBuffer,
        position: u64,
    ) -> io::Result<()> {
        let bytes = buffer.as_slice().to_vec();
        self.write(bytes, position, Synced::Yes).await
    }

    /// Writes bytes of any number at any position: what a buffered write does.
    pub(super) async fn write_bytes(&self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.write(bytes.to_vec(), 0, Synced::No).await
    }

    async fn write(&self, bytes: Vec<u8>, position: u64, synced: Synced) -> io::Result<()> {
        self.check_writable()?;
        let mut submitted = self.submit(Operation::Write)?;
        if synced == Synced::Yes {
            let sync = self.submit(Operation::Sync)?;
            submitted.delay += sync.delay;
            submitted.failure = submitted.failure.or(sync.failure);
        }
        let handle = Arc::clone(&self.handle);
        let len = u64::try_from(bytes.len()).expect("memory is addressed with 64 bits");
        submitted
            .world
            .executor
            .record(position ^ len.rotate_left(48));
        if handle.inode.reserve(position, len).is_none() {
            submitted.failure = Some(Failure::Full);
        }
        let sectors = bytes.len() / SECTOR;
        let key = handle.inode.lock().content.begin_write(position, bytes);
        let work = move |world: &World, _: &Disk, failure: Option<Failure>| {
            let mut state = handle.inode.lock();
            let content = &mut state.content;
            let Some(failure) = failure else {
                let stamp = content.finish_write(key).ok_or(Failure::Io)?;
                if synced == Synced::Yes {
                    content.settle_range(stamp, position, len);
                }
                return Ok(());
            };
            world.executor.draw(|rng| match failure {
                Failure::Io => content.fail_write(key, rng),
                Failure::Short => content.cut_write_short(key, SECTOR * rng.index(sectors.max(1))),
                Failure::Full => content.cut_write_short(key, 0),
            });
            Err(failure.into())
        };
        submitted.complete(work).await
    }

    pub(crate) async fn read_at(&self, position: u64, len: usize) -> io::Result<ReadBuffer> {
        let submitted = self.submit(Operation::Read)?;
        let bytes = read(submitted, &self.handle, position, len).await?;
        Ok(ReadBuffer(bytes))
    }

    pub(crate) async fn sync_data(&self) -> io::Result<()> {
        let submitted = self.submit(Operation::Sync)?;
        let handle = Arc::clone(&self.handle);
        // A write that completes from now on is not covered.
        let stamp = handle.inode.lock().content.stamp();
        let work = move |_: &World, _: &Disk, failure: Option<Failure>| {
            let mut state = handle.inode.lock();
            if failure.is_some() {
                state.content.lose(stamp);
                return Err(Failure::Io.into());
            }
            state.content.settle(stamp);
            Ok(())
        };
        submitted.complete(work).await
    }

    pub(crate) async fn allocate(&self, position: u64, len: u64) -> io::Result<()> {
        self.check_writable()?;
        let handle = Arc::clone(&self.handle);
        self.resize(move || {
            handle.inode.reserve(position, len).ok_or(Failure::Full)?;
            handle.inode.lock().content.extend(position + len);
            Ok(())
        })
        .await
    }

    pub(crate) async fn set_len(&self, len: u64) -> io::Result<()> {
        self.check_writable()?;
        let handle = Arc::clone(&self.handle);
        self.resize(move || {
            handle.inode.lock().content.set_len(len);
            handle.inode.release_beyond(len);
            Ok(())
        })
        .await
    }

    async fn resize(&self, work: impl FnOnce() -> io::Result<()> + 'static) -> io::Result<()> {
        let submitted = self.submit(Operation::Resize)?;
        let whole = move |_: &World, _: &Disk, failure: Option<Failure>| match failure {
            Some(failure) => Err(failure.into()),
            None => work(),
        };
        submitted.complete(whole).await
    }

    #[expect(
        clippy::unused_async,
        reason = "the arm contract: the real one asks the kernel"
    )]
    pub(crate) async fn size(&self) -> io::Result<u64> {
        Ok(self.handle.inode.lock().content.size())
    }

    pub(crate) fn reader(&self) -> FileReader {
        FileReader {
            handle: Arc::clone(&self.handle),
        }
    }

    #[expect(
        clippy::unused_async,
        reason = "the arm contract: the real one asks the kernel"
    )]
    pub(crate) async fn close(self) -> io::Result<()> {
        Ok(())
    }

    fn submit(&self, operation: Operation) -> io::Result<Submitted> {
        let submitted = Submitted::new(operation, &self.handle.path);
        if submitted.life == self.life {
            Ok(submitted)
        } else {
            Err(Failure::Io.into())
        }
    }

    fn check_writable(&self) -> io::Result<()> {
        match self.mode {
            OpenMode::ReadOnly => Err(io::ErrorKind::PermissionDenied.into()),
            OpenMode::Existing | OpenMode::Create | OpenMode::CreateNew => Ok(()),
        }
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({})", self.handle.path.display())
    }
}

/// A view of an open file that may be sent anywhere.
#[derive(Clone, Debug)]
pub(crate) struct FileReader {
    handle: Arc<Handle>,
}

impl FileReader {
    pub(crate) async fn read_at(&self, position: u64, len: usize) -> io::Result<Bytes> {
        let submitted = Submitted::new(Operation::Read, &self.handle.path);
        read(submitted, &self.handle, position, len).await
    }
}

async fn read(
    submitted: Submitted,
    handle: &Arc<Handle>,
    position: u64,
    len: usize,
) -> io::Result<Bytes> {
    let handle = Arc::clone(handle);
    let work = move |_: &World, _: &Disk, failure: Option<Failure>| match failure {
        Some(_) => Err(Failure::Io.into()),
        None => Ok(Bytes::from(handle.inode.lock().content.read(position, len))),
    };
    submitted.complete(work).await
}

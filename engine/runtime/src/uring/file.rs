//! Direct-I/O files over glommio's `DmaFile`, each with a buffered descriptor for readers.

use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use glommio::io::{DmaFile, OpenOptions};
use types::size::{BLOCK_SIZE, block_ceil, block_floor};

use super::buffer::{AlignedBuffer, ReadBuffer};
use super::{disk, reactor, residency, task};
use crate::file::OpenMode;
use crate::task::Queue;

/// The permissions of a created file: the owner reads and writes, the group reads.
const CREATE_PERMISSIONS: u32 = 0o640;

/// A direct-I/O file of one shard.
pub(crate) struct File {
    direct: Rc<DmaFile>,
    /// The same file opened with O_DSYNC, at the first synced write.
    synced: std::cell::OnceCell<Rc<DmaFile>>,
    reader: FileReader,
}

impl File {
    /// Opens the buffered descriptor first and the direct one through it, so that both are the same
    /// file whatever happens to the name meanwhile. (glommio's open panics when a name vanishes
    /// between two of its steps; a name in /proc does not.)
    pub(crate) async fn open(path: &Path, mode: OpenMode) -> io::Result<Self> {
        let reader = task::offload({
            let path = path.to_owned();
            move || FileReader::open(&path, mode)
        })
        .await?;
        let direct = open_direct(&reader, mode != OpenMode::ReadOnly, 0).await?;
        Ok(Self {
            direct: Rc::new(direct),
            synced: std::cell::OnceCell::new(),
            reader,
        })
    }

    /// Writes the whole buffer.
    pub(crate) async fn write_at(&self, buffer: AlignedBuffer, position: u64) -> io::Result<()> {
        write_whole(&self.direct, buffer, position).await
    }

    /// Writes the whole buffer through a descriptor with O_DSYNC: one round trip instead of a write
    /// and a sync (0.11 ms against 0.16).
    pub(crate) async fn write_at_synced(
        &self,
        buffer: AlignedBuffer,
        position: u64,
    ) -> io::Result<()> {
        if let Some(synced) = self.synced.get() {
            return write_whole(synced, buffer, position).await;
        }
        match open_direct(&self.reader, true, libc::O_DSYNC).await {
            Ok(opened) => {
                let opened = Rc::new(opened);
                // Two first writes at a time: the later descriptor serves one write and is dropped.
                self.synced.set(Rc::clone(&opened)).ok();
                write_whole(&opened, buffer, position).await
            }
            Err(error) => {
                tracing::debug!(%error, "no descriptor for synced writes; syncing after the write");
                self.write_at(buffer, position).await?;
                self.sync_data().await
            }
        }
    }

    /// Reads whole blocks and cuts them to what was asked for.
    pub(crate) async fn read_at(&self, position: u64, len: usize) -> io::Result<ReadBuffer> {
        read_cut(&self.direct, position, len).await
    }

    /// Makes completed writes and the size durable.
    pub(crate) async fn sync_data(&self) -> io::Result<()> {
        disk::sync_data(&self.direct).await
    }

    /// Reserves space up to the end of the range, and with it for anything before that has none.
    pub(crate) async fn allocate(&self, position: u64, len: u64) -> io::Result<()> {
        let end = position
            .checked_add(len)
            .ok_or(io::ErrorKind::InvalidInput)?;
        Ok(reactor::through(self.direct.pre_allocate(end, false)).await?)
    }

    /// Sets the size, in a task of its own: glommio does it on a helper thread by descriptor number,
    /// which must not be another file's by then, even if the caller stops waiting.
    pub(crate) async fn set_len(&self, len: u64) -> io::Result<()> {
        let direct = Rc::clone(&self.direct);
        let (done, result) = crate::oneshot::oneshot();
        task::spawn(Queue::Latency, async move {
            let truncated = reactor::through(direct.truncate(len)).await;
            // Nobody waits any more: the size is set all the same.
            done.send(truncated).ok();
        })
        .detach();
        Ok(result.await.map_err(io::Error::other)??)
    }

    /// Returns the size, by fstat: glommio asks by name, which fails once the file is renamed.
    #[expect(
        clippy::unused_async,
        reason = "the contract of both arms; the simulator waits here"
    )]
    pub(crate) async fn size(&self) -> io::Result<u64> {
        Ok(self.reader.0.metadata()?.len())
    }

    /// Returns a shareable reader.
    pub(crate) fn reader(&self) -> FileReader {
        self.reader.clone()
    }

    /// Closes the direct descriptors; readers keep theirs.
    pub(crate) async fn close(self) -> io::Result<()> {
        let Self { direct, synced, .. } = self;
        let synced = match synced.into_inner() {
            Some(synced) => reactor::through(synced.close_rc()).await.map(drop),
            None => Ok(()),
        };
        // A size change that nobody waits for may still hold it, and closes it then.
        reactor::through(direct.close_rc()).await?;
        Ok(synced?)
    }
}

/// Opens a reader's file for direct I/O on this shard.
pub(super) async fn open_direct(
    reader: &FileReader,
    writable: bool,
    flags: libc::c_int,
) -> io::Result<DmaFile> {
    let path = format!("/proc/self/fd/{}", reader.0.as_raw_fd());
    let mut options = OpenOptions::new();
    options.read(true).write(writable).custom_flags(flags);
    Ok(reactor::through(options.dma_open(path)).await?)
}

/// Reads up to `len` bytes from `position` on, as whole blocks.
pub(super) async fn read_cut(
    file: &Rc<DmaFile>,
    position: u64,
    len: usize,
) -> io::Result<ReadBuffer> {
    let start = block_floor(position);
    let skip = usize::try_from(position - start).map_err(io::Error::other)?;
    let end = skip
        .checked_add(len)
        .and_then(|end| u64::try_from(end).ok())
        .map(block_ceil)
        .ok_or(io::ErrorKind::InvalidInput)?;
    let size = usize::try_from(end).map_err(io::Error::other)?;
    let (blocks, filled) = disk::read(file, AlignedBuffer::of_heap(size), start).await?;
    Ok(ReadBuffer::cut(blocks, filled, skip, len))
}

async fn write_whole(file: &Rc<DmaFile>, buffer: AlignedBuffer, position: u64) -> io::Result<()> {
    debug_assert!(position.is_multiple_of(BLOCK_SIZE));
    let len = buffer.as_slice().len();
    let written = disk::write(file, buffer, position).await?;
    if written < len {
        // Out of space in the middle is reported as a short write; the next one would say so.
        let message = format!("{written} of {len} bytes were written");
        return Err(io::Error::new(io::ErrorKind::WriteZero, message));
    }
    Ok(())
}

/// A buffered, read-only descriptor, shared by all who read or send from the file.
#[derive(Clone)]
pub(crate) struct FileReader(Arc<fs::File>);

impl FileReader {
    fn open(path: &Path, mode: OpenMode) -> io::Result<Self> {
        // Read-only in every mode: readers must never dirty the page cache, or they would no longer
        // agree with direct writes.
        let create = match mode {
            OpenMode::Existing | OpenMode::ReadOnly => 0,
            OpenMode::Create => libc::O_CREAT,
            OpenMode::CreateNew => libc::O_CREAT | libc::O_EXCL,
        };
        let file = fs::OpenOptions::new()
            .read(true)
            .custom_flags(create)
            .mode(CREATE_PERMISSIONS)
            .open(path)?;
        Ok(Self(Arc::new(file)))
    }

    /// Reads through the page cache; off the shard's thread if the disk is needed.
    pub(crate) async fn read_at(&self, position: u64, len: usize) -> io::Result<Bytes> {
        let length = u64::try_from(len).map_err(io::Error::other)?;
        if residency::is_resident(&self.0, position, length) {
            return self.read_now(position, len);
        }
        let reader = self.clone();
        task::offload(move || reader.read_now(position, len)).await
    }

    fn read_now(&self, position: u64, len: usize) -> io::Result<Bytes> {
        let mut buffer = BytesMut::zeroed(len);
        let filled = residency::read(&self.0, position, &mut buffer)?;
        buffer.truncate(filled);
        Ok(buffer.freeze())
    }

    /// Returns the descriptor.
    pub(super) fn file(&self) -> &fs::File {
        &self.0
    }

    /// Returns whether both read the same descriptor.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

//! Direct-I/O files of one shard, and their shareable readers.

use std::fmt;
use std::io;
use std::path::Path;

use bytes::Bytes;
use types::size::BLOCK_SIZE;

use crate::buffer::{AlignedBuffer, AlignedBufferArm, ReadBuffer, ReadBufferArm};

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// For reading and writing; it must exist.
    Existing,
    /// For reading and writing; it is created when missing.
    Create,
    /// For reading and writing; it must not exist yet.
    CreateNew,
    /// For reading; it must exist.
    ReadOnly,
}

arms! { FileArm of File }

/// A file read and written past the page cache.
///
/// 1. Reads see every write that has completed.
/// 2. A write is durable when a [`File::sync_data`] that began after its completion has returned,
///    or when [`File::write_at_synced`] returned; a new name also needs [`crate::sync_dir`].
/// 3. Without a sync, any 512-byte sector of a write may be lost at a power failure, and later
///    writes may survive earlier ones.
/// 4. After a failed write or sync nothing is known about the sectors concerned, and no later sync
///    makes it known: take the file out of service.
/// 5. Of two writes in flight on one block either may win: never have two.
///
/// Any number of operations may be in flight at a time. Dropping a file closes it in the background.
pub struct File(FileArm);

impl File {
    /// Opens a file, and with it the buffered descriptor of [`File::reader`].
    ///
    /// A created name is durable after [`crate::sync_dir`] of its directory.
    pub async fn open(path: &Path, mode: OpenMode) -> io::Result<Self> {
        Ok(Self(ambient!(FileArm => File::open(path, mode).await?)))
    }

    /// Writes the whole buffer; see the type for durability.
    ///
    /// *Units*: `position` in bytes, a multiple of [`BLOCK_SIZE`].
    /// *Errors*: the kernel's; `StorageFull` when the disk is; `WriteZero` for a write cut short.
    pub async fn write_at(&self, buffer: AlignedBuffer, position: u64) -> io::Result<()> {
        assert_aligned(position);
        match (&self.0, buffer.0) {
            #[cfg(feature = "uring")]
            (FileArm::Uring(file), AlignedBufferArm::Uring(buffer)) => {
                file.write_at(buffer, position).await
            }
            #[cfg(feature = "sim")]
            (FileArm::Sim(file), AlignedBufferArm::Sim(buffer)) => {
                file.write_at(buffer, position).await
            }
            #[cfg(all(feature = "uring", feature = "sim"))]
            _ => unreachable!("a buffer stays on the arm that made it"),
        }
    }

    /// Writes the whole buffer and returns when it is durable.
    ///
    /// *Units* and *Errors*: as [`File::write_at`].
    /// *Cost*: one write with the kernel's per-write sync; other writes are not covered by it.
    pub async fn write_at_synced(&self, buffer: AlignedBuffer, position: u64) -> io::Result<()> {
        assert_aligned(position);
        match (&self.0, buffer.0) {
            #[cfg(feature = "uring")]
            (FileArm::Uring(file), AlignedBufferArm::Uring(buffer)) => {
                file.write_at_synced(buffer, position).await
            }
            #[cfg(feature = "sim")]
            (FileArm::Sim(file), AlignedBufferArm::Sim(buffer)) => {
                file.write_at_synced(buffer, position).await
            }
            #[cfg(all(feature = "uring", feature = "sim"))]
            _ => unreachable!("a buffer stays on the arm that made it"),
        }
    }

    /// Reads up to `len` bytes at any position; fewer only at the end of the file.
    pub async fn read_at(&self, position: u64, len: usize) -> io::Result<ReadBuffer> {
        Ok(ReadBuffer(on_arm!(
            &self.0, FileArm as ReadBufferArm, file => file.read_at(position, len).await?
        )))
    }

    /// Makes every completed write and the file's size durable.
    ///
    /// *Errors*: never to be retried (see 4 above).
    pub async fn sync_data(&self) -> io::Result<()> {
        on_arm!(&self.0, FileArm, file => file.sync_data().await)
    }

    /// Reserves space for a range, which reads as zeros until written, and extends the size over it.
    ///
    /// *Errors*: `StorageFull` when the disk has no room; nothing is reserved then.
    pub async fn allocate(&self, position: u64, len: u64) -> io::Result<()> {
        on_arm!(&self.0, FileArm, file => file.allocate(position, len).await)
    }

    /// Sets the size: cuts, or extends with zeros that take no space.
    pub async fn set_len(&self, len: u64) -> io::Result<()> {
        on_arm!(&self.0, FileArm, file => file.set_len(len).await)
    }

    /// Returns the size in bytes.
    pub async fn size(&self) -> io::Result<u64> {
        on_arm!(&self.0, FileArm, file => file.size().await)
    }

    /// Returns a reader that outlives this file and may be sent to other shards.
    pub fn reader(&self) -> FileReader {
        FileReader(on_arm!(&self.0, FileArm as FileReaderArm, file => file.reader()))
    }

    /// Closes the file and reports what the kernel says to it.
    pub async fn close(self) -> io::Result<()> {
        on_arm!(self.0, FileArm, file => file.close().await)
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("File")
    }
}

fn assert_aligned(position: u64) {
    assert!(
        position.is_multiple_of(BLOCK_SIZE),
        "position {position} is not the start of a block"
    );
}

arms! { #[derive(Clone)] pub(crate) FileReaderArm of FileReader }

/// A buffered, read-only view of a file, for sending ranges of it: `Send`, `Sync`, cheap to clone.
///
/// It keeps the file's bytes reachable after [`File::close`] and after the name is removed. A range
/// may be read or sent once the write that filled it has completed.
#[derive(Clone)]
pub struct FileReader(pub(crate) FileReaderArm);

impl FileReader {
    /// Reads up to `len` bytes through the page cache, without stalling the shard; fewer only at the
    /// end of the file.
    pub async fn read_at(&self, position: u64, len: usize) -> io::Result<Bytes> {
        on_arm!(&self.0, FileReaderArm, reader => reader.read_at(position, len).await)
    }
}

impl fmt::Debug for FileReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileReader")
    }
}

const _: () = {
    const fn sendable<T: Send + Sync>() {}
    sendable::<FileReader>();
};

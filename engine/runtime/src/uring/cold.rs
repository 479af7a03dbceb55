//! Direct reads of file ranges that are not in the page cache, ahead of the socket: small ones, few at
//! a time.
//!
//! The disk serves what it was given first, so a commit round's write waits for the reads before it.
//! Measured in docs/decisions/0016-where-a-shard-sleeps.md.

use std::io;
use std::ops::Range;
use std::rc::Rc;

use glommio::io::DmaFile;
use types::ByteCount;
use types::size::block_ceil;

use super::buffer::ReadBuffer;
use super::task::Task;
use super::{file, shard, task};
use crate::semaphore::{Permit, Semaphore};
use crate::task::Queue;

/// Bytes of one read.
pub(super) const PIECE: u64 = 128 * 1024;

/// Bytes of one read whose memory is not charged.
const PIECE_SPARE: u64 = 64 * 1024;

/// Reads of one connection under way or waiting to be sent.
pub(super) const AHEAD_MAX: usize = 2;

/// Reads of one shard that the disk has at a time.
const UNDER_WAY_MAX: u64 = 4;

/// Memory of one shard for reads ahead; a connection that gets none of it reads [`PIECE_SPARE`] at a
/// time, so that slow readers cannot stop the others.
const MEMORY_MAX: ByteCount = ByteCount::mib(16);

/// What the reads of one shard share.
pub(super) struct ColdReads {
    pub(super) memory: Semaphore,
    pub(super) under_way: Semaphore,
}

impl ColdReads {
    pub(super) fn new() -> Self {
        Self {
            memory: Semaphore::new(MEMORY_MAX.0),
            under_way: Semaphore::new(UNDER_WAY_MAX),
        }
    }
}

/// A direct read under way.
pub(super) struct ColdRead {
    until: u64,
    len: usize,
    reading: Task<io::Result<ReadBuffer>>,
    memory: Option<Permit>,
}

/// Bytes that were read, and the memory that they are charged to.
pub(super) struct ColdBytes {
    buffer: ReadBuffer,
    _memory: Option<Permit>,
}

impl ColdRead {
    /// Starts to read from the beginning of a range; it goes on while others are sent.
    ///
    /// `None` if the shard's memory is spent and the connection has something to send.
    pub(super) fn start(
        file: &Rc<DmaFile>,
        range: Range<u64>,
        nothing_ahead: bool,
    ) -> Option<Self> {
        let cold = &shard::seat().cold;
        let position = range.start;
        let until = |piece| block_ceil(position + piece).min(range.end);
        let memory = cold.memory.try_acquire(until(PIECE) - position);
        let until = match &memory {
            Some(_) => until(PIECE),
            None if nothing_ahead => until(PIECE_SPARE),
            None => return None,
        };
        let len = ByteCount(until - position).as_usize();
        let turn = cold.under_way.acquire(1);
        let file = Rc::clone(file);
        // A task of its own gives its turn back when the disk is done, whatever the socket does.
        let reading = task::spawn(Queue::Throughput, async move {
            let _turn = turn.await;
            file::read_cut(&file, position, len).await
        });
        Some(Self {
            until,
            len,
            reading,
            memory,
        })
    }

    /// Returns where it ends.
    pub(super) fn until(&self) -> u64 {
        self.until
    }

    /// Waits for the bytes.
    ///
    /// *Errors*: `UnexpectedEof` if the file is shorter.
    pub(super) async fn finish(self) -> io::Result<ColdBytes> {
        let buffer = self.reading.await?;
        if buffer.as_slice().len() < self.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(ColdBytes {
            buffer,
            _memory: self.memory,
        })
    }
}

impl ColdBytes {
    /// Returns the content.
    pub(super) fn as_slice(&self) -> &[u8] {
        self.buffer.as_slice()
    }
}

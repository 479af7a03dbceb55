//! Sending ranges of files without stalling the shard.
//!
//! | the range is | it leaves by | cost |
//! |---|---|---|
//! | in the page cache | sendfile, without waiting | no copy; 0.16 CPU-s/GiB |
//! | not, or unknown | direct reads of 128 KiB, one ahead, and send | 0.33 CPU-s/GiB; the cache stays as it is |
//!
//! sendfile of a range that is not cached reads it in place, and everything else on the shard waits
//! for the disk: milliseconds, up to seconds. So each piece is looked up first.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd;
use std::rc::Rc;

use glommio::io::DmaFile;
use types::ByteCount;

use super::cold::{AHEAD_MAX, ColdRead};
use super::file::{self, FileReader};
use super::tcp::{SEND_SIZE_MAX, Stream};
use super::turn::yield_if_due;
use super::{reactor, residency, sys};
use crate::chunk::{Chunk, SendQueue};
use crate::file::FileReaderArm;

/// Bytes looked up in the page cache and sent at a time.
const WARM_PIECE_MAX: u64 = 256 * 1024;

/// What one connection keeps for sending file ranges.
#[derive(Default)]
pub(super) struct FileSender {
    nonblocking: bool,
    cold: Option<Cold>,
}

/// A file opened for direct reads on this shard: kept while a consumer reads on in it.
struct Cold {
    reader: FileReader,
    direct: Rc<DmaFile>,
    used: bool,
}

/// The range at the front of a queue.
struct Range {
    reader: FileReader,
    position: u64,
    length: u64,
}

impl FileSender {
    /// Begins a flush.
    pub(super) fn begin(&mut self) {
        if let Some(cold) = &mut self.cold {
            cold.used = false;
        }
    }

    /// Ends a flush: a file that it did not read from is closed.
    pub(super) async fn end(&mut self) {
        if let Some(cold) = self.cold.take_if(|cold| !cold.used) {
            cold.close().await;
        }
    }

    /// Closes what is open.
    pub(super) async fn close(self) {
        if let Some(cold) = self.cold {
            cold.close().await;
        }
    }

    /// Sends some or all of the file range at the front of the queue.
    ///
    /// *Errors*: `UnexpectedEof` if the file is shorter than the range; the connection is then cut in
    /// the middle of an answer and of no more use.
    pub(super) async fn send(&mut self, stream: &Stream, queue: &mut SendQueue) -> io::Result<()> {
        let Some(range) = front(queue) else {
            return Ok(());
        };
        if !self.nonblocking {
            // sendfile has no flag for it.
            stream.socket().set_nonblocking(true)?;
            self.nonblocking = true;
        }
        let piece = range.length.min(WARM_PIECE_MAX);
        if residency::is_resident(range.reader.file(), range.position, piece) {
            send_warm(stream, &range, piece, queue).await
        } else {
            self.send_cold(stream, range, queue).await
        }
    }

    /// Sends a range by direct reads, ahead of the socket.
    async fn send_cold(
        &mut self,
        stream: &Stream,
        range: Range,
        queue: &mut SendQueue,
    ) -> io::Result<()> {
        let end = range.position + range.length;
        let direct = self.open_cold(range.reader).await?;
        let mut ahead = VecDeque::new();
        let mut next = range.position;
        loop {
            while next < end && ahead.len() < AHEAD_MAX {
                let Some(read) = ColdRead::start(&direct, next..end, ahead.is_empty()) else {
                    break;
                };
                next = read.until();
                ahead.push_back(read);
            }
            let Some(read) = ahead.pop_front() else {
                return Ok(());
            };
            let bytes = read.finish().await?;
            send_all(stream, bytes.as_slice(), queue).await?;
        }
    }

    async fn open_cold(&mut self, reader: FileReader) -> io::Result<Rc<DmaFile>> {
        if let Some(cold) = &mut self.cold
            && cold.reader.is_same(&reader)
        {
            cold.used = true;
            return Ok(Rc::clone(&cold.direct));
        }
        if let Some(other) = self.cold.take() {
            other.close().await;
        }
        let direct = Rc::new(file::open_direct(&reader, false, 0).await?);
        self.cold = Some(Cold {
            reader,
            direct: Rc::clone(&direct),
            used: true,
        });
        Ok(direct)
    }
}

impl Cold {
    async fn close(self) {
        if let Err(error) = reactor::through(self.direct.close_rc()).await {
            tracing::debug!(%error, "closing a file after direct reads");
        }
    }
}

fn front(queue: &SendQueue) -> Option<Range> {
    match queue.front() {
        Some(Chunk::File {
            reader,
            position,
            length,
        }) => {
            let reader = match &reader.0 {
                FileReaderArm::Uring(reader) => reader.clone(),
                #[cfg(feature = "sim")]
                FileReaderArm::Sim(_) => unreachable!("a reader stays on the arm that made it"),
            };
            Some(Range {
                reader,
                position: *position,
                length: *length,
            })
        }
        Some(Chunk::Memory(_)) | None => None,
    }
}

/// Sends a piece that is in the page cache.
async fn send_warm(
    stream: &Stream,
    range: &Range,
    piece: u64,
    queue: &mut SendQueue,
) -> io::Result<()> {
    let count = ByteCount(piece).as_usize();
    let file = range.reader.file().as_fd();
    let sent = stream
        .when_writable(|socket| sys::send_file(socket.as_fd(), file, range.position, count))
        .await?;
    if sent == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    queue.advance(ByteCount::from(sent).0);
    Ok(())
}

/// Sends bytes that were read ahead, taking them off the queue as they go.
async fn send_all(stream: &Stream, mut bytes: &[u8], queue: &mut SendQueue) -> io::Result<()> {
    while !bytes.is_empty() {
        let some = bytes
            .get(..SEND_SIZE_MAX.min(bytes.len()))
            .unwrap_or_default();
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        let sent = stream
            .when_writable(|socket| socket.send_with_flags(some, flags))
            .await?;
        queue.advance(ByteCount::from(sent).0);
        bytes = bytes.get(sent..).unwrap_or_default();
        yield_if_due().await;
    }
    Ok(())
}

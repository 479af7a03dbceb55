//! A file that is read from its beginning to its end, a part of it in memory.

use std::io;

use bytes::{Buf, BytesMut};
use types::ByteCount;

use crate::journal::FoundFile;

/// How much is read by one request.
const READ_SIZE: u64 = 256 * 1024;

/// How many requests are under way.
const READS: u64 = 4;

/// The part of a file that is in memory: what was asked for last, and what was read ahead of it.
pub(super) struct Window<'a> {
    found: &'a FoundFile,
    /// Where the bytes begin in the file.
    start: u64,
    bytes: BytesMut,
}

impl<'a> Window<'a> {
    /// Stands at the beginning, with nothing read.
    pub(super) fn new(found: &'a FoundFile) -> Self {
        Self {
            found,
            start: 0,
            bytes: BytesMut::new(),
        }
    }

    /// Returns bytes of the file; `None` if it ends before the last of them.
    ///
    /// What is before `position` is let go.
    ///
    /// *Panics*: if it was let go already.
    pub(super) async fn at(&mut self, position: u64, length: u64) -> io::Result<Option<&[u8]>> {
        let end = position.saturating_add(length);
        if end > self.found.size {
            return Ok(None);
        }
        assert!(self.start <= position, "a window only moves on");
        if position < self.end() {
            self.bytes
                .advance(ByteCount(position - self.start).as_usize());
        } else {
            self.bytes.clear();
        }
        self.start = position;
        while self.end() < end {
            self.read_on().await?;
        }
        Ok(self.bytes.get(..ByteCount(length).as_usize()))
    }

    fn end(&self) -> u64 {
        self.start + ByteCount::from(self.bytes.len()).0
    }

    /// Reads what follows, several pieces at a time.
    async fn read_on(&mut self) -> io::Result<()> {
        let (found, from) = (self.found, self.end());
        let piece = |index: u64| {
            let position = from + index * READ_SIZE;
            let length = ByteCount(READ_SIZE.min(found.size - position)).as_usize();
            async move {
                let read = found.file.read_at(position, length).await?;
                if read.len() == length {
                    Ok(read)
                } else {
                    // Shorter than it was when it was opened.
                    Err(io::Error::from(io::ErrorKind::UnexpectedEof))
                }
            }
        };
        let pieces = (found.size - from).div_ceil(READ_SIZE).min(READS);
        for read in runtime::join_all((0..pieces).map(piece).collect()).await {
            self.bytes.extend_from_slice(&read?);
        }
        Ok(())
    }
}

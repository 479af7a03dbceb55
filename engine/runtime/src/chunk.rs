//! What is sent to a peer: bytes in memory or a range of a file.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};
use types::ByteCount;

use crate::file::FileReader;

/// A piece of an answer. `Send`: a fetch crosses cores as descriptors, not as data.
#[derive(Clone, Debug)]
pub enum Chunk {
    /// Bytes in memory, shared.
    Memory(Bytes),
    /// A range of a file, sent without passing through user memory where the arm can.
    File {
        /// The file.
        reader: FileReader,
        /// Where the range starts, in bytes.
        position: u64,
        /// How many bytes it has; all of them must have been written.
        length: u64,
    },
}

impl Chunk {
    /// Returns the number of bytes.
    pub fn size(&self) -> ByteCount {
        match self {
            Self::Memory(bytes) => ByteCount::of(bytes),
            Self::File { length, .. } => ByteCount(*length),
        }
    }

    /// Returns whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.size() == ByteCount::ZERO
    }
}

const _: () = {
    const fn sendable<T: Send>() {}
    sendable::<Chunk>();
};

/// The chunks of one connection that wait to be sent, in order, none of them empty.
#[derive(Debug, Default)]
pub(crate) struct SendQueue {
    chunks: VecDeque<Chunk>,
    size: u64,
}

impl SendQueue {
    /// Appends a chunk; an empty one is dropped.
    pub(crate) fn push(&mut self, chunk: Chunk) {
        if !chunk.is_empty() {
            self.size += chunk.size().0;
            self.chunks.push_back(chunk);
        }
    }

    /// Returns the chunk to be sent next.
    pub(crate) fn front(&self) -> Option<&Chunk> {
        self.chunks.front()
    }

    /// Returns the memory chunks at the front, up to the first file range.
    #[cfg(any(feature = "uring", test))]
    pub(crate) fn leading_memory(&self) -> impl Iterator<Item = &Bytes> {
        self.chunks.iter().map_while(|chunk| match chunk {
            Chunk::Memory(bytes) => Some(bytes),
            Chunk::File { .. } => None,
        })
    }

    /// Returns the number of chunks.
    #[cfg(any(feature = "uring", test))]
    pub(crate) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Returns whether all is sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Returns the bytes that wait.
    pub(crate) fn size(&self) -> ByteCount {
        ByteCount(self.size)
    }

    /// Takes the first `count` bytes off the queue: they were sent.
    ///
    /// *Panics*: if fewer are queued.
    pub(crate) fn advance(&mut self, mut count: u64) {
        assert!(count <= self.size, "more was sent than was queued");
        self.size -= count;
        while count > 0 {
            let front = self.chunks.front_mut().expect("the queue has its size");
            let step = count.min(front.size().0);
            match front {
                Chunk::Memory(bytes) => bytes.advance(ByteCount(step).as_usize()),
                Chunk::File {
                    position, length, ..
                } => {
                    *position += step;
                    *length -= step;
                }
            }
            if front.is_empty() {
                self.chunks.pop_front();
            }
            count -= step;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advancing_cuts_chunks_anywhere_and_keeps_the_size() {
        let mut queue = SendQueue::default();
        queue.push(Chunk::Memory(Bytes::from_static(b"abc")));
        queue.push(Chunk::Memory(Bytes::new()));
        queue.push(Chunk::Memory(Bytes::from_static(b"defg")));
        assert_eq!((queue.len(), queue.size()), (2, ByteCount(7)));
        queue.advance(5);
        let left: Vec<_> = queue.leading_memory().cloned().collect();
        assert_eq!(left, vec![Bytes::from_static(b"fg")]);
        assert_eq!(queue.size(), ByteCount(2));
        queue.advance(2);
        assert!(queue.is_empty());
        assert!(queue.front().is_none());
    }

    #[test]
    #[should_panic(expected = "more was sent than was queued")]
    fn advancing_past_the_end_is_refused() {
        SendQueue::default().advance(1);
    }
}

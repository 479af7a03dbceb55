//! Buffers of the simulated machine: plain memory, aligned as real ones are.

use std::fmt;

use bytes::Bytes;

/// The alignment of direct I/O, in bytes.
const ALIGNMENT: usize = 4096;

/// What stands in memory that nobody has written to.
const STALE: u8 = 0xA5;

/// Memory with its start on a block boundary.
pub(crate) struct AlignedBuffer {
    memory: Vec<u8>,
    start: usize,
    len: usize,
}

impl AlignedBuffer {
    pub(crate) fn take(len: usize) -> Self {
        let memory = vec![STALE; len + ALIGNMENT];
        let address = memory.as_ptr().addr();
        let start = address.next_multiple_of(ALIGNMENT) - address;
        Self { memory, start, len }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.len]
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.start + self.len]
    }
}

impl fmt::Debug for AlignedBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlignedBuffer({})", self.len)
    }
}

/// What a read returned.
#[derive(Clone, Debug)]
pub(crate) struct ReadBuffer(pub(crate) Bytes);

impl ReadBuffer {
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

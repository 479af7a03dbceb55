//! Memory for direct I/O: exclusive buffers to write from, shared ones that a read returned.

use std::fmt;
use std::ops::{Deref, DerefMut};

use bytes::Bytes;
use types::size::BLOCK_SIZE;

arms! { pub(crate) AlignedBufferArm of AlignedBuffer }

/// A buffer for one direct write: exclusive, aligned to a block, always of defined content.
///
/// *Units*: its length is a multiple of [`BLOCK_SIZE`] and never zero.
pub struct AlignedBuffer(pub(crate) AlignedBufferArm);

impl AlignedBuffer {
    /// Takes a buffer of `len` zero bytes.
    ///
    /// *Panics*: if `len` is zero or not a multiple of [`BLOCK_SIZE`].
    pub fn zeroed(len: usize) -> Self {
        Self::filled(len, |_| 0)
    }

    /// Takes a buffer of `len` bytes that `fill` writes from the start on, and clears what is behind
    /// the number of bytes that it returns.
    ///
    /// `fill` sees what was there before, and must write over all of what it counts: it goes to disk.
    ///
    /// *Panics*: as [`AlignedBuffer::zeroed`]; if `fill` counts more than there is.
    pub fn filled(len: usize, fill: impl FnOnce(&mut [u8]) -> usize) -> Self {
        let block = usize::try_from(BLOCK_SIZE).expect("a block is small");
        assert!(len > 0, "an aligned buffer is not empty");
        assert!(
            len.is_multiple_of(block),
            "{len} bytes are not whole blocks"
        );
        let mut buffer = Self(ambient!(AlignedBufferArm => AlignedBuffer::take(len)));
        let used = fill(&mut buffer);
        let rest = buffer.get_mut(used..);
        rest.expect("a buffer is filled up to its end at most")
            .fill(0);
        buffer
    }
}

impl Deref for AlignedBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        on_arm!(&self.0, AlignedBufferArm, buffer => buffer.as_slice())
    }
}

impl DerefMut for AlignedBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        on_arm!(&mut self.0, AlignedBufferArm, buffer => buffer.as_mut_slice())
    }
}

impl fmt::Debug for AlignedBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlignedBuffer({} bytes)", self.len())
    }
}

arms! { #[derive(Clone)] pub(crate) ReadBufferArm of ReadBuffer }

/// What a direct read returned: shorter than asked for at the end of the file.
///
/// *Cost*: a clone shares the memory.
#[derive(Clone)]
pub struct ReadBuffer(pub(crate) ReadBufferArm);

impl ReadBuffer {
    /// Copies the content into shareable bytes.
    pub fn into_bytes(self) -> Bytes {
        Bytes::copy_from_slice(&self)
    }
}

impl Deref for ReadBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        on_arm!(&self.0, ReadBufferArm, buffer => buffer.as_slice())
    }
}

impl fmt::Debug for ReadBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReadBuffer({} bytes)", self.len())
    }
}

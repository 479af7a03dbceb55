//! Aligned memory from glommio's pool: registered with the kernel while that lasts, else allocated.

use glommio::io::{DmaBuffer, ReadResult};

/// An exclusive, aligned buffer.
pub(crate) struct AlignedBuffer(DmaBuffer);

impl AlignedBuffer {
    /// Takes a buffer with whatever was there before.
    pub(crate) fn take(len: usize) -> Self {
        Self(glommio::allocate_dma_buffer(len))
    }

    /// Returns the content.
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Returns the content for writing.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        self.0.as_bytes_mut()
    }

    pub(super) fn into_dma(self) -> DmaBuffer {
        self.0
    }
}

/// What a direct read returned, cut to what was asked for.
#[derive(Clone)]
pub(crate) struct ReadBuffer(Option<ReadResult>);

impl ReadBuffer {
    /// Cuts a result of whole blocks to `len` bytes from `skip` on, or to what is there of them.
    pub(super) fn cut(blocks: &ReadResult, skip: usize, len: usize) -> Self {
        let len = len.min(blocks.len().saturating_sub(skip));
        if len == 0 {
            return Self(None);
        }
        Self(ReadResult::slice(blocks, skip, len))
    }

    /// Returns the content.
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

//! Aligned memory: to write from, the shard's arena while that lasts, else glommio's; to read, glommio's.

use glommio::io::{DmaBuffer, ReadResult};

use super::arena::Block;
use super::shard;

/// An exclusive, aligned buffer.
pub(crate) enum AlignedBuffer {
    Arena(Block),
    Heap(DmaBuffer),
}

impl AlignedBuffer {
    /// Takes a buffer with whatever was there before.
    pub(crate) fn take(len: usize) -> Self {
        let block = shard::seat().arena.take(len);
        block.map_or_else(
            || Self::Heap(glommio::allocate_dma_buffer(len)),
            Self::Arena,
        )
    }

    /// Returns the content.
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Arena(block) => block.as_slice(),
            Self::Heap(buffer) => buffer.as_bytes(),
        }
    }

    /// Returns the content for writing.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        match self {
            Self::Arena(block) => block.as_mut_slice(),
            Self::Heap(buffer) => buffer.as_bytes_mut(),
        }
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

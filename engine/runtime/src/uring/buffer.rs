//! Aligned memory: to write from, the shard's arena while that lasts, else glommio's; to read, glommio's.

use std::ops::Range;
use std::rc::Rc;

use glommio::io::DmaBuffer;

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
        block.map_or_else(|| Self::of_heap(len), Self::Arena)
    }

    /// Takes a buffer that leaves the arena alone.
    pub(super) fn of_heap(len: usize) -> Self {
        Self::Heap(glommio::allocate_dma_buffer(len))
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
pub(crate) struct ReadBuffer {
    blocks: Rc<AlignedBuffer>,
    range: Range<usize>,
}

impl ReadBuffer {
    /// Cuts the first `filled` bytes of whole blocks to `len` bytes from `skip` on, or to what is
    /// there of them.
    pub(super) fn cut(blocks: AlignedBuffer, filled: usize, skip: usize, len: usize) -> Self {
        let end = skip.saturating_add(len).min(filled);
        Self {
            blocks: Rc::new(blocks),
            range: skip.min(end)..end,
        }
    }

    /// Returns the content.
    pub(crate) fn as_slice(&self) -> &[u8] {
        let content = self.blocks.as_slice().get(self.range.clone());
        content.expect("cut to what is there")
    }
}

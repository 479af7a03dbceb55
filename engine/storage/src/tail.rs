//! The tail of a log: batches that are not yet in their segment, shared with fetches.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use types::{LeaderEpoch, Offset, TimestampMs};

use crate::index::Indexed;

/// The size of the blocks that batches are copied into.
///
/// Logs of a shard share blocks, so that a thousand quiet ones do not hold a thousand of them. A
/// block is freed with its last batch; the checkpoint bounds how long that can take.
const BLOCK_SIZE: usize = 256 * 1024;

/// Batches from this size on get memory of their own.
const SHARED_SIZE_MAX: usize = BLOCK_SIZE / 4;

/// Memory that batches are copied into, one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    current: BytesMut,
}

impl Blocks {
    /// Copies the pieces of one batch into shared memory: the one copy of a produced byte.
    pub(crate) fn copy(&mut self, head: &[u8], body: &[u8]) -> Bytes {
        let size = head.len() + body.len();
        if size >= SHARED_SIZE_MAX {
            let mut own = BytesMut::with_capacity(size);
            own.extend_from_slice(head);
            own.extend_from_slice(body);
            return own.freeze();
        }
        if self.current.capacity() < size {
            self.current = BytesMut::with_capacity(BLOCK_SIZE);
        }
        self.current.extend_from_slice(head);
        self.current.extend_from_slice(body);
        self.current.split().freeze()
    }
}

/// One batch and its place.
#[derive(Clone, Debug)]
pub(crate) struct TailBatch {
    /// The stamped batch.
    pub(crate) bytes: Bytes,
    /// The base offset of its segment.
    pub(crate) segment: Offset,
    /// Where it starts in the segment, in bytes.
    pub(crate) position: u64,
    /// Its first offset.
    pub(crate) first: Offset,
    /// The offset behind its last.
    pub(crate) next: Offset,
    /// The epoch it was stamped with.
    pub(crate) epoch: LeaderEpoch,
    /// Its largest timestamp.
    pub(crate) max_timestamp: TimestampMs,
    /// Whether an idempotent producer wrote it.
    pub(crate) has_producer: bool,
}

impl TailBatch {
    /// Returns its size in bytes.
    pub(crate) fn size(&self) -> u64 {
        u64::try_from(self.bytes.len()).expect("a batch fits memory")
    }

    /// Returns what an index notes of it.
    pub(crate) fn indexed(&self) -> Indexed {
        Indexed {
            offset: self.first,
            position: self.position,
            max_timestamp: self.max_timestamp,
            epoch: self.epoch,
        }
    }
}

/// The batches of one log from its written mark to its end.
///
/// Invariant: each batch starts at the offset where the one before ends.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    batches: VecDeque<TailBatch>,
    size: u64,
}

impl Tail {
    /// Returns the bytes of all batches.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Returns the first offset held; `None` if nothing is.
    pub(crate) fn start(&self) -> Option<Offset> {
        self.batches.front().map(|batch| batch.first)
    }

    /// Adds a batch at the end.
    pub(crate) fn push(&mut self, batch: TailBatch) {
        if let Some(last) = self.batches.back() {
            assert_eq!(last.next, batch.first);
        }
        self.size += batch.size();
        self.batches.push_back(batch);
    }

    /// Walks the batches from the one that holds `offset` on.
    pub(crate) fn from(&self, offset: Offset) -> impl Iterator<Item = &TailBatch> {
        let index = self.batches.partition_point(|batch| batch.next <= offset);
        self.batches.range(index..)
    }

    /// Drops the batches that end at or below `offset`; returns their size.
    pub(crate) fn release_below(&mut self, offset: Offset) -> u64 {
        let before = self.size;
        while let Some(batch) = self.batches.pop_front_if(|batch| batch.next <= offset) {
            self.size -= batch.size();
        }
        before - self.size
    }

    /// Drops the batches that reach beyond `offset`; returns their size.
    pub(crate) fn cut_from(&mut self, offset: Offset) -> u64 {
        let before = self.size;
        while let Some(batch) = self.batches.pop_back_if(|batch| batch.next > offset) {
            self.size -= batch.size();
        }
        before - self.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(first: i64, next: i64) -> TailBatch {
        TailBatch {
            bytes: Bytes::from_static(b"0123456789"),
            segment: Offset::ZERO,
            position: 0,
            first: Offset::new(first).unwrap(),
            next: Offset::new(next).unwrap(),
            epoch: LeaderEpoch::ZERO,
            max_timestamp: TimestampMs(0),
            has_producer: false,
        }
    }

    #[test]
    fn a_tail_is_found_into_released_and_cut_by_offset() {
        let mut tail = Tail::default();
        for (first, next) in [(0, 3), (3, 4), (4, 9)] {
            tail.push(batch(first, next));
        }
        let at = |offset| tail.from(Offset::new(offset).unwrap()).count();
        assert_eq!((at(0), at(2), at(3), at(8), at(9)), (3, 3, 2, 1, 0));
        assert_eq!(tail.cut_from(Offset::new(5).unwrap()), 10);
        assert_eq!(tail.release_below(Offset::new(3).unwrap()), 10);
        assert_eq!((tail.start(), tail.size()), (Offset::new(3), 10));
    }

    #[test]
    fn batches_share_blocks_unless_they_are_large() {
        let mut blocks = Blocks::default();
        let (a, b) = (blocks.copy(b"he", b"ad"), blocks.copy(b"x", b""));
        assert_eq!((&a[..], &b[..]), (&b"head"[..], &b"x"[..]));
        assert_eq!(a.as_ptr().wrapping_add(4), b.as_ptr());
        let large = blocks.copy(b"h", &vec![7; BLOCK_SIZE]);
        assert_eq!(large.len(), BLOCK_SIZE + 1);
    }
}

//! A shard's memory for what it writes to disk: huge pages.
//!
//! For a direct write the kernel looks up and pins each page of the buffer, and hands the device a
//! range for each. A buffer within a huge page is one range.

#![expect(
    unsafe_code,
    reason = "blocks of one mapping, each lent to one owner at a time"
)]

use std::cell::RefCell;
use std::io;
use std::ops::Range;
use std::ptr::NonNull;
use std::rc::Rc;

use super::sys;

/// What a shard maps: the first huge page serves until two large writes are in flight at a time, and
/// a page that was never used costs nothing.
const SIZE: usize = 2 * sys::HUGE_PAGE_SIZE;

/// 1. Every byte belongs to exactly one free range or one block.
/// 2. Free ranges are in order, and none touches the next.
pub(super) struct Arena {
    memory: sys::Mapping,
    free: RefCell<Vec<Range<usize>>>,
}

impl Arena {
    /// Maps the memory; none of it is used yet.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            memory: sys::Mapping::of_huge_pages(SIZE)?,
            free: RefCell::new(std::iter::once(0..SIZE).collect()),
        })
    }

    /// Takes a block of `len` bytes, the first that is free; it has whatever was there before.
    pub(super) fn take(self: &Rc<Self>, len: usize) -> Option<Block> {
        let mut free = self.free.borrow_mut();
        let index = free.iter().position(|range| range.len() >= len)?;
        let range = free.get_mut(index)?;
        let taken = range.start..range.start + len;
        range.start = taken.end;
        if range.start == range.end {
            free.remove(index);
        }
        Some(Block {
            range: taken,
            arena: Rc::clone(self),
        })
    }

    fn give(&self, mut range: Range<usize>) {
        let mut free = self.free.borrow_mut();
        let index = free.partition_point(|other| other.start < range.start);
        if let Some(next) = free.get(index)
            && next.start == range.end
        {
            range.end = free.remove(index).end;
        }
        match index.checked_sub(1).and_then(|before| free.get_mut(before)) {
            Some(before) if before.end == range.start => before.end = range.end,
            _ => free.insert(index, range),
        }
    }
}

/// Exclusive memory of an arena, given back when it is dropped.
pub(crate) struct Block {
    range: Range<usize>,
    arena: Rc<Arena>,
}

impl Block {
    /// Returns the content.
    pub(super) fn as_slice(&self) -> &[u8] {
        // SAFETY: mapped, so initialised; in bounds, and no other's (invariant 1).
        unsafe { std::slice::from_raw_parts(self.start().as_ptr(), self.range.len()) }
    }

    /// Returns the content for writing.
    pub(super) fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: as above, and this block is borrowed for writing.
        unsafe { std::slice::from_raw_parts_mut(self.start().as_ptr(), self.range.len()) }
    }

    fn start(&self) -> NonNull<u8> {
        // SAFETY: ranges are within the mapping (invariant 1).
        unsafe { self.arena.memory.start().add(self.range.start) }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.arena.give(self.range.clone());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KIB: usize = 1024;

    #[test]
    fn blocks_are_whole_and_the_rest_is_kept() {
        let arena = Rc::new(Arena::new().unwrap());
        let (mut a, mut b) = (arena.take(64 * KIB).unwrap(), arena.take(4 * KIB).unwrap());
        a.as_mut_slice().fill(1);
        b.as_mut_slice().fill(2);
        assert!(a.as_slice().iter().all(|&byte| byte == 1));
        assert_eq!(a.as_slice().as_ptr().align_offset(sys::HUGE_PAGE_SIZE), 0);
        assert!(arena.take(SIZE - 68 * KIB + 1).is_none());
        let rest = arena.take(SIZE - 68 * KIB).unwrap();
        assert!(arena.take(4 * KIB).is_none());
        drop((a, rest, b));
        assert_eq!(
            arena.free.borrow().as_slice(),
            std::slice::from_ref(&(0..SIZE))
        );
    }

    proptest! {
        /// Whatever the order, no two blocks overlap, and all come together again.
        #[test]
        fn every_byte_has_one_owner(steps in prop::collection::vec((0_usize..8, 1_usize..300), 1..80)) {
            let arena = Rc::new(Arena::new().unwrap());
            let mut blocks: Vec<Option<Block>> = (0..8).map(|_| None).collect();
            for (slot, blocks_of_4k) in steps {
                blocks[slot] = match blocks[slot].take() {
                    Some(_) => None,
                    None => arena.take(blocks_of_4k * 4 * KIB),
                };
                let mut owned: Vec<_> = blocks.iter().flatten().map(|block| block.range.clone()).collect();
                owned.extend(arena.free.borrow().iter().cloned());
                owned.sort_by_key(|range| range.start);
                let ends: Vec<_> = owned.iter().map(|range| range.end).collect();
                let starts: Vec<_> = owned.iter().map(|range| range.start).collect();
                prop_assert_eq!(&starts[1..], &ends[..ends.len() - 1]);
                prop_assert_eq!((starts[0], ends[ends.len() - 1]), (0, SIZE));
            }
            drop(blocks);
            prop_assert_eq!(arena.free.borrow().len(), 1);
        }
    }
}

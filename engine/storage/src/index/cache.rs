//! Indexes that are in memory, least recently used out first.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use types::{ByteCount, Incarnation, Offset};

use super::entry::{ENTRY_SIZE, Entry};

type Key = (Incarnation, Offset);

/// One segment's index as its file has it, shared with readers.
pub(crate) type Entries = Rc<Vec<Entry>>;

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<Key, (Entries, u64)>,
    used: BTreeMap<u64, Key>,
    clock: u64,
    size: u64,
}

/// The loaded indexes of a shard's segments; their memory is bounded.
///
/// The most recently used one stays even if it is larger than the bound.
#[derive(Debug)]
pub(crate) struct IndexCache {
    size_max: u64,
    state: RefCell<State>,
}

impl IndexCache {
    pub(crate) fn new(size_max: ByteCount) -> Self {
        Self {
            size_max: size_max.0,
            state: RefCell::default(),
        }
    }

    /// Returns a loaded index.
    pub(crate) fn find(&self, incarnation: Incarnation, segment: Offset) -> Option<Entries> {
        let state = &mut *self.state.borrow_mut();
        let key = (incarnation, segment);
        let (entries, stamp) = state.entries.get_mut(&key)?;
        state.clock += 1;
        state.used.remove(stamp);
        *stamp = state.clock;
        state.used.insert(state.clock, key);
        Some(Rc::clone(entries))
    }

    /// Takes an index in; others go if there is no room.
    pub(crate) fn insert(&self, incarnation: Incarnation, segment: Offset, entries: Vec<Entry>) {
        self.remove(incarnation, segment);
        let state = &mut *self.state.borrow_mut();
        state.clock += 1;
        state.size += size_of_index(&entries);
        let value = (Rc::new(entries), state.clock);
        state.entries.insert((incarnation, segment), value);
        state.used.insert(state.clock, (incarnation, segment));
        while state.size > self.size_max && state.used.len() > 1 {
            let Some((_, key)) = state.used.pop_first() else {
                break;
            };
            if let Some((entries, _)) = state.entries.remove(&key) {
                state.size -= size_of_index(&entries);
            }
        }
    }

    /// Adds what was flushed to an index that is in memory.
    pub(crate) fn extend(&self, incarnation: Incarnation, segment: Offset, flushed: &[Entry]) {
        let Some(known) = self.find(incarnation, segment) else {
            return;
        };
        self.remove(incarnation, segment);
        let mut entries = Rc::unwrap_or_clone(known);
        entries.extend_from_slice(flushed);
        self.insert(incarnation, segment, entries);
    }

    /// Forgets one index.
    pub(crate) fn remove(&self, incarnation: Incarnation, segment: Offset) {
        let state = &mut *self.state.borrow_mut();
        if let Some((entries, stamp)) = state.entries.remove(&(incarnation, segment)) {
            state.used.remove(&stamp);
            state.size -= size_of_index(&entries);
        }
    }
}

fn size_of_index(entries: &[Entry]) -> u64 {
    ByteCount::from(entries.len() * ENTRY_SIZE).0
}

#[cfg(test)]
mod tests {
    use types::{LeaderEpoch, TimestampMs};

    use super::*;

    fn entries(count: usize) -> Vec<Entry> {
        let entry = Entry {
            offset: Offset::ZERO,
            position: 0,
            max_timestamp: TimestampMs::NONE,
            epoch: LeaderEpoch::ZERO,
        };
        vec![entry; count]
    }

    #[test]
    fn the_least_recently_used_index_goes_first() {
        let cache = IndexCache::new(ByteCount(10 * 32));
        let log = Incarnation(1);
        let segment = |offset| Offset::new(offset).unwrap();
        cache.insert(log, segment(1), entries(4));
        cache.insert(log, segment(2), entries(4));
        assert!(cache.find(log, segment(1)).is_some());
        cache.insert(log, segment(3), entries(4));
        assert!(cache.find(log, segment(2)).is_none());
        assert!(cache.find(log, segment(1)).is_some());
        cache.extend(log, segment(3), &entries(2));
        assert_eq!(cache.find(log, segment(3)).unwrap().len(), 6);
        cache.remove(log, segment(1));
        assert_eq!(cache.state.borrow().size, 6 * 32);
    }
}

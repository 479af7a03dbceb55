//! The end of a segment's index: entries of batches that were appended, until they are in the file.

use types::{LeaderEpoch, Monotonic, Offset, TimestampMs};

use super::entry::Entry;

/// What is to be known of a batch to index it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Indexed {
    /// Its first offset.
    pub(crate) offset: Offset,
    /// Where it starts in its segment, in bytes.
    pub(crate) position: u64,
    /// Its largest timestamp.
    pub(crate) max_timestamp: TimestampMs,
    /// Its leader epoch.
    pub(crate) epoch: LeaderEpoch,
}

/// The entries of one open segment that its index file does not have.
#[derive(Clone, Debug)]
pub(crate) struct IndexTail {
    /// How many entries the file has; meaningful once the log's past is loaded.
    pub(crate) flushed: u64,
    /// The entries behind those.
    pub(crate) pending: Vec<Entry>,
    /// When the file was last written in this run.
    pub(crate) flushed_at: Monotonic,
    /// The largest timestamp of the batches seen so far.
    pub(crate) max_timestamp: TimestampMs,
    last: Option<(u64, LeaderEpoch)>,
    is_closed: bool,
}

impl Default for IndexTail {
    fn default() -> Self {
        Self {
            flushed: 0,
            pending: Vec::new(),
            flushed_at: Monotonic::ZERO,
            max_timestamp: TimestampMs::NONE,
            last: None,
            is_closed: false,
        }
    }
}

impl IndexTail {
    /// Takes the next batch in; makes an entry of it if the last one is `interval` bytes away, or if
    /// the epoch changes.
    pub(crate) fn note(&mut self, batch: &Indexed, interval: u64) {
        let is_due = self.last.is_none_or(|(position, epoch)| {
            batch.position >= position + interval || batch.epoch != epoch
        });
        if is_due {
            self.pending.push(Entry {
                offset: batch.offset,
                position: batch.position,
                max_timestamp: self.max_timestamp,
                epoch: batch.epoch,
            });
            self.last = Some((batch.position, batch.epoch));
        }
        self.max_timestamp = self.max_timestamp.max(batch.max_timestamp);
    }

    /// Puts the end of the segment behind the last entry, when it is closed.
    pub(crate) fn close(&mut self, offset: Offset, position: u64, epoch: LeaderEpoch) {
        self.pending.push(Entry {
            offset,
            position,
            max_timestamp: self.max_timestamp,
            epoch,
        });
        self.is_closed = true;
    }

    /// Returns whether the segment's end is the last entry.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Puts what was found of the segment in front of what this run noted.
    pub(crate) fn prepend(&mut self, flushed: u64, past: Self) {
        for entry in &mut self.pending {
            entry.max_timestamp = entry.max_timestamp.max(past.max_timestamp);
        }
        self.max_timestamp = self.max_timestamp.max(past.max_timestamp);
        self.last = self.last.or(past.last);
        let noted = std::mem::replace(&mut self.pending, past.pending);
        self.pending.extend(noted);
        self.flushed = flushed;
    }

    /// Puts entries that a file had in front, to be written again.
    pub(crate) fn restore(&mut self, entries: Vec<Entry>) {
        let noted = std::mem::replace(&mut self.pending, entries);
        self.pending.extend(noted);
    }

    /// Goes on behind entries that a file has, the last of which starts a run that is not scanned
    /// yet.
    pub(crate) fn behind(entry: &Entry) -> Self {
        Self {
            flushed: 0,
            pending: Vec::new(),
            flushed_at: Monotonic::ZERO,
            max_timestamp: entry.max_timestamp,
            last: Some((entry.position, entry.epoch)),
            is_closed: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(offset: i64, position: u64, timestamp: i64, epoch: i32) -> Indexed {
        Indexed {
            offset: Offset::new(offset).unwrap(),
            position,
            max_timestamp: TimestampMs(timestamp),
            epoch: LeaderEpoch::new(epoch).unwrap(),
        }
    }

    #[test]
    fn entries_stand_at_intervals_and_at_epochs() {
        let mut tail = IndexTail::default();
        for (offset, position, timestamp, epoch) in [
            (0, 0, 5, 0),
            (1, 50, 9, 0),
            (2, 100, 3, 0),
            (3, 120, 4, 1),
            (4, 130, 4, 1),
        ] {
            tail.note(&batch(offset, position, timestamp, epoch), 100);
        }
        let entries: Vec<_> = tail
            .pending
            .iter()
            .map(|e| (e.position, e.max_timestamp.0))
            .collect();
        assert_eq!(entries, vec![(0, -1), (100, 9), (120, 9)]);
    }

    #[test]
    fn the_past_raises_the_timestamps_of_what_follows() {
        let mut past = IndexTail::default();
        past.note(&batch(0, 0, 50, 0), 100);
        let mut tail = IndexTail::default();
        tail.note(&batch(1, 200, 7, 0), 100);
        tail.prepend(3, past);
        let timestamps: Vec<_> = tail.pending.iter().map(|e| e.max_timestamp.0).collect();
        assert_eq!((timestamps, tail.flushed), (vec![-1, 50], 3));
        assert_eq!(tail.max_timestamp, TimestampMs(50));
    }
}

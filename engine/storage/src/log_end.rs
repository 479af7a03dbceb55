//! Where a log ends: what a journal knows of each of its logs.

use types::{Incarnation, LeaderEpoch, Offset};

use crate::journal::Entry;

/// The state of one log that its journal keeps: enough to go on with the log without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogEnd {
    /// Which log.
    pub(crate) incarnation: Incarnation,
    /// The first offset that can be read.
    pub(crate) start: Offset,
    /// The base offset of the first segment.
    pub(crate) first_segment: Offset,
    /// The base offset of the last segment.
    pub(crate) segment: Offset,
    /// The length of the last segment, in bytes.
    pub(crate) position: u64,
    /// The offset of the next record.
    pub(crate) next: Offset,
    /// The latest leader epoch.
    pub(crate) epoch: LeaderEpoch,
    /// Where that epoch starts.
    pub(crate) epoch_start: Offset,
    /// How often the log was truncated: what was noted before the last time is not believed.
    pub(crate) truncations: u32,
    /// Whether an idempotent producer ever wrote to it.
    pub(crate) has_producers: bool,
}

impl LogEnd {
    /// Returns the end of a log that holds nothing yet.
    pub(crate) fn empty(incarnation: Incarnation) -> Self {
        Self {
            incarnation,
            start: Offset::ZERO,
            first_segment: Offset::ZERO,
            segment: Offset::ZERO,
            position: 0,
            next: Offset::ZERO,
            epoch: LeaderEpoch::ZERO,
            epoch_start: Offset::ZERO,
            truncations: 0,
            has_producers: false,
        }
    }

    /// Returns which log this is.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// Returns the offset of the next record.
    pub fn end(&self) -> Offset {
        self.next
    }

    /// Returns whether nothing was ever written: the log has no directory then.
    pub(crate) fn is_untouched(&self) -> bool {
        self.segment == Offset::ZERO && self.position == 0 && self.truncations == 0
    }

    /// Moves the end over a journal entry whose payload has `size` bytes.
    ///
    /// Appending and replay share this, so that both see one log.
    pub(crate) fn apply(&mut self, entry: &Entry, size: u64) {
        match *entry {
            Entry::Data {
                segment,
                position,
                first,
                next,
                epoch,
                producers,
            } => {
                self.segment = segment;
                self.position = position + size;
                self.next = next;
                self.note_epoch(epoch, first);
                self.has_producers |= producers;
            }
            Entry::Truncate {
                segment,
                position,
                next,
                epoch,
                truncations,
            } => {
                self.segment = segment;
                self.position = position;
                self.next = next;
                self.note_epoch(epoch, next);
                self.epoch_start = self.epoch_start.min(next);
                // The cut may go through the batch that the start lies in.
                self.start = self.start.min(next);
                self.truncations = truncations;
            }
            Entry::Start { segment, first } => {
                self.start = first;
                self.first_segment = segment;
                if segment > self.segment {
                    // Every segment was deleted; the next batch begins one.
                    self.segment = segment;
                    self.position = 0;
                }
            }
            Entry::Epoch { epoch, first } => self.note_epoch(epoch, first),
        }
    }

    fn note_epoch(&mut self, epoch: LeaderEpoch, start: Offset) {
        if epoch > self.epoch {
            self.epoch = epoch;
            self.epoch_start = start;
        }
    }
}

//! The batches of one partition.
//!
//! ```text
//!   open ──► ready [oldest .. newest] ──► under_way [oldest .. newest] ──► gone
//!                       ▲                          │ retriable
//!                       └────── returned ◄─────────┘
//! ```
//!
//! A batch that comes back with a retriable error waits in `returned` until nothing of the
//! partition is under way; then all that came back go to the front of `ready`, in their order.

use std::collections::VecDeque;

use record::{BuildError, Producer as Identity};
use types::{Monotonic, ProducerEpoch, ProducerId, Sequence};

use super::batch::{Batch, RecordNumber};

/// The batches of one partition.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) open: Option<Batch>,
    pub(super) ready: VecDeque<Batch>,
    pub(super) under_way: VecDeque<Batch>,
    returned: Vec<Batch>,
    /// Nothing is sent before this time.
    pub(super) paused_until: Monotonic,
    sequence_next: Sequence,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            open: None,
            ready: VecDeque::new(),
            under_way: VecDeque::new(),
            returned: Vec::new(),
            paused_until: Monotonic::ZERO,
            sequence_next: Sequence::ZERO,
        }
    }
}

impl Queue {
    /// Closes the open batch.
    pub(super) fn close(&mut self) {
        self.ready.extend(self.open.take());
    }

    /// Returns whether the oldest ready batch may be sent while `under_way_max` may be at a time.
    pub(super) fn may_send(&self, now: Monotonic, under_way_max: usize) -> bool {
        self.has_room(under_way_max) && self.paused_until <= now
    }

    /// Returns whether a batch is ready and, but for a pause, may be sent.
    pub(super) fn has_room(&self, under_way_max: usize) -> bool {
        !self.ready.is_empty() && self.returned.is_empty() && self.under_way.len() < under_way_max
    }

    /// Writes the oldest ready batch, if it is not written yet, and returns it.
    pub(super) fn write_front(
        &mut self,
        identity: Option<(ProducerId, ProducerEpoch)>,
    ) -> Result<Option<&Batch>, BuildError> {
        let Some(batch) = self.ready.front_mut() else {
            return Ok(None);
        };
        if batch.written.is_none() {
            let mut builder = batch.builder.clone();
            if let Some((id, epoch)) = identity {
                builder = builder.with_producer(Identity {
                    id,
                    epoch,
                    base_sequence: self.sequence_next,
                });
            }
            let bytes = builder.build()?;
            self.sequence_next = self.sequence_next.after(builder.record_count());
            batch.written = Some(bytes);
        }
        Ok(Some(batch))
    }

    /// Moves the oldest ready batch to those under way.
    pub(super) fn sent(&mut self) {
        self.under_way.extend(self.ready.pop_front());
    }

    /// Takes the batch under way that starts with `first`, and whether an older one still is.
    pub(super) fn take(&mut self, first: RecordNumber) -> Option<(Batch, bool)> {
        let starts = |batch: &Batch| batch.numbers.first() == Some(&first);
        let index = self.under_way.iter().position(starts)?;
        let batch = self.under_way.remove(index)?;
        Some((batch, index > 0 || !self.returned.is_empty()))
    }

    /// Keeps a batch for being sent again.
    pub(super) fn give_back(&mut self, batch: Batch, paused_until: Monotonic) {
        self.returned.push(batch);
        self.paused_until = self.paused_until.max(paused_until);
    }

    /// Takes out what came back and is older than `first`, oldest first.
    pub(super) fn take_returned_before(&mut self, first: RecordNumber) -> Vec<Batch> {
        let is_older = |batch: &mut Batch| batch.numbers.first() < Some(&first);
        let mut older: Vec<_> = self.returned.extract_if(.., is_older).collect();
        older.sort_by_key(|batch| batch.numbers.first().copied());
        older
    }

    /// Puts what came back to the front once nothing is under way.
    pub(super) fn settle(&mut self) {
        if !self.under_way.is_empty() {
            return;
        }
        self.returned
            .sort_by_key(|batch| batch.numbers.first().copied());
        for batch in self.returned.drain(..).rev() {
            self.ready.push_front(batch);
        }
    }

    /// Starts the sequence anew, for a new producer id; takes out the batches that a broker may
    /// have under the old one.
    ///
    /// *Panics*: while something is under way.
    pub(super) fn restart(&mut self) -> Vec<Batch> {
        assert!(self.under_way.is_empty(), "a sequence restarts at rest");
        self.settle();
        self.sequence_next = Sequence::ZERO;
        let (ambiguous, mut certain): (Vec<_>, Vec<_>) =
            self.ready.drain(..).partition(|batch| batch.ambiguous);
        for batch in &mut certain {
            batch.written = None;
        }
        self.ready.extend(certain);
        ambiguous
    }

    /// Takes out the batches that are older than `oldest` and not under way.
    pub(super) fn expire(&mut self, oldest: Monotonic) -> Vec<Batch> {
        let mut expired = Vec::new();
        while self.ready.front().is_some_and(|batch| batch.since < oldest) {
            expired.extend(self.ready.pop_front());
        }
        if self.ready.is_empty() && self.open.as_ref().is_some_and(|batch| batch.since < oldest) {
            expired.extend(self.open.take());
        }
        expired
    }

    /// Returns whether it holds no batch.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_none()
            && self.ready.is_empty()
            && self.under_way.is_empty()
            && self.returned.is_empty()
    }
}

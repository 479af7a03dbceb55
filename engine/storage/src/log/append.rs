//! Appending: the place is fixed, the bytes are in the tail, the next round will take them.

use record::{BATCH_HEADER_SIZE, CheckedBatch, Stamp, TimestampType};
use types::{Offset, TimestampMs};

use super::handle::Log;
use crate::error::AppendError;
use crate::index::IndexTail;
use crate::journal::batch_size_max;
use crate::log_core::{Appends, LogState, Place};
use crate::positions::{AppendContext, Appended, Repeated};
use crate::producers::{Judgement, ProducerBatch};
use crate::tail::TailBatch;

impl Log {
    /// Appends one checked batch and returns the offsets it took.
    ///
    /// Nothing waits: [`Log::acknowledged_to`] and [`Log::durable_to`] tell when the batch is safe.
    ///
    /// *Errors*: [`AppendError`]; nothing was kept then. After `Busy`, await [`Log::room`] and
    /// append again.
    /// *Cost*: one copy into the tail; a checksum over the batch where the log stamps append times.
    pub fn append(
        &self,
        batch: &CheckedBatch<'_>,
        context: AppendContext,
    ) -> Result<Appended, AppendError> {
        self.admit(batch, context)?;
        if let Some(repeated) = self.judge(batch)? {
            return Ok(repeated);
        }
        let (first, next, log_append_time) = self.store(batch, context);
        if batch.producer().is_some() {
            self.shared.recount_producers(&self.core);
        }
        self.shared.enlist_pending(&self.core);
        Ok(Appended {
            first,
            end: next,
            log_append_time,
            repeated: Repeated::No,
        })
    }

    /// Checks everything that does not depend on the producer.
    fn admit(&self, batch: &CheckedBatch<'_>, context: AppendContext) -> Result<(), AppendError> {
        self.core.check_online()?;
        if self.shared.is_closing() {
            return Err(AppendError::Offline(crate::error::Offline::Closed));
        }
        if self.shared.space.is_full() {
            return Err(AppendError::Full);
        }
        let size_max = batch_size_max(self.shared.options.journal_file_size);
        let size = batch.size().0;
        if size > size_max {
            return Err(AppendError::TooLarge { size, size_max });
        }
        let state = self.core.state.borrow();
        if context.leader_epoch != state.epoch {
            return Err(AppendError::LeaderEpoch {
                got: context.leader_epoch,
                current: state.epoch,
            });
        }
        if state.appends == Appends::Held || !self.shared.has_room() {
            return Err(AppendError::Busy);
        }
        Ok(())
    }

    /// Tells a repeated batch of an idempotent producer from a new one.
    fn judge(&self, batch: &CheckedBatch<'_>) -> Result<Option<Appended>, AppendError> {
        let Some(producer) = batch.producer() else {
            return Ok(None);
        };
        if self.needs_past() {
            return Err(AppendError::Busy);
        }
        let state = self.core.state.borrow();
        let judgement = state.producers.check(&producer, batch.offset_count())?;
        let Judgement::Repeat(known) = judgement else {
            return Ok(None);
        };
        let stamps = state.config.timestamp_type == TimestampType::LogAppendTime;
        Ok(Some(Appended {
            first: known.first,
            end: known.next,
            log_append_time: stamps.then_some(known.timestamp),
            repeated: Repeated::Yes,
        }))
    }

    /// Gives the batch its place and copies it there.
    fn store(
        &self,
        batch: &CheckedBatch<'_>,
        context: AppendContext,
    ) -> (Offset, Offset, Option<TimestampMs>) {
        let size = batch.size().0;
        let state = &mut *self.core.state.borrow_mut();
        roll_if_due(state, size, context.now);
        let stamps = state.config.timestamp_type == TimestampType::LogAppendTime;
        let log_append_time = stamps.then_some(context.now);
        let first = state.end;
        let stamp = Stamp {
            base_offset: first,
            leader_epoch: context.leader_epoch,
            log_append_time,
        };
        let header: [u8; BATCH_HEADER_SIZE] = batch.stamped_header(&stamp);
        let bytes = self.shared.blocks.borrow_mut().copy(&header, batch.body());
        let next = first.advance(batch.offset_count());
        let place = state.active.place;
        let stored = TailBatch {
            bytes,
            segment: place.segment,
            position: place.position,
            first,
            next,
            epoch: context.leader_epoch,
            max_timestamp: log_append_time.unwrap_or_else(|| batch.max_timestamp()),
            has_producer: batch.producer().is_some(),
        };
        note(state, &stored);
        note_producer(
            state,
            batch,
            &stored,
            context,
            self.shared.options.producer_expiry,
        );
        state.active.place.position += size;
        state.end = next;
        state.tail.push(stored);
        state.check();
        let listed = std::mem::replace(&mut state.listed.oldest, true);
        self.shared.charge_tail(&self.core, size, listed);
        (first, next, log_append_time)
    }
}

/// Goes on to a new segment if this one would become too large or is too old.
fn roll_if_due(state: &mut LogState, size: u64, now: TimestampMs) {
    let position = state.active.place.position;
    if position == 0 {
        state.active.since = Some(now);
        return;
    }
    let since = state.active.since.get_or_insert(now);
    let age_ms = u64::try_from(now.0.saturating_sub(since.0)).unwrap_or(0);
    let is_old = u128::from(age_ms) > state.config.segment_age_max.as_millis();
    let is_large = position + size > state.config.segment_size_max.0;
    if is_old || is_large {
        roll(state);
        state.active.since = Some(now);
    }
}

/// Goes on to a new segment at the end of the log.
pub(super) fn roll(state: &mut LogState) {
    let segment = state.end;
    assert!(segment > state.active.place.segment);
    state.active.place = Place {
        segment,
        position: 0,
    };
    state.indexes.insert(segment, IndexTail::default());
}

/// Notes the batch in the index and the snapshots' distance.
fn note(state: &mut LogState, batch: &TailBatch) {
    let interval = state.config.index_interval.0.max(1);
    let index = state.indexes.entry(batch.segment).or_default();
    index.note(&batch.indexed(), interval);
    state.snapshots.distance += batch.size();
}

/// Notes the batch with its producer; forgets producers that were silent for too long.
fn note_producer(
    state: &mut LogState,
    batch: &CheckedBatch<'_>,
    stored: &TailBatch,
    context: AppendContext,
    expiry: std::time::Duration,
) {
    let Some(producer) = batch.producer() else {
        return;
    };
    state.has_producers = true;
    let noted = ProducerBatch {
        first_sequence: producer.base_sequence,
        last_sequence: producer.base_sequence.after(batch.offset_count() - 1),
        first: stored.first,
        next: stored.next,
        timestamp: stored.max_timestamp,
    };
    state.producers.note(&producer, noted, context.now);
    let expiry_ms = i64::try_from(expiry.as_millis()).unwrap_or(i64::MAX);
    let oldest = TimestampMs(context.now.0.saturating_sub(expiry_ms));
    state.producers.expire(oldest);
}

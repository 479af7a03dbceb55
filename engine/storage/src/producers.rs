//! Idempotent producers: the last five batches of each, to tell a repeat from a gap.
//!
//! *Source*: KIP-98; Kafka's `ProducerStateEntry` and `ProducerAppendInfo`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use record::Producer;
use types::limits::PRODUCER_BATCHES_MAX;
use types::{Offset, ProducerEpoch, ProducerId, Sequence, TimestampMs};

use crate::error::AppendError;

/// How many producers one log remembers; beyond, the longest silent ones are forgotten.
pub(crate) const LOG_PRODUCERS_MAX: usize = 50_000;

/// One batch of a producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProducerBatch {
    pub(crate) first_sequence: Sequence,
    pub(crate) last_sequence: Sequence,
    pub(crate) first: Offset,
    pub(crate) next: Offset,
    /// The timestamp it was stamped with, or the largest of its records.
    pub(crate) timestamp: TimestampMs,
}

/// What is known of one producer on one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProducerState {
    pub(crate) epoch: ProducerEpoch,
    /// When it last wrote, by this node's clock (by its records' after a recovery).
    pub(crate) seen: TimestampMs,
    /// Oldest first, 1 to [`PRODUCER_BATCHES_MAX`].
    pub(crate) batches: VecDeque<ProducerBatch>,
}

/// A producer that is active on a log, as DescribeProducers shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveProducer {
    /// The producer.
    pub id: ProducerId,
    /// Its generation.
    pub epoch: ProducerEpoch,
    /// The sequence of its last record.
    pub last_sequence: Sequence,
    /// The timestamp of its last batch.
    pub last_timestamp: TimestampMs,
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// The batch is the next one.
    New,
    /// The batch stands here already.
    Repeat(ProducerBatch),
}

/// The producers of one log.
///
/// Who fell silent first is told by where the last batches stand, and by no clock: whoever reads the
/// log again forgets those whom the running log forgot, whatever timestamps the records have.
///
/// 1. Each producer stands in `silent` once, with the end of its last batch.
/// 2. There are at most [`LOG_PRODUCERS_MAX`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Producers {
    states: BTreeMap<ProducerId, ProducerState>,
    /// The longest silent first.
    silent: BTreeSet<(Offset, ProducerId)>,
}

impl Producers {
    /// Judges a batch of `count` records before it is appended.
    ///
    /// *Errors*: [`AppendError::InvalidProducerEpoch`], [`AppendError::OutOfOrderSequence`].
    pub(crate) fn check(&self, producer: &Producer, count: u32) -> Result<Judgement, AppendError> {
        let Some(state) = self.states.get(&producer.id) else {
            return Ok(Judgement::New);
        };
        if producer.epoch < state.epoch {
            return Err(AppendError::InvalidProducerEpoch {
                producer: producer.id,
                got: producer.epoch,
                current: state.epoch,
            });
        }
        let want = if producer.epoch > state.epoch {
            Sequence::ZERO
        } else {
            let last_sequence = producer.base_sequence.after(count - 1);
            let same = |batch: &&ProducerBatch| {
                batch.first_sequence == producer.base_sequence
                    && batch.last_sequence == last_sequence
            };
            if let Some(&batch) = state.batches.iter().find(same) {
                return Ok(Judgement::Repeat(batch));
            }
            match state.batches.back() {
                Some(last) => last.last_sequence.after(1),
                None => return Ok(Judgement::New),
            }
        };
        if producer.base_sequence == want {
            return Ok(Judgement::New);
        }
        Err(AppendError::OutOfOrderSequence {
            producer: producer.id,
            got: producer.base_sequence.get(),
            want: want.get(),
        })
    }

    /// Notes a batch that was appended, or that recovery found.
    ///
    /// *Cost*: logarithmic in the number of producers, also where one is forgotten for it.
    pub(crate) fn note(&mut self, producer: &Producer, batch: ProducerBatch, seen: TimestampMs) {
        if let Some(state) = self.states.get_mut(&producer.id) {
            self.silent.remove(&(state.end(), producer.id));
            state.note(producer.epoch, batch, seen);
            self.silent.insert((state.end(), producer.id));
            return;
        }
        while self.count() >= LOG_PRODUCERS_MAX {
            self.forget_longest_silent();
        }
        let mut state = ProducerState {
            epoch: producer.epoch,
            seen,
            batches: VecDeque::with_capacity(PRODUCER_BATCHES_MAX),
        };
        state.note(producer.epoch, batch, seen);
        self.restore(producer.id, state);
    }

    /// Takes a producer's state as a snapshot has it.
    pub(crate) fn restore(&mut self, id: ProducerId, state: ProducerState) {
        self.remove(id);
        self.silent.insert((state.end(), id));
        self.states.insert(id, state);
        assert_eq!(self.silent.len(), self.states.len()); // invariant 1
    }

    /// Forgets the producer that fell silent first.
    pub(crate) fn forget_longest_silent(&mut self) {
        if let Some((_, id)) = self.silent.pop_first() {
            self.states.remove(&id);
        }
    }

    /// Forgets producers that were last seen before `oldest`, but none before those that were silent
    /// for longer.
    ///
    /// *Cost*: one look, and one for each that is forgotten.
    pub(crate) fn expire(&mut self, oldest: TimestampMs) {
        while self.longest_silent_seen().is_some_and(|seen| seen < oldest) {
            self.forget_longest_silent();
        }
    }

    /// Forgets batches behind a cut.
    ///
    /// A producer without a batch left is forgotten: nothing is known of it at that end of the log.
    pub(crate) fn truncate(&mut self, end: Offset) {
        while let Some(&(last, id)) = self.silent.last()
            && last > end
        {
            let state = self.remove(id);
            let mut state = state.expect("invariant 1: who stands in one stands in the other");
            state.batches.retain(|batch| batch.next <= end);
            if !state.batches.is_empty() {
                self.restore(id, state);
            }
        }
    }

    /// Returns how many there are.
    pub(crate) fn count(&self) -> usize {
        self.states.len()
    }

    /// Walks the producers, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ProducerId, &ProducerState)> {
        self.states.iter().map(|(&id, state)| (id, state))
    }

    /// Lists the producers as DescribeProducers shows them.
    pub(crate) fn active(&self) -> Vec<ActiveProducer> {
        let active = |(id, state): (ProducerId, &ProducerState)| {
            let last = state.batches.back()?;
            Some(ActiveProducer {
                id,
                epoch: state.epoch,
                last_sequence: last.last_sequence,
                last_timestamp: last.timestamp,
            })
        };
        self.iter().filter_map(active).collect()
    }

    fn longest_silent_seen(&self) -> Option<TimestampMs> {
        let (_, id) = self.silent.first()?;
        self.states.get(id).map(|state| state.seen)
    }

    fn remove(&mut self, id: ProducerId) -> Option<ProducerState> {
        let state = self.states.remove(&id)?;
        self.silent.remove(&(state.end(), id));
        Some(state)
    }
}

impl ProducerState {
    fn note(&mut self, epoch: ProducerEpoch, batch: ProducerBatch, seen: TimestampMs) {
        if epoch > self.epoch {
            self.epoch = epoch;
            self.batches.clear();
        }
        if self.batches.len() == PRODUCER_BATCHES_MAX {
            self.batches.pop_front();
        }
        self.batches.push_back(batch);
        self.seen = seen;
    }

    /// Returns the end of its last batch.
    fn end(&self) -> Offset {
        self.batches.back().map_or(Offset::ZERO, |last| last.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn producer(epoch: i16, sequence: i32) -> Producer {
        Producer {
            id: ProducerId(7),
            epoch: ProducerEpoch(epoch),
            base_sequence: Sequence::new(sequence).unwrap(),
        }
    }

    fn append(
        producers: &mut Producers,
        producer: Producer,
        count: u32,
        at: i64,
    ) -> Result<Judgement, AppendError> {
        let judgement = producers.check(&producer, count)?;
        if judgement == Judgement::New {
            let first = Offset::new(at).unwrap();
            let batch = ProducerBatch {
                first_sequence: producer.base_sequence,
                last_sequence: producer.base_sequence.after(count - 1),
                first,
                next: first.advance(count),
                timestamp: TimestampMs(at),
            };
            producers.note(&producer, batch, TimestampMs(at));
        }
        Ok(judgement)
    }

    #[test]
    fn a_repeat_of_the_last_five_is_known_and_a_sixth_is_out_of_order() {
        let mut known = Producers::default();
        for place in 0..6 {
            let new = append(&mut known, producer(0, place * 2), 2, i64::from(place) * 2);
            assert_eq!(new, Ok(Judgement::New));
        }
        let Ok(Judgement::Repeat(batch)) = append(&mut known, producer(0, 2), 2, 99) else {
            panic!("the second batch is one of the last five");
        };
        assert_eq!(batch.first, Offset::new(2).unwrap());
        let forgotten = append(&mut known, producer(0, 0), 2, 99);
        assert!(matches!(
            forgotten,
            Err(AppendError::OutOfOrderSequence { want: 12, .. })
        ));
    }

    #[test]
    fn a_gap_is_out_of_order_and_sequences_wrap() {
        let mut known = Producers::default();
        assert_eq!(
            append(&mut known, producer(0, i32::MAX), 1, 0),
            Ok(Judgement::New)
        );
        let gap = append(&mut known, producer(0, 1), 1, 1);
        assert!(matches!(
            gap,
            Err(AppendError::OutOfOrderSequence {
                want: 0,
                got: 1,
                ..
            })
        ));
        assert_eq!(append(&mut known, producer(0, 0), 1, 1), Ok(Judgement::New));
    }

    #[test]
    fn a_new_epoch_starts_at_zero_and_fences_the_old() {
        let mut known = Producers::default();
        assert_eq!(append(&mut known, producer(1, 5), 1, 0), Ok(Judgement::New));
        let early = append(&mut known, producer(2, 5), 1, 1);
        assert!(matches!(
            early,
            Err(AppendError::OutOfOrderSequence { want: 0, .. })
        ));
        assert_eq!(append(&mut known, producer(2, 0), 1, 1), Ok(Judgement::New));
        let fenced = append(&mut known, producer(1, 6), 1, 2);
        assert!(matches!(
            fenced,
            Err(AppendError::InvalidProducerEpoch { .. })
        ));
    }

    #[test]
    fn truncation_and_expiry_forget() {
        let mut known = Producers::default();
        append(&mut known, producer(0, 0), 1, 0).unwrap();
        append(&mut known, producer(0, 1), 1, 1).unwrap();
        known.truncate(Offset::new(1).unwrap());
        assert_eq!(append(&mut known, producer(0, 1), 1, 1), Ok(Judgement::New));
        known.expire(TimestampMs(2));
        assert_eq!(known.active(), vec![]);
    }

    /// Notes batches of one record each, by producer, from offset 0 on.
    fn noted(ids: &[i64], seen: impl Fn(i64) -> i64) -> Producers {
        let mut known = Producers::default();
        for (&id, at) in ids.iter().zip(0..) {
            note(&mut known, id, at, seen(at));
        }
        known
    }

    fn note(known: &mut Producers, id: i64, at: i64, seen: i64) {
        let producer = Producer {
            id: ProducerId(id),
            ..producer(0, 0)
        };
        let first = Offset::new(at).unwrap();
        let batch = ProducerBatch {
            first_sequence: Sequence::ZERO,
            last_sequence: Sequence::ZERO,
            first,
            next: first.advance(1),
            timestamp: TimestampMs(at),
        };
        known.note(&producer, batch, TimestampMs(seen));
    }

    fn ids(known: &Producers) -> Vec<i64> {
        known.iter().map(|(id, _)| id.0).collect()
    }

    #[test]
    fn a_full_log_forgets_who_fell_silent_first() {
        let count = i64::try_from(LOG_PRODUCERS_MAX).unwrap();
        // As many as fit; the first three write again, but for the second; then two more.
        let written: Vec<i64> = (0..count).chain([0, 2, count, count + 1]).collect();
        let known = noted(&written, |at| at);
        assert_eq!(known.count(), LOG_PRODUCERS_MAX);
        let forgotten = (0..count + 2).filter(|&id| !known.states.contains_key(&ProducerId(id)));
        assert_eq!(forgotten.collect::<Vec<_>>(), [1, 3]);
    }

    #[test]
    fn who_reads_a_full_log_again_forgets_whom_the_running_log_forgot() {
        let count = i64::try_from(LOG_PRODUCERS_MAX).unwrap();
        let written: Vec<i64> = (0..count + 5).collect();
        let live = noted(&written, |at| 1_000 + at);
        // What records say of the time has nothing to do with the order in which they came.
        let read = noted(&written, |at| 5_000_000 - at);
        assert_eq!(ids(&live), ids(&read));
        assert_eq!(ids(&read).first(), Some(&5));
    }

    #[test]
    fn expiry_forgets_as_soon_as_it_is_time_and_no_one_before_the_longer_silent() {
        let mut known = noted(&[1, 2, 3, 4, 1], |at| {
            [0, 10, 40, 20, 30][usize::try_from(at).unwrap()]
        });
        known.expire(TimestampMs(10));
        assert_eq!(ids(&known), [1, 2, 3, 4]);
        known.expire(TimestampMs(11));
        assert_eq!(ids(&known), [1, 3, 4]);
        // The third says that it was there later than the fourth, which wrote after it.
        known.expire(TimestampMs(21));
        assert_eq!(ids(&known), [1, 3, 4]);
        known.expire(TimestampMs(41));
        assert_eq!(ids(&known), [] as [i64; 0]);
    }

    /// Whatever happens, the order of silence is what a walk over all producers finds.
    #[test]
    fn the_order_of_silence_is_that_of_the_last_batches() {
        let mut known = Producers::default();
        let mut drawn = 42_u64;
        let mut draw = |below: i64| {
            drawn = drawn
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            i64::try_from(drawn >> 33).unwrap() % below
        };
        let mut end = 0;
        for _ in 0..5_000 {
            match draw(20) {
                0 => {
                    end -= draw(end.min(8) + 1);
                    known.truncate(Offset::new(end).unwrap());
                }
                1 => known.expire(TimestampMs(end - 60)),
                2 => known.forget_longest_silent(),
                3 => {
                    let mut restored = Producers::default();
                    for (id, state) in known.iter() {
                        restored.restore(id, state.clone());
                    }
                    assert_eq!(restored, known);
                }
                _ => {
                    note(&mut known, draw(30), end, end);
                    end += 1;
                }
            }
            let walked = known.iter().map(|(id, state)| (state.end(), id));
            assert_eq!(walked.collect::<BTreeSet<_>>(), known.silent);
            let end = Offset::new(end).unwrap();
            assert!(known.silent.last().is_none_or(|&(last, _)| last <= end));
        }
    }
}

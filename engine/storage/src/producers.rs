//! Idempotent producers: the last five batches of each, to tell a repeat from a gap.
//!
//! *Source*: KIP-98; Kafka's `ProducerStateEntry` and `ProducerAppendInfo`.

use std::collections::{BTreeMap, VecDeque};

use record::Producer;
use types::limits::PRODUCER_BATCHES_MAX;
use types::{Offset, ProducerEpoch, ProducerId, Sequence, TimestampMs};

use crate::error::AppendError;

/// How many producers one log remembers; beyond, the longest silent ones are forgotten.
pub(crate) const LOG_PRODUCERS_MAX: usize = 50_000;

/// How often producers are looked through for silent ones.
const EXPIRY_INTERVAL_MS: i64 = 60_000;

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
#[derive(Clone, Debug, Default)]
pub(crate) struct Producers {
    states: BTreeMap<ProducerId, ProducerState>,
    /// Nobody was last seen before; a lower bound, so that expiry need not look at each append.
    expired_until: Option<TimestampMs>,
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
    pub(crate) fn note(&mut self, producer: &Producer, batch: ProducerBatch, seen: TimestampMs) {
        if self.states.len() >= LOG_PRODUCERS_MAX && !self.states.contains_key(&producer.id) {
            self.forget_longest_silent();
        }
        let state = self
            .states
            .entry(producer.id)
            .or_insert_with(|| ProducerState {
                epoch: producer.epoch,
                seen,
                batches: VecDeque::with_capacity(PRODUCER_BATCHES_MAX),
            });
        if producer.epoch > state.epoch {
            state.epoch = producer.epoch;
            state.batches.clear();
        }
        if state.batches.len() == PRODUCER_BATCHES_MAX {
            state.batches.pop_front();
        }
        state.batches.push_back(batch);
        state.seen = seen;
    }

    /// Takes a producer's state as a snapshot has it.
    pub(crate) fn restore(&mut self, id: ProducerId, state: ProducerState) {
        self.states.insert(id, state);
    }

    /// Forgets producers that were last seen before `oldest`, looking once a minute.
    pub(crate) fn expire_if_due(&mut self, oldest: TimestampMs) {
        let is_due = self
            .expired_until
            .is_none_or(|until| oldest.0 >= until.0.saturating_add(EXPIRY_INTERVAL_MS));
        if is_due {
            self.expire(oldest);
        }
    }

    /// Forgets producers that were last seen before `oldest`.
    pub(crate) fn expire(&mut self, oldest: TimestampMs) {
        self.states.retain(|_, state| state.seen >= oldest);
        self.expired_until = Some(oldest);
    }

    /// Forgets batches behind a cut.
    ///
    /// A producer without a batch left is forgotten: nothing is known of it at that end of the log.
    pub(crate) fn truncate(&mut self, end: Offset) {
        self.states.retain(|_, state| {
            state.batches.retain(|batch| batch.next <= end);
            !state.batches.is_empty()
        });
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

    fn forget_longest_silent(&mut self) {
        let silent = self.states.iter().min_by_key(|(_, state)| state.seen);
        if let Some((&id, _)) = silent {
            self.states.remove(&id);
        }
    }
}

/// Two are equal that know the same.
impl PartialEq for Producers {
    fn eq(&self, other: &Self) -> bool {
        self.states == other.states
    }
}

impl Eq for Producers {}

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
}

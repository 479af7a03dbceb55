//! The threads of an open loop: who sends, who takes the answers, who reads at the tail.

use record::{Batch, DECOMPRESSED_SIZE_MAX, Records};
use types::Monotonic;

use crate::args::FetchSizes;
use crate::batches::{self, Acks, Stamped};
use crate::clock;
use crate::connection::{Connection, Incoming, Socket};
use crate::error::Error;
use crate::latency::Latencies;
use crate::pacer::{Schedule, Slips};
use crate::reader::Reader;
use crate::tally::{Load, Tally, Window};
use crate::topic::{Extent, Topic};

/// When what is sent, and what of it counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// When each record is due.
    pub(crate) schedule: Schedule,
    /// Records due before this are warm-up.
    pub(crate) measured_from: Monotonic,
    /// Records in all, of all connections.
    pub(crate) count: u64,
}

/// The records that are one connection's: every `step`-th from the `first` on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    /// Its first record.
    pub(crate) first: u64,
    /// How many connections there are.
    pub(crate) step: u64,
}

impl Turn {
    /// Walks over the due times of this connection's records, with the correlation ids of their
    /// requests.
    pub(crate) fn dues(self, timing: &Timing) -> impl Iterator<Item = (Monotonic, i32)> + use<> {
        let schedule = timing.schedule;
        let mut correlation_id: i32 = 0;
        let mut index = self.first;
        let count = timing.count;
        std::iter::from_fn(move || {
            let due = (index < count).then(|| schedule.due(index))?;
            index += self.step;
            correlation_id = correlation_id.wrapping_add(1);
            Some((due, correlation_id))
        })
    }
}

/// What one thread does.
pub(crate) enum Part {
    /// Sends.
    Sender(Sender),
    /// Takes the answers.
    Receiver(Receiver),
    /// Reads at the tail.
    Tail(Tail),
}

/// What one thread brought back: its own kind of measurement filled, the others empty.
pub(crate) struct Outcome {
    /// Of a sender.
    pub(crate) slips: Slips,
    /// Of a receiver.
    pub(crate) tally: Tally,
    /// Of a tail reader.
    pub(crate) end_to_end: Latencies,
}

impl Part {
    /// Works until everything due was sent, answered and read.
    pub(crate) fn run(self, timing: &Timing, window: &Window) -> Result<Outcome, Error> {
        let mut outcome = Outcome {
            slips: Slips::new(),
            tally: Tally::new(window),
            end_to_end: Latencies::new(),
        };
        match self {
            Self::Sender(sender) => sender.run(timing, &mut outcome.slips)?,
            Self::Receiver(receiver) => receiver.run(timing, &mut outcome.tally)?,
            Self::Tail(tail) => tail.run(timing, &mut outcome.end_to_end)?,
        }
        Ok(outcome)
    }
}

/// Sends one connection's records when they are due.
pub(crate) struct Sender {
    /// Where to.
    pub(crate) outgoing: Socket,
    /// The version of Produce.
    pub(crate) version: i16,
    /// Which records.
    pub(crate) turn: Turn,
    /// The topic.
    pub(crate) topic: Topic,
    /// Its partitions that are written in turns.
    pub(crate) partitions: Vec<i32>,
    /// Leader or all.
    pub(crate) acks: Acks,
    /// What a record looks like.
    pub(crate) record: Stamped,
}

impl Sender {
    fn run(mut self, timing: &Timing, slips: &mut Slips) -> Result<(), Error> {
        let mut partitions = self.partitions.chunks(1).cycle();
        for (due, correlation_id) in self.turn.dues(timing) {
            let batch = self.record.batch(due)?;
            let partition = partitions.next().unwrap_or_default();
            let mut request =
                batches::request(&self.topic, partition, &batch, self.acks, self.version)?;
            clock::sleep_until(due);
            if due >= timing.measured_from {
                slips.record(due, clock::now());
            }
            request.send(&mut self.outgoing, correlation_id)?;
        }
        Ok(())
    }
}

/// Takes one connection's answers.
pub(crate) struct Receiver {
    /// Where they come from.
    pub(crate) incoming: Incoming,
    /// The version of Produce.
    pub(crate) version: i16,
    /// To which records.
    pub(crate) turn: Turn,
    /// What each of them moved.
    pub(crate) load: Load,
}

impl Receiver {
    fn run(mut self, timing: &Timing, tally: &mut Tally) -> Result<(), Error> {
        for (due, correlation_id) in self.turn.dues(timing) {
            batches::acknowledged(&mut self.incoming, self.version, correlation_id)?;
            if due >= timing.measured_from {
                tally.count(self.load, due, clock::now());
            }
        }
        Ok(())
    }
}

/// Reads all partitions at their ends.
pub(crate) struct Tail {
    reader: Reader,
}

impl Tail {
    /// Starts at the ends that the logs have now.
    pub(crate) fn new(mut connection: Connection, topic: &Topic) -> Result<Self, Error> {
        let from_end = |it: Extent| Extent {
            start: it.end,
            end: i64::MAX,
            ..it
        };
        let ends = topic.extents(&mut connection)?;
        let ends = ends.into_iter().map(from_end).collect();
        let reader = Reader::new(connection, topic, &FetchSizes::TAIL, ends)?;
        Ok(Self { reader })
    }

    fn run(mut self, timing: &Timing, latencies: &mut Latencies) -> Result<(), Error> {
        let mut left = timing.count;
        while left > 0 {
            self.reader.fetch(|batch| {
                let now = clock::now();
                let mut dues = Vec::with_capacity(1);
                read_dues(batch, &mut dues)?;
                for due in dues {
                    if due > now || due < timing.schedule.start {
                        return Err(Error::ForeignRecord);
                    }
                    left = left.checked_sub(1).ok_or(Error::ForeignRecord)?;
                    if due >= timing.measured_from {
                        latencies.record(now.since(due));
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// Reads the due times that the records of a batch carry.
fn read_dues(batch: &Batch<'_>, dues: &mut Vec<Monotonic>) -> Result<(), Error> {
    let body =
        record::decompress(batch, DECOMPRESSED_SIZE_MAX).map_err(|_| Error::ForeignRecord)?;
    for record in Records::new(batch.header(), &body) {
        let value = record.map_err(|_| Error::ForeignRecord)?.value;
        dues.push(value.and_then(Stamped::due).ok_or(Error::ForeignRecord)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_connections_turns_together_are_the_schedule() {
        let schedule = Schedule {
            start: Monotonic::ZERO,
            rate_per_second: NonZeroU32::new(100).unwrap(),
        };
        let timing = Timing {
            schedule,
            measured_from: Monotonic::ZERO,
            count: 10,
        };
        let mut dues = Vec::new();
        for first in 0..3 {
            let turn = Turn { first, step: 3 };
            let mine: Vec<_> = turn.dues(&timing).collect();
            let ids = mine.iter().map(|due| due.1);
            assert!(ids.eq((1..).take(mine.len())), "answers are told apart");
            dues.extend(mine.iter().map(|due| due.0));
        }
        dues.sort_unstable();
        let want = (0..10).map(|index| Monotonic::from_start(Duration::from_millis(index * 10)));
        assert_eq!(dues, want.collect::<Vec<_>>());
    }
}

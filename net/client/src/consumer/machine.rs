//! The machine itself: see the module above.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use types::{Monotonic, NodeId};
use wire::messages::list_offsets;

use super::fetched::{ConsumedRecord, Fetched};
use super::options::{ConsumerOptions, Start};
use super::order::{OrderId, Place};
use crate::error::Error;

/// A consumer without sockets and clocks.
#[derive(Debug)]
pub struct Consumer {
    pub(super) options: ConsumerOptions,
    pub(super) partitions: BTreeMap<Place, Partition>,
    pub(super) orders: BTreeMap<OrderId, Ordered>,
    pub(super) fetched: VecDeque<Fetched>,
    batch: VecDeque<ConsumedRecord>,
    batch_assignment: u64,
    pub(super) errors: VecDeque<Error>,
    pub(super) held: u64,
    pub(super) metadata_is_stale: bool,
    pub(super) order_next: u64,
    assignment_next: u64,
    /// Which partition is named first: each in turn, since the first gets its share in any case.
    pub(super) turn: usize,
}

/// One partition that is read.
#[derive(Debug)]
pub(super) struct Partition {
    /// Of which assignment; answers to older ones are void.
    pub(super) assignment: u64,
    pub(super) place: Wanted,
    /// The end as far as consumers may read, as the leader told it last.
    pub(super) high_watermark: Option<i64>,
    pub(super) paused_until: Monotonic,
}

/// What is wanted of a partition next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The offset of a time, or of an end of the log.
    Offset { timestamp: i64 },
    /// Records from an offset on.
    Records { from: i64 },
    /// Nothing: it failed for good.
    Nothing,
}

/// An order that is not answered yet.
#[derive(Debug)]
pub(super) struct Ordered {
    pub(super) node: NodeId,
    pub(super) is_fetch: bool,
    /// The partitions, each with its assignment.
    pub(super) places: Vec<(Place, u64)>,
}

impl Consumer {
    /// Makes a consumer that reads nothing yet.
    pub fn new(options: ConsumerOptions) -> Self {
        Self {
            options,
            partitions: BTreeMap::new(),
            orders: BTreeMap::new(),
            fetched: VecDeque::new(),
            batch: VecDeque::new(),
            batch_assignment: 0,
            errors: VecDeque::new(),
            held: 0,
            metadata_is_stale: false,
            order_next: 0,
            assignment_next: 0,
            turn: 0,
        }
    }

    /// Begins to read a partition, or begins anew elsewhere.
    pub fn assign(&mut self, topic: &str, partition: i32, start: Start) {
        let place = match start {
            Start::At(offset) => Wanted::Records { from: offset.get() },
            Start::Beginning => Wanted::Offset {
                timestamp: list_offsets::EARLIEST,
            },
            Start::End => Wanted::Offset {
                timestamp: list_offsets::LATEST,
            },
            Start::Since(time) => Wanted::Offset {
                timestamp: time.0.max(0),
            },
        };
        self.unassign(topic, partition);
        self.assignment_next += 1;
        let assigned = Partition {
            assignment: self.assignment_next,
            place,
            high_watermark: None,
            paused_until: Monotonic::ZERO,
        };
        self.partitions
            .insert((Arc::from(topic), partition), assigned);
    }

    /// Reads a partition no further; what was fetched of it is dropped.
    pub fn unassign(&mut self, topic: &str, partition: i32) {
        let place = (Arc::from(topic), partition);
        let Some(gone) = self.partitions.remove(&place) else {
            return;
        };
        let void = |fetched: &Fetched| fetched.assignment == gone.assignment;
        let dropped = self.fetched.iter().filter(|fetched| void(fetched));
        self.held -= dropped.map(|fetched| length(&fetched.bytes)).sum::<u64>();
        self.fetched.retain(|fetched| !void(fetched));
        if self.batch_assignment == gone.assignment {
            self.batch.clear();
        }
    }

    /// Returns the topics that are read.
    pub fn topics(&self) -> BTreeSet<&str> {
        self.partitions.keys().map(|(topic, _)| &**topic).collect()
    }

    /// Returns whether the metadata of its topics must be asked for anew, once.
    pub fn take_metadata_is_stale(&mut self) -> bool {
        std::mem::take(&mut self.metadata_is_stale)
    }

    /// Returns whether everything up to the end, as the leaders told it last, was taken.
    pub fn is_at_end(&self) -> bool {
        let at_end = |partition: &Partition| match partition.place {
            Wanted::Records { from } => partition.high_watermark.is_some_and(|end| from >= end),
            Wanted::Offset { .. } => false,
            Wanted::Nothing => true,
        };
        self.batch.is_empty() && self.fetched.is_empty() && self.partitions.values().all(at_end)
    }

    /// Returns the end of a partition as its leader told it last.
    pub fn high_watermark(&self, topic: &str, partition: i32) -> Option<i64> {
        self.partitions
            .get(&(Arc::from(topic), partition))?
            .high_watermark
    }

    /// Returns the bytes that were fetched and not taken.
    pub fn held(&self) -> u64 {
        self.held
    }

    /// Takes the next record.
    ///
    /// *Errors*: a partition failed for good, and is read no further; the others are.
    pub fn next_record(&mut self) -> Option<Result<ConsumedRecord, Error>> {
        loop {
            if let Some(record) = self.batch.pop_front() {
                return Some(Ok(record));
            }
            if let Some(error) = self.errors.pop_front() {
                return Some(Err(error));
            }
            let fetched = self.fetched.front_mut()?;
            let before = length(&fetched.bytes);
            match fetched.next_batch() {
                Ok(Some(records)) => {
                    self.held -= before - length(&fetched.bytes);
                    self.batch_assignment = fetched.assignment;
                    self.batch = records;
                }
                Ok(None) => {
                    self.held -= before;
                    self.fetched.pop_front();
                }
                Err(fault) => {
                    let error = Error::Records {
                        topic: fetched.topic.to_string(),
                        partition: fetched.partition,
                        offset: fetched.from,
                        fault,
                    };
                    let place = (Arc::clone(&fetched.topic), fetched.partition);
                    self.held -= before;
                    self.fetched.pop_front();
                    self.give_up(&place, error);
                }
            }
        }
    }

    /// Reads a partition no further, and gives out why.
    pub(super) fn give_up(&mut self, place: &Place, error: Error) {
        if let Some(partition) = self.partitions.get_mut(place) {
            partition.place = Wanted::Nothing;
            let void = partition.assignment;
            let dropped = self
                .fetched
                .iter()
                .filter(|fetched| fetched.assignment == void);
            self.held -= dropped.map(|fetched| length(&fetched.bytes)).sum::<u64>();
            self.fetched.retain(|fetched| fetched.assignment != void);
        }
        self.errors.push_back(error);
    }

    /// Leaves a partition alone for a while: its leader must be looked for.
    pub(super) fn pause(&mut self, place: &Place, now: Monotonic) {
        self.metadata_is_stale = true;
        if let Some(partition) = self.partitions.get_mut(place) {
            partition.paused_until = now.after(self.options.retry_pause);
        }
    }

    /// Returns when [`Self::poll`] may have something new to do, if nothing else happens.
    pub fn deadline(&self) -> Option<Monotonic> {
        let waiting = self
            .partitions
            .values()
            .filter(|it| it.place != Wanted::Nothing);
        waiting
            .map(|partition| partition.paused_until)
            .filter(|&time| time > Monotonic::ZERO)
            .min()
    }
}

pub(super) fn length(bytes: &[u8]) -> u64 {
    types::ByteCount::of(bytes).0
}

//! The machine itself: see the module above.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use record::{BuildError, NewRecord};
use types::limits::PRODUCER_BATCHES_MAX;
use types::{Monotonic, NodeId, ProducerEpoch, ProducerId};
use wire::messages::produce;

use super::batch::{Batch, RecordNumber};
use super::options::{Acks, Idempotence, ProducerOptions};
use super::order::{Draft, NAMES_VERSION_MAX, Order, OrderId, Place};
use super::outcome::Outcome;
use super::queue::Queue;
use crate::metadata::Metadata;
use crate::partitioner::Partitioner;

/// The least that a record is taken to need of the buffer, beside its bytes.
const RECORD_OVERHEAD: u64 = 32;

/// Why a record was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The buffer is full: carry orders and answers first.
    #[error("the buffer is full")]
    BufferFull,
    /// The topic or partition is not in the metadata: ask the cluster for it first.
    #[error("{topic} has no such partition as far as is known")]
    UnknownPartition {
        /// The topic.
        topic: String,
    },
    /// The record cannot be written.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// A producer without sockets and clocks.
#[derive(Debug)]
pub struct Producer {
    pub(super) options: ProducerOptions,
    pub(super) identity: Identity,
    pub(super) queues: BTreeMap<Place, Queue>,
    partitioners: BTreeMap<Arc<str>, Partitioner>,
    seed: u32,
    pub(super) orders: BTreeMap<OrderId, Vec<(Place, RecordNumber)>>,
    pub(super) outcomes: VecDeque<Outcome>,
    record_next: u64,
    order_next: u64,
    pub(super) held: u64,
    flushing: bool,
    pub(super) metadata_is_stale: bool,
}

/// The producer id, for idempotence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    NotNeeded,
    Missing,
    Known(ProducerId, ProducerEpoch),
    /// A sequence is broken: to be replaced when nothing is under way.
    Spent,
}

impl Producer {
    /// Makes a producer; `seed` spreads the records without keys of several producers.
    ///
    /// Idempotence brings [`Acks::All`] with it, whatever else is said.
    pub fn new(mut options: ProducerOptions, seed: u32) -> Self {
        let identity = match options.idempotence {
            Idempotence::Off => Identity::NotNeeded,
            Idempotence::On => {
                options.acks = Acks::All;
                Identity::Missing
            }
        };
        Self {
            options,
            identity,
            queues: BTreeMap::new(),
            partitioners: BTreeMap::new(),
            seed,
            orders: BTreeMap::new(),
            outcomes: VecDeque::new(),
            record_next: 0,
            order_next: 0,
            held: 0,
            flushing: false,
            metadata_is_stale: false,
        }
    }

    /// Takes a record; the partition is chosen by its key unless it is given.
    ///
    /// *Errors*: [`PushError`]; the record was not taken.
    pub fn push(
        &mut self,
        now: Monotonic,
        metadata: &Metadata,
        (topic, partition): (&str, Option<i32>),
        record: &NewRecord<'_>,
    ) -> Result<RecordNumber, PushError> {
        let size = size_of_record(record);
        if self.held > 0 && self.held + size > self.options.buffer_max.0 {
            return Err(PushError::BufferFull); // invariant 3
        }
        let place = self.place(metadata, topic, partition, record.key)?;
        let queue = self.queues.entry(place).or_default();
        let batch_size = self.options.batch_size.0;
        let full = |open: &Batch| open.plain_size().0 + size > batch_size;
        if queue.open.as_ref().is_some_and(full) {
            queue.close();
            if record.key.is_none()
                && partition.is_none()
                && let Some(partitioner) = self.partitioners.get_mut(topic)
            {
                partitioner.batch_closed();
            }
        }
        let number = RecordNumber(self.record_next);
        let compression = self.options.compression;
        let open = queue
            .open
            .get_or_insert_with(|| Batch::open(compression, now));
        let before = open.body_size();
        if let Err(error) = open.push(record, number) {
            // An empty batch must not stay: a batch has at least one record.
            queue.open.take_if(|open| open.numbers.is_empty());
            return Err(error.into());
        }
        self.held += open.body_size() - before;
        self.record_next += 1;
        Ok(number)
    }

    fn place(
        &mut self,
        metadata: &Metadata,
        topic: &str,
        partition: Option<i32>,
        key: Option<&[u8]>,
    ) -> Result<Place, PushError> {
        let unknown = || PushError::UnknownPartition {
            topic: topic.to_owned(),
        };
        let known = metadata.topics.get_key_value(topic).ok_or_else(unknown)?;
        let name = match self.partitioners.get_key_value(topic) {
            Some((name, _)) => Arc::clone(name),
            None => Arc::from(topic),
        };
        let seed = self.seed;
        let partitioner = self.partitioners.entry(Arc::clone(&name));
        let partitioner = partitioner.or_insert_with(|| Partitioner::new(seed));
        let count = u32::try_from(known.1.partitions.len()).unwrap_or(u32::MAX);
        let index = match partition {
            Some(index) => index,
            None if count == 0 => return Err(unknown()),
            None => {
                let chosen = partitioner.partition(key, count);
                let chosen = match key {
                    Some(_) => chosen,
                    None => led_from(metadata, topic, chosen, count),
                };
                i32::try_from(chosen).map_err(|_| unknown())?
            }
        };
        metadata.partition(topic, index).ok_or_else(unknown)?;
        Ok((name, index))
    }

    /// Sends everything without lingering, until [`Self::is_empty`].
    pub fn flush(&mut self) {
        self.flushing = true;
    }

    /// Returns whether every record has its outcome.
    pub fn is_empty(&self) -> bool {
        self.queues.values().all(Queue::is_empty)
    }

    /// Returns the bytes of records held, uncompressed.
    pub fn held(&self) -> u64 {
        self.held
    }

    /// Returns whether a producer id must be asked for (InitProducerId) before anything is sent.
    pub fn needs_identity(&self) -> bool {
        match self.identity {
            Identity::Missing => true,
            Identity::Spent => self.orders.is_empty(),
            Identity::NotNeeded | Identity::Known(..) => false,
        }
    }

    /// Takes the producer id that a broker gave.
    pub fn set_identity(&mut self, id: ProducerId, epoch: ProducerEpoch) {
        if self.identity == Identity::Spent {
            self.restart_sequences();
        }
        self.identity = Identity::Known(id, epoch);
    }

    /// Returns whether the metadata of its topics must be asked for anew, once.
    pub fn take_metadata_is_stale(&mut self) -> bool {
        std::mem::take(&mut self.metadata_is_stale)
    }

    /// Returns the topics that have records.
    pub fn topics(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.queues.keys().map(|(topic, _)| &**topic).collect();
        names.dedup();
        names
    }

    /// Takes the next outcome.
    pub fn next_outcome(&mut self) -> Option<Outcome> {
        self.outcomes.pop_front()
    }

    /// Returns requests that may be sent now: at most one for each node and one batch for each
    /// partition, so call it until there are none.
    pub fn poll(&mut self, now: Monotonic, metadata: &Metadata) -> Vec<Order> {
        self.expire(now);
        self.close_lingered(now);
        if self.flushing && self.is_empty() {
            self.flushing = false;
        }
        let identity = match self.identity {
            Identity::NotNeeded => None,
            Identity::Known(id, epoch) => Some((id, epoch)),
            Identity::Missing | Identity::Spent => return Vec::new(),
        };
        let under_way_max = self.under_way_max();
        let mut drafts: BTreeMap<NodeId, Draft> = BTreeMap::new();
        let mut places = Vec::new();
        for (place, queue) in &mut self.queues {
            if !queue.may_send(now, under_way_max) {
                continue;
            }
            let Some(node) = metadata.leader(&place.0, place.1) else {
                queue.paused_until = now.after(self.options.retry_pause);
                self.metadata_is_stale = true;
                continue;
            };
            let draft = drafts.entry(node).or_default();
            match queue.write_front(identity) {
                Ok(Some(batch)) if draft.takes(batch, self.options.request_size.0) => {
                    draft.add(place.clone(), batch, metadata);
                    queue.sent();
                }
                Ok(_) => {}
                Err(error) => places.push((place.clone(), error)),
            }
        }
        for (place, error) in places {
            self.fail_front(&place, &error);
        }
        drafts
            .into_iter()
            .filter_map(|(node, draft)| self.order(node, draft))
            .collect()
    }

    fn order(&mut self, node: NodeId, draft: Draft) -> Option<Order> {
        if draft.batches.is_empty() {
            return None;
        }
        let id = OrderId(self.order_next);
        self.order_next += 1;
        let timeout_ms = self.options.request_timeout.as_millis();
        let request = produce::Request {
            transactional_id: None,
            acks: self.options.acks.wire(),
            timeout_ms: i32::try_from(timeout_ms).unwrap_or(i32::MAX),
            topic_data: draft.topics,
        };
        let is_answered = self.options.acks != Acks::None;
        if is_answered {
            self.orders.insert(id, draft.batches);
        } else {
            for (place, first) in draft.batches {
                self.delivered(&place, first, None);
            }
        }
        let version_max = if draft.without_ids {
            NAMES_VERSION_MAX
        } else {
            i16::MAX
        };
        Some(Order {
            id,
            node,
            request,
            version_max,
            is_answered,
        })
    }

    /// Returns when [`Self::poll`] may have something new to do, if nothing else happens.
    pub fn deadline(&self) -> Option<Monotonic> {
        let linger = self.options.linger;
        let under_way_max = match self.identity {
            Identity::NotNeeded | Identity::Known(..) => self.under_way_max(),
            Identity::Missing | Identity::Spent => 0,
        };
        let times = self.queues.values().flat_map(|queue| {
            let lingered = queue.open.as_ref().map(|open| open.since.after(linger));
            let retried = queue.has_room(under_way_max).then_some(queue.paused_until);
            lingered.into_iter().chain(retried)
        });
        times.min()
    }

    /// How many batches of one partition may be under way (invariant 1).
    fn under_way_max(&self) -> usize {
        match self.options.idempotence {
            Idempotence::On => PRODUCER_BATCHES_MAX,
            Idempotence::Off => 1,
        }
    }

    fn close_lingered(&mut self, now: Monotonic) {
        for queue in self.queues.values_mut() {
            let due = |open: &Batch| now.since(open.since) >= self.options.linger;
            if self.flushing || queue.open.as_ref().is_some_and(due) {
                queue.close();
            }
        }
    }
}

/// Returns the first of a topic's partitions, from one on, that somebody leads; that one if nobody leads
/// any. What has no key need not go to the others.
fn led_from(metadata: &Metadata, topic: &str, first: u32, count: u32) -> u32 {
    let is_led = |index| metadata.leader(topic, index).is_some();
    let mut next = (first..count).chain(0..first);
    next.find(|&it| i32::try_from(it).is_ok_and(is_led))
        .unwrap_or(first)
}

fn size_of_record(record: &NewRecord<'_>) -> u64 {
    let length = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
    let headers = record
        .headers
        .iter()
        .map(|header| header.key.len() + length(header.value));
    let bytes = length(record.key) + length(record.value) + headers.sum::<usize>();
    u64::try_from(bytes)
        .unwrap_or(u64::MAX)
        .saturating_add(RECORD_OVERHEAD)
}

//! One stream: the batches that one producer writes to one partition, in their order.

use std::collections::VecDeque;

use bytes::Bytes;
use record::{BatchBuilder, Compression, NewRecord, Producer};
use types::{ProducerEpoch, ProducerId, Sequence};

use super::desk::Desk;
use crate::chance::Chance;
use crate::history::{Delivery, Event, Fingerprint, LogName, RecordId, StreamId};
use crate::payload;

/// Sizes of values: the smallest, the common ones, one that fills a round by itself.
const SIZES: &[usize] = &[
    25, 25, 60, 100, 300, 1_000, 1_000, 4_000, 4_096, 10_000, 24_576,
];

/// Batches of one record this large are sent now and then.
const SIZE_LARGE: usize = 100_000;

/// A batch that was sent and not acknowledged.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    /// The number of its first record.
    pub(super) first: u32,
    /// What is sent.
    pub(super) bytes: Bytes,
}

/// One stream.
pub(super) struct Stream {
    /// The partition it goes to.
    pub(super) partition: i32,
    id: StreamId,
    delivery: Delivery,
    number_next: u32,
    /// In the order of sending.
    unacknowledged: VecDeque<Batch>,
    gave_up: bool,
}

impl Stream {
    pub(super) fn open(desk: &Desk, log: LogName, delivery: Delivery) -> Self {
        Self {
            partition: log.partition,
            id: desk.open_stream(log, delivery),
            delivery,
            number_next: 0,
            unacknowledged: VecDeque::new(),
            gave_up: false,
        }
    }

    /// Makes the next batch and takes note that it is sent.
    pub(super) fn next_batch(
        &mut self,
        desk: &Desk,
        chance: &mut Chance,
        identity: Option<(ProducerId, ProducerEpoch)>,
    ) -> Batch {
        let first = self.number_next;
        let compression = match chance.between(1, 20) {
            1 => Compression::Lz4,
            2 => Compression::Zstd,
            3 => Compression::Gzip,
            4 => Compression::Snappy,
            _ => Compression::None,
        };
        let mut builder = BatchBuilder::new(compression);
        if let Some((id, epoch)) = identity {
            let sequence = i32::try_from(first).ok().and_then(Sequence::new);
            builder = builder.with_producer(Producer {
                id,
                epoch,
                base_sequence: sequence.expect("a life is short"),
            });
        }
        let sizes = draw_sizes(chance);
        let mut fingerprints = Vec::new();
        for (number, size) in (first..).zip(sizes) {
            fingerprints.push(self.add(&mut builder, chance, number, size));
            self.number_next = number + 1;
        }
        desk.note(Event::Sent {
            stream: self.id,
            first,
            fingerprints,
        });
        let bytes = builder
            .build()
            .expect("a batch of a few records can be built");
        let batch = Batch { first, bytes };
        if self.delivery != Delivery::Unanswered {
            self.unacknowledged.push_back(batch.clone());
        }
        batch
    }

    fn add(
        &self,
        builder: &mut BatchBuilder,
        chance: &mut Chance,
        number: u32,
        size: usize,
    ) -> Fingerprint {
        let record = RecordId {
            stream: self.id,
            number,
        };
        let value = payload::value(record, size);
        let key = chance.percent(50).then(|| number.to_be_bytes());
        let key = key.as_ref().map(<[u8; 4]>::as_slice);
        let timestamp = runtime::wall_clock();
        let new = NewRecord {
            timestamp,
            key,
            value: Some(&value),
            headers: &[],
        };
        builder
            .push(&new)
            .expect("a batch of a few records has room");
        payload::fingerprint(key, Some(&value), timestamp.0)
    }

    /// Returns the batch that must be repeated first.
    pub(super) fn oldest(&self) -> Option<&Batch> {
        self.unacknowledged.front()
    }

    pub(super) fn has_unacknowledged(&self) -> bool {
        !self.unacknowledged.is_empty()
    }

    /// Takes note of an acknowledgement; one for what was given up says nothing.
    pub(super) fn acknowledged(&mut self, desk: &Desk, first: u32, base_offset: i64) {
        if self.gave_up {
            return;
        }
        let before = self.unacknowledged.len();
        self.unacknowledged.retain(|batch| batch.first != first);
        assert_eq!(
            self.unacknowledged.len() + 1,
            before,
            "a batch is acknowledged once"
        );
        desk.note(Event::Acknowledged {
            stream: self.id,
            first,
            base_offset,
        });
    }

    /// Gives up what is not acknowledged: the topic is going away.
    pub(super) fn give_up(&mut self) {
        self.unacknowledged.clear();
        self.gave_up = true;
    }
}

fn draw_sizes(chance: &mut Chance) -> Vec<usize> {
    if chance.percent(1) {
        return vec![SIZE_LARGE];
    }
    let count = chance.pick(&[1, 1, 1, 2, 3, 8]);
    let size = chance.pick(SIZES);
    (0..count).map(|_| size).collect()
}

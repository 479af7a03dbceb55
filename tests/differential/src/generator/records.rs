//! Logs: their ends, their sizes, and who wrote to them.

use std::collections::BTreeSet;

use bytes::Bytes;
use record::{BatchBuilder, Compression, NewRecord, Producer};
use types::{ProducerEpoch, ProducerId, Sequence, TimestampMs};
use wire::api::ApiKey;
use wire::messages::list_offsets::{LATEST, MAX_TIMESTAMP};

use super::maker::{Generator, TOPICS, topic_name};
use crate::tree::{Earlier, Tree, body};

/// When the first record was written. No clock is asked: retention must not run during a test.
const FIRST_MS: i64 = 1_700_000_000_000;

/// Ids of producers from here on are given out by no broker.
const PRODUCER_ID_MIN: i64 = 7_000_000_000;

impl Generator {
    /// One step of the walk through logs.
    pub(super) fn record_step(&mut self) {
        match self.chance.below(12) {
            0 | 1 => self.produce_step(),
            2..=5 => self.list_offsets(),
            6 => self.delete_records(),
            7 | 8 => self.epoch_ends(),
            9 => self.describe_producers(),
            10 => self.init_producer(),
            _ => self.log_dirs(),
        }
    }

    /// Some records for the first partition of a topic.
    pub(super) fn produce_step(&mut self) {
        let topic = topic_name(self.chance.below(TOPICS));
        let id = self.id_of(&topic);
        let mut batch = BatchBuilder::new(Compression::None);
        if self.chance.once_in(3) {
            batch = batch.with_producer(self.new_producer());
        }
        for _ in 0..=self.chance.below(4) {
            let number = i64::try_from(self.fresh()).unwrap_or(0);
            let value = format!("record {number}");
            let record = NewRecord {
                timestamp: TimestampMs(FIRST_MS + number),
                key: None,
                value: Some(value.as_bytes()),
                headers: &[],
            };
            batch.push(&record).expect("few small records fit a batch");
        }
        let records: Bytes = batch.build().expect("few small records fit a batch");
        let partition = body! { index: 0, records: records };
        let topic = body! { name: topic, topic_id: id, partition_data: vec![partition] };
        let acks = self.chance.of(&[1_i16, -1]);
        self.ask(
            ApiKey::Produce,
            body! { acks: acks, timeout_ms: 20_000, topic_data: vec![topic] },
        );
    }

    /// A producer that nobody has seen, so that nothing is out of its order.
    fn new_producer(&mut self) -> Producer {
        Producer {
            id: ProducerId(PRODUCER_ID_MIN + i64::try_from(self.fresh()).unwrap_or(0)),
            epoch: ProducerEpoch(self.chance.of(&[0, 1])),
            base_sequence: Sequence::ZERO,
        }
    }

    /// Some topics, each with some partitions made by `partition`, none of them twice.
    fn topics_with(
        &mut self,
        (name_field, list): (&'static str, &'static str),
        partition: impl Fn(&mut Self, i32) -> Tree,
    ) -> Vec<Tree> {
        let mut topics = Vec::new();
        for (name, indexes) in self.any_topics() {
            let indexes: BTreeSet<i32> = indexes.into_iter().collect();
            let partitions = indexes.into_iter().map(|index| partition(self, index));
            let partitions: Vec<Tree> = partitions.collect();
            topics.push(Tree::Fields(vec![
                (name_field, name.into()),
                (list, partitions.into()),
            ]));
        }
        topics
    }

    fn list_offsets(&mut self) {
        let topics = self.topics_with(("name", "partitions"), |generator, index| {
            let known = FIRST_MS + generator.chance.of(&[0, 1, 5, 20, 1000]);
            let time =
                generator
                    .chance
                    .of(&[-1, -1, -2, -2, -3, -4, -5, -6, -7, 0, known, i64::MAX]);
            // Of a log that may be empty, Kafka tells the newest record that was deleted.
            let newest_deleted = time == MAX_TIMESTAMP && generator.deleted;
            let time = if newest_deleted { LATEST } else { time };
            let epoch = generator.chance.of(&[-1, -1, -1, 0, 1, -2]);
            body! { partition_index: index, current_leader_epoch: epoch, timestamp: time }
        });
        let isolation = self.chance.of(&[0_i8, 1]);
        let body = body! { replica_id: -1, isolation_level: isolation, topics: topics, timeout_ms: 20_000 };
        self.ask(ApiKey::ListOffsets, body);
    }

    fn delete_records(&mut self) {
        self.deleted = true;
        let topics = self.topics_with(("name", "partitions"), |generator, index| {
            let offset = generator.chance.of(&[0, 1, 2, -1, -2, 1000]);
            body! { partition_index: index, offset: offset }
        });
        self.ask(
            ApiKey::DeleteRecords,
            body! { topics: topics, timeout_ms: 20_000 },
        );
    }

    fn epoch_ends(&mut self) {
        let topics = self.topics_with(("topic", "partitions"), |generator, index| {
            let current = generator.chance.of(&[-1, -1, 0, 1, -2]);
            let epoch = generator.chance.of(&[0, 0, 1, -1, 99]);
            body! { partition: index, current_leader_epoch: current, leader_epoch: epoch }
        });
        self.ask(
            ApiKey::OffsetForLeaderEpoch,
            body! { replica_id: -1, topics: topics },
        );
    }

    fn describe_producers(&mut self) {
        let topics = self.topics_with(("name", "partition_indexes"), |_, index| index.into());
        self.ask(ApiKey::DescribeProducers, body! { topics: topics });
    }

    fn init_producer(&mut self) {
        let mut id = Tree::Int(-1);
        let mut epoch = Tree::Int(-1);
        if let Some(&step) = self.producers.last()
            && self.chance.once_in(3)
        {
            id = Earlier {
                step,
                path: "producer_id".to_owned(),
            }
            .into();
            epoch = self.chance.of(&[0, 1, -1]).into();
        } else if self.chance.once_in(4) {
            id = 1_000_000_i64.into();
            epoch = self.chance.of(&[-1, 0, 5]).into();
        }
        let transactional = self.chance.once_in(10).then_some("");
        let timeout = self.chance.of(&[60_000, 0, -1, i32::MAX]);
        let body = body! {
            transactional_id: transactional, transaction_timeout_ms: timeout,
            producer_id: id, producer_epoch: epoch,
        };
        let step = self.ask(ApiKey::InitProducerId, body);
        self.producers.push(step);
    }

    /// Where logs are; then some are moved to where they are, or nowhere.
    fn log_dirs(&mut self) {
        let topics = self.topics_with(("topic", "partitions"), |_, index| index.into());
        let topics = if self.chance.once_in(4) {
            Tree::Null
        } else {
            topics.into()
        };
        let step = self.ask(ApiKey::DescribeLogDirs, body! { topics: topics });
        if self.chance.once_in(2) {
            return;
        }
        let mut path: Tree = Earlier {
            step,
            path: "results.0.log_dir".to_owned(),
        }
        .into();
        if self.chance.once_in(2) {
            path = self.chance.of(&["/nowhere", "relative", ""]).into();
        }
        let topics = self.topics_with(("name", "partitions"), |_, index| index.into());
        let body = body! { dirs: vec![body! { path: path, topics: topics }] };
        self.ask(ApiKey::AlterReplicaLogDirs, body);
    }
}

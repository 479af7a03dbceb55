//! The machine against logs with batches of any size, gaps, markers and damage.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use record::{BatchBuilder, Compression, NewRecord, stamp};
use types::{ByteCount, ErrorCode, LeaderEpoch, Monotonic, Offset, TimestampMs, TopicId};
use wire::messages::{fetch, list_offsets, metadata};

use super::*;
use crate::error::Error;
use crate::metadata::Metadata;

const PARTITIONS: i32 = 3;
const TOPIC_ID: TopicId = TopicId([1; 16]);

fn cluster() -> Metadata {
    let partition = |partition_index| metadata::Partition {
        partition_index,
        leader_id: partition_index % 2,
        ..Default::default()
    };
    let broker = |node_id| metadata::Broker {
        node_id,
        port: 9092,
        ..Default::default()
    };
    let mut cluster = Metadata::default();
    cluster.update(metadata::Response {
        brokers: vec![broker(0), broker(1)],
        topics: vec![metadata::Topic {
            name: Some("t".into()),
            topic_id: TOPIC_ID,
            partitions: (0..PARTITIONS).map(partition).collect(),
            ..Default::default()
        }],
        ..Default::default()
    });
    cluster
}

fn at(milliseconds: u64) -> Monotonic {
    Monotonic::from_start(Duration::from_millis(milliseconds))
}

/// A log: batches with their first and last offset.
#[derive(Debug, Default)]
struct Log {
    batches: Vec<(i64, i64, Bytes)>,
    start: i64,
    end: i64,
}

impl Log {
    /// Appends `count` records behind a gap; every value is its record's offset.
    fn append(&mut self, count: u32, gap: i64, compression: Compression) {
        self.end += gap;
        let mut builder = BatchBuilder::new(compression);
        for index in 0..count {
            let offset = self.end + i64::from(index);
            let record = NewRecord {
                timestamp: TimestampMs(offset),
                key: None,
                value: Some(&offset.to_be_bytes()),
                headers: &[],
            };
            builder.push(&record).unwrap();
        }
        let mut bytes = BytesMut::from(&builder.build().unwrap()[..]);
        let base = Offset::new(self.end).unwrap();
        stamp(&mut bytes, base, LeaderEpoch::ZERO);
        let last = self.end + i64::from(count) - 1;
        self.batches.push((self.end, last, bytes.freeze()));
        self.end = last + 1;
    }

    /// Answers as a broker does: whole batches from the one with the offset on, the last one cut.
    fn read(&self, request: &fetch::Partition) -> fetch::PartitionResponse {
        let mut response = fetch::PartitionResponse {
            partition_index: request.partition,
            high_watermark: self.end,
            ..Default::default()
        };
        let from = request.fetch_offset;
        if from < self.start || from > self.end {
            response.error_code = ErrorCode::OffsetOutOfRange.code();
            response.high_watermark = -1;
            return response;
        }
        let batches = self.batches.iter().filter(|(_, last, _)| *last >= from);
        let mut bytes = BytesMut::new();
        let size_max = usize::try_from(request.partition_max_bytes).unwrap();
        for (_, _, batch) in batches {
            let room = size_max.saturating_sub(bytes.len());
            if bytes.is_empty() || batch.len() <= room {
                bytes.extend_from_slice(batch);
            } else {
                bytes.extend_from_slice(&batch[..room]);
                break;
            }
        }
        response.records = Some(bytes.freeze());
        response
    }
}

struct Bed {
    consumer: Consumer,
    cluster: Metadata,
    logs: BTreeMap<i32, Log>,
    wire: Vec<Order>,
    now: u64,
    taken: BTreeMap<i32, Vec<i64>>,
    errors: Vec<Error>,
}

impl Bed {
    fn new(options: ConsumerOptions) -> Self {
        Self {
            consumer: Consumer::new(options),
            cluster: cluster(),
            logs: (0..PARTITIONS)
                .map(|index| (index, Log::default()))
                .collect(),
            wire: Vec::new(),
            now: 0,
            taken: BTreeMap::new(),
            errors: Vec::new(),
        }
    }

    fn log(&mut self, partition: i32) -> &mut Log {
        self.logs.get_mut(&partition).unwrap()
    }

    fn poll(&mut self) {
        self.wire
            .extend(self.consumer.poll(at(self.now), &self.cluster));
        for order in &self.wire {
            let fetches = self.wire.iter().filter(|other| other.node == order.node);
            let records = |it: &&Order| matches!(it.request, OrderRequest::Records(_));
            assert!(
                fetches.filter(records).count() <= 1,
                "one fetch under way for each node"
            );
        }
    }

    /// Answers one of the orders under way, whichever.
    fn serve(&mut self, which: usize) {
        if self.wire.is_empty() {
            return;
        }
        let order = self.wire.remove(which % self.wire.len());
        match order.request {
            OrderRequest::Offsets(request) => self.serve_offsets(order.id, &request),
            OrderRequest::Records(request) => self.serve_records(order.id, &request),
        }
    }

    fn serve_offsets(&mut self, id: OrderId, request: &list_offsets::Request) {
        let mut response = list_offsets::Response::default();
        for topic in &request.topics {
            let find = |partition: &list_offsets::Partition| {
                let log = &self.logs[&partition.partition_index];
                let offset = match partition.timestamp {
                    list_offsets::EARLIEST => log.start,
                    list_offsets::LATEST => log.end,
                    time if time < log.end => time,
                    _ => -1,
                };
                list_offsets::PartitionResponse {
                    partition_index: partition.partition_index,
                    offset,
                    ..Default::default()
                }
            };
            response.topics.push(list_offsets::TopicResponse {
                name: topic.name.clone(),
                partitions: topic.partitions.iter().map(find).collect(),
            });
        }
        self.consumer.offsets_answered(at(self.now), id, &response);
    }

    fn serve_records(&mut self, id: OrderId, request: &fetch::Request) {
        let mut response = fetch::Response::default();
        for topic in &request.topics {
            assert_eq!(topic.topic_id, TOPIC_ID);
            let read =
                |partition: &fetch::Partition| self.logs[&partition.partition].read(partition);
            response.responses.push(fetch::TopicResponse {
                topic_id: topic.topic_id,
                partitions: topic.partitions.iter().map(read).collect(),
                ..Default::default()
            });
        }
        self.consumer
            .records_answered(at(self.now), id, response, &self.cluster);
    }

    fn take(&mut self, count: usize) {
        for _ in 0..count {
            match self.consumer.next_record() {
                Some(Ok(record)) => {
                    let value = record.value.unwrap();
                    let value = i64::from_be_bytes(value[..].try_into().unwrap());
                    assert_eq!(value, record.offset.get());
                    self.taken.entry(record.partition).or_default().push(value);
                }
                Some(Err(error)) => self.errors.push(error),
                None => return,
            }
        }
    }

    fn run_to_end(&mut self) {
        for round in 0..10_000 {
            // The end is what the leaders told last: they are asked anew first.
            if round > 10 && self.consumer.is_at_end() {
                assert_eq!(self.consumer.held(), 0);
                return;
            }
            self.now += 50;
            self.poll();
            self.serve(0);
            self.take(usize::MAX);
        }
        panic!("the end is not reached");
    }

    fn expected(&self, partition: i32, from: i64) -> Vec<i64> {
        let batches = self.logs[&partition].batches.iter();
        let offsets = batches.flat_map(|(first, last, _)| *first..=*last);
        offsets.filter(|&offset| offset >= from).collect()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Append(i32, u32, i64),
    Poll,
    Serve(usize),
    Lose(usize),
    Take(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..PARTITIONS, 1_u32..8, 0_i64..3).prop_map(|(p, c, g)| Step::Append(p, c, g)),
        3 => Just(Step::Poll),
        3 => (0_usize..8).prop_map(Step::Serve),
        1 => (0_usize..8).prop_map(Step::Lose),
        2 => (0_usize..20).prop_map(Step::Take),
    ];
    proptest::collection::vec(step, 0..150)
}

proptest! {
    #[test]
    fn every_record_is_given_out_once_and_in_order(
        steps in steps(),
        starts in proptest::collection::vec(0_i64..6, 3),
    ) {
        let options = ConsumerOptions {
            partition_size: ByteCount(300),
            buffer_max: ByteCount(600),
            ..Default::default()
        };
        let mut bed = Bed::new(options);
        for (partition, &from) in (0..).zip(&starts) {
            bed.log(partition).append(6, 0, Compression::None);
            bed.consumer.assign("t", partition, Start::At(Offset::new(from).unwrap()));
        }
        for step in steps {
            bed.now += 50;
            match step {
                Step::Append(partition, count, gap) => {
                    bed.log(partition).append(count, gap, Compression::Snappy);
                }
                Step::Poll => bed.poll(),
                Step::Serve(which) => bed.serve(which),
                Step::Lose(which) if !bed.wire.is_empty() => {
                    let order = bed.wire.remove(which % bed.wire.len());
                    bed.consumer.failed(at(bed.now), order.id);
                }
                Step::Lose(_) => {}
                Step::Take(count) => bed.take(count),
            }
            // What may be fetched while this much waits: one answer of each node more.
            prop_assert!(bed.consumer.held() <= 600 + 3 * 600);
        }
        bed.run_to_end();
        for (partition, &from) in (0..).zip(&starts) {
            prop_assert_eq!(&bed.taken[&partition], &bed.expected(partition, from));
        }
        prop_assert!(bed.errors.is_empty());
    }
}

#[test]
fn starts_are_looked_up() {
    let mut bed = Bed::new(ConsumerOptions::default());
    for partition in 0..PARTITIONS {
        bed.log(partition).append(10, 0, Compression::None);
    }
    bed.log(0).start = 0;
    bed.consumer.assign("t", 0, Start::Beginning);
    bed.consumer.assign("t", 1, Start::End);
    bed.consumer.assign("t", 2, Start::Since(TimestampMs(7)));
    bed.run_to_end();
    assert_eq!(bed.taken[&0], (0..10).collect::<Vec<_>>());
    assert!(!bed.taken.contains_key(&1));
    assert_eq!(bed.taken[&2], [7, 8, 9]);
    assert_eq!(bed.consumer.high_watermark("t", 1), Some(10));
}

#[test]
fn a_time_that_no_record_has_yet_is_the_end() {
    let mut bed = Bed::new(ConsumerOptions::default());
    bed.log(0).append(10, 0, Compression::None);
    bed.consumer.assign("t", 0, Start::Since(TimestampMs(1000)));
    bed.run_to_end();
    assert!(bed.taken.is_empty());
    bed.log(0).append(1, 0, Compression::None);
    bed.poll();
    bed.serve(0);
    bed.take(9);
    assert_eq!(bed.taken[&0], [10]);
}

#[test]
fn out_of_range_is_what_the_options_say() {
    for (out_of_range, expected) in [
        (OutOfRange::Beginning, vec![4, 5, 6, 7]),
        (OutOfRange::End, Vec::new()),
        (OutOfRange::Fail, Vec::new()),
    ] {
        let mut bed = Bed::new(ConsumerOptions {
            out_of_range,
            ..Default::default()
        });
        bed.log(0).append(4, 0, Compression::None);
        bed.log(0).append(4, 0, Compression::None);
        bed.log(0).batches.remove(0);
        bed.log(0).start = 4;
        bed.consumer.assign("t", 0, Start::At(Offset::ZERO));
        bed.run_to_end();
        assert_eq!(bed.taken.remove(&0).unwrap_or_default(), expected);
        let failed = out_of_range == OutOfRange::Fail;
        assert_eq!(bed.errors.len(), usize::from(failed));
    }
}

#[test]
fn answers_to_an_older_assignment_are_void() {
    let mut bed = Bed::new(ConsumerOptions::default());
    bed.log(0).append(10, 0, Compression::None);
    bed.consumer.assign("t", 0, Start::At(Offset::ZERO));
    bed.poll();
    bed.serve(0);
    bed.take(3);
    bed.poll();
    bed.consumer
        .assign("t", 0, Start::At(Offset::new(8).unwrap()));
    assert_eq!(bed.consumer.held(), 0);
    bed.run_to_end();
    assert_eq!(bed.taken[&0], [0, 1, 2, 8, 9]);
    bed.consumer.unassign("t", 0);
    bed.poll();
    assert!(
        bed.wire
            .iter()
            .all(|order| matches!(order.request, OrderRequest::Records(_)))
    );
    assert!(bed.consumer.is_at_end());
}

#[test]
fn damage_ends_its_partition_and_no_other() {
    let mut bed = Bed::new(ConsumerOptions::default());
    for partition in [0, 1] {
        for _ in 0..3 {
            bed.log(partition).append(2, 0, Compression::None);
        }
        bed.consumer.assign("t", partition, Start::Beginning);
    }
    let (_, _, batch) = &mut bed.log(0).batches[1];
    let mut bytes = batch.to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    *batch = bytes.into();
    bed.run_to_end();
    assert_eq!(bed.taken[&0], [0, 1]);
    assert_eq!(bed.taken[&1], [0, 1, 2, 3, 4, 5]);
    let [
        Error::Records {
            partition: 0,
            offset: 2,
            ..
        },
    ] = &bed.errors[..]
    else {
        panic!("one error: {:?}", bed.errors)
    };
}

#[test]
fn an_answer_without_progress_is_an_error_and_no_loop() {
    let mut bed = Bed::new(ConsumerOptions::default());
    bed.log(0).append(4, 0, Compression::None);
    bed.consumer
        .assign("t", 0, Start::At(Offset::new(4).unwrap()));
    // A broker that answers with what lies before the offset asked for.
    bed.log(0).batches[0].1 = 100;
    bed.poll();
    bed.serve(0);
    bed.take(1);
    assert!(matches!(bed.errors[..], [Error::Records { offset: 4, .. }]));
    bed.poll();
    assert!(bed.wire.is_empty(), "it is read no further");
}

#[test]
fn a_partition_without_leader_is_asked_about_and_tried_again() {
    let mut bed = Bed::new(ConsumerOptions::default());
    bed.log(0).append(1, 0, Compression::None);
    bed.consumer.assign("t", 0, Start::Beginning);
    let known = std::mem::take(&mut bed.cluster);
    bed.poll();
    assert!(bed.wire.is_empty());
    assert!(bed.consumer.take_metadata_is_stale());
    assert!(!bed.consumer.take_metadata_is_stale(), "asked once");
    assert_eq!(bed.consumer.deadline(), Some(at(100)));
    bed.cluster = known;
    bed.now = 100;
    bed.run_to_end();
    assert_eq!(bed.taken[&0], [0]);
}

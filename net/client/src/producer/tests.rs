//! The machine against a broker that forgets, refuses and remembers sequences as Kafka does.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use proptest::prelude::*;
use record::{Batch, Compression, NewRecord, Records, decompress};
use types::{ByteCount, ErrorCode, Monotonic, ProducerEpoch, ProducerId, TimestampMs, TopicId};
use wire::messages::{metadata, produce};

use super::*;
use crate::metadata::Metadata;

const PARTITIONS: i32 = 3;

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
            topic_id: TopicId([1; 16]),
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

/// One partition's log: the values in order, and what is remembered of its producer.
#[derive(Default)]
struct Log {
    values: Vec<u64>,
    producer: Option<ProducerId>,
    sequence_next: i32,
    /// First sequence and offset of the latest batches.
    remembered: VecDeque<(i32, i64)>,
}

impl Log {
    fn append(&mut self, bytes: &[u8]) -> Result<i64, ErrorCode> {
        let batch = Batch::parse(bytes).unwrap();
        batch.check_crc().unwrap();
        let header = batch.header();
        if let Some(id) = header.producer_id() {
            let sequence = header.base_sequence().unwrap().get();
            if self.producer != Some(id) {
                *self = Self {
                    values: std::mem::take(&mut self.values),
                    producer: Some(id),
                    ..Self::default()
                };
            }
            if let Some((_, offset)) = self.remembered.iter().find(|known| known.0 == sequence) {
                return Ok(*offset);
            }
            if sequence != self.sequence_next {
                return Err(ErrorCode::OutOfOrderSequenceNumber);
            }
            self.sequence_next += header.record_count();
            self.remembered
                .push_back((sequence, i64::try_from(self.values.len()).unwrap()));
            while self.remembered.len() > 5 {
                self.remembered.pop_front();
            }
        }
        let offset = i64::try_from(self.values.len()).unwrap();
        let body = decompress(&batch, ByteCount::mib(1)).unwrap();
        for record in Records::new(header, &body) {
            let value = record.unwrap().value.unwrap();
            self.values
                .push(u64::from_be_bytes(value.try_into().unwrap()));
        }
        Ok(offset)
    }
}

/// What becomes of the oldest request on the wire.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Served,
    /// Every partition answers so, and appends nothing.
    Refused(ErrorCode),
    /// The connection breaks: before the broker had it, or after.
    Lost {
        appended: bool,
    },
}

struct Bed {
    producer: Producer,
    cluster: Metadata,
    logs: BTreeMap<i32, Log>,
    wire: VecDeque<Order>,
    now: u64,
    pushed: BTreeMap<i32, Vec<u64>>,
    outcomes: Vec<Outcome>,
    identities: i64,
}

impl Bed {
    fn new(options: ProducerOptions) -> Self {
        Self {
            producer: Producer::new(options, 0),
            cluster: cluster(),
            logs: BTreeMap::new(),
            wire: VecDeque::new(),
            now: 0,
            pushed: BTreeMap::new(),
            outcomes: Vec::new(),
            identities: 0,
        }
    }

    fn push(&mut self, partition: i32) {
        let number = self.pushed.values().map(Vec::len).sum::<usize>();
        let value = u64::try_from(number).unwrap();
        let record = NewRecord {
            timestamp: TimestampMs(1),
            key: None,
            value: Some(&value.to_be_bytes()),
            headers: &[],
        };
        let place = ("t", Some(partition));
        let taken = self
            .producer
            .push(at(self.now), &self.cluster, place, &record)
            .unwrap();
        assert_eq!(taken, RecordNumber(value));
        self.pushed.entry(partition).or_default().push(value);
    }

    fn poll(&mut self) {
        if self.producer.needs_identity() {
            self.producer
                .set_identity(ProducerId(self.identities), ProducerEpoch(0));
            self.identities += 1;
        }
        loop {
            let orders = self.producer.poll(at(self.now), &self.cluster);
            if orders.is_empty() {
                break;
            }
            self.wire.extend(orders);
        }
        self.outcomes
            .extend(std::iter::from_fn(|| self.producer.next_outcome()));
    }

    fn serve(&mut self, fate: Fate) {
        let Some(order) = self.wire.pop_front() else {
            return;
        };
        let serves = matches!(fate, Fate::Served | Fate::Lost { appended: true });
        let mut response = produce::Response::default();
        for topic in &order.request.topic_data {
            let mut partitions = Vec::new();
            for data in &topic.partition_data {
                let log = self.logs.entry(data.index).or_default();
                let appended = match fate {
                    Fate::Refused(code) => Err(code),
                    _ if serves => log.append(data.records.as_ref().unwrap()),
                    _ => Err(ErrorCode::Network),
                };
                partitions.push(produce::PartitionResponse {
                    index: data.index,
                    error_code: appended.map_or_else(ErrorCode::code, |_| 0),
                    base_offset: appended.unwrap_or(-1),
                    ..Default::default()
                });
            }
            response.responses.push(produce::TopicResponse {
                topic_id: topic.topic_id,
                partition_responses: partitions,
                ..Default::default()
            });
        }
        if let Fate::Lost { .. } = fate {
            // What follows on the same connection is lost with it.
            self.producer.failed(at(self.now), order.id);
            let (lost, kept) = self
                .wire
                .drain(..)
                .partition(|other| other.node == order.node);
            self.wire = kept;
            let lost: VecDeque<Order> = lost;
            for order in lost {
                self.producer.failed(at(self.now), order.id);
            }
        } else {
            self.producer
                .answered(at(self.now), order.id, &response, &self.cluster);
        }
        self.poll();
    }

    fn finish(&mut self) {
        self.producer.flush();
        for _ in 0..10_000 {
            if self.producer.is_empty() {
                break;
            }
            self.poll();
            self.serve(Fate::Served);
            self.now += 10;
        }
        self.poll();
        assert!(self.producer.is_empty(), "everything ends");
        assert_eq!(self.producer.held(), 0);
    }

    /// Every record has one outcome; what was delivered stands where the outcome says.
    fn check_outcomes(&self) -> Vec<u64> {
        let mut seen = Vec::new();
        for outcome in &self.outcomes {
            match outcome {
                Outcome::Delivered {
                    partition,
                    base_offset,
                    records,
                    ..
                } => {
                    for (index, number) in records.iter().enumerate() {
                        seen.push(number.0);
                        let Some(offset) = base_offset else { continue };
                        let place = usize::try_from(*offset).unwrap() + index;
                        assert_eq!(self.logs[partition].values[place], number.0);
                    }
                }
                Outcome::Failed { records, .. } => seen.extend(records.iter().map(|it| it.0)),
            }
        }
        seen.sort_unstable();
        seen
    }
}

fn small_batches(idempotence: Idempotence) -> ProducerOptions {
    ProducerOptions {
        idempotence,
        compression: Compression::Lz4,
        batch_size: ByteCount(61 + 2 * 40),
        linger: Duration::ZERO,
        ..Default::default()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Push(i32),
    Poll,
    Serve(Fate),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let fate = prop_oneof![
        6 => Just(Fate::Served),
        2 => Just(Fate::Refused(ErrorCode::NotLeaderOrFollower)),
        1 => Just(Fate::Lost { appended: true }),
        1 => Just(Fate::Lost { appended: false }),
    ];
    let step = prop_oneof![
        4 => (0..PARTITIONS).prop_map(Step::Push),
        2 => Just(Step::Poll),
        3 => fate.prop_map(Step::Serve),
    ];
    proptest::collection::vec(step, 0..120)
}

fn run(bed: &mut Bed, steps: Vec<Step>) {
    for step in steps {
        bed.now += 30;
        match step {
            Step::Push(partition) => bed.push(partition),
            Step::Poll => bed.poll(),
            Step::Serve(fate) => bed.serve(fate),
        }
    }
    bed.finish();
}

proptest! {
    #[test]
    fn idempotent_records_stand_in_the_log_once_and_in_order(steps in steps()) {
        let mut bed = Bed::new(small_batches(Idempotence::On));
        run(&mut bed, steps);
        let count = bed.check_outcomes().len();
        prop_assert_eq!(count, bed.pushed.values().map(Vec::len).sum::<usize>());
        for (partition, pushed) in &bed.pushed {
            prop_assert_eq!(&bed.logs[partition].values, pushed);
        }
        let delivered = |it: &Outcome| matches!(it, Outcome::Delivered { .. });
        prop_assert!(bed.outcomes.iter().all(delivered), "{:?}", bed.outcomes);
    }

    #[test]
    fn plain_records_stand_in_the_log_in_order_at_least_once(steps in steps()) {
        let mut bed = Bed::new(small_batches(Idempotence::Off));
        run(&mut bed, steps);
        bed.check_outcomes();
        for (partition, pushed) in &bed.pushed {
            // A batch may stand there twice, but never before what came before it.
            let mut values = bed.logs[partition].values.clone();
            values.reverse();
            let mut last_time = Vec::new();
            for value in values {
                if !last_time.contains(&value) {
                    last_time.push(value);
                }
            }
            last_time.reverse();
            prop_assert_eq!(&last_time, pushed);
        }
    }
}

#[test]
fn a_refusal_for_good_breaks_the_sequence_and_not_what_follows() {
    let mut bed = Bed::new(small_batches(Idempotence::On));
    for _ in 0..24 {
        bed.push(0);
    }
    bed.poll();
    assert_eq!(bed.wire.len(), 5, "as many as a broker remembers");
    bed.serve(Fate::Refused(ErrorCode::MessageTooLarge));
    bed.finish();
    assert_eq!(bed.identities, 2, "a new producer id starts a new sequence");
    let failed: Vec<_> = bed
        .outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Failed {
                records, refusal, ..
            } => Some((records.len(), refusal.known())),
            Outcome::Delivered { .. } => None,
        })
        .collect();
    let [(lost, Some(ErrorCode::MessageTooLarge))] = failed[..] else {
        panic!("one batch fails: {failed:?}")
    };
    assert_eq!(bed.logs[&0].values, bed.pushed[&0][lost..]);
    assert_eq!(bed.check_outcomes().len(), 24);
}

#[test]
fn records_that_cannot_be_delivered_fail_in_the_end() {
    let mut bed = Bed::new(small_batches(Idempotence::On));
    bed.push(1);
    bed.poll();
    for _ in 0..20 {
        bed.now += 10_000;
        bed.serve(Fate::Refused(ErrorCode::NotLeaderOrFollower));
        bed.poll();
    }
    let [Outcome::Failed { refusal, .. }] = &bed.outcomes[..] else {
        panic!("it failed: {:?}", bed.outcomes)
    };
    assert_eq!(refusal.known(), Some(ErrorCode::NotLeaderOrFollower));
    bed.push(1);
    bed.finish();
    assert_eq!(bed.logs[&1].values, [1]);
}

#[test]
fn a_batch_lingers_until_it_is_full_or_old() {
    let options = ProducerOptions {
        idempotence: Idempotence::Off,
        linger: Duration::from_millis(5),
        batch_size: ByteCount(200),
        ..Default::default()
    };
    let mut bed = Bed::new(options);
    bed.push(0);
    assert!(bed.producer.poll(at(4), &bed.cluster).is_empty());
    assert_eq!(bed.producer.deadline(), Some(at(5)));
    assert_eq!(bed.producer.poll(at(5), &bed.cluster).len(), 1);
    assert_eq!(
        bed.producer.deadline(),
        None,
        "nothing to do before the answer"
    );
    for _ in 0..10 {
        bed.push(1);
    }
    assert_eq!(
        bed.producer.poll(at(4), &bed.cluster).len(),
        1,
        "the first is full"
    );
}

#[test]
fn records_without_answers_are_delivered_when_sent() {
    let options = ProducerOptions {
        acks: Acks::None,
        ..small_batches(Idempotence::Off)
    };
    let mut bed = Bed::new(options);
    bed.push(2);
    bed.poll();
    let order = bed.wire.pop_front().unwrap();
    assert!(!order.is_answered);
    assert_eq!(order.request.acks, 0);
    assert!(matches!(
        bed.outcomes[..],
        [Outcome::Delivered {
            base_offset: None,
            ..
        }]
    ));
}

#[test]
fn a_full_buffer_takes_no_more_until_something_is_delivered() {
    let options = ProducerOptions {
        buffer_max: ByteCount(200),
        ..small_batches(Idempotence::Off)
    };
    let mut bed = Bed::new(options);
    let record = NewRecord {
        timestamp: TimestampMs(1),
        key: None,
        value: Some(&[0; 150]),
        headers: &[],
    };
    let place = ("t", Some(0));
    let cluster = cluster();
    bed.producer.push(at(0), &cluster, place, &record).unwrap();
    let full = bed.producer.push(at(0), &cluster, place, &record);
    assert!(matches!(full, Err(PushError::BufferFull)));
    bed.poll();
    let order = bed.wire.pop_front().unwrap();
    bed.producer
        .answered(at(0), order.id, &produce::Response::default(), &cluster);
    assert!(
        !bed.producer.is_empty(),
        "an answer that does not tell is no answer"
    );
}

#[test]
fn without_a_key_a_record_goes_to_a_partition_that_has_a_leader() {
    let mut bed = Bed::new(small_batches(Idempotence::Off));
    let topic = bed.cluster.topics.get_mut("t").unwrap();
    topic.partitions[0].leader = None;
    topic.partitions[1].leader = None;
    let mut record = NewRecord {
        timestamp: TimestampMs(1),
        key: None,
        value: Some(&[0; 150]),
        headers: &[],
    };
    let place = ("t", None);
    for _ in 0..6 {
        bed.producer
            .push(at(0), &bed.cluster, place, &record)
            .unwrap();
    }
    let used = |bed: &Bed| -> Vec<i32> { bed.producer.queues.keys().map(|it| it.1).collect() };
    assert_eq!(used(&bed), [2]);
    // What has a key waits for its partition: murmur2("21") % 3 = 0.
    record.key = Some(b"21");
    bed.producer
        .push(at(0), &bed.cluster, place, &record)
        .unwrap();
    assert_eq!(used(&bed), [0, 2]);
}

#[test]
fn a_partition_that_is_not_known_must_be_asked_for_first() {
    let mut bed = Bed::new(small_batches(Idempotence::Off));
    let record = NewRecord {
        timestamp: TimestampMs(1),
        key: None,
        value: None,
        headers: &[],
    };
    for place in [("u", None), ("t", Some(PARTITIONS)), ("t", Some(-1))] {
        let pushed = bed.producer.push(at(0), &bed.cluster, place, &record);
        assert!(
            matches!(pushed, Err(PushError::UnknownPartition { .. })),
            "{place:?}"
        );
    }
    assert!(bed.producer.is_empty());
}

#[test]
fn requests_name_topics_by_id_only_if_there_is_one() {
    let mut bed = Bed::new(small_batches(Idempotence::Off));
    bed.push(0);
    bed.poll();
    assert_eq!(bed.wire.pop_front().unwrap().version_max, i16::MAX);
    let mut bed = Bed::new(small_batches(Idempotence::Off));
    bed.cluster.topics.get_mut("t").unwrap().id = TopicId::ZERO;
    bed.push(0);
    bed.poll();
    assert_eq!(bed.wire.pop_front().unwrap().version_max, 12);
}

//! Batches that are small on the wire and take long to look through hold up nobody else of their shard.

use bytes::Bytes;
use record::{BatchBuilder, Batches, Compression, Header, NewRecord, Producer};
use types::{ProducerEpoch, ProducerId, Sequence, TimestampMs};
use wire::messages::{create_topics, init_producer_id, list_offsets, produce};

use crate::support::requests::{fetch_request, produce_request};
use crate::support::{Broker, Caller, Scratch};

/// The version in which ListOffsets is asked.
const LIST_VERSION: i16 = 7;

/// How many requests are answered while one batch is looked through, at least.
const ANSWERS_MIN: usize = 10;

const RECORDS: i32 = 16;

fn time(index: i32) -> TimestampMs {
    TimestampMs(1_700_000_000_000 + i64::from(index))
}

fn eight_mib(producer: Option<Producer>) -> Bytes {
    let empty = Header {
        key: b"",
        value: None,
    };
    let headers = vec![empty; 256 << 10];
    let mut batch = BatchBuilder::new(Compression::Zstd);
    if let Some(producer) = producer {
        batch = batch.with_producer(producer);
    }
    for index in 0..RECORDS {
        let record = NewRecord {
            timestamp: time(index),
            key: None,
            value: None,
            headers: &headers,
        };
        batch.push(&record).unwrap();
    }
    let written = batch.build().unwrap();
    assert!(written.len() < 100_000);
    written
}

fn small(producer: Producer) -> Bytes {
    let mut batch = BatchBuilder::new(Compression::None).with_producer(producer);
    let record = NewRecord {
        timestamp: time(RECORDS),
        key: None,
        value: Some(b"small"),
        headers: &[],
    };
    batch.push(&record).unwrap();
    batch.build().unwrap()
}

fn create_topic(caller: &mut Caller, compression: &str) {
    let request = create_topics::Request {
        topics: vec![create_topics::Topic {
            name: "large".to_owned(),
            num_partitions: 1,
            replication_factor: 1,
            configs: vec![create_topics::Config {
                name: "compression.type".to_owned(),
                value: Some(compression.to_owned()),
            }],
            ..create_topics::Topic::default()
        }],
        ..create_topics::Request::default()
    };
    assert_eq!(caller.call(&request, 5).topics[0].error_code, 0);
}

fn produce_of(records: Bytes, acks: i16) -> produce::Request {
    let mut request = produce_request("large", b"");
    request.acks = acks;
    request.topic_data[0].partition_data[0].records = Some(records);
    request
}

fn list(timestamp: i64) -> list_offsets::Request {
    list_offsets::Request {
        topics: vec![list_offsets::Topic {
            name: "large".to_owned(),
            partitions: vec![list_offsets::Partition {
                timestamp,
                ..list_offsets::Partition::default()
            }],
        }],
        ..list_offsets::Request::default()
    }
}

fn offset_of(answer: &list_offsets::Response) -> i64 {
    assert_eq!(answer.topics[0].partitions[0].error_code, 0);
    answer.topics[0].partitions[0].offset
}

/// Has another client's requests answered while the first client waits for its answer.
fn others_are_answered_before(waiting: &Caller, other: &mut Caller) {
    for answers in 0..ANSWERS_MIN {
        other.call(&list(list_offsets::EARLIEST), LIST_VERSION);
        assert!(!waiting.has_answer(), "answered after {answers} others");
    }
}

#[test]
fn others_are_answered_while_a_time_is_looked_for_in_a_large_batch() {
    let scratch = Scratch::new("large-time");
    let broker = Broker::start_with(scratch.path(), &["--set", "cores=1"]);
    let mut caller = Caller::new(broker.address(), "looking");
    let mut other = Caller::new(broker.address(), "other");
    create_topic(&mut caller, "producer");
    let answer = caller.call(&produce_of(eight_mib(None), -1), 9);
    assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    for timestamp in [time(RECORDS - 1).0, list_offsets::MAX_TIMESTAMP] {
        caller.send(&list(timestamp), LIST_VERSION);
        others_are_answered_before(&caller, &mut other);
        let found = caller.answer::<list_offsets::Request>(LIST_VERSION);
        assert_eq!(offset_of(&found), i64::from(RECORDS - 1));
    }
    let early = caller.call(&list(time(0).0), LIST_VERSION);
    assert_eq!(offset_of(&early), 0);
}

#[test]
fn others_are_answered_while_a_large_batch_is_recompressed() {
    let scratch = Scratch::new("large-recompressed");
    let broker = Broker::start_with(scratch.path(), &["--set", "cores=1"]);
    let mut caller = Caller::new(broker.address(), "producing");
    let mut other = Caller::new(broker.address(), "other");
    create_topic(&mut caller, "gzip");
    // Read when the batch has its place; it need not be durable for that.
    caller.send(&produce_of(eight_mib(None), 0), 9);
    caller.send(&list(list_offsets::EARLIEST), LIST_VERSION);
    others_are_answered_before(&caller, &mut other);
    let start = caller.answer::<list_offsets::Request>(LIST_VERSION);
    assert_eq!(offset_of(&start), 0);
}

#[test]
fn batches_of_one_producer_keep_their_order_behind_one_that_is_recompressed() {
    let scratch = Scratch::new("large-order");
    let broker = Broker::start_with(scratch.path(), &["--set", "cores=1"]);
    let mut caller = Caller::new(broker.address(), "idempotent");
    create_topic(&mut caller, "gzip");
    let given = caller.call(&init_producer_id::Request::default(), 4);
    assert_eq!(given.error_code, 0);
    let producer = |sequence| Producer {
        id: ProducerId(given.producer_id),
        epoch: ProducerEpoch(given.producer_epoch),
        base_sequence: Sequence::new(sequence).unwrap(),
    };
    caller.send(&produce_of(eight_mib(Some(producer(0))), -1), 9);
    let small_sequences = RECORDS..RECORDS + 3;
    for sequence in small_sequences.clone() {
        caller.send(&produce_of(small(producer(sequence)), -1), 9);
    }
    for sequence in std::iter::once(0).chain(small_sequences.clone()) {
        let answer = caller.answer::<produce::Request>(9);
        let placed = &answer.responses[0].partition_responses[0];
        assert_eq!(placed.error_code, 0, "{sequence}");
        assert_eq!(placed.base_offset, i64::from(sequence));
    }
    let read = caller.call(&fetch_request("large", 1 << 20), 11);
    let records = read.responses[0].partitions[0].records.clone().unwrap();
    let read: Vec<(i64, Option<Sequence>, Result<Compression, _>)> = Batches::new(&records)
        .map(|batch| {
            let header = batch.unwrap().header();
            let base_offset = header.base_offset().get();
            let compression = header.attributes().compression();
            (base_offset, header.base_sequence(), compression)
        })
        .collect();
    let want: Vec<_> = std::iter::once(0)
        .chain(small_sequences)
        .map(|sequence| {
            let sequence_field = Sequence::new(sequence);
            (i64::from(sequence), sequence_field, Ok(Compression::Gzip))
        })
        .collect();
    assert_eq!(read, want);
}

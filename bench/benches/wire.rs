//! The frame codec: one group for each hot function, inputs named by their size.
//!
//! What the figures should show: the cost of a Produce request does not grow with its record
//! bytes, only with its partitions; neither does that of a Fetch answer.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use wire::header::RequestHeader;
use wire::messages::topic::TopicRef;
use wire::messages::{fetch, metadata, produce};
use wire::{Call, Message, frame};

/// Partitions of one request, and the bytes of records for each.
const SHAPES: [(i32, usize); 3] = [(1, 1024), (1, 1024 * 1024), (100, 1024)];

const VERSION: i16 = 9;

fn shape_name(partitions: i32, size_bytes: usize) -> String {
    format!("{partitions}x{size_bytes}B")
}

/// Returns a frame as the broker reads it: whole, in one piece, without its length.
fn frame_of<C: Call>(request: &C, version: i16) -> Bytes {
    let parts = frame::request(request, version, 7, None).expect("the version can say it");
    Bytes::from(parts.concat()).slice(frame::LENGTH_SIZE..)
}

fn produce_frame(partitions: i32, size_bytes: usize) -> Bytes {
    let partition = |index| produce::PartitionData {
        index,
        records: Some(Bytes::from(vec![7; size_bytes])),
    };
    let request = produce::Request {
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![produce::TopicData {
            name: "measurements".into(),
            partition_data: (0..partitions).map(partition).collect(),
            ..produce::TopicData::default()
        }],
        ..produce::Request::default()
    };
    frame_of(&request, VERSION)
}

/// Reads header and request, and takes every partition's records as a shared slice.
fn produce_request(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("wire/produce_request");
    for (partitions, size_bytes) in SHAPES {
        let frame = produce_frame(partitions, size_bytes);
        group.throughput(Throughput::Elements(partitions.unsigned_abs().into()));
        let name = BenchmarkId::from_parameter(shape_name(partitions, size_bytes));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let (header, body) = RequestHeader::parse(black_box(&frame)).expect("whole");
                let view = produce::RequestView::parse(body, header.version).expect("whole");
                let partitions = view.topics().flat_map(|topic| topic.partitions);
                partitions.fold(0, |size, partition| {
                    size + partition.records.map_or(0, |records| records.len())
                })
            });
        });
    }
    group.finish();
}

/// Writes the answer to a request that was read as a view.
fn produce_answer(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("wire/produce_answer");
    for (partitions, size_bytes) in SHAPES {
        let frame = produce_frame(partitions, size_bytes);
        let (header, body) = RequestHeader::parse(&frame).expect("whole");
        let view = produce::RequestView::parse(body, header.version).expect("whole");
        let outcome = |index| produce::PartitionResponse {
            index,
            base_offset: 1_000_000,
            ..produce::PartitionResponse::default()
        };
        let outcomes: Vec<_> = (0..partitions).map(outcome).collect();
        let name = BenchmarkId::from_parameter(shape_name(partitions, size_bytes));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let answer = view.answer(black_box(&outcomes), 0, &[]);
                answer.expect("the version can say it").into_bytes()
            });
        });
    }
    group.finish();
}

/// Writes a Fetch answer around record bytes that stay where they are.
fn fetch_answer(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("wire/fetch_answer");
    for (partitions, size_bytes) in SHAPES {
        let records = Bytes::from(vec![7; size_bytes]);
        let name = BenchmarkId::from_parameter(shape_name(partitions, size_bytes));
        group.bench_function(name, |bencher| {
            bencher.iter(|| write_fetch_answer(partitions, black_box(&records)));
        });
    }
    group.finish();
}

fn write_fetch_answer(partitions: i32, records: &Bytes) -> Vec<frame::Part<Bytes>> {
    let written = || {
        let head = fetch::ResponseHead::default();
        let mut writer = fetch::ResponseWriter::new(12, head, 1)?;
        let count = usize::try_from(partitions).expect("a shape of this file");
        writer.topic(TopicRef::Name("measurements"), count)?;
        for index in 0..partitions {
            let head = fetch::PartitionHead {
                index,
                high_watermark: 1_000_000,
                ..fetch::PartitionHead::default()
            };
            writer.partition(&head, vec![(records.clone(), records.len())])?;
        }
        writer.finish(&[])
    };
    written().expect("the version can say it")
}

/// Reads a Fetch request that names every partition, as the first one of a session does.
fn fetch_request(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("wire/fetch_request");
    for partitions in [1, 100] {
        let partition = |partition| fetch::Partition {
            partition,
            fetch_offset: 1_000_000,
            partition_max_bytes: 1024 * 1024,
            ..fetch::Partition::default()
        };
        let request = fetch::Request {
            max_wait_ms: 500,
            min_bytes: 1,
            topics: vec![fetch::Topic {
                topic: "measurements".into(),
                partitions: (0..partitions).map(partition).collect(),
                ..fetch::Topic::default()
            }],
            ..fetch::Request::default()
        };
        let frame = frame_of(&request, 12);
        group.throughput(Throughput::Elements(partitions.unsigned_abs().into()));
        group.bench_function(BenchmarkId::from_parameter(partitions), |bencher| {
            bencher.iter(|| {
                let (header, body) = RequestHeader::parse(black_box(&frame)).expect("whole");
                let view = fetch::RequestView::parse(body, header.version).expect("whole");
                let partitions = view.topics().flat_map(|topic| topic.partitions);
                partitions.fold(0, |sum, partition| sum ^ partition.fetch_offset)
            });
        });
    }
    group.finish();
}

/// Writes and reads a Metadata answer: the largest message of the control plane.
fn metadata_response(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("wire/metadata_response");
    let partition = |partition_index| metadata::Partition {
        partition_index,
        replica_nodes: vec![1, 2, 3],
        isr_nodes: vec![1, 2, 3],
        ..metadata::Partition::default()
    };
    let response = metadata::Response {
        topics: vec![metadata::Topic {
            name: Some("measurements".into()),
            partitions: (0..1000).map(partition).collect(),
            ..metadata::Topic::default()
        }],
        ..metadata::Response::default()
    };
    let encode = |response: &metadata::Response| {
        let written = response.encode(12).expect("the version can say it");
        written.into_bytes()
    };
    let body = encode(&response);
    group.bench_function("encode/1000", |bencher| {
        bencher.iter(|| encode(black_box(&response)));
    });
    group.bench_function("decode/1000", |bencher| {
        bencher.iter(|| metadata::Response::decode(black_box(&body), 12).expect("whole"));
    });
    group.finish();
}

criterion_group!(
    benches,
    produce_request,
    produce_answer,
    fetch_request,
    fetch_answer,
    metadata_response
);
criterion_main!(benches);

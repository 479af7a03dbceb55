//! What librdkafka writes comes back byte for byte, in order, with every codec; what many partitions
//! hold comes back in one answer.

use bytes::Bytes;
use record::{BatchBuilder, Compression, NewRecord};
use types::{ErrorCode, TimestampMs};
use wire::messages::fetch;

use crate::support::librdkafka::{Producer, read_partition};
use crate::support::requests::{create_topic, fetch_request, produce_request};
use crate::support::{Broker, Caller, Scratch};

/// Lines of real text: this repository's own licence, numbered so that no two are the same.
fn lines(count: usize) -> Vec<Vec<u8>> {
    let text = include_str!("../../LICENSE-APACHE");
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    (0..count)
        .map(|n| format!("{n} {}", lines[n % lines.len()]).into_bytes())
        .collect()
}

fn round_trip(name: &str, settings: &[(&str, &str)]) {
    let scratch = Scratch::new(name);
    let broker = Broker::start_with(scratch.path(), &["--set", "num.partitions=3"]);
    let producer = Producer::new(&broker.bootstrap(), settings);
    let lines = lines(5_000);
    for (number, line) in lines.iter().enumerate() {
        let partition = i32::try_from(number % 3).unwrap();
        producer.send("text", partition, number, line);
    }
    let reports = producer.flush();
    assert_eq!(reports.len(), lines.len());
    assert!(
        reports.iter().all(|report| report.place.is_some()),
        "every record is acknowledged"
    );
    for partition in 0..3_usize {
        let want: Vec<&[u8]> = lines
            .iter()
            .skip(partition)
            .step_by(3)
            .map(Vec::as_slice)
            .collect();
        let got = read_partition(
            &broker.bootstrap(),
            "text",
            i32::try_from(partition).unwrap(),
        );
        let offsets: Vec<i64> = got.iter().map(|record| record.offset).collect();
        let count = i64::try_from(want.len()).unwrap();
        assert_eq!(offsets, (0..count).collect::<Vec<_>>());
        assert!(
            got.iter().map(|record| record.value.as_slice()).eq(want),
            "partition {partition}"
        );
    }
}

#[test]
fn plain_records_come_back() {
    round_trip("plain", &[("linger.ms", "5")]);
}

#[test]
fn zstd_and_idempotence_come_back() {
    let settings = [
        ("enable.idempotence", "true"),
        ("compression.type", "zstd"),
        ("linger.ms", "5"),
    ];
    round_trip("zstd", &settings);
}

#[test]
fn gzip_comes_back() {
    round_trip("gzip", &[("compression.type", "gzip"), ("linger.ms", "5")]);
}

#[test]
fn snappy_comes_back() {
    round_trip(
        "snappy",
        &[("compression.type", "snappy"), ("linger.ms", "5")],
    );
}

#[test]
fn lz4_comes_back() {
    round_trip("lz4", &[("compression.type", "lz4"), ("linger.ms", "5")]);
}

#[test]
fn records_survive_a_clean_restart_and_another_core_count() {
    let scratch = Scratch::new("restart");
    let lines = lines(1_000);
    let broker = Broker::start_with(scratch.path(), &["--cores", "2"]);
    let producer = Producer::new(&broker.bootstrap(), &[]);
    for (number, line) in lines.iter().enumerate() {
        producer.send("kept", 0, number, line);
    }
    producer.flush();
    drop(producer);
    let (status, _) = broker.terminate();
    assert!(status.success(), "SIGTERM ends with {status}");

    let broker = Broker::start_with(scratch.path(), &["--cores", "1"]);
    let got = read_partition(&broker.bootstrap(), "kept", 0);
    assert!(got.iter().map(|record| &record.value).eq(&lines));
}

/// Reads these many partitions of a topic from their beginning; returns what each answered.
fn fetch_all(caller: &mut Caller, topic: &str, count: i32, sizes: (i32, i32)) -> Vec<Bytes> {
    let (partition_max_bytes, max_bytes) = sizes;
    let partitions = (0..count).map(|partition| fetch::Partition {
        partition,
        partition_max_bytes,
        ..fetch::Partition::default()
    });
    let request = fetch::Request {
        topics: vec![fetch::Topic {
            topic: topic.to_owned(),
            partitions: partitions.collect(),
            ..fetch::Topic::default()
        }],
        max_bytes,
        ..fetch::Request::default()
    };
    let mut answer = caller.call(&request, 11);
    let answered = answer
        .responses
        .remove(0)
        .partitions
        .into_iter()
        .enumerate();
    let records = answered.map(|(slot, partition)| {
        assert_eq!(partition.error_code, 0);
        assert_eq!(usize::try_from(partition.partition_index), Ok(slot));
        partition.records.unwrap_or_default()
    });
    records.collect()
}

#[test]
fn many_partitions_are_read_from_the_disk_at_once_within_the_limits() {
    const PARTITIONS: usize = 50;
    const FITTING: usize = 20;
    /// The broker sets what stands before: base offset, length, leader epoch.
    const PLACED: usize = 16;
    let scratch = Scratch::new("many-cold");
    let broker = Broker::start_with(scratch.path(), &["--cores", "1"]);
    let mut caller = Caller::new(broker.address(), "many-cold");
    let count = i32::try_from(PARTITIONS).unwrap();
    create_topic(&mut caller, "many", count);
    let batches: Vec<Bytes> = (0..count)
        .map(|partition| {
            let value = format!("{partition:8000}");
            let mut request = produce_request("many", value.as_bytes());
            let data = &mut request.topic_data[0].partition_data[0];
            data.index = partition;
            let batch = data.records.clone().unwrap();
            let answer = caller.call(&request, 7);
            assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
            batch
        })
        .collect();
    let size = i32::try_from(batches[0].len()).unwrap();
    assert!(batches.iter().all(|batch| batch.len() == batches[0].len()));
    broker.kill();

    // Nothing is in memory any more.
    let broker = Broker::start_with(scratch.path(), &["--cores", "1"]);
    let mut caller = Caller::new(broker.address(), "many-cold");
    let is_like = |read: &Bytes, written: &Bytes| read.get(PLACED..) == written.get(PLACED..);
    let read = fetch_all(&mut caller, "many", count, (size, i32::MAX));
    assert_eq!(read.len(), PARTITIONS);
    assert!(read.iter().zip(&batches).all(|(r, w)| is_like(r, w)));

    // A consumer gets on, however little it asks for of each.
    let read = fetch_all(&mut caller, "many", count, (0, i32::MAX));
    assert!(read.iter().zip(&batches).all(|(r, w)| is_like(r, w)));

    let max_bytes = size * i32::try_from(FITTING).unwrap() + size / 2;
    // Several fit at a time; one may take all that is left.
    for partition_max_bytes in [size, max_bytes] {
        let read = fetch_all(&mut caller, "many", count, (partition_max_bytes, max_bytes));
        let (full, empty) = read.split_at(FITTING);
        assert!(full.iter().zip(&batches).all(|(r, w)| is_like(r, w)));
        assert!(empty.iter().all(Bytes::is_empty));
    }
}

/// The processor time that a process has used, in milliseconds.
fn processor_ms(pid: u32) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it is running");
    let used = tasks.map(|task| {
        let task = task.expect("it is running").path().join("schedstat");
        let used = std::fs::read_to_string(task).unwrap_or_default();
        let ns: u64 = used
            .split(' ')
            .next()
            .map_or(0, |ns| ns.parse().unwrap_or(0));
        ns / 1_000_000
    });
    used.sum()
}

#[test]
fn a_fetch_that_wants_more_than_there_is_waits_without_work() {
    const WAIT_MS: i32 = 2_000;
    let scratch = Scratch::new("fetch-waits");
    let broker = Broker::start_with(scratch.path(), &["--cores", "2"]);
    let mut caller = Caller::new(broker.address(), "waiting");
    create_topic(&mut caller, "little", 8);
    // Something for each shard, and partitions without anything.
    for index in 0..4 {
        let mut request = produce_request("little", b"a little");
        request.topic_data[0].partition_data[0].index = index;
        let answer = caller.call(&request, 7);
        assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    }
    let mut request = fetch_request("little", 1_000_000);
    let partition = request.topics[0].partitions[0].clone();
    request.topics[0].partitions = (0..8)
        .map(|index| fetch::Partition {
            partition: index,
            ..partition.clone()
        })
        .collect();
    (request.min_bytes, request.max_wait_ms) = (100_000, WAIT_MS);
    let before = processor_ms(broker.pid());
    let answer = caller.call(&request, 11);
    let used = processor_ms(broker.pid()) - before;
    let records = answer.responses[0].partitions.iter();
    let told = records.filter(|it| {
        it.records
            .as_ref()
            .is_some_and(|records| !records.is_empty())
    });
    assert_eq!(told.count(), 4);
    let wait = u64::try_from(WAIT_MS).unwrap();
    assert!(
        used < wait / 4,
        "{used} ms of processor time to wait {wait} ms"
    );

    // What is enough ends the wait.
    request.max_wait_ms = i32::MAX;
    caller.send(&request, 11);
    let mut other = Caller::new(broker.address(), "writing");
    other.call(&produce_request("little", &vec![b'x'; 100_000]), 7);
    let answer: fetch::Response = caller.answer::<fetch::Request>(11);
    let read = answer.responses[0].partitions[0].records.as_ref();
    assert!(read.is_some_and(|records| records.len() > 100_000));
}

#[test]
fn a_batch_that_is_large_once_it_is_decompressed_comes_back() {
    let scratch = Scratch::new("large-inside");
    let broker = Broker::start_with(scratch.path(), &[]);
    let mut caller = Caller::new(broker.address(), "large");
    create_topic(&mut caller, "large", 1);
    let value = vec![7; 16 << 20];
    let record = NewRecord {
        timestamp: TimestampMs(1_700_000_000_000),
        key: None,
        value: Some(&value),
        headers: &[],
    };
    let mut batch = BatchBuilder::new(Compression::Zstd);
    batch.push(&record).unwrap();
    let written = batch.build().unwrap();
    assert!(written.len() < 100_000);
    let mut request = produce_request("large", b"");
    request.topic_data[0].partition_data[0].records = Some(written.clone());
    let answer = caller.call(&request, 9);
    assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    let read = fetch_all(&mut caller, "large", 1, (1_000_000, 1_000_000));
    assert_eq!(read[0].get(16..), written.get(16..));
    // One that is not sound is found out there, too.
    let mut garbled = written.to_vec();
    let last = garbled.len() - 1;
    garbled[last] ^= 1;
    request.topic_data[0].partition_data[0].records = Some(garbled.into());
    let answer = caller.call(&request, 9);
    let code = answer.responses[0].partition_responses[0].error_code;
    assert_eq!(code, ErrorCode::CorruptMessage.code());
}

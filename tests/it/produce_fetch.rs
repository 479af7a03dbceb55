//! What librdkafka writes comes back byte for byte, in order, with every codec.

use crate::support::librdkafka::{Producer, read_partition};
use crate::support::{Broker, Scratch};

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

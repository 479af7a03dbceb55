//! kill -9 under load: nothing that was acknowledged is lost, order is kept, nothing comes twice.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::support::librdkafka::{Delivered, Producer, read_partition};
use crate::support::{Broker, Port, Scratch};

const PARTITIONS: usize = 4;

/// How often the broker is killed; the release checks ask for more.
fn kills() -> usize {
    std::env::var("RIVERRUN_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(4)
}

/// A value that says its number and is of a length of its own.
fn value(number: usize) -> Vec<u8> {
    let mut value = format!("{number} ").into_bytes();
    value.resize(16 + number * 7919 % 3_000, b'.');
    value
}

fn number_of(value: &[u8]) -> usize {
    let text = std::str::from_utf8(value).expect("we wrote text");
    text.split(' ')
        .next()
        .and_then(|n| n.parse().ok())
        .expect("it starts with its number")
}

#[test]
fn acknowledged_records_survive_kill_9() {
    let scratch = Scratch::new("kill");
    let port = Port::reserve();
    let arguments = ["--set", "num.partitions=4"];
    let mut broker = Broker::start_at(&port, scratch.path(), &arguments);
    let settings = [
        ("enable.idempotence", "true"),
        ("linger.ms", "1"),
        ("message.timeout.ms", "120000"),
        ("reconnect.backoff.max.ms", "100"),
        ("retry.backoff.ms", "20"),
        ("queue.buffering.max.messages", "20000"),
    ];
    let producer = Producer::new(&broker.bootstrap(), &settings);
    let mut reports: Vec<Delivered> = Vec::new();
    let mut sent = 0;
    for kill in 0..kills() {
        // At another moment of the journal's life each time.
        let until =
            Instant::now() + Duration::from_millis(150 + 97 * u64::try_from(kill % 7).unwrap());
        let wanted = reports.len() + 500;
        while Instant::now() < until || reports.len() < wanted {
            let partition = i32::try_from(sent % PARTITIONS).unwrap();
            producer.send("kept", partition, sent, &value(sent));
            sent += 1;
            reports.extend(producer.reported());
        }
        broker.kill();
        broker = Broker::start_at(&port, scratch.path(), &[]);
    }
    reports.extend(producer.flush());
    assert_eq!(reports.len(), sent, "every record is reported");
    check(&broker, &reports);

    broker.kill();
    let broker = Broker::start_at(&port, scratch.path(), &[]);
    check(&broker, &reports);
}

/// Holds what is in the log against what was acknowledged.
fn check(broker: &Broker, reports: &[Delivered]) {
    let mut acknowledged: BTreeMap<(i32, i64), usize> = BTreeMap::new();
    for report in reports {
        let place = report
            .place
            .expect("idempotent records are never given up in this time");
        // With idempotence a retried batch may report no offset; its number is checked below.
        if place.1 >= 0 {
            assert_eq!(
                acknowledged.insert(place, report.number),
                None,
                "two records in {place:?}"
            );
        }
    }
    let mut seen = 0;
    for partition in 0..PARTITIONS {
        let index = i32::try_from(partition).unwrap();
        let got = read_partition(&broker.bootstrap(), "kept", index);
        let numbers: Vec<usize> = got.iter().map(|record| number_of(&record.value)).collect();
        for record in &got {
            let number = number_of(&record.value);
            assert_eq!(record.value, value(number), "record {number} is whole");
            let claimed = acknowledged.remove(&(index, record.offset));
            assert!(
                claimed.is_none_or(|claimed| claimed == number),
                "offset {}",
                record.offset
            );
        }
        // Numbers rise without a gap or a repetition: order, no loss, no duplicate.
        let want: Vec<usize> = (0..numbers.len())
            .map(|n| n * PARTITIONS + partition)
            .collect();
        assert_eq!(numbers, want, "partition {partition}");
        seen += numbers.len();
    }
    assert!(
        acknowledged.is_empty(),
        "acknowledged and lost: {acknowledged:?}"
    );
    assert_eq!(seen, reports.len(), "every record is there");
}

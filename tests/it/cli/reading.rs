//! Where reading begins, what it waits for, and how it ends.

use std::io::{Read as _, Write as _};
use std::process::Stdio;

use super::bench::{Bench, ended, refusal, stderr};
use super::following::following;
use crate::support::{Broker, Port};

#[test]
fn what_is_typed_is_sent_while_the_next_line_is_awaited() {
    let bench = Bench::new("cli-typed");
    bench.printed("topic create t");
    let mut producing = bench
        .command("produce t")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut typing = producing.stdin.take().expect("stdin is piped");
    typing.write_all(b"first\n").unwrap();
    let mut reading = following(&bench, "t");
    assert_eq!(reading.line(), "first");
    typing.write_all(b"second\n").unwrap();
    assert_eq!(reading.line(), "second");
    drop(typing);
    assert!(ended(producing).success());
    reading.interrupt();
}

#[test]
fn following_sees_what_comes_and_ctrl_c_ends_it_cleanly() {
    let bench = Bench::new("cli-follow");
    bench.produce("t", b"old\n");
    let mut all = following(&bench, "t");
    assert_eq!(all.line(), "old");
    bench.produce("t", b"new\n");
    assert_eq!(all.line(), "new");
    all.interrupt();
}

#[test]
fn a_reader_that_has_enough_ends_consume_quietly() {
    let bench = Bench::new("cli-pipe");
    bench.produce("t", &b"a line that fills the pipe\n".repeat(100_000));
    let mut child = bench.command("consume t").spawn().unwrap();
    let mut first = [0; 6];
    let mut stdout = child.stdout.take().expect("stdout is piped");
    stdout.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"a line");
    drop(stdout);
    let mut stderr = child.stderr.take().expect("stderr is piped");
    assert_eq!(ended(child).code(), Some(0));
    let mut message = String::new();
    stderr.read_to_string(&mut message).unwrap();
    assert_eq!(message, "");
}

#[test]
fn a_reader_that_goes_away_ends_a_consume_that_waits() {
    let bench = Bench::new("cli-pipe-idle");
    bench.produce("t", b"one\n");
    for typed in ["consume t", "consume t --group g"] {
        let mut child = bench.command(typed).spawn().unwrap();
        let mut line = [0; 4];
        let mut stdout = child.stdout.take().expect("stdout is piped");
        stdout.read_exact(&mut line).unwrap();
        assert_eq!(&line, b"one\n");
        drop(stdout);
        assert_eq!(ended(child).code(), Some(0), "{typed}");
    }
    let described = bench.json("group describe g -o json");
    assert_eq!(described["state"], "Empty");
    assert_eq!(bench.json("group lag g -o json")["lag"], 0);
}

#[test]
fn reading_begins_where_it_was_asked_to() {
    let bench = Bench::new("cli-start");
    let stamped = |number: i64| {
        let time = 1_767_225_600_000 + number * 1000;
        format!("{{\"value\":\"{number}\",\"timestamp\":{time}}}\n")
    };
    let input: String = (0..10).map(stamped).collect();
    bench.produce("t -f json", input.as_bytes());
    for (typed, first) in [
        ("beginning", 0),
        ("7", 7),
        ("2026-01-01T00:00:03Z", 3),
        ("2026-01-01T01:00:02.500+01:00", 3),
        ("@1767225608000", 8),
        ("end", 10),
        ("10", 10),
        ("2027-01-01T00:00:00Z", 10),
    ] {
        let got = String::from_utf8(bench.consumed(&format!("t -o {typed}"))).unwrap();
        let got: Vec<i64> = got.lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(got, (first..10).collect::<Vec<_>>(), "{typed}");
    }
    assert_eq!(bench.consumed("t -o 2 -n 3"), b"2\n3\n4\n");
    assert_eq!(bench.consumed("t -n 0"), b"");
    let told = bench.refused("consume t -o 11");
    assert!(
        told.contains("from 0 up to 10") && told.contains("11"),
        "{told}"
    );
    let told = bench.run("consume t -o yesterday");
    assert_eq!(told.status.code(), Some(2));
    assert!(
        stderr(&told).contains("2026-01-31T12:00:00Z"),
        "{}",
        stderr(&told)
    );
}

#[test]
fn count_ends_a_consumer_that_would_wait() {
    let bench = Bench::new("cli-count");
    bench.produce("t", b"one\ntwo\nthree\n");
    assert_eq!(bench.printed("consume t -n 2"), "one\ntwo\n");
}

#[test]
fn every_partition_is_read_to_its_end() {
    let bench = Bench::new("cli-partitions");
    bench.printed("topic create t --partitions 4");
    // Partition 3 stays empty.
    for partition in 0..3 {
        let lines: Vec<_> = (0..1000)
            .map(|number| format!("{partition} {number}"))
            .collect();
        bench.produce(&format!("t -p {partition}"), lines.join("\n").as_bytes());
    }
    let all = String::from_utf8(bench.consumed("t")).unwrap();
    for partition in 0..3 {
        let start = format!("{partition} ");
        let own = all.lines().filter_map(|line| line.strip_prefix(&start));
        let numbers: Vec<u32> = own.map(|number| number.parse().unwrap()).collect();
        assert!(
            numbers.iter().copied().eq(0..1000),
            "partition {partition} in order"
        );
    }
    assert_eq!(all.lines().count(), 3000);
    assert_eq!(bench.consumed("t -p 3"), b"");
    let told = bench.refused("consume t -p 4");
    assert!(told.contains("no partition 4"), "{told}");
    let told = refusal(&bench.fed("produce t -p 4", b"x\n"));
    assert!(told.contains("no partition 4"), "{told}");
}

#[test]
fn a_topic_that_is_deleted_ends_its_consumers() {
    let bench = Bench::new("cli-deleted");
    bench.produce("t", b"one\n");
    let mut reading = following(&bench, "t");
    assert_eq!(reading.line(), "one");
    bench.printed("topic delete t");
    let mut stderr = reading.child.stderr.take().expect("stderr is piped");
    assert_eq!(ended(reading.child).code(), Some(1));
    let mut message = String::new();
    stderr.read_to_string(&mut message).unwrap();
    assert!(message.contains("there is no topic t"), "{message}");
}

#[test]
fn a_consumer_outlives_a_restart_of_its_broker() {
    let port = Port::reserve();
    let bench = Bench::at(&port, "cli-restart");
    bench.produce("t", b"before\n");
    let mut reading = following(&bench, "t");
    assert_eq!(reading.line(), "before");
    let Bench { scratch, broker } = bench;
    broker.kill();
    let broker = Broker::start_at(&port, &scratch.path().join("data"), &[]);
    let bench = Bench { scratch, broker };
    bench.produce("t", b"after\n");
    assert_eq!(reading.line(), "after");
    reading.interrupt();
}

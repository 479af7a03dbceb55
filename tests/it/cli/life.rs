//! Without a command, without a broker, and with more signals than one.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};

use super::bench::{Bench, ended, refusal, signal, stderr};
use crate::support::{Broker, Scratch};

#[test]
fn a_broker_that_is_not_there_is_named_with_what_to_do() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    for typed in ["topic list", "produce t", "consume t"] {
        let output = Command::new(env!("CARGO_BIN_EXE_riverrun"))
            .args(typed.split_whitespace())
            .args(["-b", &address])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(
            refusal(&output),
            format!(
                "riverrun: cannot connect to {address}: connection refused; \
                 is a broker running there? start one: riverrun dev\n"
            )
        );
    }
}

#[test]
fn without_a_command_the_help_is_shown() {
    for typed in [&[][..], &["topic"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_riverrun"))
            .args(typed)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(
            stderr(&output).contains("Usage: riverrun"),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn a_second_signal_ends_a_node_at_once() {
    let scratch = Scratch::new("cli-signals");
    let mut child = Command::new(env!("CARGO_BIN_EXE_riverrun"))
        .args(["dev", "--listen", "127.0.0.1:0", "--data"])
        .arg(scratch.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
    let mut line = String::new();
    while !line.starts_with("listening on ") {
        line.clear();
        assert!(stdout.read_line(&mut line).unwrap() > 0, "it ended early");
    }
    // Both are there when it runs again: the second before it can have stopped.
    signal(&child, "-STOP");
    signal(&child, "-TERM");
    signal(&child, "-INT");
    signal(&child, "-CONT");
    let mut stderr = child.stderr.take().expect("stderr is piped");
    assert_eq!(ended(child).code(), Some(1));
    let mut message = String::new();
    stderr.read_to_string(&mut message).unwrap();
    assert!(message.contains("stopped at once"), "{message}");
    // What it left behind is replayed, and stopped well.
    let (status, _) = Broker::start(scratch.path()).terminate();
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_signal_ends_a_produce_whose_broker_is_gone() {
    let bench = Bench::new("cli-produce-gone");
    bench.printed("topic create t");
    let header = format!("padding={}", "x".repeat(1000));
    let mut child = bench
        .command("produce t")
        .args(["-H", &header])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut typing = child.stdin.take().expect("stdin is piped");
    typing.write_all(b"one\n").unwrap();
    assert_eq!(bench.printed("consume t -n 1"), "one\n");
    let address = bench.broker.bootstrap();
    bench.broker.kill();
    // More than the buffer takes, since each record has the header.
    typing.write_all(&b"\n".repeat(60_000)).unwrap();
    let mut stderr = BufReader::new(child.stderr.take().expect("stderr is piped"));
    let mut told = String::new();
    stderr.read_line(&mut told).unwrap();
    let want = format!("cannot connect to {address}: connection refused; still trying");
    assert!(told.contains(&want), "{told}");
    signal(&child, "-INT");
    assert_eq!(ended(child).code(), Some(130));
    let mut told = String::new();
    stderr.read_to_string(&mut told).unwrap();
    // Whether the first was acknowledged before the broker was gone, nobody can say.
    let written = ["0 records", "1 record"];
    let is_told = |count: &str| told.contains(&format!("interrupted; {count} written, "));
    assert!(
        written.into_iter().any(is_told) && told.contains(" not acknowledged"),
        "{told}"
    );
}

#[test]
fn an_advertised_address_that_nobody_reaches_is_named() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = free.local_addr().unwrap().to_string();
    drop(free);
    let scratch = Scratch::new("cli-advertised");
    let setting = format!("advertised={nowhere}");
    let broker = Broker::start_with(scratch.path(), &["--set", &setting]);
    for typed in ["produce t", "consume t", "topic describe t"] {
        let output = Command::new(env!("CARGO_BIN_EXE_riverrun"))
            .args(typed.split_whitespace())
            .args(["-b", &broker.bootstrap()])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let told = refusal(&output);
        let want = format!("cannot connect to {nowhere}: connection refused");
        assert!(
            told.contains(&want) && told.contains("node 1"),
            "{typed}: {told}"
        );
    }
}

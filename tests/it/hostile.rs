//! Hostile bytes from a connection that nobody knows: the process lives, its memory is bounded,
//! others are served.

use crate::support::raw::{Raw, api_versions, request};
use crate::support::{Broker, Scratch};

/// Resident memory of a process in KiB.
fn memory_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it is running");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("it has memory");
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse().ok())
        .expect("a number of KiB")
}

/// A client that came before and wants to be served while others misbehave.
fn still_served(broker: &mut Broker) {
    let mut client = Raw::connect(broker.address());
    client.send_frame(&api_versions(7));
    let answer = client.frame().expect("an honest client is answered");
    assert_eq!(answer[..4], 7_i32.to_be_bytes(), "correlation id");
    assert!(broker.is_alive());
}

/// Every key that is advertised, with its lowest and highest version.
fn advertised(broker: &Broker) -> Vec<(i16, i16, i16)> {
    let mut client = Raw::connect(broker.address());
    client.send_frame(&api_versions(1));
    let answer = client.frame().expect("versions");
    let int16 = |at: usize| i16::from_be_bytes([answer[at], answer[at + 1]]);
    assert_eq!(int16(4), 0, "error code");
    (10..answer.len())
        .step_by(6)
        .map(|at| (int16(at), int16(at + 2), int16(at + 4)))
        .collect()
}

#[test]
fn counts_without_content_are_refused_in_every_message() {
    let scratch = Scratch::new("counts");
    let mut broker = Broker::start(scratch.path());
    let before = memory_kib(broker.pid());
    for (key, min, max) in advertised(&broker) {
        for version in min..=max {
            for flood in [
                &[0x7f, 0xff, 0xff, 0xff][..],
                &[0xff; 64],
                &[0x00; 3],
                &[0x80; 5],
            ] {
                for prefix in 0..24 {
                    let mut body = vec![0; prefix];
                    body.extend(flood);
                    let mut client = Raw::connect(broker.address());
                    client.send_frame(&request(key, version, 1, &body));
                    client.finish();
                    // Refused, or answered with an error: both will do.
                    let _refused_or_answered = client.frame();
                }
            }
        }
    }
    still_served(&mut broker);
    let after = memory_kib(broker.pid());
    assert!(
        after < before + 64 * 1024,
        "memory went from {before} KiB to {after} KiB"
    );
}

#[test]
fn frames_cut_at_every_byte_end_their_connection_only() {
    let scratch = Scratch::new("cut");
    let mut broker = Broker::start(scratch.path());
    let mut frame = Vec::new();
    let request = api_versions(3);
    frame.extend(u32::try_from(request.len()).unwrap().to_be_bytes());
    frame.extend(&request);
    for end in 0..frame.len() {
        let mut client = Raw::connect(broker.address());
        client.send(&frame[..end]);
        client.finish();
        assert!(client.is_closed(), "cut after {end} bytes");
    }
    still_served(&mut broker);
}

#[test]
fn lengths_that_cannot_be_are_refused_before_memory_is_taken() {
    let scratch = Scratch::new("lengths");
    let mut broker = Broker::start(scratch.path());
    let before = memory_kib(broker.pid());
    let mut clients = Vec::new();
    for length in [-1, i32::MIN, i32::MAX, 101 * 1024 * 1024] {
        let mut client = Raw::connect(broker.address());
        client.send(&i32::to_be_bytes(length));
        assert!(client.is_closed(), "length {length}");
    }
    // Announced and never sent: what is announced is not what is taken.
    for _ in 0..200 {
        let mut client = Raw::connect(broker.address());
        client.send(&i32::to_be_bytes(100 * 1024 * 1024));
        client.send(&[0; 64]);
        clients.push(client);
    }
    still_served(&mut broker);
    let after = memory_kib(broker.pid());
    assert!(
        after < before + 64 * 1024,
        "memory went from {before} KiB to {after} KiB"
    );
}

#[test]
fn unknown_keys_and_versions_end_the_connection() {
    let scratch = Scratch::new("unknown");
    let mut broker = Broker::start(scratch.path());
    for (key, version) in [
        (-1, 0),
        (4, 0),
        (24, 0),
        (999, 0),
        (3, 99),
        (3, -1),
        (0, 14),
    ] {
        let mut client = Raw::connect(broker.address());
        client.send_frame(&request(key, version, 1, &[0; 16]));
        assert!(client.is_closed(), "key {key} version {version}");
    }
    // ApiVersions of a version to come is answered in version 0 with what is served.
    let mut client = Raw::connect(broker.address());
    client.send_frame(&request(18, 99, 5, &[]));
    let answer = client.frame().expect("an answer");
    assert_eq!(answer[4..6], 35_i16.to_be_bytes(), "UNSUPPORTED_VERSION");
    still_served(&mut broker);
}

#[test]
fn a_storm_of_connections_passes() {
    let scratch = Scratch::new("storm");
    let mut broker = Broker::start(scratch.path());
    for _ in 0..20 {
        let clients: Vec<Raw> = (0..100).map(|_| Raw::connect(broker.address())).collect();
        drop(clients);
    }
    still_served(&mut broker);
}

#[test]
fn idle_connections_cost_little() {
    const CONNECTIONS: u64 = 1_000;
    let scratch = Scratch::new("idle");
    let mut broker = Broker::start(scratch.path());
    still_served(&mut broker);
    let before = memory_kib(broker.pid());
    let mut clients = Vec::new();
    for correlation in 0..CONNECTIONS {
        let mut client = Raw::connect(broker.address());
        client.send_frame(&api_versions(i32::try_from(correlation).unwrap()));
        client.frame().expect("served once, then idle");
        clients.push(client);
    }
    let after = memory_kib(broker.pid());
    let each = after.saturating_sub(before) * 1024 / CONNECTIONS;
    assert!(each <= 16 * 1024, "{each} bytes for an idle connection");
    still_served(&mut broker);
}

#[test]
fn decompression_bombs_are_refused() {
    let scratch = Scratch::new("bomb");
    let mut broker = Broker::start(scratch.path());
    let before = memory_kib(broker.pid());
    crate::support::bomb::send_each_codec(&broker.bootstrap());
    still_served(&mut broker);
    let after = memory_kib(broker.pid());
    assert!(
        after < before + 96 * 1024,
        "memory went from {before} KiB to {after} KiB"
    );
}

#[test]
fn slow_senders_do_not_hold_up_others() {
    let scratch = Scratch::new("slow");
    let mut broker = Broker::start(scratch.path());
    let mut slow: Vec<Raw> = (0..50).map(|_| Raw::connect(broker.address())).collect();
    let request = api_versions(9);
    let mut frame = u32::try_from(request.len()).unwrap().to_be_bytes().to_vec();
    frame.extend(&request);
    for byte in &frame {
        for client in &mut slow {
            client.send(std::slice::from_ref(byte));
        }
        still_served(&mut broker);
    }
    for mut client in slow {
        assert!(
            client.frame().is_some(),
            "a slow client is served in the end"
        );
    }
}

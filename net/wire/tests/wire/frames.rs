//! Bodies written by Kafka's own library are read and written back unchanged.

use bytes::Bytes;

use crate::served::{self, Served};

const FRAMES: &str = include_str!("../golden/frames.txt");

/// One line of the golden file.
pub(crate) struct Frame {
    pub(crate) name: &'static str,
    pub(crate) version: i16,
    pub(crate) body: Bytes,
}

/// Returns every line.
pub(crate) fn all() -> impl Iterator<Item = Frame> {
    FRAMES.lines().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        Frame {
            name: words[0],
            version: words[1].parse().unwrap(),
            body: bytes_of_hex(words[3]),
        }
    })
}

/// Returns the lines of requests and responses.
fn frames() -> impl Iterator<Item = Frame> {
    let suffixes = ["Request", "Response"];
    all().filter(move |frame| suffixes.iter().any(|suffix| frame.name.ends_with(suffix)))
}

fn bytes_of_hex(hex: &str) -> Bytes {
    let digit = |place: usize| u8::from_str_radix(&hex[place..place + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digit).collect()
}

fn of<'a>(all: &'a [Served], frame: &Frame) -> &'a Served {
    let named = all.iter().find(|message| message.name == frame.name);
    named.unwrap_or_else(|| panic!("{} is not served", frame.name))
}

#[test]
fn kafkas_bodies_are_written_back_byte_for_byte() {
    let all = served::all();
    for frame in frames() {
        let message = of(&all, &frame);
        let (name, version) = (frame.name, frame.version);
        let decoded = (message.decode)(&frame.body, version);
        if !message.api.served.contains(version) {
            assert!(decoded.is_err(), "{name} v{version} is not served");
            continue;
        }
        let decoded = decoded.unwrap_or_else(|error| panic!("{name} v{version}: {error}"));
        assert_eq!(decoded.encoded, Ok(frame.body), "{name} v{version}");
    }
}

#[test]
fn there_are_two_bodies_for_every_message_and_version() {
    for message in served::all() {
        for version in message.versions() {
            let of_version = |frame: &Frame| frame.name == message.name && frame.version == version;
            assert_eq!(
                frames().filter(of_version).count(),
                2,
                "{} v{version}",
                message.name
            );
        }
    }
}

#[test]
fn every_truncation_of_every_body_is_refused() {
    let all = served::all();
    for frame in frames() {
        let message = of(&all, &frame);
        for length in 0..frame.body.len() {
            let cut = frame.body.slice(..length);
            let decoded = (message.decode)(&cut, frame.version);
            assert!(
                decoded.is_err(),
                "{} v{} cut at {length}",
                frame.name,
                frame.version
            );
        }
    }
}

#[test]
fn a_byte_behind_the_body_is_refused() {
    let all = served::all();
    for frame in frames() {
        let message = of(&all, &frame);
        let mut body = frame.body.to_vec();
        body.push(0);
        let decoded = (message.decode)(&Bytes::from(body), frame.version);
        assert!(decoded.is_err(), "{} v{}", frame.name, frame.version);
    }
}

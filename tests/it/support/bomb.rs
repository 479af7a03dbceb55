//! Batches that are small on the wire and endless when decompressed.

use std::io::Write as _;

use super::librdkafka::Producer;
use super::raw::{Raw, request};

/// Sends one bomb per codec; each must be refused, none may take memory.
pub(crate) fn send_each_codec(bootstrap: &str) {
    // The topic is made by a client that behaves.
    let producer = Producer::new(bootstrap, &[]);
    producer.send("bombed", 0, 0, b"x");
    producer.flush();
    let address = bootstrap.parse().expect("an address");
    let bombs = [(1, gzip()), (2, snappy()), (3, lz4()), (4, zstd())];
    for (codec, body) in bombs {
        let mut client = Raw::connect(address);
        client.send_frame(&produce("bombed", &batch(codec, &body)));
        let answer = client.frame().expect("an answer, not a crash");
        // correlation 4, one topic 4, name 2 + 6, one partition 4, index 4, then the code.
        let code = i16::from_be_bytes([answer[24], answer[25]]);
        assert!(
            code == 87 || code == 2 || code == 10,
            "codec {codec}: code {code}"
        );
    }
}

const ZEROS: usize = 1 << 30;

fn zeros(mut write: impl FnMut(&[u8])) {
    let block = vec![0; 1 << 20];
    for _ in 0..ZEROS >> 20 {
        write(&block);
    }
}

fn gzip() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    zeros(|block| encoder.write_all(block).unwrap());
    encoder.finish().unwrap()
}

fn lz4() -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    let block = vec![0; 1 << 20];
    for _ in 0..200 {
        encoder.write_all(&block).unwrap();
    }
    encoder.finish().unwrap()
}

fn zstd() -> Vec<u8> {
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
    zeros(|block| encoder.write_all(block).unwrap());
    encoder.finish().unwrap()
}

/// A raw block that claims four gigabytes: the length is a varint at its start.
fn snappy() -> Vec<u8> {
    let mut body = vec![0xff, 0xff, 0xff, 0xff, 0x0f];
    body.extend([0xfe, 0x01, 0x00].repeat(1000));
    body
}

/// A batch of one record whose body is `body` under `codec`.
fn batch(codec: u8, body: &[u8]) -> Vec<u8> {
    let mut tail = Vec::new();
    tail.extend(i16::from(codec).to_be_bytes()); // attributes
    tail.extend(0_i32.to_be_bytes()); // last offset delta
    tail.extend(0_i64.to_be_bytes()); // base timestamp
    tail.extend(0_i64.to_be_bytes()); // max timestamp
    tail.extend((-1_i64).to_be_bytes()); // producer id
    tail.extend((-1_i16).to_be_bytes()); // producer epoch
    tail.extend((-1_i32).to_be_bytes()); // base sequence
    tail.extend(1_i32.to_be_bytes()); // count
    tail.extend(body);
    let mut batch = Vec::new();
    batch.extend(0_i64.to_be_bytes());
    batch.extend(i32::try_from(tail.len() + 9).unwrap().to_be_bytes());
    batch.extend((-1_i32).to_be_bytes());
    batch.push(2);
    batch.extend(crc32c::crc32c(&tail).to_be_bytes());
    batch.extend(tail);
    batch
}

/// A Produce request of version 7, the first that may carry zstd, for partition 0 of a topic.
fn produce(topic: &str, records: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend((-1_i16).to_be_bytes()); // no transactional id
    body.extend((-1_i16).to_be_bytes()); // acks
    body.extend(10_000_i32.to_be_bytes()); // timeout
    body.extend(1_i32.to_be_bytes());
    body.extend(i16::try_from(topic.len()).unwrap().to_be_bytes());
    body.extend(topic.as_bytes());
    body.extend(1_i32.to_be_bytes());
    body.extend(0_i32.to_be_bytes()); // partition
    body.extend(i32::try_from(records.len()).unwrap().to_be_bytes());
    body.extend(records);
    request(0, 7, 1, &body)
}

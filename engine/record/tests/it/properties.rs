//! What must hold for every batch, and for every string of bytes.

use std::ops::ControlFlow;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use record::{
    BATCH_HEADER_SIZE, Batch, BatchBuilder, Batches, Compression, DECOMPRESSED_SIZE_MAX, Header,
    NewRecord, Records, check_stored, decompress, validate_produced, visit_times,
};
use types::{ByteCount, TimestampMs};

use crate::draft::{Draft, OPEN, golden, position};

#[derive(Clone, Debug, PartialEq)]
struct Owned {
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

fn bytes(size_max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..size_max)
}

fn records() -> impl Strategy<Value = Vec<Owned>> {
    let timestamp = prop_oneof![0..1_i64 << 41, -5..5_i64, any::<i32>().prop_map(i64::from)];
    let headers = vec((bytes(20), option::of(bytes(200))), 0..4);
    let one = (
        timestamp,
        option::of(bytes(100)),
        option::of(bytes(2000)),
        headers,
    )
        .prop_map(|(timestamp, key, value, headers)| Owned {
            timestamp,
            key,
            value,
            headers,
        });
    vec(one, 1..40)
}

fn codec() -> impl Strategy<Value = Compression> {
    proptest::sample::select(&Compression::ALL)
}

fn build(records: &[Owned], compression: Compression) -> Vec<u8> {
    let mut builder = BatchBuilder::new(compression);
    for record in records {
        let headers: Vec<Header<'_>> = record
            .headers
            .iter()
            .map(|(key, value)| Header {
                key,
                value: value.as_deref(),
            })
            .collect();
        let record = NewRecord {
            timestamp: TimestampMs(record.timestamp),
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers: &headers,
        };
        builder.push(&record).expect("fits");
    }
    builder.build().expect("not empty").to_vec()
}

fn read(batch: &Batch<'_>) -> Vec<Owned> {
    let body = decompress(batch, DECOMPRESSED_SIZE_MAX).expect("sound");
    Records::new(batch.header(), &body)
        .map(|record| record.expect("well-formed"))
        .map(|record| Owned {
            timestamp: record.timestamp.0,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers: record
                .headers
                .map(|header| (header.key.to_vec(), header.value.map(<[u8]>::to_vec)))
                .collect(),
        })
        .collect()
}

/// Runs every reader over bytes that may be anything; what they say does not matter.
fn read_everything(bytes: &[u8]) {
    _ = validate_produced(bytes, &OPEN).is_ok();
    for batch in Batches::new(bytes).flatten() {
        _ = check_stored(batch).is_ok();
        if let Ok(body) = decompress(&batch, ByteCount::mib(1)) {
            for record in Records::new(batch.header(), &body).flatten() {
                _ = record.headers.count();
            }
        }
        let all = |_, _| ControlFlow::Continue(());
        _ = visit_times(&batch, ByteCount::mib(1), all).is_ok();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn built_batch_is_valid_and_reads_back_the_same(records in records(), codec in codec()) {
        let bytes = build(&records, codec);
        let checked = validate_produced(&bytes, &OPEN).expect("valid");
        prop_assert_eq!(read(&checked.batch()), &records[..]);
        prop_assert_eq!(usize::try_from(checked.offset_count()), Ok(records.len()));
        let largest = records.iter().map(|record| record.timestamp).max();
        prop_assert_eq!(Some(checked.max_timestamp().0), largest);
        prop_assert_eq!(checked.header().max_timestamp(), checked.max_timestamp());
        let first = records.iter().position(|record| Some(record.timestamp) == largest);
        let delta = checked.max_timestamp_offset_delta().map(usize::try_from);
        prop_assert_eq!(delta, first.map(Ok));
    }

    #[test]
    fn decompressing_stops_at_the_callers_bound(records in records(), codec in codec()) {
        let bytes = build(&records, codec);
        let batch = Batch::parse(&bytes).expect("whole");
        let size = ByteCount::of(&decompress(&batch, DECOMPRESSED_SIZE_MAX).expect("sound"));
        prop_assert!(decompress(&batch, size).is_ok());
        prop_assert!(decompress(&batch, ByteCount(size.0 - 1)).is_err());
    }

    #[test]
    fn times_are_those_of_the_records_as_far_as_they_are_wanted(
        records in records(),
        codec in codec(),
        wanted in 1..50_usize,
    ) {
        let bytes = build(&records, codec);
        let batch = Batch::parse(&bytes).expect("whole");
        let body = decompress(&batch, DECOMPRESSED_SIZE_MAX).expect("sound");
        let all = Records::new(batch.header(), &body).map(|record| record.expect("sound"));
        let all: Vec<_> = all.map(|record| (record.offset, record.timestamp)).collect();
        let mut seen = Vec::new();
        let visited = visit_times(&batch, ByteCount::of(&body), |offset, timestamp| {
            seen.push((offset, timestamp));
            if seen.len() < wanted {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        prop_assert!(visited.is_ok());
        prop_assert_eq!(&seen[..], &all[..wanted.min(all.len())]);
    }

    #[test]
    fn arbitrary_bytes_make_nothing_panic(bytes in bytes(400)) {
        read_everything(&bytes);
    }

    #[test]
    fn arbitrary_body_under_a_right_checksum_makes_nothing_panic(
        body in bytes(200),
        attributes in 0..8_u8,
        record_count in 1..20_i32,
    ) {
        let bytes = Draft::with_body(record_count, &body)
            .set(position::ATTRIBUTES, &[0, attributes])
            .seal();
        read_everything(&bytes);
    }

    #[test]
    fn changed_bodies_under_a_right_checksum_make_nothing_panic(
        name in proptest::sample::select(&["none", "gzip", "snappy", "lz4", "zstd"]),
        large in any::<bool>(),
        changes in vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let name = if large && name != "none" { format!("{name}_large") } else { name.to_owned() };
        let good = golden(&name);
        let (header, body) = good.split_at(BATCH_HEADER_SIZE);
        let mut body = body.to_vec();
        for (index, byte) in changes {
            let index = index.index(body.len());
            body[index] = byte;
        }
        let record_count = Batch::parse(&good).expect("whole").header().record_count();
        let bytes = Draft::with_body(record_count, &body)
            .set(position::ATTRIBUTES, &header[position::ATTRIBUTES..][..2])
            .seal();
        read_everything(&bytes);
    }

    #[test]
    fn walk_and_iterator_take_the_same_bodies(
        body in vec(0..8_u8, 0..40),
        record_count in 1..4_i32,
    ) {
        let bytes = Draft::with_body(record_count, &body).seal();
        let batch = Batch::parse(&bytes).expect("whole");
        let iterated = Records::new(batch.header(), batch.body()).all(|record| record.is_ok());
        match validate_produced(&bytes, &OPEN) {
            Ok(_) => prop_assert!(iterated),
            // The iterator takes any offset inside the batch: compaction leaves gaps.
            Err(record::Invalid::OffsetDelta { .. }) => {}
            Err(_) => prop_assert!(!iterated),
        }
    }
}

//! The files that Kafka's own client wrote: read right, and no damage to them goes unseen.

use record::{
    Batch, Batches, Compression, DECOMPRESSED_SIZE_MAX, Invalid, Malformed, Records, TimestampType,
    check_stored, decompress, stamp, validate_produced,
};
use types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence};

use crate::draft::{OPEN, golden, position};

const SMALL: [&str; 7] = [
    "none",
    "gzip",
    "snappy",
    "lz4",
    "zstd",
    "idempotent",
    "transactional",
];

/// One record with everything owned: offset, timestamp, key, value, headers.
type Owned = (
    i64,
    i64,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Vec<(Vec<u8>, Option<Vec<u8>>)>,
);

fn read(bytes: &[u8]) -> Vec<Owned> {
    let batch = Batch::parse(bytes).expect("whole");
    let body = decompress(&batch, DECOMPRESSED_SIZE_MAX).expect("sound");
    Records::new(batch.header(), &body)
        .map(|record| {
            let record = record.expect("well-formed");
            let headers = record
                .headers
                .map(|header| (header.key.to_vec(), header.value.map(<[u8]>::to_vec)));
            (
                record.offset.get(),
                record.timestamp.0,
                record.key.map(<[u8]>::to_vec),
                record.value.map(<[u8]>::to_vec),
                headers.collect(),
            )
        })
        .collect()
}

fn owned(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn small_records() -> Vec<Owned> {
    let headers = vec![
        (b"trace".to_vec(), Some(owned("a1"))),
        (b"trace".to_vec(), Some(owned("a2"))),
        (Vec::new(), None),
    ];
    vec![
        (
            0,
            1_700_000_000_000,
            Some(owned("key")),
            Some(owned("value")),
            vec![],
        ),
        (1, 1_700_000_000_250, None, Some(owned("no key")), vec![]),
        (2, 1_699_999_999_000, Some(owned("tombstone")), None, vec![]),
        (
            3,
            1_700_000_000_100,
            Some(owned("")),
            Some(owned("")),
            headers,
        ),
    ]
}

#[test]
fn small_batches_of_every_codec_hold_the_same_four_records() {
    for name in SMALL {
        let bytes = golden(name);
        assert_eq!(read(&bytes), small_records(), "{name}");
        let checked = validate_produced(&bytes, &OPEN).expect(name);
        assert_eq!(checked.offset_count(), 4);
        assert_eq!(checked.max_timestamp().0, 1_700_000_000_250);
        assert_eq!(checked.max_timestamp_offset_delta(), Some(1));
        assert_eq!(checked.header().leader_epoch(), None);
    }
}

#[test]
fn large_batches_of_every_codec_hold_the_same_forty_records() {
    for compression in &Compression::ALL[1..] {
        let name = format!("{compression}_large");
        let bytes = golden(&name);
        let checked = validate_produced(&bytes, &OPEN).expect(&name);
        assert_eq!(
            checked.header().attributes().compression(),
            Ok(*compression)
        );
        assert_eq!(checked.max_timestamp_offset_delta(), Some(39));
        let records = read(&bytes);
        assert_eq!(records.len(), 40);
        for (index, (offset, timestamp, key, value, headers)) in records.into_iter().enumerate() {
            let number = i64::try_from(index).expect("small");
            assert_eq!((offset, timestamp), (number, 1_700_000_000_000 + number));
            assert_eq!(key, Some(owned(&format!("key-{index}"))));
            let piece = format!("record {index};");
            let count = 4000_usize.div_ceil(piece.len());
            assert_eq!(value, Some(owned(&piece.repeat(count))));
            assert!(headers.is_empty());
        }
    }
}

#[test]
fn producer_fields_are_read() {
    for (name, transactional) in [("idempotent", false), ("transactional", true)] {
        let bytes = golden(name);
        let checked = validate_produced(&bytes, &OPEN).expect(name);
        let producer = checked.producer().expect("idempotent");
        assert_eq!(producer.id, ProducerId(4711));
        assert_eq!(producer.epoch, ProducerEpoch(3));
        assert_eq!(Some(producer.base_sequence), Sequence::new(17));
        let attributes = checked.header().attributes();
        assert_eq!(attributes.is_transactional(), transactional);
    }
    let plain = golden("none");
    let checked = validate_produced(&plain, &OPEN).expect("none");
    assert_eq!(checked.producer(), None);
}

#[test]
fn log_append_time_replaces_every_timestamp_and_no_client_may_send_it() {
    let bytes = golden("log_append_time");
    assert!(
        read(&bytes)
            .iter()
            .all(|record| record.1 == 1_700_000_009_999)
    );
    let checked = check_stored(Batch::parse(&bytes).expect("whole")).expect("sound");
    let attributes = checked.header().attributes();
    assert_eq!(attributes.timestamp_type(), TimestampType::LogAppendTime);
    assert!(matches!(
        validate_produced(&bytes, &OPEN),
        Err(Invalid::TimestampType)
    ));
}

#[test]
fn control_batch_is_read_from_a_log_and_refused_from_a_client() {
    let mut bytes = golden("control");
    let checked = check_stored(Batch::parse(&bytes).expect("whole")).expect("sound");
    assert_eq!(checked.base_offset().get(), 12345);
    assert_eq!(checked.end_offset().get(), 12346);
    assert_eq!(checked.header().leader_epoch(), LeaderEpoch::new(6));
    assert!(checked.header().attributes().is_control());
    assert_eq!(checked.header().producer_id(), Some(ProducerId(4711)));
    assert_eq!(checked.producer(), None);
    let records = read(&bytes);
    assert_eq!(records[0].2, Some(vec![0, 0, 0, 1]));
    assert_eq!(records[0].3, Some(vec![0, 0, 0, 0, 0, 9]));

    bytes[position::BASE_OFFSET..8].fill(0);
    assert!(matches!(
        validate_produced(&bytes, &OPEN),
        Err(Invalid::ControlBatch)
    ));
}

#[test]
fn every_truncation_is_refused_and_left_as_a_remainder() {
    for name in SMALL {
        let bytes = golden(name);
        for length in 0..bytes.len() {
            let cut = &bytes[..length];
            assert!(Batch::parse(cut).is_err(), "{name} cut to {length}");
            assert!(validate_produced(cut, &OPEN).is_err());
            let mut batches = Batches::new(cut);
            assert!(batches.next().is_none());
            assert_eq!(batches.remainder(), cut);
        }
    }
}

#[test]
fn every_bit_flip_is_refused_or_outside_the_checksum_seen_as_different() {
    for name in SMALL {
        let mut good = golden(name);
        stamp(&mut good, Offset::ZERO, LeaderEpoch::ZERO);
        for bit in 0..good.len() * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let produced = validate_produced(&bytes, &OPEN);
            match bit / 8 {
                position::LEADER_EPOCH..position::MAGIC => {
                    let epoch = produced.expect(name).header().leader_epoch();
                    assert_ne!(epoch, Some(LeaderEpoch::ZERO));
                }
                _ => assert!(produced.is_err(), "{name} bit {bit}"),
            }
            let stored = Batch::parse(&bytes).map(check_stored);
            match (bit / 8, stored) {
                (position::BASE_OFFSET..position::LENGTH, Ok(Ok(checked))) => {
                    assert!(checked.base_offset().get() > 0);
                }
                (position::LEADER_EPOCH..position::MAGIC, Ok(Ok(_))) | (_, Err(_) | Ok(Err(_))) => {
                }
                (byte, Ok(Ok(_))) => panic!("{name} with byte {byte} changed is taken"),
            }
        }
    }
}

#[test]
fn batches_are_walked_up_to_the_partial_last_one() {
    let (first, second) = (golden("none"), golden("zstd_large"));
    let mut run = [&first[..], &second, &first].concat();
    run.truncate(run.len() - 1);
    let mut batches = Batches::new(&run);
    let sizes: Vec<usize> = batches
        .by_ref()
        .map(|batch| batch.expect("whole").bytes().len())
        .collect();
    assert_eq!(sizes, [first.len(), second.len()]);
    assert_eq!(batches.position(), first.len() + second.len());
    assert_eq!(batches.remainder(), &first[..first.len() - 1]);
}

#[test]
fn walk_over_batches_ends_at_bytes_that_are_none() {
    let first = golden("none");
    let run = [&first[..], &[0; 100]].concat();
    let mut batches = Batches::new(&run);
    assert!(matches!(batches.next(), Some(Ok(_))));
    assert!(matches!(
        batches.next(),
        Some(Err(Malformed::UnknownMagic { magic: 0 }))
    ));
    assert!(batches.next().is_none());
    assert_eq!(batches.remainder(), [0; 100]);
}

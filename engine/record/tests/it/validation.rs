//! One test per rule for produced batches, and the order in which rules answer.

use std::io::Write;

use record::{
    Batch, BatchBuilder, Compression, Damaged, Header, Invalid, Keys, Malformed, NewRecord,
    Producer, RECORD_ERRORS_MAX, RecordFault, Rejection, Rules, TimestampType, TimestampWindow,
    check_stored, validate_produced,
};
use types::{ByteCount, ProducerEpoch, ProducerId, Sequence, TimestampMs};

use crate::draft::{Draft, OPEN, position, record};

fn refusal(bytes: &[u8]) -> Invalid {
    validate_produced(bytes, &OPEN).expect_err("refused")
}

/// Returns how a body is refused, making sure that no codec hides it.
fn fault_of(record_count: i32, body: &[u8]) -> (u32, RecordFault) {
    let draft = Draft::with_body(record_count, body);
    let mut faults = Vec::new();
    for compression in Compression::ALL {
        match refusal(&draft.clone().seal_as(compression)) {
            Invalid::Record { batch_index, fault } => faults.push((batch_index, fault)),
            // A stream of nothing is no gzip, lz4 or snappy at all.
            Invalid::Decompression(_) if body.is_empty() => {}
            other => unreachable!("{compression}: {other:?}"),
        }
    }
    assert!(faults.iter().all(|fault| *fault == faults[0]), "{faults:?}");
    faults[0]
}

/// attributes, timestamp delta, offset delta, null key, null value, no headers
const NULLS: [u8; 6] = [0, 0, 0, 1, 1, 0];

#[test]
fn smallest_record_is_taken_under_every_codec() {
    for compression in Compression::ALL {
        let bytes = Draft::with_body(1, &record(&NULLS)).seal_as(compression);
        let checked = validate_produced(&bytes, &OPEN).expect("taken");
        assert_eq!(checked.offset_count(), 1);
        assert_eq!(checked.size(), ByteCount::of(&bytes));
    }
}

#[test]
fn record_that_breaks_the_grammar_is_refused_under_every_codec() {
    use RecordFault::{
        NegativeHeaderCount, NegativeLength, TrailingBytes, TrailingRecords, Truncated,
        VarintTooLong,
    };
    let null_header_key = NegativeLength { length: -1 };
    let cases: [(&str, &[u8], RecordFault); 16] = [
        ("no bytes", &[], Truncated),
        ("length without record", &[12], Truncated),
        (
            "negative length",
            &[1, 0, 0, 0, 1, 1, 0],
            NegativeLength { length: -1 },
        ),
        ("length cut off", &[0x80], Truncated),
        (
            "length of six bytes",
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            VarintTooLong,
        ),
        (
            "length of 33 bits",
            &[0xff, 0xff, 0xff, 0xff, 0x1f],
            VarintTooLong,
        ),
        ("empty record", &[0], Truncated),
        (
            "key behind the record",
            &[12, 0, 0, 0, 4, 1, 0, 0, 0],
            Truncated,
        ),
        (
            "key length -2",
            &[12, 0, 0, 0, 3, 1, 0],
            NegativeLength { length: -2 },
        ),
        (
            "value length -2",
            &[12, 0, 0, 0, 1, 3, 0],
            NegativeLength { length: -2 },
        ),
        (
            "value of 2 GiB",
            &[20, 0, 0, 0, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0],
            Truncated,
        ),
        (
            "header count -1",
            &[12, 0, 0, 0, 1, 1, 1],
            NegativeHeaderCount { count: -1 },
        ),
        ("header missing", &[12, 0, 0, 0, 1, 1, 2], Truncated),
        (
            "null header key",
            &[16, 0, 0, 0, 1, 1, 2, 1, 1],
            null_header_key,
        ),
        (
            "byte behind the fields",
            &[14, 0, 0, 0, 1, 1, 0, 0],
            TrailingBytes,
        ),
        (
            "byte behind the record",
            &[12, 0, 0, 0, 1, 1, 0, 0],
            TrailingRecords,
        ),
    ];
    for (name, body, fault) in cases {
        assert_eq!(fault_of(1, body), (0, fault), "{name}");
    }
}

#[test]
fn fault_names_the_record_it_stands_in() {
    let mut body = record(&NULLS);
    body.extend(record(&[0, 0, 2, 1, 1, 0, 9]));
    assert_eq!(fault_of(2, &body), (1, RecordFault::TrailingBytes));
}

#[test]
fn timestamp_delta_that_overflows_is_refused() {
    // 2^63 - 1, the largest varlong, on a base of 1000.
    let largest = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    let fields = [&[0], &largest[..], &[0, 1, 1, 0]].concat();
    let fault = RecordFault::TimestampOverflow { delta: i64::MAX };
    assert_eq!(fault_of(1, &record(&fields)), (0, fault));

    let mut too_long = largest;
    too_long[9] = 0x02;
    let fields = [&[0], &too_long[..], &[0, 1, 1, 0]].concat();
    assert_eq!(
        fault_of(1, &record(&fields)),
        (0, RecordFault::VarintTooLong)
    );
}

#[test]
fn offset_deltas_count_from_zero_by_one() {
    let mut body = record(&NULLS);
    body.extend(record(&[0, 0, 4, 1, 1, 0]));
    for compression in Compression::ALL {
        let bytes = Draft::with_body(2, &body).seal_as(compression);
        assert!(matches!(
            refusal(&bytes),
            Invalid::OffsetDelta {
                batch_index: 1,
                offset_delta: 2
            }
        ));
    }
}

#[test]
fn frame_that_is_not_one_batch_is_refused() {
    let good = Draft::one_record().seal();
    let two = [&good[..], &good].concat();
    assert!(matches!(
        refusal(&two),
        Invalid::Malformed(Malformed::TrailingBytes { count }) if count == good.len()
    ));
    assert!(matches!(
        refusal(&[]),
        Invalid::Malformed(Malformed::HeaderTruncated { available: 0 })
    ));
    for magic in [0, 1, 3, 255] {
        // An old message is shorter than today's header, and is still named for what it is.
        let old = Draft::one_record().set(position::MAGIC, &[magic]).seal();
        assert!(matches!(
            refusal(&old[..30]),
            Invalid::Malformed(Malformed::UnknownMagic { magic: got }) if got == magic
        ));
    }
    for length in [i32::MIN, -1, 0, 48] {
        let mut bytes = good.clone();
        bytes[position::LENGTH..position::LENGTH + 4].copy_from_slice(&length.to_be_bytes());
        assert!(matches!(
            refusal(&bytes),
            Invalid::Malformed(Malformed::LengthTooSmall { .. })
        ));
    }
}

#[test]
fn header_fields_that_no_client_may_send_are_refused() {
    let sealed = |position, field: &[u8]| Draft::one_record().set(position, field).seal();
    let one = 1_i64.to_be_bytes();
    assert!(matches!(
        refusal(&sealed(position::BASE_OFFSET, &one)),
        Invalid::BaseOffset { base_offset: 1 }
    ));
    for (count, last) in [
        (0, -1),
        (-1, -2),
        (0, 0),
        (1, 1),
        (2, 0),
        (i32::MIN, i32::MAX),
    ] {
        let bytes = Draft::one_record()
            .set(position::RECORD_COUNT, &i32::to_be_bytes(count))
            .set(position::LAST_OFFSET_DELTA, &i32::to_be_bytes(last))
            .seal();
        assert!(
            matches!(refusal(&bytes), Invalid::Counts { .. }),
            "{count} {last}"
        );
    }
    for codec in 5..8 {
        let bytes = sealed(position::ATTRIBUTES, &[0, codec]);
        assert!(matches!(refusal(&bytes), Invalid::Codec(_)));
    }
    let log_append_time = sealed(position::ATTRIBUTES, &[0, 8]);
    assert!(matches!(refusal(&log_append_time), Invalid::TimestampType));
    let control = sealed(position::ATTRIBUTES, &[0, 0x20]);
    assert!(matches!(refusal(&control), Invalid::ControlBatch));
}

#[test]
fn producer_fields_come_together_or_not_at_all() {
    let draft = |id: i64, epoch: i16, sequence: i32, attributes: u8| {
        Draft::one_record()
            .set(position::PRODUCER_ID, &id.to_be_bytes())
            .set(position::PRODUCER_EPOCH, &epoch.to_be_bytes())
            .set(position::BASE_SEQUENCE, &sequence.to_be_bytes())
            .set(position::ATTRIBUTES, &[0, attributes])
            .seal()
    };
    for bad in [
        (1, 0, -1, 0),
        (1, -1, 0, 0),
        (-1, -1, -1, 0x10),
        (1, 0, i32::MIN, 0x10),
    ] {
        let bytes = draft(bad.0, bad.1, bad.2, bad.3);
        assert!(
            matches!(refusal(&bytes), Invalid::ProducerFields { .. }),
            "{bad:?}"
        );
    }
    for good in [
        (1, 0, 0, 0),
        (i64::MAX, i16::MAX, i32::MAX, 0x10),
        (-1, -1, -1, 0),
    ] {
        let bytes = draft(good.0, good.1, good.2, good.3);
        assert!(validate_produced(&bytes, &OPEN).is_ok(), "{good:?}");
    }
}

#[test]
fn first_rule_that_fails_is_the_answer() {
    let rules = Rules {
        batch_size_max: ByteCount(10),
        ..OPEN
    };
    let validate = |bytes: &[u8], rules: &Rules| {
        validate_produced(bytes, rules).expect_err("everything is wrong with it")
    };
    // Base offset, size, checksum, counts: all wrong, then put right one by one.
    let wrong_count = Draft::one_record().set(position::RECORD_COUNT, &[0; 4]);
    let mut bytes = wrong_count.seal();
    bytes[position::CRC] ^= 1;
    bytes[position::BASE_OFFSET + 7] = 1;
    assert!(matches!(
        validate(&bytes, &rules),
        Invalid::BaseOffset { .. }
    ));
    bytes[position::BASE_OFFSET + 7] = 0;
    assert!(matches!(validate(&bytes, &rules), Invalid::TooLarge { .. }));
    assert!(matches!(validate(&bytes, &OPEN), Invalid::Checksum(_)));
    bytes[position::CRC] ^= 1;
    assert!(matches!(validate(&bytes, &OPEN), Invalid::Counts { .. }));
}

#[test]
fn batch_of_the_largest_size_is_taken_and_one_byte_more_is_not() {
    let bytes = Draft::one_record().seal();
    let size = ByteCount::of(&bytes);
    let rules = |max| Rules {
        batch_size_max: ByteCount(max),
        ..OPEN
    };
    assert!(validate_produced(&bytes, &rules(size.0)).is_ok());
    assert!(matches!(
        validate_produced(&bytes, &rules(size.0 - 1)),
        Err(Invalid::TooLarge { .. })
    ));
}

fn batch_of(records: &[(i64, Option<&[u8]>)]) -> Vec<u8> {
    let mut builder = BatchBuilder::new(Compression::None);
    for &(timestamp, key) in records {
        let record = NewRecord {
            timestamp: TimestampMs(timestamp),
            key,
            value: None,
            headers: &[],
        };
        builder.push(&record).expect("fits");
    }
    builder.build().expect("not empty").to_vec()
}

#[test]
fn records_outside_the_timestamp_window_are_listed() {
    let window = TimestampWindow::around(TimestampMs(1000), 100, 10);
    let rules = Rules {
        timestamp_window: window,
        ..OPEN
    };
    // Both ends are inside, and "no timestamp" always is.
    let inside = batch_of(&[(900, None), (1010, None), (-1, None)]);
    assert!(validate_produced(&inside, &rules).is_ok());

    let outside = batch_of(&[(899, None), (1000, None), (1011, None)]);
    let Err(Invalid::Timestamps(errors)) = validate_produced(&outside, &rules) else {
        panic!("not refused for its timestamps");
    };
    let listed: Vec<_> = errors
        .errors
        .iter()
        .map(|error| (error.batch_index, error.rejection.to_string()))
        .collect();
    let text = |timestamp| format!("timestamp {timestamp} is not within [900, 1010]");
    assert_eq!(listed, [(0, text(899)), (2, text(1011))]);
    assert_eq!(errors.count, 2);

    let leaders_time = Rules {
        timestamp_type: TimestampType::LogAppendTime,
        ..rules
    };
    assert!(validate_produced(&outside, &leaders_time).is_ok());
}

#[test]
fn timestamp_window_reaches_the_ends_of_time() {
    let window = TimestampWindow::around(TimestampMs(1000), u64::MAX, u64::MAX);
    assert_eq!(window, TimestampWindow::UNBOUNDED);
}

#[test]
fn compacted_topic_lists_the_records_without_key() {
    let rules = Rules {
        keys: Keys::Required,
        timestamp_window: TimestampWindow::around(TimestampMs(1000), 100, 100),
        ..OPEN
    };
    let keyed = batch_of(&[(1000, Some(b"")), (1000, Some(b"key"))]);
    assert!(validate_produced(&keyed, &rules).is_ok());

    let bytes = batch_of(&[(1000, Some(b"")), (1000, None)]);
    let Err(Invalid::KeysMissing(errors)) = validate_produced(&bytes, &rules) else {
        panic!("not refused for its keys");
    };
    assert_eq!(errors.errors[0].batch_index, 1);
    assert_eq!(errors.errors[0].rejection, Rejection::KeyMissing);

    // A timestamp among the reasons decides the code.
    let both = batch_of(&[(1000, None), (5000, Some(b"key"))]);
    let refused = validate_produced(&both, &rules);
    assert!(matches!(refused, Err(Invalid::Timestamps(errors)) if errors.count == 2));
}

#[test]
fn list_of_record_errors_is_bounded_and_counts_them_all() {
    let rules = Rules {
        keys: Keys::Required,
        ..OPEN
    };
    let bytes = batch_of(&vec![(0, None); 1000]);
    let Err(Invalid::KeysMissing(errors)) = validate_produced(&bytes, &rules) else {
        panic!("not refused for its keys");
    };
    assert_eq!(
        (errors.count, errors.errors.len()),
        (1000, RECORD_ERRORS_MAX)
    );
}

#[test]
fn timestamps_among_many_missing_keys_decide_the_code_wherever_they_stand() {
    let rules = Rules {
        keys: Keys::Required,
        timestamp_window: TimestampWindow::around(TimestampMs(0), 10, 10),
        ..OPEN
    };
    let mut records = vec![(0, None); 1000];
    records.push((5000, Some(&b"key"[..])));
    let bytes = batch_of(&records);
    let refused = validate_produced(&bytes, &rules);
    assert!(matches!(refused, Err(Invalid::Timestamps(_))));
}

#[test]
fn bytes_behind_a_compressed_body_are_refused() {
    for compression in [
        Compression::Gzip,
        Compression::Lz4,
        Compression::Zstd,
        Compression::Snappy,
    ] {
        let bytes = Draft::with_body(1, &record(&NULLS)).seal_as(compression);
        let (header, body) = bytes.split_at(record::BATCH_HEADER_SIZE);
        let longer = Draft::with_body(1, &[body, b"garbage"].concat())
            .set(position::ATTRIBUTES, &header[position::ATTRIBUTES..][..2])
            .seal();
        assert!(
            matches!(refusal(&longer), Invalid::Decompression(_)),
            "{compression}"
        );
    }
}

#[test]
fn zstd_window_beyond_what_decoders_must_support_is_refused() {
    let with_window = |window_log| {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("memory suffices");
        encoder.window_log(window_log).expect("zstd knows it");
        encoder.write_all(&record(&NULLS)).expect("memory suffices");
        let body = encoder.finish().expect("memory suffices");
        Draft::with_body(1, &body)
            .set(position::ATTRIBUTES, &[0, 4])
            .seal()
    };
    assert_eq!(record::ZSTD_WINDOW_SIZE_MAX, 1 << 23);
    assert!(validate_produced(&with_window(23), &OPEN).is_ok());
    let refused = with_window(24);
    assert!(matches!(refusal(&refused), Invalid::Decompression(_)));
}

#[test]
fn stored_batch_may_hold_fewer_records_than_offsets_but_not_more() {
    let with = |base: i64, last: i32, count: i32| {
        Draft::one_record()
            .set(position::BASE_OFFSET, &base.to_be_bytes())
            .set(position::LAST_OFFSET_DELTA, &last.to_be_bytes())
            .set(position::RECORD_COUNT, &count.to_be_bytes())
            .seal()
    };
    for (base, last, count) in [(0, 9, 1), (0, 9, 0), (0, 9, 10), (5, i32::MAX, 1)] {
        let bytes = with(base, last, count);
        let checked = check_stored(Batch::parse(&bytes).expect("whole")).expect("sound");
        assert_eq!(checked.end_offset().get(), base + i64::from(last) + 1);
        assert_eq!(checked.max_timestamp_offset_delta(), None);
    }
    for (base, last, count) in [(0, 9, 11), (0, -1, 0), (0, 0, -1), (i64::MAX, 0, 1)] {
        let bytes = with(base, last, count);
        let refused = check_stored(Batch::parse(&bytes).expect("whole"));
        assert!(
            matches!(refused, Err(Damaged::Offsets { .. })),
            "{base} {last} {count}"
        );
    }
}

#[test]
fn builder_writes_what_was_pushed() {
    let producer = Producer {
        id: ProducerId(9),
        epoch: ProducerEpoch(2),
        base_sequence: Sequence::ZERO,
    };
    let mut builder = BatchBuilder::new(Compression::Lz4)
        .with_producer(producer)
        .transactional();
    assert!(matches!(builder.build(), Err(record::BuildError::Empty)));
    let headers = [Header {
        key: b"k",
        value: None,
    }];
    let new = |timestamp| NewRecord {
        timestamp: TimestampMs(timestamp),
        key: None,
        value: Some(b"v"),
        headers: &headers,
    };
    builder.push(&new(50)).expect("fits");
    builder.push(&new(40)).expect("fits");
    assert!(matches!(
        builder.push(&new(i64::MIN)),
        Err(record::BuildError::TimestampTooFar { .. })
    ));
    let bytes = builder.build().expect("two records");
    let checked = validate_produced(&bytes, &OPEN).expect("valid");
    assert_eq!(checked.producer(), Some(producer));
    assert_eq!(checked.offset_count(), 2);
    assert_eq!(checked.max_timestamp(), TimestampMs(50));
    assert!(checked.header().attributes().is_transactional());
}

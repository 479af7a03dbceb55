//! What a leader writes into a batch, and that nothing else moves.

use record::{
    BATCH_HEADER_SIZE, Batch, CheckedBatch, Compression, Records, Stamp, TimestampType,
    check_stored, recompress, stamp, stamp_log_append_time, stamp_max_timestamp, validate_produced,
};
use types::{LeaderEpoch, Offset, TimestampMs};

use crate::draft::{Draft, OPEN, golden, position};

fn place() -> (Offset, LeaderEpoch) {
    (
        Offset::new(1 << 40).expect("positive"),
        LeaderEpoch::new(7).expect("positive"),
    )
}

fn stored(checked: &CheckedBatch<'_>, log_append_time: Option<TimestampMs>) -> Vec<u8> {
    let (base_offset, leader_epoch) = place();
    let header = checked.stamped_header(&Stamp {
        base_offset,
        leader_epoch,
        log_append_time,
    });
    [&header[..], checked.body()].concat()
}

#[test]
fn stamp_changes_sixteen_bytes_at_most_and_keeps_the_checksum() {
    let good = golden("gzip");
    let (base_offset, leader_epoch) = place();
    let mut stamped = good.clone();
    stamp(&mut stamped, base_offset, leader_epoch);
    assert_eq!(stamped[8..12], good[8..12]);
    assert_eq!(stamped[16..], good[16..]);
    let checked = check_stored(Batch::parse(&stamped).expect("whole")).expect("sound");
    assert_eq!(checked.base_offset(), base_offset);
    assert_eq!(checked.end_offset(), base_offset.advance(4));
    assert_eq!(checked.header().leader_epoch(), Some(leader_epoch));
}

#[test]
fn stamped_header_and_stamping_in_place_agree() {
    let good = golden("zstd");
    let checked = validate_produced(&good, &OPEN).expect("good");
    let (base_offset, leader_epoch) = place();
    let mut in_place = good.clone();
    stamp(&mut in_place, base_offset, leader_epoch);
    assert_eq!(stored(&checked, None), in_place);

    let now = TimestampMs(1_800_000_000_000);
    stamp_log_append_time(&mut in_place, now);
    assert_eq!(stored(&checked, Some(now)), in_place);
}

#[test]
fn log_append_time_is_every_records_timestamp_under_a_right_checksum() {
    let mut bytes = golden("none");
    stamp_log_append_time(&mut bytes, TimestampMs(42));
    let checked = check_stored(Batch::parse(&bytes).expect("whole")).expect("sound");
    assert_eq!(checked.max_timestamp(), TimestampMs(42));
    let header = checked.header();
    assert_eq!(
        header.attributes().timestamp_type(),
        TimestampType::LogAppendTime
    );
    for record in Records::new(header, checked.body()) {
        assert_eq!(record.expect("well-formed").timestamp, TimestampMs(42));
    }
}

#[test]
fn kafka_stamps_log_append_time_with_the_same_bytes() {
    let mut bytes = golden("none");
    stamp_log_append_time(&mut bytes, TimestampMs(1_700_000_009_999));
    let kafka = golden("log_append_time");
    // Kafka's builder takes the time of appending as the base of the deltas, too.
    assert_eq!(
        bytes[position::ATTRIBUTES..23],
        kafka[position::ATTRIBUTES..23]
    );
    assert_eq!(
        bytes[position::MAX_TIMESTAMP..position::PRODUCER_ID],
        kafka[position::MAX_TIMESTAMP..position::PRODUCER_ID]
    );
}

#[test]
fn wrong_largest_timestamp_of_a_client_is_put_right() {
    let bytes = Draft::one_record()
        .set(position::MAX_TIMESTAMP, &5_i64.to_be_bytes())
        .seal();
    let checked = validate_produced(&bytes, &OPEN).expect("taken");
    assert_eq!(checked.max_timestamp(), TimestampMs(1000));
    let stored = stored(&checked, None);
    let again = check_stored(Batch::parse(&stored).expect("whole")).expect("sound");
    assert_eq!(again.header().max_timestamp(), TimestampMs(1000));

    let mut in_place = bytes.clone();
    stamp_max_timestamp(&mut in_place, TimestampMs(1000));
    assert_eq!(in_place[8..12], stored[8..12]);
    assert_eq!(in_place[16..], stored[16..]);
}

#[test]
fn recompressing_keeps_records_and_every_other_field() {
    let bytes = golden("idempotent");
    let checked = validate_produced(&bytes, &OPEN).expect("good");
    for compression in Compression::ALL {
        let Some(other) = recompress(&checked, compression).expect("sound") else {
            assert_eq!(compression, Compression::None);
            continue;
        };
        let again = validate_produced(&other, &OPEN).expect("still good");
        assert_eq!(again.header().attributes().compression(), Ok(compression));
        assert_eq!(again.producer(), checked.producer());
        assert_eq!(again.max_timestamp(), checked.max_timestamp());
        let back = recompress(&again, Compression::None).expect("sound");
        assert_eq!(back.expect("another codec"), bytes);
    }
    assert!(checked.bytes().len() > BATCH_HEADER_SIZE);
}

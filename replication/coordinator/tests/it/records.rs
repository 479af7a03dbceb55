//! The records' bytes: Kafka's own, and whatever else may lie on a disk.
//!
//! The files in `tests/golden` that begin with `offset` and `group` were written by Kafka 4.3's
//! `GroupCoordinatorRecordSerde`.

use std::path::PathBuf;

use coordinator::record::{CommittedOffset, DecodeError, GroupMetadata, MemberMetadata};
use coordinator::{Blob, Record, RecordBytes};
use proptest::prelude::*;
use types::{LeaderEpoch, PartitionIndex, TimestampMs, TopicId};

use crate::support::{instance, member, partition, topic};

fn golden(file: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let path = folder.join(file);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn kafkas(key: &str, value: Option<&str>) -> RecordBytes {
    RecordBytes {
        key: golden(&format!("{key}.key")),
        value: value.map(|file| golden(&format!("{file}.value"))),
    }
}

fn decode(bytes: &RecordBytes) -> Result<Option<Record>, DecodeError> {
    Record::decode(Some(&bytes.key), bytes.value.as_deref())
}

fn offset_record(value: Option<CommittedOffset>) -> Record {
    Record::Offset {
        group: "billing".parse().unwrap(),
        topic: topic("orders.placed"),
        partition: partition(7),
        value,
    }
}

fn bare_offset() -> CommittedOffset {
    CommittedOffset {
        offset: 0,
        leader_epoch: None,
        metadata: "".parse().unwrap(),
        committed_at: TimestampMs(1_700_000_000_123),
        expire_at: None,
        topic_id: TopicId::ZERO,
    }
}

fn full_offset() -> CommittedOffset {
    CommittedOffset {
        offset: 4_000_000_000,
        leader_epoch: LeaderEpoch::new(3),
        metadata: "nötig".parse().unwrap(),
        topic_id: TopicId(*b"0123456789abcdef"),
        ..bare_offset()
    }
}

fn expiring_offset() -> CommittedOffset {
    CommittedOffset {
        offset: 12,
        metadata: "m".parse().unwrap(),
        expire_at: Some(TimestampMs(1_700_000_100_123)),
        ..bare_offset()
    }
}

fn group_record(value: Option<GroupMetadata>) -> Record {
    Record::Group {
        group: "billing".parse().unwrap(),
        value,
    }
}

pub(crate) fn generation() -> GroupMetadata {
    let stored = MemberMetadata {
        member: member("app-1"),
        instance: None,
        client_id: "app".parse().unwrap(),
        client_host: "/127.0.0.1".parse().unwrap(),
        rebalance_timeout_ms: 60_000,
        session_timeout_ms: 45_000,
        subscription: Blob::from(&b"\0\0\0\0\0\x01\0\x01t\xff\xff\xff\xff"[..]),
        assignment: Blob::from(&[1, 2, 3][..]),
    };
    let named = MemberMetadata {
        member: member("i-2"),
        instance: Some(instance("i")),
        subscription: Blob::from(&b"\0\0\0\0\0\0\xff\xff\xff\xff"[..]),
        assignment: Blob::default(),
        ..stored.clone()
    };
    GroupMetadata {
        protocol_type: Some("consumer".parse().unwrap()),
        generation: 5,
        protocol: Some("range".parse().unwrap()),
        leader: Some(member("app-1")),
        since: Some(TimestampMs(1_700_000_000_456)),
        members: vec![stored, named],
    }
}

fn unused() -> GroupMetadata {
    GroupMetadata {
        protocol_type: None,
        generation: 0,
        protocol: None,
        leader: None,
        since: Some(TimestampMs(1_700_000_000_456)),
        members: Vec::new(),
    }
}

/// One record of each kind and form that is written, and Kafka's bytes of it.
fn written() -> Vec<(Record, RecordBytes)> {
    vec![
        (
            offset_record(Some(full_offset())),
            kafkas("offset", Some("offset.v4")),
        ),
        (
            offset_record(Some(bare_offset())),
            kafkas("offset", Some("offset_bare.v4")),
        ),
        (
            offset_record(Some(expiring_offset())),
            kafkas("offset", Some("offset.v1")),
        ),
        (offset_record(None), kafkas("offset", None)),
        (
            group_record(Some(generation())),
            kafkas("group", Some("group.v3")),
        ),
        (
            group_record(Some(unused())),
            kafkas("group", Some("group_unused.v3")),
        ),
        (group_record(None), kafkas("group", None)),
    ]
}

#[test]
fn records_have_the_bytes_that_kafka_writes() {
    for (record, bytes) in written() {
        assert_eq!(record.encode(), bytes, "{record:?}");
        assert_eq!(decode(&bytes), Ok(Some(record)));
    }
}

#[test]
fn offsets_of_every_earlier_version_are_read() {
    let plain = CommittedOffset {
        offset: 12,
        metadata: "m".parse().unwrap(),
        ..bare_offset()
    };
    for (version, leader_epoch) in [(0, None), (2, None), (3, LeaderEpoch::new(9))] {
        let bytes = kafkas("offset", Some(&format!("offset.v{version}")));
        let want = CommittedOffset {
            leader_epoch,
            ..plain.clone()
        };
        assert_eq!(decode(&bytes), Ok(Some(offset_record(Some(want)))));
    }
    // Kafka before 0.9 wrote key 0, with the same fields.
    let mut bytes = kafkas("offset", Some("offset.v0"));
    bytes.key[1] = 0;
    assert_eq!(decode(&bytes), Ok(Some(offset_record(Some(plain)))));
}

#[test]
fn groups_of_every_other_version_are_read() {
    for version in [0, 1, 2, 4] {
        let bytes = kafkas("group", Some(&format!("group.v{version}")));
        let mut want = generation();
        if version < 3 {
            want.members[1].instance = None;
        }
        if version < 2 {
            want.since = None;
        }
        if version < 1 {
            for member in &mut want.members {
                member.rebalance_timeout_ms = member.session_timeout_ms;
            }
        }
        assert_eq!(decode(&bytes), Ok(Some(group_record(Some(want)))));
    }
}

#[test]
fn kinds_that_are_not_known_are_skipped() {
    assert_eq!(decode(&kafkas("other_kind", Some("other_kind"))), Ok(None));
    let key = [0x7f, 0xff, 1, 2, 3];
    assert_eq!(Record::decode(Some(&key), None), Ok(None));
}

#[test]
fn versions_of_the_future_ask_for_a_newer_program() {
    for (file, kind) in [("offset", 1), ("group", 2)] {
        for version in [5_i16, i16::MAX, -1] {
            let mut bytes = kafkas(file, Some(&format!("{file}.v3")));
            bytes.value.as_mut().unwrap()[..2].copy_from_slice(&version.to_be_bytes());
            let refused = Err(DecodeError::UnknownVersion { kind, version });
            assert_eq!(decode(&bytes), refused);
        }
    }
}

#[test]
fn every_truncation_and_every_trailing_byte_is_refused() {
    for (record, bytes) in written() {
        for length in 0..bytes.key.len() {
            let key = Some(&bytes.key[..length]);
            assert!(Record::decode(key, None).is_err(), "{record:?} {length}");
        }
        let longer = [&bytes.key[..], &[0]].concat();
        assert!(Record::decode(Some(&longer), None).is_err());
        let Some(value) = &bytes.value else { continue };
        for length in 0..value.len() {
            let value = Some(&value[..length]);
            let refused = Record::decode(Some(&bytes.key), value).is_err();
            assert!(refused, "{record:?} {length}");
        }
        let longer = [&value[..], &[0]].concat();
        assert!(Record::decode(Some(&bytes.key), Some(&longer)).is_err());
    }
    assert_eq!(Record::decode(None, None), Err(DecodeError::KeyMissing));
}

#[test]
fn every_bit_flip_gives_an_error_or_a_record() {
    for (_, bytes) in written() {
        let Some(value) = &bytes.value else { continue };
        let mut value = value.clone();
        for bit in 0..value.len() * 8 {
            value[bit / 8] ^= 1 << (bit % 8);
            if let Ok(Some(other)) = Record::decode(Some(&bytes.key), Some(&value)) {
                assert_eq!(decode(&other.encode()).unwrap(), Some(other));
            }
            value[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn a_group_that_contradicts_itself_is_refused() {
    let twice = {
        let mut group = generation();
        group.members[1].member = member("app-1");
        group
    };
    let one_name = {
        let mut group = generation();
        group.members[0].instance = Some(instance("i"));
        group
    };
    let no_protocol = GroupMetadata {
        protocol: None,
        ..generation()
    };
    let negative = GroupMetadata {
        generation: -1,
        ..generation()
    };
    for group in [twice, one_name, no_protocol, negative] {
        let bytes = group_record(Some(group)).encode();
        assert!(matches!(decode(&bytes), Err(DecodeError::Value { .. })));
    }
}

fn texts<T>() -> impl Strategy<Value = T>
where
    T: std::str::FromStr<Err: std::fmt::Debug> + std::fmt::Debug,
{
    "\\PC{0,12}".prop_map(|text| text.parse().unwrap())
}

fn offsets() -> impl Strategy<Value = CommittedOffset> {
    let known = (any::<i64>(), texts(), any::<i64>());
    let rest = prop_oneof![
        (-1..i32::MAX, any::<[u8; 16]>()).prop_map(|(epoch, id)| (None, epoch, id)),
        (0..i64::MAX).prop_map(|at| (Some(TimestampMs(at)), -1, [0; 16])),
    ];
    (known, rest).prop_map(
        |((offset, metadata, at), (expire_at, epoch, id))| CommittedOffset {
            offset,
            leader_epoch: LeaderEpoch::new(epoch),
            metadata,
            committed_at: TimestampMs(at),
            expire_at,
            topic_id: TopicId(id),
        },
    )
}

fn members() -> impl Strategy<Value = MemberMetadata> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..20).prop_map(Blob::from);
    let texts = (texts(), texts(), texts());
    let numbers = (any::<i32>(), any::<i32>());
    (texts, numbers, bytes(), bytes()).prop_map(|(texts, numbers, subscription, assignment)| {
        MemberMetadata {
            member: texts.0,
            instance: None,
            client_id: texts.1,
            client_host: texts.2,
            // -1 stands for the session's timeout.
            rebalance_timeout_ms: numbers.0.max(0),
            session_timeout_ms: numbers.1,
            subscription,
            assignment,
        }
    })
}

fn groups() -> impl Strategy<Value = GroupMetadata> {
    let members = proptest::collection::vec(members(), 0..5);
    (members, 0..i32::MAX, 0..i64::MAX).prop_map(|(mut members, generation, since)| {
        members.sort_by(|left, right| left.member.cmp(&right.member));
        members.dedup_by(|left, right| left.member == right.member);
        GroupMetadata {
            protocol_type: Some("connect".parse().unwrap()),
            generation,
            protocol: Some("p".parse().unwrap()),
            leader: members.first().map(|first| first.member.clone()),
            since: Some(TimestampMs(since)),
            members,
        }
    })
}

proptest! {
    #[test]
    fn records_round_trip(
        group in texts(),
        index in 0..i32::MAX,
        committed in proptest::option::of(offsets()),
        generation in proptest::option::of(groups()),
    ) {
        let record = Record::Group { group, value: generation };
        prop_assert_eq!(decode(&record.encode()), Ok(Some(record.clone())));
        let record = Record::Offset {
            group: record.group().clone(),
            topic: topic("t"),
            partition: PartitionIndex::new(index).unwrap(),
            value: committed,
        };
        prop_assert_eq!(decode(&record.encode()), Ok(Some(record)));
    }

    #[test]
    fn arbitrary_bytes_are_survived(
        mut key in proptest::collection::vec(any::<u8>(), 0..60),
        mut value in proptest::collection::vec(any::<u8>(), 0..200),
        kind in 0..4_u8,
        version in 0..6_u8,
    ) {
        drop(Record::decode(Some(&key), Some(&value)));
        if key.len() >= 2 && value.len() >= 2 {
            key[..2].copy_from_slice(&[0, kind]);
            value[..2].copy_from_slice(&[0, version]);
            drop(Record::decode(Some(&key), Some(&value)));
        }
        let good = kafkas("group", None);
        drop(Record::decode(Some(&good.key), Some(&value)));
    }
}

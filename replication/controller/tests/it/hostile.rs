//! Bytes that nobody vouches for: an error or a record, never a crash.

use controller::record::DecodeError;
use controller::snapshot::SnapshotError;
use controller::{Record, snapshot};
use proptest::prelude::*;

use crate::golden::{image, records};

#[test]
fn every_truncation_of_a_record_is_refused() {
    for (kind, record) in records() {
        let bytes = record.encode();
        for length in 0..bytes.len() {
            assert!(Record::decode(&bytes[..length]).is_err(), "{kind} {length}");
        }
    }
}

#[test]
fn every_bit_flip_gives_an_error_or_a_record() {
    let mut refused = 0;
    for (_, record) in records() {
        let mut bytes = record.encode();
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            match Record::decode(&bytes) {
                Ok(other) => drop(other.encode()),
                Err(_) => refused += 1,
            }
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
    assert!(refused > 0);
}

#[test]
fn every_truncation_and_bit_flip_of_a_snapshot_is_survived() {
    let good = snapshot::encode(&image());
    for length in 0..good.len() {
        assert!(snapshot::decode(&good[..length]).is_err());
    }
    let mut bytes = good;
    for bit in 0..bytes.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = snapshot::decode(&bytes) {
            drop(snapshot::encode(&other));
        }
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn kinds_and_versions_of_the_future_ask_for_a_newer_program() {
    let mut bytes = records()[0].1.encode();
    bytes[2] = 2;
    assert!(matches!(
        Record::decode(&bytes),
        Err(DecodeError::UnknownKind {
            kind: 1,
            version: 2
        })
    ));
    bytes[..4].copy_from_slice(&[200, 0, 1, 0]);
    assert!(matches!(
        Record::decode(&bytes),
        Err(DecodeError::UnknownKind {
            kind: 200,
            version: 1
        })
    ));
    let mut bytes = snapshot::encode(&image());
    bytes[8] = 3;
    assert!(matches!(
        snapshot::decode(&bytes),
        Err(SnapshotError::UnknownVersion { version: 3 })
    ));
    bytes[0] = b'x';
    assert!(matches!(
        snapshot::decode(&bytes),
        Err(SnapshotError::NotASnapshot)
    ));
}

#[test]
fn a_record_beyond_the_bound_is_refused_unread() {
    let bytes = vec![0; 4 * 1024 * 1024 + 1];
    let length = bytes.len();
    let refused = Record::decode(&bytes);
    assert!(matches!(refused, Err(DecodeError::Length { length: l }) if l == length));
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_survived(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..300),
        kind in 0..9_u8,
    ) {
        drop(Record::decode(&bytes));
        if bytes.len() >= 4 {
            bytes[..4].copy_from_slice(&[kind, 0, 1, 0]);
            drop(Record::decode(&bytes));
        }
        for version in [1, 2] {
            let mut head = b"rr-image\0\0\0\0\0\0\0\0".to_vec();
            head[8] = version;
            head.extend_from_slice(&bytes);
            drop(snapshot::decode(&head));
        }
    }
}

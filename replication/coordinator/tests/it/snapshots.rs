//! A snapshot gives what the log gave, and nothing else passes for one.
//!
//! `UPDATE_GOLDEN=1 cargo test -p coordinator` writes the golden file if it is missing.

use std::path::PathBuf;

use coordinator::{Coordinator, Settings, SnapshotError};
use proptest::prelude::*;
use types::Offset;

use crate::support::{Machine, again, commit, nobody};

/// A group with members and offsets, an empty one, and a simple one.
fn machine() -> Machine {
    let mut machine = Machine::new();
    let claims = machine.stable(&["a", "b"]);
    for index in 0..3 {
        let offset = commit(claims[0].clone(), "t", index, 100 + i64::from(index));
        machine.commit(offset).unwrap();
    }
    let mut empty = again(&nobody());
    empty.group = "empty".parse().unwrap();
    machine.join(empty).unwrap_err();
    let mut simple = commit(nobody(), "u", 5, 9);
    simple.group = "simple".parse().unwrap();
    simple.retention_ms = Some(1_000);
    machine.commit(simple).unwrap();
    machine
}

fn snapshot() -> Vec<u8> {
    machine().coordinator.snapshot(Offset::new(17).unwrap())
}

fn read(bytes: &[u8]) -> Result<(Coordinator, Offset), SnapshotError> {
    Coordinator::from_snapshot(Settings::default(), bytes)
}

#[test]
fn a_snapshot_gives_the_state_that_the_log_gave() {
    let mut machine = machine();
    let before = machine.coordinator.logged().clone();
    machine.restart();
    assert_eq!(*machine.coordinator.logged(), before);
    machine.restart_from_snapshot();
    assert_eq!(*machine.coordinator.logged(), before);
    assert_eq!(before.group_count(), 3);
    assert_eq!(before.offset_count(), 4);
}

#[test]
fn a_snapshot_has_the_bytes_of_the_first_release() {
    let fresh = snapshot();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let path = folder.join("state.v1.snapshot");
    if !path.exists() && std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let kept = std::fs::read(&path).unwrap();
    assert_eq!(fresh, kept);
    let (coordinator, end) = read(&kept).unwrap();
    assert_eq!(coordinator.snapshot(end), kept);
}

#[test]
fn every_truncation_and_every_bit_flip_is_refused() {
    let good = snapshot();
    for length in 0..good.len() {
        assert!(read(&good[..length]).is_err());
    }
    let mut bytes = good;
    for bit in 0..bytes.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&bytes).is_err(), "bit {bit}");
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn other_versions_and_other_files_are_named() {
    let mut bytes = snapshot();
    bytes[8] = 2;
    let refused = read(&bytes).err().unwrap();
    assert!(matches!(
        refused,
        SnapshotError::UnknownVersion { version: 2 }
    ));
    bytes[0] = b'x';
    let refused = read(&bytes).err().unwrap();
    assert!(matches!(refused, SnapshotError::NotASnapshot));
}

proptest! {
    #[test]
    fn archives_with_a_good_checksum_are_checked_all_the_same(
        flips in proptest::collection::vec((32..2_000_usize, 0..8_u32), 1..8),
    ) {
        let mut bytes = snapshot();
        for (index, bit) in flips {
            if let Some(byte) = bytes.get_mut(index) {
                *byte ^= 1 << bit;
            }
        }
        let sum = crc32c::crc32c(&bytes[16..]);
        bytes[12..16].copy_from_slice(&sum.to_le_bytes());
        if let Ok((coordinator, end)) = read(&bytes) {
            drop(coordinator.snapshot(end));
        }
    }
}

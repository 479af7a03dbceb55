//! What a record of a workload holds: who it is, and bytes that follow from that.
//!
//! ```text
//!   value = stream u32, number u32, size u32, filler: bytes drawn from the two numbers
//! ```
//!
//! So a record that is read back tells which one it is, and everything else about it can be computed
//! again: its size, its bytes, its key. A fingerprint stands for all of that in the history.

use crate::chance::mix;
use crate::history::{Fingerprint, RecordId, StreamId};

/// The bytes in front of the filler.
pub(crate) const VALUE_SIZE_MIN: usize = 12;

/// Makes the value of a record.
///
/// *Panics*: for a size below [`VALUE_SIZE_MIN`].
pub(crate) fn value(record: RecordId, size: usize) -> Vec<u8> {
    assert!(size >= VALUE_SIZE_MIN, "a value names its record");
    let size_field = u32::try_from(size).expect("records are small");
    let mut value = Vec::with_capacity(size + 8);
    value.extend_from_slice(&record.stream.0.to_be_bytes());
    value.extend_from_slice(&record.number.to_be_bytes());
    value.extend_from_slice(&size_field.to_be_bytes());
    let mut state = (u64::from(record.stream.0) << 32) | u64::from(record.number);
    while value.len() < size {
        state = mix(state.wrapping_add(0x9e37_79b9_7f4a_7c15));
        value.extend_from_slice(&state.to_be_bytes());
    }
    value.truncate(size);
    value
}

/// Returns which record a value says it is; `None` if it says nothing.
pub(crate) fn identify(value: &[u8]) -> Option<RecordId> {
    let (stream, rest) = value.split_first_chunk()?;
    let (number, rest) = rest.split_first_chunk()?;
    rest.first_chunk::<4>()?;
    Some(RecordId {
        stream: StreamId(u32::from_be_bytes(*stream)),
        number: u32::from_be_bytes(*number),
    })
}

/// Returns a number that stands for a record's key, value and time; `None` and empty differ.
pub(crate) fn fingerprint(key: Option<&[u8]>, value: Option<&[u8]>, timestamp: i64) -> Fingerprint {
    let mut hash = mix(timestamp.cast_unsigned());
    for field in [key, value] {
        let Some(bytes) = field else {
            hash = mix(hash ^ 1);
            continue;
        };
        hash = mix(hash ^ u64::try_from(bytes.len()).expect("memory is addressed with 64 bits"));
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            hash = mix(hash ^ u64::from_be_bytes(word));
        }
    }
    Fingerprint(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: RecordId = RecordId {
        stream: StreamId(7),
        number: 9,
    };

    #[test]
    fn a_value_tells_its_record_whatever_its_size() {
        for size in [12, 13, 25, 4096] {
            let value = value(RECORD, size);
            assert_eq!((value.len(), identify(&value)), (size, Some(RECORD)));
        }
        assert_eq!(identify(&[0; 11]), None);
    }

    #[test]
    fn every_changed_bit_and_every_cut_changes_the_fingerprint() {
        let value = value(RECORD, 40);
        let whole = fingerprint(None, Some(&value), 5);
        for bit in 0..value.len() * 8 {
            let mut changed = value.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(fingerprint(None, Some(&changed), 5), whole, "bit {bit}");
        }
        for size in 0..value.len() {
            assert_ne!(fingerprint(None, Some(&value[..size]), 5), whole);
        }
        assert_ne!(fingerprint(None, Some(&value), 6), whole);
        assert_ne!(fingerprint(Some(b""), Some(&value), 5), whole);
    }
}

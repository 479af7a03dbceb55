//! The shape that nearly every record has, read in one straight line.
//!
//! A short record has no headers and no number of more than two bytes: values up to 8 KiB, batches
//! of up to 8,192 records within eight seconds. Whatever else a record is, also a broken one, is
//! `grammar.rs`'s, which this must agree with.
//!
//! *Cost*: about 8 ns a record beside 12 by the grammar (bench `record_check`, 100-byte records, one
//! core of an EPYC VM): the walk over 64 records of 1 KiB is a fifth of their checksum.

/// What a walk asks of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) timestamp_delta: i64,
    pub(crate) offset_delta: i32,
    pub(crate) has_key: bool,
}

/// Reads the first record of a body and returns the body behind it; `None` if it is not short.
#[inline]
pub(crate) fn read_short(body: &[u8]) -> Option<(Fields, &[u8])> {
    let (length, rest) = short_varint(body)?;
    let (record, behind) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    let (_attributes, rest) = record.split_first()?;
    let (timestamp_delta, rest) = short_varint(rest)?;
    let (offset_delta, rest) = short_varint(rest)?;
    let (key_length, rest) = short_varint(rest)?;
    let rest = skip_nullable(key_length, rest)?;
    let (value_length, rest) = short_varint(rest)?;
    let header_count = skip_nullable(value_length, rest)?;
    let fields = Fields {
        timestamp_delta: timestamp_delta.into(),
        offset_delta,
        has_key: key_length >= 0,
    };
    (header_count == [0]).then_some((fields, behind))
}

/// Takes a number of one or two bytes.
#[inline]
fn short_varint(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let (zigzag, rest) = match bytes {
        [first, rest @ ..] if *first < 0x80 => (i32::from(*first), rest),
        [first, second, rest @ ..] if *second < 0x80 => {
            (i32::from(*first & 0x7f) | i32::from(*second) << 7, rest)
        }
        _ => return None,
    };
    Some(((zigzag >> 1) ^ -(zigzag & 1), rest))
}

#[inline]
fn skip_nullable(length: i32, bytes: &[u8]) -> Option<&[u8]> {
    match length {
        -1 => Some(bytes),
        length => bytes.get(usize::try_from(length).ok()?..),
    }
}

//! Writing: into one growing buffer, with large byte strings passed along uncopied.

use bytes::{BufMut, Bytes, BytesMut};

use crate::Unencodable;

/// Byte strings up to this size are copied into the buffer rather than sent as a part: copying
/// them costs less than one more entry of a vectored write.
const BYTES_COPIED_MAX: usize = 4096;

/// The largest string, in bytes: the length is an int16 wherever a classic form exists.
const STRING_SIZE_MAX: usize = 32767;

/// The largest array or byte string, in elements or bytes: the length is an int32.
const COUNT_MAX: usize = 2_147_483_647;

/// A message being written.
///
/// Invariants:
/// 1. `insertions` are in the order of their places, which lie inside `buffer`.
#[derive(Debug, Default)]
pub struct Writer {
    buffer: Vec<u8>,
    insertions: Vec<Insertion>,
}

/// Bytes that stand before the byte `at_bytes` of the buffer, and are not copied into it.
#[derive(Debug)]
struct Insertion {
    at_bytes: usize,
    bytes: Bytes,
}

impl Writer {
    /// Starts an empty message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts an empty message with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            buffer: Vec::with_capacity(capacity),
            insertions: Vec::new(),
        }
    }

    /// Counts the bytes written.
    pub fn size(&self) -> usize {
        let inserted = self.insertions.iter().map(|it| it.bytes.len());
        inserted.sum::<usize>() + self.buffer.len()
    }

    /// Returns what was written as one piece, copying only if there are several.
    pub fn into_bytes(self) -> Bytes {
        if self.insertions.is_empty() {
            return Bytes::from(self.buffer);
        }
        let mut whole = BytesMut::with_capacity(self.size());
        for part in self.into_parts() {
            whole.put_slice(&part);
        }
        whole.freeze()
    }

    /// Returns what was written, in order, with large byte strings as they were given.
    pub fn into_parts(self) -> Vec<Bytes> {
        let mut parts = Vec::with_capacity(2 * self.insertions.len() + 1);
        let mut rest = Bytes::from(self.buffer);
        let mut start = 0;
        for insertion in self.insertions {
            let before = rest.split_to(insertion.at_bytes - start); // invariant 1
            start = insertion.at_bytes;
            parts.push(before);
            parts.push(insertion.bytes);
        }
        parts.push(rest);
        parts.retain(|part| !part.is_empty());
        parts
    }

    /// Writes bytes as they are.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Writes an int8.
    #[inline]
    pub fn int8(&mut self, value: i8) {
        self.bytes(&value.to_be_bytes());
    }

    /// Writes an int16.
    #[inline]
    pub fn int16(&mut self, value: i16) {
        self.bytes(&value.to_be_bytes());
    }

    /// Writes an int32.
    #[inline]
    pub fn int32(&mut self, value: i32) {
        self.bytes(&value.to_be_bytes());
    }

    /// Writes an int64.
    #[inline]
    pub fn int64(&mut self, value: i64) {
        self.bytes(&value.to_be_bytes());
    }

    /// Writes an unsigned varint in as few bytes as it takes.
    #[inline]
    pub fn varint(&mut self, value: u32) {
        let mut left = value;
        while left >= 0x80 {
            self.buffer.push(low_seven_bits(left) | 0x80);
            left >>= 7;
        }
        self.buffer.push(low_seven_bits(left));
    }

    /// Writes a string, or null.
    ///
    /// *Errors*: [`Unencodable::TooLong`] above 32,767 bytes.
    #[inline]
    pub fn nullable_string(
        &mut self,
        value: Option<&str>,
        flexible: bool,
    ) -> Result<(), Unencodable> {
        let size = value.map(|text| checked(text.len(), STRING_SIZE_MAX));
        let size = size.transpose()?;
        if flexible {
            self.varint(size.map_or(0, |size| size + 1));
        } else {
            let size = size.map_or(-1, |size| {
                i16::try_from(size).expect("checked against STRING_SIZE_MAX")
            });
            self.int16(size);
        }
        self.bytes(value.unwrap_or_default().as_bytes());
        Ok(())
    }

    /// Writes the count of an array, or null.
    ///
    /// *Errors*: [`Unencodable::TooLong`] above 2^31-1.
    #[inline]
    pub fn nullable_count(
        &mut self,
        count: Option<usize>,
        flexible: bool,
    ) -> Result<(), Unencodable> {
        let count = count.map(|count| checked(count, COUNT_MAX)).transpose()?;
        if flexible {
            self.varint(count.map_or(0, |count| count + 1));
        } else {
            self.int32(count.map_or(-1, |count| {
                i32::try_from(count).expect("checked against COUNT_MAX")
            }));
        }
        Ok(())
    }

    /// Writes a byte string, or null; a large one is not copied.
    ///
    /// *Errors*: [`Unencodable::TooLong`] above 2^31-1 bytes.
    pub fn nullable_bytes(
        &mut self,
        bytes: Option<&Bytes>,
        flexible: bool,
    ) -> Result<(), Unencodable> {
        self.nullable_count(bytes.map(Bytes::len), flexible)?;
        let Some(bytes) = bytes else {
            return Ok(());
        };
        if bytes.len() <= BYTES_COPIED_MAX {
            self.bytes(bytes);
        } else {
            self.insertions.push(Insertion {
                at_bytes: self.buffer.len(),
                bytes: bytes.clone(),
            });
        }
        Ok(())
    }

    /// Writes one tagged field: tag, size, bytes.
    ///
    /// *Errors*: [`Unencodable::TooLong`] above 2^31-1 bytes.
    pub fn tagged_field(&mut self, tag: u32, field: Self) -> Result<(), Unencodable> {
        self.varint(tag);
        self.varint(checked(field.size(), COUNT_MAX)?);
        for part in field.into_parts() {
            self.bytes(&part);
        }
        Ok(())
    }

    /// Writes the end of a flexible structure without tagged fields.
    #[inline]
    pub fn no_tagged_fields(&mut self, flexible: bool) {
        if flexible {
            self.varint(0);
        }
    }
}

fn low_seven_bits(value: u32) -> u8 {
    u8::try_from(value & 0x7f).expect("masked to seven bits")
}

fn checked(size: usize, size_max: usize) -> Result<u32, Unencodable> {
    match u32::try_from(size) {
        Ok(narrow) if size <= size_max => Ok(narrow),
        _ => Err(Unencodable::TooLong { size, size_max }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_take_as_few_bytes_as_possible() {
        for (value, want) in [
            (0, &[0][..]),
            (127, &[0x7f]),
            (128, &[0x80, 1]),
            (u32::MAX, &[0xff, 0xff, 0xff, 0xff, 0x0f]),
        ] {
            let mut writer = Writer::new();
            writer.varint(value);
            assert_eq!(writer.into_bytes(), want);
        }
    }

    #[test]
    fn large_byte_strings_are_passed_along_uncopied() {
        let large = Bytes::from(vec![7; BYTES_COPIED_MAX + 1]);
        let write = || {
            let mut writer = Writer::new();
            writer.int8(1);
            writer.nullable_bytes(Some(&large), false).unwrap();
            writer.int8(2);
            writer.nullable_bytes(Some(&large), false).unwrap();
            writer
        };
        let parts = write().into_parts();
        let heads = [&[1, 0, 0, 0x10, 1][..], &[2, 0, 0, 0x10, 1]];
        assert_eq!(parts, [heads[0], &large, heads[1], &large]);
        assert_eq!(parts[1].as_ptr(), large.as_ptr());
        assert_eq!(parts[3].as_ptr(), large.as_ptr());
        assert_eq!(write().into_bytes(), parts.concat());
        assert_eq!(write().size(), parts.concat().len());
    }

    #[test]
    fn strings_longer_than_their_length_field_are_refused() {
        let text = "x".repeat(STRING_SIZE_MAX + 1);
        for flexible in [false, true] {
            let written = Writer::new().nullable_string(Some(&text), flexible);
            let (size, size_max) = (32768, 32767);
            assert_eq!(written, Err(Unencodable::TooLong { size, size_max }));
        }
    }
}

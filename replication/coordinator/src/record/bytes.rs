//! Kafka's primitive types: reading with every bound checked, and writing.
//!
//! Both notations: the old one with int16 and int32 lengths, and the flexible one with varints and
//! tagged fields.

use crate::text::TEXT_SIZE_MAX;

/// The bytes end early, or say what they cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed {what}")]
pub struct Malformed {
    /// What was being read.
    pub what: &'static str,
}

/// Reads from bytes that nobody vouches for.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Refuses bytes that were not read.
    pub(crate) fn finish(self) -> Result<(), Malformed> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Malformed { what: "end" })
        }
    }

    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Malformed> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(Malformed { what })?;
        self.rest = rest;
        Ok(*head)
    }

    fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(Malformed { what })?;
        self.rest = rest;
        Ok(head)
    }

    pub(crate) fn i16(&mut self) -> Result<i16, Malformed> {
        self.array("int16").map(i16::from_be_bytes)
    }

    pub(crate) fn i32(&mut self) -> Result<i32, Malformed> {
        self.array("int32").map(i32::from_be_bytes)
    }

    pub(crate) fn i64(&mut self) -> Result<i64, Malformed> {
        self.array("int64").map(i64::from_be_bytes)
    }

    pub(crate) fn uuid(&mut self) -> Result<[u8; 16], Malformed> {
        self.array("uuid")
    }

    /// Reads up to five bytes of seven bits each, the lowest first.
    pub(crate) fn unsigned_varint(&mut self) -> Result<u32, Malformed> {
        let what = "varint";
        let mut value = 0;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array(what)?;
            let bits = u32::from(byte & 0x7f);
            if shift == 28 && bits > 0x0f {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed { what })
    }

    fn text(&mut self, length: usize) -> Result<&'a str, Malformed> {
        let what = "string";
        if length > TEXT_SIZE_MAX {
            return Err(Malformed { what });
        }
        let bytes = self.take(length, what)?;
        std::str::from_utf8(bytes).map_err(|_| Malformed { what })
    }

    pub(crate) fn string(&mut self) -> Result<&'a str, Malformed> {
        self.nullable_string()?.ok_or(Malformed { what: "string" })
    }

    pub(crate) fn nullable_string(&mut self) -> Result<Option<&'a str>, Malformed> {
        match self.i16()? {
            -1 => Ok(None),
            length => {
                let length = usize::try_from(length).map_err(|_| Malformed { what: "string" })?;
                self.text(length).map(Some)
            }
        }
    }

    pub(crate) fn compact_string(&mut self) -> Result<&'a str, Malformed> {
        let what = "compact string";
        self.nullable_compact_string()?.ok_or(Malformed { what })
    }

    pub(crate) fn nullable_compact_string(&mut self) -> Result<Option<&'a str>, Malformed> {
        match self.compact_length("compact string")? {
            None => Ok(None),
            Some(length) => self.text(length).map(Some),
        }
    }

    pub(crate) fn nullable_bytes(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        let what = "bytes";
        match self.i32()? {
            -1 => Ok(None),
            length => {
                let length = usize::try_from(length).map_err(|_| Malformed { what })?;
                self.take(length, what).map(Some)
            }
        }
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        self.nullable_bytes()?.ok_or(Malformed { what: "bytes" })
    }

    pub(crate) fn compact_bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let what = "compact bytes";
        let length = self.compact_length(what)?.ok_or(Malformed { what })?;
        self.take(length, what)
    }

    /// Reads how many elements follow; each takes at least one byte.
    pub(crate) fn array_length(&mut self) -> Result<usize, Malformed> {
        let what = "array";
        let count = usize::try_from(self.i32()?).map_err(|_| Malformed { what })?;
        self.believe(count, what)
    }

    /// Reads how many elements follow; each takes at least one byte.
    pub(crate) fn compact_array_length(&mut self) -> Result<usize, Malformed> {
        let what = "compact array";
        let count = self.compact_length(what)?.ok_or(Malformed { what })?;
        self.believe(count, what)
    }

    fn believe(&self, count: usize, what: &'static str) -> Result<usize, Malformed> {
        if count <= self.remaining() {
            Ok(count)
        } else {
            Err(Malformed { what })
        }
    }

    /// Reads a length that is stored one too high, so that 0 can mean "null".
    fn compact_length(&mut self, what: &'static str) -> Result<Option<usize>, Malformed> {
        match self.unsigned_varint()?.checked_sub(1) {
            None => Ok(None),
            Some(length) => {
                let length = usize::try_from(length).map_err(|_| Malformed { what })?;
                Ok(Some(length))
            }
        }
    }

    /// Reads the tagged fields at the end of a structure, and returns the one that is asked for.
    pub(crate) fn tagged_fields(&mut self, wanted: u32) -> Result<Option<&'a [u8]>, Malformed> {
        let what = "tagged fields";
        let count = self.unsigned_varint()?;
        let mut found = None;
        let mut last = None;
        for _ in 0..count {
            let tag = self.unsigned_varint()?;
            if last.is_some_and(|last| tag <= last) {
                return Err(Malformed { what });
            }
            last = Some(tag);
            let size = usize::try_from(self.unsigned_varint()?).map_err(|_| Malformed { what })?;
            let field = self.take(size, what)?;
            if tag == wanted {
                found = Some(field);
            }
        }
        Ok(found)
    }
}

/// Writes fields one behind the other.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn i16(&mut self, value: i16) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn i32(&mut self, value: i32) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn i64(&mut self, value: i64) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn unsigned_varint(&mut self, mut value: u32) {
        loop {
            let [low, ..] = value.to_le_bytes();
            value >>= 7;
            if value == 0 {
                self.bytes.push(low & 0x7f);
                return;
            }
            self.bytes.push(low | 0x80);
        }
    }

    /// *Panics*: beyond [`TEXT_SIZE_MAX`], which the types of all texts rule out.
    pub(crate) fn string(&mut self, text: &str) {
        self.i16(i16::try_from(text.len()).expect("texts have at most 32,767 bytes"));
        self.raw(text.as_bytes());
    }

    pub(crate) fn nullable_string(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.string(text),
            None => self.i16(-1),
        }
    }

    /// *Panics*: beyond 4 GiB, which no frame holds.
    pub(crate) fn compact_string(&mut self, text: &str) {
        let length = u32::try_from(text.len()).expect("texts have at most 32,767 bytes");
        self.unsigned_varint(length + 1);
        self.raw(text.as_bytes());
    }

    /// *Panics*: beyond 2 GiB, which no frame holds.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.raw(bytes);
    }

    /// *Panics*: beyond 2^31 elements, which no frame holds.
    pub(crate) fn count(&mut self, count: usize) {
        self.i32(i32::try_from(count).expect("a frame has fewer than 2^31 bytes"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_round_trip_and_stay_within_32_bits() {
        for value in [0, 1, 127, 128, 16_383, 16_384, u32::MAX] {
            let mut writer = Writer::default();
            writer.unsigned_varint(value);
            let bytes = writer.finish();
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.unsigned_varint(), Ok(value));
            assert_eq!(reader.finish(), Ok(()));
        }
        let mut reader = Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x1f]);
        assert!(reader.unsigned_varint().is_err());
        let mut reader = Reader::new(&[0xff; 6]);
        assert!(reader.unsigned_varint().is_err());
    }

    #[test]
    fn no_length_is_believed_beyond_the_bytes() {
        let mut reader = Reader::new(&[0x7f, 0xff, 0xff, 0xff, 0]);
        assert!(reader.array_length().is_err());
        let mut reader = Reader::new(&[0x7f, 0xff, 0xff, 0xff, 0]);
        assert!(reader.bytes().is_err());
        let mut reader = Reader::new(&[0x7f, 0xff, 0]);
        assert!(reader.string().is_err());
        let mut reader = Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0]);
        assert!(reader.compact_array_length().is_err());
    }

    #[test]
    fn tagged_fields_rise_and_unknown_ones_are_skipped() {
        let mut reader = Reader::new(&[2, 0, 1, 7, 5, 2, 8, 9]);
        assert_eq!(reader.tagged_fields(5), Ok(Some(&[8, 9][..])));
        let mut reader = Reader::new(&[2, 5, 1, 7, 5, 2, 8, 9]);
        assert!(reader.tagged_fields(5).is_err());
        let mut reader = Reader::new(&[1, 0, 200, 1]);
        assert!(reader.tagged_fields(0).is_err());
    }
}

//! Reading: every step checks what remains before it believes a length.

#![expect(
    clippy::inline_always,
    reason = "each step is a few instructions and returns a large result: calling them doubles the \
              cost of a walk over 100 partitions"
)]

use bytes::Bytes;
use types::size::ByteCount;

use crate::Malformed;
use crate::primitive::text::Text;

/// A place in a message, moving from its first byte to its last.
///
/// Invariants:
/// 1. `rest` lies inside `frame` and ends `behind` bytes before the frame's end.
/// 2. `memory_left` is what decoding may still allocate for the elements of arrays.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    frame: &'a Bytes,
    rest: &'a [u8],
    behind: usize,
    memory_left: u64,
}

/// A place in a message that reading can go on from later: see [`Reader::resume`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    at_bytes: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte; arrays may take `memory_max` bytes once decoded.
    pub fn new(frame: &'a Bytes, memory_max: ByteCount) -> Self {
        Self {
            frame,
            rest: frame,
            behind: 0,
            memory_left: memory_max.0,
        }
    }

    /// Returns how far reading has come, in bytes from the start.
    pub fn at_bytes(&self) -> usize {
        self.frame.len() - self.behind - self.rest.len()
    }

    /// Returns how many bytes remain.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Remembers this place.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            at_bytes: self.at_bytes(),
        }
    }

    /// Goes on from a place that a reader of the same frame has reached before.
    ///
    /// *Errors*: [`Malformed`] if the frame is shorter than the place.
    pub fn resume(frame: &'a Bytes, checkpoint: Checkpoint) -> Result<Self, Malformed> {
        let mut reader = Self::new(frame, ByteCount::ZERO);
        reader.bytes(checkpoint.at_bytes)?;
        Ok(reader)
    }

    /// Makes the error that says what should stand here, or before this place.
    #[cold]
    pub fn malformed(&self, want: &'static str) -> Malformed {
        Malformed {
            at_bytes: self.at_bytes(),
            want,
        }
    }

    /// Ends reading.
    ///
    /// *Errors*: [`Malformed`] if bytes remain.
    pub fn finish(self) -> Result<(), Malformed> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.malformed("the end of the message"))
        }
    }

    /// Reads `count` bytes.
    #[inline(always)]
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| self.malformed("as many bytes as announced"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// Reads a fixed number of bytes.
    #[inline(always)]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self
            .rest
            .split_first_chunk()
            .ok_or_else(|| self.malformed("a whole number"))?;
        self.rest = rest;
        Ok(*taken)
    }

    /// Reads an int8.
    #[inline(always)]
    pub fn int8(&mut self) -> Result<i8, Malformed> {
        self.array().map(i8::from_be_bytes)
    }

    /// Reads an int16.
    #[inline(always)]
    pub fn int16(&mut self) -> Result<i16, Malformed> {
        self.array().map(i16::from_be_bytes)
    }

    /// Reads an int32.
    #[inline(always)]
    pub fn int32(&mut self) -> Result<i32, Malformed> {
        self.array().map(i32::from_be_bytes)
    }

    /// Reads an int64.
    #[inline(always)]
    pub fn int64(&mut self) -> Result<i64, Malformed> {
        self.array().map(i64::from_be_bytes)
    }

    /// Reads an unsigned varint: seven bits a byte, lowest first, at most 32 bits in all.
    #[inline(always)]
    pub fn varint(&mut self) -> Result<u32, Malformed> {
        match self.rest.split_first() {
            Some((&byte, rest)) if byte < 0x80 => {
                self.rest = rest;
                Ok(u32::from(byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u32, Malformed> {
        let mut value: u32 = 0;
        let mut rest = self.rest;
        for shift in [0, 7, 14, 21, 28] {
            let Some((&byte, after)) = rest.split_first() else {
                break;
            };
            // The fifth byte holds the top four bits, and ends.
            if shift == 28 && byte > 0x0f {
                break;
            }
            value |= u32::from(byte & 0x7f) << shift;
            rest = after;
            if byte < 0x80 {
                self.rest = rest;
                return Ok(value);
            }
        }
        Err(self.malformed("a varint of at most 32 bits"))
    }

    /// Reads a length or count of the given form; `None` is null.
    #[inline(always)]
    fn length(&mut self, flexible: bool, classic: Classic) -> Result<Option<usize>, Malformed> {
        let length = if flexible {
            i64::from(self.varint()?) - 1
        } else {
            match classic {
                Classic::Int16 => i64::from(self.int16()?),
                Classic::Int32 => i64::from(self.int32()?),
            }
        };
        match usize::try_from(length) {
            Ok(length) => Ok(Some(length)),
            Err(_) if length == -1 => Ok(None),
            Err(_) => Err(self.malformed("a length, or -1 for null")),
        }
    }

    /// Reads a string that may be null.
    #[inline(always)]
    pub fn nullable_string(&mut self, flexible: bool) -> Result<Option<&'a str>, Malformed> {
        let Some(length) = self.length(flexible, Classic::Int16)? else {
            return Ok(None);
        };
        // A flexible length could say more; the protocol's strings are int16 long in any case.
        if length > i16::MAX.unsigned_abs().into() {
            return Err(self.malformed("a string of at most 32767 bytes"));
        }
        let bytes = self.bytes(length)?;
        str::from_utf8(bytes)
            .map(Some)
            .map_err(|_| self.malformed("UTF-8 before this place"))
    }

    /// Reads a string.
    #[inline(always)]
    pub fn string(&mut self, flexible: bool) -> Result<&'a str, Malformed> {
        let text = self.nullable_string(flexible)?;
        text.ok_or_else(|| self.malformed("a string, not null"))
    }

    /// Reads a string that may be null, as text that shares the frame.
    pub fn nullable_text(&mut self, flexible: bool) -> Result<Option<Text>, Malformed> {
        let Some(text) = self.nullable_string(flexible)? else {
            return Ok(None);
        };
        let end = self.at_bytes();
        Ok(Text::new(self.frame.slice(end - text.len()..end)))
    }

    /// Reads a byte string that may be null, as a slice that shares the frame.
    pub fn nullable_bytes(&mut self, flexible: bool) -> Result<Option<Bytes>, Malformed> {
        match self.length(flexible, Classic::Int32)? {
            None => Ok(None),
            Some(length) => Ok(Some(self.shared(length)?)),
        }
    }

    /// Reads over record bytes that may be null.
    #[inline(always)]
    pub fn skip_records(&mut self, flexible: bool) -> Result<(), Malformed> {
        match self.length(flexible, Classic::Int32)? {
            None => Ok(()),
            Some(length) => self.bytes(length).map(|_| ()),
        }
    }

    /// Reads `count` bytes as a slice that shares the frame.
    #[inline(always)]
    pub fn shared(&mut self, count: usize) -> Result<Bytes, Malformed> {
        let start = self.at_bytes();
        self.bytes(count)?;
        Ok(self.frame.slice(start..start + count))
    }

    /// Reads the count of an array that may be null and whose elements are at least
    /// `element_size_min` bytes each: a count that cannot fit what remains is refused here.
    #[inline(always)]
    pub fn nullable_count(
        &mut self,
        flexible: bool,
        element_size_min: usize,
    ) -> Result<Option<usize>, Malformed> {
        let Some(count) = self.length(flexible, Classic::Int32)? else {
            return Ok(None);
        };
        if count > self.rest.len() / element_size_min.max(1) {
            return Err(self.malformed("no more elements than bytes remain for"));
        }
        Ok(Some(count))
    }

    /// Reads the count of an array; see [`Reader::nullable_count`].
    #[inline(always)]
    pub fn count(&mut self, flexible: bool, element_size_min: usize) -> Result<usize, Malformed> {
        let count = self.nullable_count(flexible, element_size_min)?;
        count.ok_or_else(|| self.malformed("an array, not null"))
    }

    /// Books the memory of `count` decoded elements before they are allocated.
    ///
    /// *Errors*: [`Malformed`] if the message would take more than its bound.
    pub fn book<T>(&mut self, count: usize) -> Result<(), Malformed> {
        let size = ByteCount::from(count.saturating_mul(size_of::<T>()));
        self.memory_left = self
            .memory_left
            .checked_sub(size.0)
            .ok_or_else(|| self.malformed("a message that fits its memory bound"))?;
        Ok(())
    }

    /// Reads the tagged fields that end a flexible structure.
    ///
    /// `read` is called for every tag with a reader that ends where the field ends; it reads the
    /// whole field and says so, or reads nothing and returns `false` if it does not know the tag.
    pub fn tagged_fields<F>(&mut self, mut read: F) -> Result<(), Malformed>
    where
        F: FnMut(u32, &mut Self) -> Result<bool, Malformed>,
    {
        let count = self.varint()?;
        let mut tag_min: u64 = 0;
        for _ in 0..count {
            let tag = self.varint()?;
            if u64::from(tag) < tag_min {
                return Err(self.malformed("tags in ascending order"));
            }
            tag_min = u64::from(tag) + 1;
            let size = usize::try_from(self.varint()?).expect("32 bits fit 64");
            let (field, after) = self
                .rest
                .split_at_checked(size)
                .ok_or_else(|| self.malformed("as many bytes as announced"))?;
            self.rest = field;
            self.behind += after.len();
            if read(tag, self)? && !self.rest.is_empty() {
                return Err(self.malformed("the end of the tagged field"));
            }
            self.rest = after;
            self.behind -= after.len();
        }
        Ok(())
    }

    /// Reads over the tagged fields that end a flexible structure none of whose tags are known.
    #[inline(always)]
    pub fn skip_tagged_fields(&mut self, flexible: bool) -> Result<(), Malformed> {
        match self.rest.split_first() {
            _ if !flexible => Ok(()),
            Some((0, rest)) => {
                self.rest = rest;
                Ok(())
            }
            _ => self.tagged_fields(|_, _| Ok(false)),
        }
    }
}

/// The width of a length field outside the flexible encoding.
#[derive(Clone, Copy)]
enum Classic {
    Int16,
    Int32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(bytes: &Bytes) -> Reader<'_> {
        Reader::new(bytes, ByteCount(64))
    }

    #[test]
    fn varints_of_more_than_32_bits_are_refused() {
        let largest = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0x0f]);
        assert_eq!(reader(&largest).varint(), Ok(u32::MAX));
        let over = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0x1f]);
        assert!(reader(&over).varint().is_err());
        let endless = Bytes::from_static(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00]);
        assert!(reader(&endless).varint().is_err());
        let padded = Bytes::from_static(&[0x81, 0x80, 0x00]);
        assert_eq!(reader(&padded).varint(), Ok(1));
    }

    #[test]
    fn lengths_below_minus_one_are_refused() {
        let bytes = Bytes::from_static(&[0xff, 0xfe]);
        assert!(reader(&bytes).nullable_string(false).is_err());
        let bytes = Bytes::from_static(&[0xff, 0xff]);
        assert_eq!(reader(&bytes).nullable_string(false), Ok(None));
        assert!(reader(&bytes).string(false).is_err());
    }

    #[test]
    fn counts_are_checked_against_the_bytes_that_remain() {
        let bytes = Bytes::from_static(&[0x7f, 0xff, 0xff, 0xff]);
        assert_eq!(
            reader(&bytes).count(false, 1).map_err(|error| error.want),
            Err("no more elements than bytes remain for")
        );
        let bytes = Bytes::from_static(&[0, 0, 0, 2, 1, 2, 3]);
        assert_eq!(reader(&bytes).count(false, 1), Ok(2));
        assert!(reader(&bytes).count(false, 2).is_err());
    }

    #[test]
    fn booked_memory_is_bounded() {
        let bytes = Bytes::new();
        let mut reader = reader(&bytes);
        assert_eq!(reader.book::<u64>(8), Ok(()));
        assert!(reader.book::<u8>(1).is_err());
        assert!(reader.book::<u64>(usize::MAX).is_err());
    }

    #[test]
    fn tags_ascend_and_fields_are_read_whole() {
        let known = |tag, inner: &mut Reader<'_>| {
            if tag == 1 {
                inner.int16()?;
            }
            Ok(tag == 1)
        };
        let good = Bytes::from_static(&[2, 1, 2, 0, 7, 9, 1, 0xaa, 0x55]);
        let mut whole = reader(&good);
        assert_eq!(whole.tagged_fields(known), Ok(()));
        assert_eq!((whole.at_bytes(), whole.remaining()), (8, 1));
        for bad in [
            &[2, 1, 2, 0, 7, 1, 2, 0, 7][..],
            &[2, 9, 0, 1, 2, 0, 7],
            &[1, 1, 3, 0, 7, 7],
            &[1, 1, 1, 0, 7],
            &[1, 1, 0x7f],
            &[0xff, 0xff, 0xff, 0xff, 0x0f],
        ] {
            let bytes = Bytes::copy_from_slice(bad);
            assert!(reader(&bytes).tagged_fields(known).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn byte_strings_share_the_memory_of_the_frame() {
        let bytes = Bytes::from_static(&[0, 0, 0, 2, 7, 8, 9]);
        let mut reader = reader(&bytes);
        let string = reader.nullable_bytes(false).unwrap().unwrap();
        assert_eq!(string.as_ptr(), bytes[4..].as_ptr());
        assert_eq!(reader.remaining(), 1);
    }
}

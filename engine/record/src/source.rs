//! Where the grammar of records reads from: a slice, or a decompressing stream.
//!
//! [`SliceSource`] hands out slices of the body and costs a few instructions a field;
//! [`StreamSource`] holds one window of decompressed bytes and hands out nothing, so that a body can
//! be checked without ever being in memory as a whole.

use std::io::Read;

use types::ByteCount;

use crate::compression::Decoder;
use crate::error::RecordFault;
use crate::short::{Fields, read_short};
use crate::varint::{VARINT_SIZE_MAX, VARLONG_SIZE_MAX, unzigzag, unzigzag_32};

/// The window of decompressed bytes, in bytes.
const WINDOW_SIZE: usize = 32 << 10;

/// Bytes of a body, record by record.
///
/// Reads go to the body until [`Source::open_record`] fences them into one record.
pub(crate) trait Source {
    /// What a run of bytes is handed out as.
    type Slice;
    /// Why reading fails.
    type Error: From<RecordFault>;

    /// Takes the next record whole if it is short; else nothing is read.
    fn short_record(&mut self) -> Option<Fields>;

    /// Reads the next record's length; everything is read inside that record from now on.
    fn open_record(&mut self) -> Result<(), Self::Error>;

    /// Returns whether the open record is used up.
    fn record_is_spent(&self) -> bool;

    /// Returns whether the body is used up; the last record must be.
    fn body_is_spent(&mut self) -> Result<bool, Self::Error>;

    /// Takes one byte of the record.
    fn byte(&mut self) -> Result<u8, Self::Error>;

    /// Takes `count` bytes of the record.
    fn take(&mut self, count: usize) -> Result<Self::Slice, Self::Error>;

    /// Returns what is left of the record, without taking it.
    fn rest_of_record(&self) -> Self::Slice;

    /// Takes a 32-bit number.
    #[inline]
    fn varint(&mut self) -> Result<i32, Self::Error> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(unzigzag_32(u32::from(first)));
        }
        let number = long_varint(first, VARINT_SIZE_MAX, || self.byte())?;
        match u32::try_from(number) {
            Ok(number) => Ok(unzigzag_32(number)),
            Err(_) => Err(RecordFault::VarintTooLong.into()),
        }
    }

    /// Takes a 64-bit number.
    #[inline]
    fn varlong(&mut self) -> Result<i64, Self::Error> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(unzigzag(u64::from(first)));
        }
        long_varint(first, VARLONG_SIZE_MAX, || self.byte()).map(unzigzag)
    }
}

/// Reads on behind a first byte that has its high bit set.
#[inline]
fn long_varint<E: From<RecordFault>>(
    first: u8,
    size_max: usize,
    mut next: impl FnMut() -> Result<u8, E>,
) -> Result<u64, E> {
    let mut number = u64::from(first & 0x7f);
    for place in 1..size_max {
        let byte = next()?;
        let bits = u64::from(byte & 0x7f);
        let shift = 7 * place;
        // The tenth byte has room for one bit of 64.
        if shift == 63 && bits > 1 {
            break;
        }
        number |= bits << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(RecordFault::VarintTooLong.into())
}

/// A body in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SliceSource<'a> {
    record: &'a [u8],
    behind: &'a [u8],
}

impl<'a> SliceSource<'a> {
    /// Starts in front of a body's first record.
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self {
            record: &[],
            behind: body,
        }
    }

    /// Returns the body behind the record that was opened last.
    #[cfg(test)]
    pub(crate) fn behind(&self) -> &'a [u8] {
        self.behind
    }

    /// Starts inside a record, of which `fields` are left.
    pub(crate) fn within_record(fields: &'a [u8]) -> Self {
        Self {
            record: fields,
            behind: &[],
        }
    }
}

impl<'a> Source for SliceSource<'a> {
    type Slice = &'a [u8];
    type Error = RecordFault;

    #[inline]
    fn short_record(&mut self) -> Option<Fields> {
        let (fields, behind) = read_short(self.behind)?;
        self.behind = behind;
        Some(fields)
    }

    fn open_record(&mut self) -> Result<(), RecordFault> {
        self.record = self.behind;
        let length = self.varint()?;
        let length = usize::try_from(length).map_err(|_| RecordFault::NegativeLength { length })?;
        (self.record, self.behind) = self
            .record
            .split_at_checked(length)
            .ok_or(RecordFault::Truncated)?;
        Ok(())
    }

    #[inline]
    fn record_is_spent(&self) -> bool {
        self.record.is_empty()
    }

    fn body_is_spent(&mut self) -> Result<bool, RecordFault> {
        Ok(self.behind.is_empty())
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, RecordFault> {
        let (&first, rest) = self.record.split_first().ok_or(RecordFault::Truncated)?;
        self.record = rest;
        Ok(first)
    }

    #[inline]
    fn take(&mut self, count: usize) -> Result<&'a [u8], RecordFault> {
        let (taken, rest) = self
            .record
            .split_at_checked(count)
            .ok_or(RecordFault::Truncated)?;
        self.record = rest;
        Ok(taken)
    }

    #[inline]
    fn rest_of_record(&self) -> &'a [u8] {
        self.record
    }
}

/// Why a stream of records cannot be read on.
#[derive(Debug)]
pub(crate) enum StreamFault {
    Record(RecordFault),
    Codec(std::io::Error),
    TooLarge,
}

impl From<RecordFault> for StreamFault {
    fn from(fault: RecordFault) -> Self {
        Self::Record(fault)
    }
}

/// A body that comes out of a decoder.
pub(crate) struct StreamSource<'a> {
    decoder: Decoder<'a>,
    window: Box<[u8]>,
    /// The part of `window` that is not read yet.
    start: usize,
    end: usize,
    /// How many bytes may still come out of the decoder.
    budget: u64,
    /// How many bytes of the open record are left; no bound while its length is read.
    record_left: usize,
}

impl<'a> StreamSource<'a> {
    /// Starts in front of a body's first record; at most `max` bytes of it are read.
    pub(crate) fn new(decoder: Decoder<'a>, max: ByteCount) -> Self {
        Self {
            decoder,
            window: vec![0; WINDOW_SIZE].into_boxed_slice(),
            start: 0,
            end: 0,
            budget: max.0,
            record_left: 0,
        }
    }

    /// Fills the empty window; returns whether it holds bytes now.
    fn fill(&mut self) -> Result<bool, StreamFault> {
        let count = self
            .decoder
            .read(&mut self.window)
            .map_err(StreamFault::Codec)?;
        self.budget = self
            .budget
            .checked_sub(ByteCount::from(count).0)
            .ok_or(StreamFault::TooLarge)?;
        (self.start, self.end) = (0, count);
        Ok(count > 0)
    }

    #[inline]
    fn has_bytes(&mut self) -> Result<bool, StreamFault> {
        Ok(self.start < self.end || self.fill()?)
    }
}

impl Source for StreamSource<'_> {
    type Slice = ();
    type Error = StreamFault;

    fn short_record(&mut self) -> Option<Fields> {
        None
    }

    fn open_record(&mut self) -> Result<(), StreamFault> {
        self.record_left = usize::MAX;
        let length = self.varint()?;
        self.record_left =
            usize::try_from(length).map_err(|_| RecordFault::NegativeLength { length })?;
        Ok(())
    }

    fn record_is_spent(&self) -> bool {
        self.record_left == 0
    }

    fn body_is_spent(&mut self) -> Result<bool, StreamFault> {
        Ok(!self.has_bytes()?)
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, StreamFault> {
        if self.record_left == 0 || !self.has_bytes()? {
            return Err(RecordFault::Truncated.into());
        }
        let byte = self.window.get(self.start).copied();
        self.start += 1;
        self.record_left -= 1;
        Ok(byte.expect("the window holds a byte"))
    }

    #[inline]
    fn take(&mut self, count: usize) -> Result<(), StreamFault> {
        self.record_left = self
            .record_left
            .checked_sub(count)
            .ok_or(RecordFault::Truncated)?;
        let mut left = count;
        while left > 0 {
            if !self.has_bytes()? {
                return Err(RecordFault::Truncated.into());
            }
            let step = left.min(self.end - self.start);
            self.start += step;
            left -= step;
        }
        Ok(())
    }

    fn rest_of_record(&self) {}
}

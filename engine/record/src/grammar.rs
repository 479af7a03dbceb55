//! The grammar of one record, the same for every source of bytes.
//!
//! ```text
//! record  = length:varint attributes:int8 timestampDelta:varlong offsetDelta:varint
//!           key:nullable value:nullable headerCount:varint header*
//! header  = keyLength:varint key value:nullable
//! nullable = -1:varint | length:varint byte*
//! ```
//!
//! The attributes byte of a record has no meaning yet, so any value passes, as in Kafka.

use crate::error::RecordFault;
use crate::source::Source;

/// What one record holds, in terms of its source.
pub(crate) struct RawRecord<S> {
    pub(crate) timestamp_delta: i64,
    pub(crate) offset_delta: i32,
    pub(crate) key: Option<S>,
    pub(crate) value: Option<S>,
    /// How many headers `headers` holds.
    pub(crate) header_count: u32,
    pub(crate) headers: S,
}

/// Reads the next record and makes sure that its fields fill its length exactly.
#[inline]
pub(crate) fn read_record<S: Source>(source: &mut S) -> Result<RawRecord<S::Slice>, S::Error> {
    source.open_record()?;
    let _attributes = source.byte()?;
    let timestamp_delta = source.varlong()?;
    let offset_delta = source.varint()?;
    let key = read_nullable(source)?;
    let value = read_nullable(source)?;
    let count = source.varint()?;
    let header_count =
        u32::try_from(count).map_err(|_| RecordFault::NegativeHeaderCount { count })?;
    let headers = source.rest_of_record();
    for _ in 0..header_count {
        read_header(source)?;
    }
    if !source.record_is_spent() {
        return Err(RecordFault::TrailingBytes.into());
    }
    Ok(RawRecord {
        timestamp_delta,
        offset_delta,
        key,
        value,
        header_count,
        headers,
    })
}

/// A header's key and value.
pub(crate) type RawHeader<S> = (S, Option<S>);

/// Reads one header of the open record.
#[inline]
pub(crate) fn read_header<S: Source>(source: &mut S) -> Result<RawHeader<S::Slice>, S::Error> {
    let length = source.varint()?;
    let key_length = usize::try_from(length).map_err(|_| RecordFault::NegativeLength { length })?;
    let key = source.take(key_length)?;
    let value = read_nullable(source)?;
    Ok((key, value))
}

#[inline]
fn read_nullable<S: Source>(source: &mut S) -> Result<Option<S::Slice>, S::Error> {
    match source.varint()? {
        -1 => Ok(None),
        length => match usize::try_from(length) {
            Ok(length) => source.take(length).map(Some),
            Err(_) => Err(RecordFault::NegativeLength { length }.into()),
        },
    }
}

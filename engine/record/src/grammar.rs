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
use crate::short::Fields;
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

/// Reads the next record for what a walk asks of it.
pub(crate) fn read_fields<S: Source>(source: &mut S) -> Result<Fields, S::Error> {
    read_record(source).map(|record| Fields {
        timestamp_delta: record.timestamp_delta,
        offset_delta: record.offset_delta,
        has_key: record.key.is_some(),
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

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::short::read_short;
    use crate::source::SliceSource;

    /// Reads the first record by the whole grammar.
    fn read_whole(body: &[u8]) -> Option<(Fields, &[u8])> {
        let mut source = SliceSource::new(body);
        let fields = read_fields(&mut source).ok()?;
        Some((fields, source.behind()))
    }

    #[test]
    fn plain_record_is_short() {
        let body = [0x14, 0, 0x80, 1, 2, 4, b'k', b'y', 2, b'v', 0, 0xff, 7];
        let fields = Fields {
            timestamp_delta: 64,
            offset_delta: 1,
            has_key: true,
        };
        assert_eq!(read_short(&body), Some((fields, &[0xff, 7][..])));
        assert_eq!(read_short(&body), read_whole(&body));
    }

    #[test]
    fn record_with_headers_or_long_numbers_is_not_short_but_read() {
        let with_header = [0x12, 0, 0, 0, 1, 1, 2, 2, b'k', 1];
        assert_eq!(read_short(&with_header), None);
        assert!(read_whole(&with_header).is_some());
        let three_bytes_of_time = [0x10, 0, 0x80, 0x80, 1, 0, 1, 1, 0];
        assert_eq!(read_short(&three_bytes_of_time), None);
        assert!(read_whole(&three_bytes_of_time).is_some());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn short_record_is_read_as_the_grammar_reads_it(
            fields in vec(0..6_u8, 0..12),
            high_bits in any::<u16>(),
        ) {
            let mut body = vec![u8::try_from(fields.len() * 2).expect("short")];
            body.extend(fields);
            for (place, byte) in body.iter_mut().enumerate() {
                if (high_bits >> place) & 0b11 == 0b11 {
                    *byte |= 0x80;
                }
            }
            if let Some(short) = read_short(&body) {
                prop_assert_eq!(Some(short), read_whole(&body));
            }
        }
    }
}

//! The offsets and timestamps of a batch's records, for who looks for one by them.
//!
//! A compressed body is read through a window, and no further than to the record looked for.

use std::ops::ControlFlow;

use thiserror::Error;
use types::{ByteCount, Offset, TimestampMs};

use crate::compression::{Decoder, DecompressError};
use crate::error::RecordFault;
use crate::grammar::read_fields;
use crate::iter::Base;
use crate::source::{SliceSource, Source, StreamFault, StreamSource};
use crate::view::Batch;

/// The records of a batch cannot be read on.
#[derive(Debug, Error)]
pub enum TimesError {
    /// The body does not come out of its codec, or more of it than the caller takes.
    #[error(transparent)]
    Decompress(#[from] DecompressError),
    /// A record does not follow the grammar.
    #[error(transparent)]
    Record(#[from] RecordFault),
}

/// Shows the offset and timestamp of each record to `visit`, in order, until it breaks.
///
/// *Errors*: [`TimesError`] at the first record that cannot be read; [`DecompressError::TooLarge`] when
/// `decompressed_max` bytes of a compressed body were read and `visit` wants more.
/// *Cost*: a few nanoseconds a record, and decompression as far as it goes; nothing is held but a window.
pub fn visit_times(
    batch: &Batch<'_>,
    decompressed_max: ByteCount,
    visit: impl FnMut(Offset, TimestampMs) -> ControlFlow<()>,
) -> Result<(), TimesError> {
    let header = batch.header();
    let compression = header.attributes().compression();
    let compression = compression.map_err(DecompressError::from)?;
    let base = Base::of(header);
    let count = u32::try_from(header.record_count()).unwrap_or(0);
    match Decoder::new(compression, batch.body())? {
        None => Ok(run(
            &mut SliceSource::new(batch.body()),
            base,
            count,
            visit,
        )?),
        Some(decoder) => {
            let mut source = StreamSource::new(decoder, decompressed_max);
            run(&mut source, base, count, visit).map_err(|fault| match fault {
                StreamFault::Record(fault) => fault.into(),
                StreamFault::Codec(cause) => DecompressError::Corrupt(cause).into(),
                StreamFault::TooLarge => {
                    let max = decompressed_max;
                    DecompressError::TooLarge { max }.into()
                }
            })
        }
    }
}

fn run<S: Source>(
    source: &mut S,
    base: Base,
    count: u32,
    mut visit: impl FnMut(Offset, TimestampMs) -> ControlFlow<()>,
) -> Result<(), S::Error> {
    for _ in 0..count {
        let fields = match source.short_record() {
            Some(fields) => fields,
            None => read_fields(source)?,
        };
        let offset = base.offset(fields.offset_delta)?;
        let timestamp = base.timestamp(fields.timestamp_delta)?;
        if visit(offset, timestamp).is_break() {
            return Ok(());
        }
    }
    if count == 0 || source.body_is_spent()? {
        Ok(())
    } else {
        Err(RecordFault::TrailingRecords.into())
    }
}

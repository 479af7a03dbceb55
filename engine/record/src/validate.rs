//! What a produced batch must be before it enters a log.
//!
//! Checks run in this order, and the first that fails is the answer:
//!
//! 1. exactly one whole batch of version 2;
//! 2. base offset 0, size, checksum;
//! 3. counts, no control batch, producer fields, codec, timestamp type;
//! 4. every record: grammar, offset deltas 0, 1, 2, ..., key if the topic is compacted, timestamp.
//!
//! A compressed body is walked too, through a window: it is never in memory as a whole. Nothing is
//! skipped, and nothing is allocated per record.
//!
//! Not here: whether the producer's sequence follows (storage), who may write (handlers), and zstd
//! with old Produce versions (handlers; the header tells the codec).
//!
//! *Source*: docs/formats/record_batch.md; KIP-467 for answers per record.

use bytes::Bytes;
use types::ByteCount;

use crate::checked::{CheckedBatch, OwnedBatch};
use crate::compression::{DECOMPRESSED_SIZE_MAX, Decoder, DecompressError};
use crate::header::{BatchHeader, TimestampType};
use crate::invalid::Invalid;
use crate::rules::Rules;
use crate::source::{SliceSource, StreamSource};
use crate::view::Batch;
use crate::walk::Walk;

/// Checks the bytes that a client sent for one partition, in the order above.
///
/// *Layout*: `bytes` must be one batch, nothing in front and nothing behind.
/// *Errors*: [`Invalid`], which names the code to answer.
/// *Cost*: one pass for the checksum and a few nanoseconds a record; a compressed body is
/// decompressed once, through a window.
pub fn validate_produced<'a>(bytes: &'a [u8], rules: &Rules) -> Result<CheckedBatch<'a>, Invalid> {
    validate_produced_within(bytes, rules, DECOMPRESSED_SIZE_MAX)
}

/// The same as [`validate_produced_within`], and keeps the bytes: for who checks elsewhere than where
/// the batch is used.
///
/// *Errors*: as there.
pub fn validate_owned(
    bytes: Bytes,
    rules: &Rules,
    decompressed_max: ByteCount,
) -> Result<OwnedBatch, Invalid> {
    OwnedBatch::check(bytes, |bytes| {
        validate_produced_within(bytes, rules, decompressed_max)
    })
}

/// The same as [`validate_produced`] for a batch that decompresses to `decompressed_max` at most: what
/// takes few bytes on the wire may take long to look at.
///
/// *Errors*: as [`validate_produced`]; [`Invalid::DecompressedTooLarge`] for a larger one.
pub fn validate_produced_within<'a>(
    bytes: &'a [u8],
    rules: &Rules,
    decompressed_max: ByteCount,
) -> Result<CheckedBatch<'a>, Invalid> {
    let batch = Batch::parse(bytes)?;
    let header = batch.header();
    let base_offset = header.base_offset().get();
    if base_offset != 0 {
        return Err(Invalid::BaseOffset { base_offset });
    }
    let size = ByteCount::of(bytes);
    if size > rules.batch_size_max {
        return Err(Invalid::TooLarge {
            size,
            max: rules.batch_size_max,
        });
    }
    batch.check_crc()?;
    let record_count = check_header(header)?;
    let compression = header.attributes().compression()?;
    if header.attributes().timestamp_type() == TimestampType::LogAppendTime {
        return Err(Invalid::TimestampType);
    }
    let mut walk = Walk::new(header, rules);
    match Decoder::new(compression, batch.body()) {
        Ok(None) => walk.run(record_count, &mut SliceSource::new(batch.body()))?,
        Ok(Some(decoder)) => {
            let mut source = StreamSource::new(decoder, decompressed_max);
            walk.run(record_count, &mut source)?;
        }
        Err(DecompressError::Corrupt(cause)) => return Err(Invalid::Decompression(cause)),
        Err(DecompressError::UnknownCodec(unknown)) => return Err(unknown.into()),
        Err(DecompressError::TooLarge { max }) => {
            return Err(Invalid::DecompressedTooLarge { max });
        }
    }
    walk.finish()
        .map(|largest| CheckedBatch::new(batch, record_count, largest))
}

/// Checks counts, flags and producer fields; returns the number of records, 1 or more.
fn check_header(header: &BatchHeader) -> Result<u32, Invalid> {
    let record_count = match u32::try_from(header.record_count()) {
        Ok(count) if count > 0 && header.last_offset_delta() == header.record_count() - 1 => count,
        _ => {
            return Err(Invalid::Counts {
                record_count: header.record_count(),
                last_offset_delta: header.last_offset_delta(),
            });
        }
    };
    if header.attributes().is_control() {
        return Err(Invalid::ControlBatch);
    }
    let fields_fit = match header.producer_id() {
        Some(_) => header.producer_epoch().0 >= 0 && header.base_sequence().is_some(),
        None => !header.attributes().is_transactional(),
    };
    if fields_fit {
        Ok(record_count)
    } else {
        Err(Invalid::ProducerFields {
            id: header.producer_id.get(),
            epoch: header.producer_epoch.get(),
            base_sequence: header.base_sequence.get(),
        })
    }
}

//! Changes the codec of a checked batch, for topics that fix one.

use bytes::Bytes;
use thiserror::Error;
use zerocopy::byteorder::big_endian::{I32, U16, U32};

use crate::builder::{BuildError, length_of, write_header};
use crate::checked::CheckedBatch;
use crate::codec::Compression;
use crate::compression::{DECOMPRESSED_SIZE_MAX, DecompressError, compress, decompress};
use crate::header::{Attributes, BATCH_HEADER_SIZE, LENGTH_END};
use crate::view::crc_of;

/// A batch cannot be moved to another codec.
#[derive(Debug, Error)]
pub enum RecompressError {
    /// The body does not come out of its codec.
    #[error(transparent)]
    Decompress(#[from] DecompressError),
    /// The body does not go into the new one.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// Writes a batch anew with its records under another codec; `None` if it has that codec already.
///
/// All else stays as it was, and the checksum is new. The result is a well-formed batch, but not a
/// [`CheckedBatch`]: it may be larger than a topic takes, so it is validated as if it had come so.
///
/// *Errors*: [`RecompressError`].
/// *Cost*: decompresses and compresses the whole body in memory.
pub fn recompress(
    batch: &CheckedBatch<'_>,
    compression: Compression,
) -> Result<Option<Bytes>, RecompressError> {
    let old = batch.header();
    if old.attributes().compression() == Ok(compression) {
        return Ok(None);
    }
    let body = decompress(&batch.batch(), DECOMPRESSED_SIZE_MAX)?;
    let mut target = vec![0; BATCH_HEADER_SIZE];
    compress(compression, &body, &mut target).map_err(BuildError::Compression)?;
    let mut header = *old;
    header.length = I32::new(length_of(target.len() - LENGTH_END)?);
    let attributes = old.attributes.get() & !Attributes::CODEC_MASK | compression.bits();
    header.attributes = U16::new(attributes);
    write_header(&mut target, &header);
    header.crc = U32::new(crc_of(&target));
    write_header(&mut target, &header);
    Ok(Some(target.into()))
}

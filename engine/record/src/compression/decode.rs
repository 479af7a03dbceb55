//! Decoders with bounds.

use std::borrow::Cow;
use std::io::{self, Read};

use flate2::bufread::MultiGzDecoder;
use lz4_flex::frame::FrameDecoder;
use thiserror::Error;
use types::ByteCount;
use types::limits::FRAME_SIZE_MAX;

use crate::codec::{Compression, UnknownCodec};
use crate::compression::snappy::{BlockReader, invalid_data};
use crate::view::Batch;

/// The most bytes that a batch's body may decompress to when it is checked.
///
/// Consumers hold a body whole, and librdkafka refuses to make one larger than a message it would
/// receive, 100 MB by default: a larger one could be stored, but not read.
pub const DECOMPRESSED_SIZE_MAX: ByteCount = FRAME_SIZE_MAX;

/// The largest window a zstd frame may ask its decoder for, in bytes.
///
/// 8 MiB is what RFC 8878 asks every decoder to support; encoders stay within it up to level 19.
pub const ZSTD_WINDOW_SIZE_MAX: usize = 1 << ZSTD_WINDOW_LOG_MAX;
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// Output is taken in pieces of this size, so that memory follows what really comes out.
const READ_STEP: usize = 64 << 10;

/// A body cannot be decompressed.
#[derive(Debug, Error)]
pub enum DecompressError {
    /// The codec bits have no meaning.
    #[error(transparent)]
    UnknownCodec(#[from] UnknownCodec),
    /// More comes out than the caller takes.
    #[error("body decompresses to more than {max}")]
    TooLarge {
        /// What the caller takes.
        max: ByteCount,
    },
    /// The codec refuses the bytes.
    #[error("body cannot be decompressed")]
    Corrupt(#[source] io::Error),
}

/// Returns the records of a batch, decompressed if they are not plain.
///
/// *Errors*: [`DecompressError`]; `TooLarge` beyond `max` bytes, also for a plain body.
/// *Cost*: a plain body is borrowed; else one allocation that grows with the output.
pub fn decompress<'a>(batch: &Batch<'a>, max: ByteCount) -> Result<Cow<'a, [u8]>, DecompressError> {
    let body = batch.body();
    match Decoder::new(batch.header().attributes().compression()?, body)? {
        None if ByteCount::of(body) > max => Err(DecompressError::TooLarge { max }),
        None => Ok(Cow::Borrowed(body)),
        Some(decoder) => read_bounded(decoder, max).map(Cow::Owned),
    }
}

fn read_bounded(mut decoder: Decoder<'_>, max: ByteCount) -> Result<Vec<u8>, DecompressError> {
    let mut output = Vec::new();
    loop {
        let step = u64::try_from(READ_STEP).expect("a small constant");
        let count = decoder
            .by_ref()
            .take(step)
            .read_to_end(&mut output)
            .map_err(DecompressError::Corrupt)?;
        if ByteCount::of(&output) > max {
            return Err(DecompressError::TooLarge { max });
        }
        if count == 0 {
            return Ok(output);
        }
    }
}

/// A stream of a compressed body's decompressed bytes.
pub(crate) enum Decoder<'a> {
    Gzip(Box<MultiGzDecoder<&'a [u8]>>),
    Snappy(BlockReader<'a>),
    Lz4(Box<FrameDecoder<&'a [u8]>>),
    Zstd(zstd::Decoder<'static, &'a [u8]>),
}

impl<'a> Decoder<'a> {
    /// Opens a body; `None` if it is not compressed.
    pub(crate) fn new(
        compression: Compression,
        body: &'a [u8],
    ) -> Result<Option<Self>, DecompressError> {
        let decoder = match compression {
            Compression::None => return Ok(None),
            Compression::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(body))),
            Compression::Snappy => Self::Snappy(BlockReader::new(body)),
            Compression::Lz4 => Self::open_lz4(body).map_err(DecompressError::Corrupt)?,
            Compression::Zstd => Self::open_zstd(body).map_err(DecompressError::Corrupt)?,
        };
        Ok(Some(decoder))
    }

    /// Opens an LZ4 frame, of the kind that Kafka's Java clients can read back: format version 1,
    /// independent blocks, no dictionary.
    fn open_lz4(body: &'a [u8]) -> io::Result<Self> {
        const MAGIC: [u8; 4] = 0x184d_2204_u32.to_le_bytes();
        const FLAGS_MASK: u8 = 0b1110_0001;
        const FLAGS: u8 = 0b0110_0000;
        let starts_well = body.split_first_chunk::<4>().is_some_and(|(magic, rest)| {
            *magic == MAGIC
                && rest
                    .first()
                    .is_some_and(|flags| flags & FLAGS_MASK == FLAGS)
        });
        if !starts_well {
            return Err(invalid_data("not an lz4 frame of independent blocks"));
        }
        Ok(Self::Lz4(Box::new(FrameDecoder::new(body))))
    }

    fn open_zstd(body: &'a [u8]) -> io::Result<Self> {
        let mut decoder = zstd::Decoder::with_buffer(body)?;
        decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
        Ok(Self::Zstd(decoder))
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(target),
            Self::Snappy(decoder) => decoder.read(target),
            Self::Lz4(decoder) => match decoder.read(target)? {
                // One frame is all there may be: its decoder would start over on what follows.
                0 if !decoder.get_ref().is_empty() => {
                    Err(invalid_data("bytes follow the lz4 frame"))
                }
                count => Ok(count),
            },
            Self::Zstd(decoder) => decoder.read(target),
        }
    }
}

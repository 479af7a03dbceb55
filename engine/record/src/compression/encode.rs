//! Encoders, each in the form that every client reads.

use std::io::{self, Write};

use flate2::write::GzEncoder;
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};

use crate::codec::Compression;
use crate::compression::snappy;

/// The zstd level, Kafka's default.
const ZSTD_LEVEL: i32 = 3;

/// Appends `body` to `target`, compressed at the codec's default level.
///
/// *Errors*: the codec's; memory is all that can fail here.
pub(crate) fn compress(
    compression: Compression,
    body: &[u8],
    target: &mut Vec<u8>,
) -> io::Result<()> {
    match compression {
        Compression::None => target.extend_from_slice(body),
        Compression::Gzip => {
            let mut encoder = GzEncoder::new(target, flate2::Compression::default());
            encoder.write_all(body)?;
            encoder.finish()?;
        }
        Compression::Snappy => snappy::compress(body, target)?,
        Compression::Lz4 => {
            // What Java's reader takes: independent blocks, without checksums as its writer has it.
            let frame = FrameInfo::new()
                .block_size(BlockSize::Max64KB)
                .block_mode(BlockMode::Independent);
            let mut encoder = FrameEncoder::with_frame_info(frame, target);
            encoder.write_all(body)?;
            encoder.finish()?;
        }
        Compression::Zstd => target.extend(zstd::bulk::compress(body, ZSTD_LEVEL)?),
    }
    Ok(())
}

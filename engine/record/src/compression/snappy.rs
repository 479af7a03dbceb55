//! Snappy blocks, framed as snappy-java frames them, or one bare block.
//!
//! *Layout*: 8 bytes of magic, version and compatible version as int32 (big-endian, 1 and 1), then
//! blocks: length int32, that many bytes of bare snappy. Java clients send this; librdkafka and the
//! Go clients send one bare block without any framing, told apart by the missing magic.
//!
//! A bare block can only be decoded as a whole, so its declared size is checked before memory is
//! taken for it: against [`SNAPPY_BLOCK_SIZE_MAX`], and against what its input can expand to.

use std::io::{self, Read};

/// The largest block that is decoded, in bytes.
///
/// 32 MiB: ten times the largest batch a topic may take. Framed blocks are 32 KiB by default.
pub const SNAPPY_BLOCK_SIZE_MAX: usize = 32 << 20;

const FRAMING_MAGIC: [u8; 8] = *b"\x82SNAPPY\0";
const FRAMING_HEADER_SIZE: usize = 16;
const FRAMING_VERSION: [u8; 8] = [0, 0, 0, 1, 0, 0, 0, 1];

/// The size of the blocks that are written, snappy-java's default.
const WRITE_BLOCK_SIZE: usize = 32 << 10;

/// No snappy element makes more bytes of one byte of input (a copy of 64 takes three, rounded up).
const EXPANSION_MAX: usize = 22;

/// Reads the decoded bytes of a body.
#[derive(Debug)]
pub(crate) struct BlockReader<'a> {
    input: Input<'a>,
    block: Vec<u8>,
    /// How far `block` has been read.
    position: usize,
}

#[derive(Debug)]
enum Input<'a> {
    Framed(&'a [u8]),
    Bare(Option<&'a [u8]>),
}

impl<'a> BlockReader<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        let input = match body.split_at_checked(FRAMING_HEADER_SIZE) {
            Some((framing, blocks)) if framing.starts_with(&FRAMING_MAGIC) => Input::Framed(blocks),
            _ => Input::Bare(Some(body)),
        };
        Self {
            input,
            block: Vec::new(),
            position: 0,
        }
    }

    /// Takes the next block's bytes off the input; `None` at the end.
    fn next_compressed(&mut self) -> io::Result<Option<&'a [u8]>> {
        match &mut self.input {
            Input::Bare(block) => Ok(block.take()),
            Input::Framed([]) => Ok(None),
            Input::Framed(rest) => {
                let (length, behind) = rest
                    .split_first_chunk::<4>()
                    .ok_or_else(|| invalid_data("snappy block length is cut off"))?;
                let block = usize::try_from(i32::from_be_bytes(*length))
                    .ok()
                    .and_then(|length| behind.split_at_checked(length));
                let (block, behind) =
                    block.ok_or_else(|| invalid_data("snappy block is cut off"))?;
                *rest = behind;
                Ok(Some(block))
            }
        }
    }

    /// Decodes the next block; returns whether there was one.
    fn fill(&mut self) -> io::Result<bool> {
        let Some(compressed) = self.next_compressed()? else {
            return Ok(false);
        };
        let size = snap::raw::decompress_len(compressed).map_err(invalid_data)?;
        if size > SNAPPY_BLOCK_SIZE_MAX || size > compressed.len().saturating_mul(EXPANSION_MAX) {
            return Err(invalid_data(
                "snappy block declares more bytes than it may have",
            ));
        }
        self.block.resize(size, 0);
        let written = snap::raw::Decoder::new()
            .decompress(compressed, &mut self.block)
            .map_err(invalid_data)?;
        self.block.truncate(written);
        self.position = 0;
        Ok(true)
    }
}

impl Read for BlockReader<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        // A block may be empty without being the last.
        while self.position == self.block.len() {
            if !self.fill()? {
                return Ok(0);
            }
        }
        let mut left = self.block.get(self.position..).unwrap_or_default();
        let count = left.read(target)?;
        self.position += count;
        Ok(count)
    }
}

/// Appends `body` to `target` as framed blocks.
pub(crate) fn compress(body: &[u8], target: &mut Vec<u8>) -> io::Result<()> {
    target.extend_from_slice(&FRAMING_MAGIC);
    target.extend_from_slice(&FRAMING_VERSION);
    let mut encoder = snap::raw::Encoder::new();
    for block in body.chunks(WRITE_BLOCK_SIZE) {
        let compressed = encoder.compress_vec(block).map_err(invalid_data)?;
        let length = i32::try_from(compressed.len()).map_err(invalid_data)?;
        target.extend_from_slice(&length.to_be_bytes());
        target.extend_from_slice(&compressed);
    }
    Ok(())
}

/// Says that bytes do not follow their codec.
pub(crate) fn invalid_data(
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(body: &[u8]) -> io::Result<Vec<u8>> {
        let mut decoded = Vec::new();
        BlockReader::new(body).read_to_end(&mut decoded)?;
        Ok(decoded)
    }

    #[test]
    fn framed_blocks_come_back_as_they_went_in() {
        let body = b"abcdefgh".repeat(20_000);
        let mut framed = Vec::new();
        compress(&body, &mut framed).unwrap();
        assert_eq!(framed[..16], *b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01");
        assert_eq!(read_all(&framed).unwrap(), body);
    }

    #[test]
    fn bare_block_is_read_as_other_clients_send_it() {
        let body = b"no framing ".repeat(10_000);
        let bare = snap::raw::Encoder::new().compress_vec(&body).unwrap();
        assert_eq!(read_all(&bare).unwrap(), body);
    }

    #[test]
    fn every_truncation_of_framed_blocks_is_shorter_or_refused() {
        let body = b"0123456789".repeat(10_000);
        let mut framed = Vec::new();
        compress(&body, &mut framed).unwrap();
        for length in 0..framed.len() {
            if let Ok(decoded) = read_all(&framed[..length]) {
                assert!(decoded.len() < body.len(), "{length} bytes gave everything");
            }
        }
    }

    #[test]
    fn declared_size_beyond_what_the_input_can_hold_takes_no_memory() {
        // Declares 2^32 - 1 bytes, holds none.
        assert!(read_all(&[0xff, 0xff, 0xff, 0xff, 0x0f]).is_err());
        // Declares 1 MiB, holds three bytes.
        assert!(read_all(&[0x80, 0x80, 0x40, 0x00, 0x61, 0x00]).is_err());
    }
}

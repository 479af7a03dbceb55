//! Writing a frame's bytes back to their place: over what stands there, and nothing beside it.

use std::io;

use bytes::Bytes;
use runtime::{AlignedBuffer, File};
use types::size::{block_ceil, block_floor};
use types::{BLOCK_SIZE, ByteCount};

use crate::mutants::{self, Mutant};

/// How much is written at a time.
const PIECE_SIZE: u64 = 1024 * 1024;

/// Writes `payload`, whose pieces stand one behind the other, at any position.
///
/// The first and the last block are read before, so that what stands beside the bytes stays.
pub(crate) async fn overlay(file: &File, position: u64, payload: &[Bytes]) -> io::Result<()> {
    let size: u64 = payload.iter().map(|bytes| ByteCount::of(bytes).0).sum();
    let end = position + size;
    let mut pieces = payload.iter();
    let mut current: &[u8] = &[];
    let mut at = position;
    while at < end {
        let floor = block_floor(at);
        let until = end.min(floor + PIECE_SIZE);
        let length = block_ceil(until) - floor;
        let mut buffer = AlignedBuffer::zeroed(ByteCount(length).as_usize());
        if !mutants::is_on(Mutant::PaddedRedo) {
            keep_block(file, floor, &mut buffer, 0).await?;
            if length > BLOCK_SIZE {
                keep_block(file, floor, &mut buffer, length - BLOCK_SIZE).await?;
            }
        }
        let used = ByteCount(at - floor).as_usize()..ByteCount(until - floor).as_usize();
        let mut target = buffer.get_mut(used).ok_or(io::ErrorKind::InvalidInput)?;
        while !target.is_empty() {
            if current.is_empty() {
                current = pieces.next().ok_or(io::ErrorKind::InvalidInput)?;
                continue;
            }
            let count = current.len().min(target.len());
            let (now, later) = current.split_at(count);
            let (place, rest) = target.split_at_mut(count);
            place.copy_from_slice(now);
            (current, target) = (later, rest);
        }
        file.write_at(buffer, floor).await?;
        at = until;
    }
    Ok(())
}

/// Copies the block at `floor + offset` of the file into the buffer; what the file lacks stays zero.
async fn keep_block(
    file: &File,
    floor: u64,
    buffer: &mut AlignedBuffer,
    offset: u64,
) -> io::Result<()> {
    let block = file
        .read_at(floor + offset, ByteCount(BLOCK_SIZE).as_usize())
        .await?;
    let start = ByteCount(offset).as_usize();
    let place = buffer.get_mut(start..start + block.len());
    place
        .ok_or(io::ErrorKind::InvalidInput)?
        .copy_from_slice(&block);
    Ok(())
}

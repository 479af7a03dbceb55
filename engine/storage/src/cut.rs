//! Cutting the end off a file.

use std::io;

use runtime::{AlignedBuffer, File};
use types::ByteCount;
use types::size::{block_ceil, block_floor};

/// Cuts a file at a position: zeros up to the block's end, nothing behind; synced.
pub(crate) async fn cut_file(file: &File, size: u64) -> io::Result<()> {
    let floor = block_floor(size);
    let kept = ByteCount(size - floor).as_usize();
    file.set_len(block_ceil(size)).await?;
    if kept > 0 {
        let block = file.read_at(floor, kept).await?;
        let mut buffer = AlignedBuffer::zeroed(ByteCount(block_ceil(1)).as_usize());
        let (place, _) = buffer
            .split_at_mut_checked(block.len())
            .ok_or(io::ErrorKind::InvalidData)?;
        place.copy_from_slice(&block);
        file.write_at(buffer, floor).await?;
    }
    file.sync_data().await
}

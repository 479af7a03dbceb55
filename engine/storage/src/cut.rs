//! Cutting the end off a file.

use std::io;

use runtime::{AlignedBuffer, File};
use types::size::{block_ceil, block_floor};
use types::{BLOCK_SIZE, ByteCount};

/// Cuts a file at a position: zeros up to the block's end, nothing behind; synced.
pub(crate) async fn cut_file(file: &File, size: u64) -> io::Result<()> {
    let floor = block_floor(size);
    let kept = ByteCount(size - floor).as_usize();
    file.set_len(block_ceil(size)).await?;
    if kept > 0 {
        let block = file
            .read_at(floor, ByteCount(BLOCK_SIZE).as_usize())
            .await?;
        let (before, behind) = block
            .split_at_checked(kept)
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        if behind.iter().any(|&byte| byte != 0) {
            let mut buffer = AlignedBuffer::zeroed(ByteCount(BLOCK_SIZE).as_usize());
            let (place, _) = buffer
                .split_at_mut_checked(kept)
                .ok_or(io::ErrorKind::InvalidInput)?;
            place.copy_from_slice(before);
            file.write_at(buffer, floor).await?;
        }
    }
    file.sync_data().await
}

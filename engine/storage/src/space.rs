//! A full disk: the space kept back for it, and the way out again.
//!
//! What was accepted stands in the journal, whose space was taken beforehand; only the room for new
//! segments can be missing. Then appends are refused, the reserve is given back to the disk so that
//! what was accepted can be written out, and appends are taken again once the reserve can be
//! restored. Reads and deletions go on all the while.

use std::cell::Cell;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use runtime::{File, OpenMode, Watch};
use types::ByteCount;
use types::size::block_ceil;

/// How long to wait before looking at a full disk again.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// The space of one shard's part of the disk.
#[derive(Debug)]
pub(crate) struct Space {
    reserve: PathBuf,
    reserve_size: u64,
    is_kept: Cell<bool>,
    is_full: Watch<bool>,
}

impl Space {
    /// Names the file that keeps `size` bytes back.
    pub(crate) fn new(reserve: PathBuf, size: ByteCount) -> Self {
        Self {
            reserve,
            reserve_size: block_ceil(size.0),
            is_kept: Cell::new(false),
            is_full: Watch::new(false),
        }
    }

    /// Returns whether appends are refused for want of space.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full.get()
    }

    /// Takes the reserve at start; a disk without room for it counts as full.
    ///
    /// *Errors*: those that do not mean a full disk.
    pub(crate) async fn keep_reserve(&self) -> io::Result<()> {
        let kept = self.try_keep().await?;
        if self.is_full.get() == kept {
            self.is_full.set(!kept);
        }
        Ok(())
    }

    /// Notes that the disk had no room, and gives the reserve back to it.
    ///
    /// *Errors*: those of giving it back.
    pub(crate) async fn report_full(&self) -> io::Result<()> {
        if !self.is_full.get() {
            tracing::warn!("the disk is full: appends are refused until there is space");
            self.is_full.set(true);
        }
        if self.is_kept.replace(false) {
            let file = File::open(&self.reserve, OpenMode::Create).await?;
            file.set_len(0).await?;
            file.close().await?;
        }
        Ok(())
    }

    /// Waits a while before an allocation that found no room is tried again.
    pub(crate) async fn wait_before_retry(&self) {
        runtime::sleep(RETRY_INTERVAL).await;
    }

    /// Restores the reserve whenever the disk was full and has room again; never returns.
    pub(crate) async fn watch(&self) -> io::Result<std::convert::Infallible> {
        loop {
            self.is_full.wait_until(|is_full| *is_full).await;
            runtime::sleep(RETRY_INTERVAL).await;
            if self.try_keep().await? {
                tracing::info!("the disk has space again: appends are taken");
                self.is_full.set(false);
            }
        }
    }

    async fn try_keep(&self) -> io::Result<bool> {
        if self.reserve_size == 0 {
            return Ok(true);
        }
        let file = File::open(&self.reserve, OpenMode::Create).await?;
        let kept = match file.allocate(0, self.reserve_size).await {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::StorageFull => false,
            Err(error) => return Err(error),
        };
        file.close().await?;
        self.is_kept.set(kept);
        Ok(kept)
    }
}

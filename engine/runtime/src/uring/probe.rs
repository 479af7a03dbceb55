//! Teaching glommio which devices can be polled, before it decides wrongly.
//!
//! At the first open on a device glommio tries one polled read of that file. If the file is empty the
//! read never reaches the device, so it "works", and from then on every direct read of this executor
//! fails with `EOPNOTSUPP` on ext4 and xfs. So the first file opened is one of ours, a block long and
//! really written.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use glommio::io::OpenOptions;
use types::size::BLOCK_SIZE;

use super::{reactor, shard, task};

/// Makes the name of every probe file its own.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// Makes sure that this executor knows what the device of a directory can do.
///
/// A directory that cannot be written to is left unprobed: what is read there was written before, so
/// the file to be opened is itself a fair trial.
pub(super) async fn ensure(device: u64, directory: &Path) {
    let seat = shard::seat();
    if seat.probed.borrow().contains(&device) {
        return;
    }
    if let Err(error) = probe(directory).await {
        tracing::debug!(directory = %directory.display(), %error, "no probe file");
    }
    seat.probed.borrow_mut().insert(device);
}

async fn probe(directory: &Path) -> io::Result<()> {
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!(".probe-{}-{number}", std::process::id());
    let path = directory.join(name);
    task::offload({
        let path = path.clone();
        move || write_block(&path)
    })
    .await?;
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    let opened = reactor::through(options.dma_open(&path)).await;
    let removed = task::offload(move || fs::remove_file(path)).await;
    reactor::through(opened?.close()).await?;
    removed
}

fn write_block(path: &PathBuf) -> io::Result<()> {
    let block = vec![1; usize::try_from(BLOCK_SIZE).map_err(io::Error::other)?];
    fs::write(path, block)
}

/// Returns the device of an open file.
pub(super) fn device(file: &fs::File) -> io::Result<u64> {
    Ok(file.metadata()?.dev())
}

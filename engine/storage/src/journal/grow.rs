//! Making journal files: in the background, as load asks.

use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::rc::Rc;

use runtime::{AlignedBuffer, File, OpenMode};
use types::ByteCount;
use types::size::block_ceil;

use super::ring::{Journal, JournalFile};
use crate::layout::journal_name;
use crate::shared::Shared;

/// How much is written at a time.
const PIECE_SIZE: u64 = 1024 * 1024;

/// Makes files whenever more are wanted than there are; ends with the first failed write or sync.
pub(crate) async fn run_growth(shared: &Shared, journal: &Rc<Journal>) -> io::Result<Infallible> {
    loop {
        let (size, wanted, needed) = journal.sizes();
        let stuck = !journal.has_free() && needed > largest_next(shared, size);
        if size >= wanted && !stuck {
            journal.changed.changed().await;
            continue;
        }
        let next = largest_next(shared, size).max(block_ceil(needed));
        let path = shared.layout.journal(shared.shard);
        let path = path.join(journal_name(journal.take_index()));
        match make_file(&path, next).await {
            Ok(file) => journal.add_file(file),
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                // The ring that there is goes on working, only in smaller laps.
                journal.stop_wanting();
                runtime::remove_file(&path).await?;
                shared.space.report_full().await?;
                journal.changed.changed().await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// The first four files have the smallest size; then each doubles the ring's quarter.
fn largest_next(shared: &Shared, ring_size: u64) -> u64 {
    let options = &shared.options;
    let smallest = block_ceil(options.journal_file_size.0);
    let largest = block_ceil(options.journal_file_size_max.0).max(smallest);
    (ring_size / 4).next_power_of_two().clamp(smallest, largest)
}

/// Makes a file of zeros: written, not only reserved, so that overwriting it changes no metadata.
pub(crate) async fn make_file(path: &Path, size: u64) -> io::Result<JournalFile> {
    let file = File::open(path, OpenMode::Create).await?;
    file.allocate(0, size).await?;
    let mut position = 0;
    while position < size {
        let length = PIECE_SIZE.min(size - position);
        let zeros = AlignedBuffer::zeroed(ByteCount(length).as_usize());
        file.write_at(zeros, position).await?;
        position += length;
        runtime::yield_if_due().await;
    }
    file.sync_data().await?;
    let directory = path
        .parent()
        .expect("a journal file lies in its shard's directory");
    runtime::sync_dir(directory).await?;
    Ok(JournalFile { file, size })
}

//! Where every log of the node ended when a run had replayed all journals: the file `ends`.
//!
//! A log may move to another shard between runs, and each shard begins its new journal alone. A crash
//! on the way would find a journal that says nothing of the log any more, and another that says
//! nothing of it yet. So the run writes this file first: from then on the journals of earlier runs
//! mean nothing, whatever is left of them.
//!
//! *Layout*: docs/formats/journal.md. The file is a head without chunks: its generation is that of
//! the run, its counter is zero.

use std::path::PathBuf;

use types::ByteCount;
use types::limits::CLUSTER_PARTITIONS_MAX;

use crate::error::Error;
use crate::journal::{Head, JOURNAL_VERSION, NoHead, Sequence, head_size};
use crate::layout::Layout;
use crate::log_end::LogEnd;

/// The ends that a run wrote.
#[derive(Clone, Debug, Default)]
pub(super) struct Ends {
    /// Which run; zero if none has.
    pub(super) generation: u32,
    /// Where each log ended.
    pub(super) ends: Vec<LogEnd>,
}

fn path(layout: &Layout) -> PathBuf {
    layout.path().join("ends")
}

/// Writes where every log ends, durably.
pub(crate) async fn write(layout: &Layout, ends: Vec<LogEnd>) -> Result<(), Error> {
    let head = Head {
        sequence: Sequence {
            generation: layout.generation(),
            counter: 0,
        },
        live_from: 0,
        ends,
    };
    let size = ByteCount(head_size(head.ends.len())).as_usize();
    let mut bytes = vec![0; size];
    head.write(&mut bytes);
    let path = path(layout);
    runtime::write_file_durably(&path, &bytes)
        .await
        .map_err(Error::io("write", path))
}

/// Reads what the last run that came so far wrote.
///
/// *Errors*: [`Error::Damaged`], [`Error::NewerFormat`], [`Error::Io`].
pub(super) async fn read(layout: &Layout) -> Result<Ends, Error> {
    let path = path(layout);
    let exists = runtime::exists(&path).await;
    if !exists.map_err(Error::io("lookup", &path))? {
        return Ok(Ends::default());
    }
    let size_max = ByteCount(head_size(CLUSTER_PARTITIONS_MAX));
    let bytes = runtime::read_file(&path, size_max)
        .await
        .map_err(Error::io("read", &path))?;
    match Head::read(&bytes) {
        Ok(head) => Ok(Ends {
            generation: head.sequence.generation,
            ends: head.ends,
        }),
        Err(NoHead::Invalid) => Err(Error::Damaged { path, position: 0 }),
        Err(NoHead::NewerFormat { found }) => Err(Error::NewerFormat {
            path,
            found,
            supported: JOURNAL_VERSION,
        }),
    }
}

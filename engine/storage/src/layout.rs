//! Where everything lies in a data directory.

use std::path::{Path, PathBuf};

use types::{Offset, ShardId};

use crate::log_id::LogId;

/// The paths of an open data directory and the number of this run. `Send`: one clone per shard.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
    generation: u32,
}

impl Layout {
    /// Names the parts of a data directory for one run of the node.
    pub(crate) fn new(root: PathBuf, generation: u32) -> Self {
        Self { root, generation }
    }

    /// Returns the data directory.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Returns the number of this run, one higher at every start.
    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// Returns the directory of a shard's journal.
    pub(crate) fn journal(&self, shard: ShardId) -> PathBuf {
        self.root.join(format!("shard-{shard}"))
    }

    /// Returns the directory that holds the logs' directories.
    pub(crate) fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// Returns the directory of one log.
    pub(crate) fn log(&self, id: &LogId) -> PathBuf {
        self.logs().join(id.directory_name())
    }

    /// Returns the directory of the metadata log.
    pub(crate) fn metadata(&self) -> PathBuf {
        self.root.join("metadata")
    }

    /// Returns the file that keeps space back for one shard.
    pub(crate) fn reserve(&self, shard: ShardId) -> PathBuf {
        self.journal(shard).join("reserve")
    }
}

/// Returns a segment's file name: its base offset in 20 digits.
pub(crate) fn segment_name(segment: Offset) -> String {
    format!("{:020}.log", segment.get())
}

/// Returns the file name of a segment's index.
pub(crate) fn index_name(segment: Offset) -> String {
    format!("{:020}.index", segment.get())
}

/// Reads the base offset from a segment's file name; `None` if no segment is named so.
pub(crate) fn segment_of(name: &str) -> Option<Offset> {
    let digits = name.strip_suffix(".log")?;
    let segment = Offset::new(digits.parse().ok()?)?;
    (segment_name(segment) == name).then_some(segment)
}

/// Returns the file name of a journal file.
pub(crate) fn journal_name(index: u64) -> String {
    format!("journal-{index}")
}

/// Reads the index from a journal file's name; `None` if none is named so.
pub(crate) fn journal_index(name: &str) -> Option<u64> {
    let index = name.strip_prefix("journal-")?.parse().ok()?;
    (journal_name(index) == name).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_read_back() {
        let segment = Offset::new(1_234).unwrap();
        assert_eq!(segment_name(segment), "00000000000000001234.log");
        assert_eq!(segment_of(&segment_name(segment)), Some(segment));
        assert_eq!(segment_of("1234.log"), None);
        assert_eq!(segment_of("0000000000000000-123.log"), None);
        assert_eq!(journal_index("journal-12"), Some(12));
        assert_eq!(journal_index("journal-+2"), None);
    }
}

//! What can go wrong, by what happened.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use types::{Incarnation, LeaderEpoch, NodeId, Offset, ProducerEpoch, ProducerId, ShardId};

use crate::catalog::Identity;

/// A store, journal or directory could not be opened, recovered or closed.
#[derive(Debug, Error)]
pub enum Error {
    /// The file system said no.
    #[error("{action} of {path} failed")]
    Io {
        /// What was attempted, as a noun: `sync`, `read`.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// Another process uses the data directory.
    #[error("data directory {path} is in use by process {pid}")]
    Locked {
        /// The directory.
        path: PathBuf,
        /// The other process; 0 if unknown.
        pid: u32,
    },
    /// The directory holds files but is no data directory.
    #[error("directory {path} is not empty and holds no riverrun data")]
    NotADataDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// The data was written by a newer release.
    #[error("{path} has format version {found}; this release reads up to {supported}")]
    NewerFormat {
        /// The file that says so.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version known here.
        supported: u32,
    },
    /// The data belongs to another node.
    #[error("data directory {path} belongs to node {found}, this is node {expected}")]
    ForeignNode {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        found: NodeId,
        /// Who asked.
        expected: NodeId,
    },
    /// The data belongs to another cluster.
    #[error("data directory {path} belongs to cluster {found}, this is cluster {expected}")]
    ForeignCluster {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        found: Identity,
        /// Who asked.
        expected: Identity,
    },
    /// The directory that is named first is not the one with the metadata log.
    #[error(
        "data directory {path} is named first and does not hold the metadata log of the data that \
         is there; is its disk mounted, and is it the first?"
    )]
    NoMetadata {
        /// The directory.
        path: PathBuf,
    },
    /// The directory with the metadata log is not named first.
    #[error("data directory {path} holds a metadata log: it must be named first")]
    MetadataBeside {
        /// The directory.
        path: PathBuf,
    },
    /// No directory is made where one may be missing.
    #[error(
        "data directory {path} is empty, and {missing} of this node's are missing: is its disk \
         mounted?"
    )]
    DirectoryMissing {
        /// The empty directory.
        path: PathBuf,
        /// How many directories that the node has were not found.
        missing: usize,
    },
    /// The directory is none of the node's any more: its logs may have begun anew elsewhere.
    #[error("data directory {path} was given up by this node: empty it to use it again")]
    DirectoryGivenUp {
        /// The directory.
        path: PathBuf,
    },
    /// A file is not what was written: its checksum, magic or lengths are wrong.
    #[error("{path} is damaged at byte {position}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        position: u64,
    },
    /// A journal has a hole where everything was synced: acknowledged bytes are lost.
    ///
    /// Nothing is guessed or cut: restore the file, or recover by hand.
    #[error("journal of shard {shard} is damaged: {path} at byte {position}")]
    JournalDamaged {
        /// Whose journal.
        shard: ShardId,
        /// The file.
        path: PathBuf,
        /// Where the sequence of chunks breaks.
        position: u64,
    },
    /// A segment's bytes disagree with its journal.
    #[error("log {incarnation}: segment {segment} is shorter than its log")]
    SegmentMissing {
        /// Which log.
        incarnation: Incarnation,
        /// The segment's base offset.
        segment: Offset,
    },
    /// The shard's store is offline.
    #[error(transparent)]
    Offline(#[from] Offline),
    /// What has to be read first cannot be.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A record of the metadata log is larger than one may be.
    #[error("metadata record of {size} bytes is larger than {size_max}")]
    MetadataRecordTooLarge {
        /// Its size in bytes.
        size: usize,
        /// The bound.
        size_max: u64,
    },
}

impl Error {
    /// Names what an I/O error was about.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

/// The store or the log takes part in nothing any more.
///
/// A write or sync failed (nothing is known of the disk then, so nothing is retried), the data
/// directory could not be opened, the log was removed, or the store was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Offline {
    /// A write or sync failed, or the data directory was never opened; the reason is in the log and in
    /// [`crate::StoreMetrics`].
    #[error("the data directory is out of service")]
    Failed,
    /// The log was deleted.
    #[error("the log was removed")]
    Removed,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// Why a batch was not appended. Nothing of it was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AppendError {
    /// Not now: the shard's tail memory is spent, or the log is being loaded or truncated.
    /// Await [`crate::Log::room`] and append again.
    #[error("the log takes no batch at the moment")]
    Busy,
    /// The disk is full; service resumes by itself.
    #[error("the disk is full")]
    Full,
    /// The store or the log is gone.
    #[error(transparent)]
    Offline(#[from] Offline),
    /// The leader's epoch was not started on this log, or an older one writes.
    #[error("leader epoch {got} writes, the log is in epoch {current}")]
    LeaderEpoch {
        /// The epoch of the caller.
        got: LeaderEpoch,
        /// The epoch of the log.
        current: LeaderEpoch,
    },
    /// The batch is larger than any journal chunk.
    #[error("batch of {size} bytes is larger than {size_max}")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The bound.
        size_max: u64,
    },
    /// A sequence was left out, or a duplicate is too old to be known.
    #[error("producer {producer:?}: sequence {got} where {want} was expected")]
    OutOfOrderSequence {
        /// The producer.
        producer: ProducerId,
        /// The batch's first sequence.
        got: i32,
        /// What should have come.
        want: i32,
    },
    /// A newer generation of the producer has written.
    #[error("producer {producer:?}: epoch {got:?} is fenced by {current:?}")]
    InvalidProducerEpoch {
        /// The producer.
        producer: ProducerId,
        /// The batch's epoch.
        got: ProducerEpoch,
        /// The newest epoch seen.
        current: ProducerEpoch,
    },
}

/// Why a read returned nothing.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The offset lies below the log's start or behind the bound of the read.
    #[error("offset {offset} is outside [{start}, {end}]")]
    OutOfRange {
        /// The offset asked for.
        offset: Offset,
        /// The first offset of the log.
        start: Offset,
        /// The end of the log.
        end: Offset,
    },
    /// The stored bytes are not those that were written; they are not served.
    #[error("segment {segment} is damaged at byte {position}")]
    Corrupt {
        /// The segment's base offset.
        segment: Offset,
        /// Where the first bad batch starts.
        position: u64,
    },
    /// The store or the log is gone.
    #[error(transparent)]
    Offline(#[from] Offline),
    /// A read failed.
    #[error("the segment could not be read")]
    Io(#[from] io::Error),
}

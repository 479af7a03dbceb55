//! Storage: one journal per shard, one log per partition.
//!
//! The promise is that an acknowledged record is on disk. One sync per partition file would cost
//! more the more partitions there are; here one sync per round covers all partitions of a shard: a
//! small shared journal takes every append, and segments are written lazily, in large aligned
//! pieces.
//!
//! ```text
//!   append ──copy──► tail ──one chunk, one sync──► journal        (acknowledged)
//!                     │ ▲                             │
//!             fetches ┘ └ lazily, 256 KiB and more ───┼──► segment (tail freed)
//!                                                     │      │ synced by the checkpoint
//!                                 file free again ◄───┴──────┘
//! ```
//!
//! # A data directory
//!
//! ```text
//! <data>/LOCK  meta  clean              whose it is, its format, how the last run ended
//! <data>/shard-N/journal-K  reserve     the journal of a shard; space kept back for a full disk
//! <data>/logs/<topic id>-<partition>-<incarnation>/   segments, indexes, snapshots of one log
//! <data>/metadata/                      the metadata log and its snapshots
//! <data>/directories                    which other directories the node has
//! ```
//!
//! A node may have several ([`DataDirs`]). They share nothing: a shard has a store in each, and one
//! that fails takes its own logs offline.
//!
//! # A start
//!
//! 1. The first shard opens the first [`DataDir`] and its [`MetadataLog`], learns which logs there are,
//!    and opens the other directories.
//! 2. Every journal the last run left is replayed into the segments ([`replay_journals`]), by any
//!    shard; the results of one directory are merged and written down ([`DataDir::note_replayed`]).
//! 3. Every shard opens its [`ShardStore`]s with its logs; no log is read for that.
//! 4. Journals of shards that are no more are retired ([`DataDir::retire_journals`]).
//!
//! | module | what |
//! |---|---|
//! | `catalog`, `layout` | the data directories |
//! | `store`, `shared` | one shard: tasks, bounds, lists of work |
//! | `log` | the operations of one log; `log_core` its state, `tail` its newest batches |
//! | `journal` | chunks, rounds, ring, checkpoints |
//! | `segment`, `index`, `files` | the files of a log |
//! | `recovery`, `load` | after a start |
//! | `producers`, `producer_counts`, `epochs`, `snapshot` | what is known of a log besides its batches |
//! | `metadata_log` | the log of the cluster's metadata |

#![deny(clippy::indexing_slicing)]

mod catalog;
mod config;
mod cut;
mod epochs;
mod error;
mod files;
#[cfg(test)]
mod golden;
mod index;
mod journal;
mod layout;
mod load;
mod log;
mod log_core;
mod log_end;
mod log_id;
mod metadata_log;
mod metrics;
pub mod mutants;
mod positions;
mod producer_counts;
mod producers;
mod ranges;
mod recovery;
mod segment;
mod shared;
mod snapshot;
mod space;
mod store;
mod tail;
mod work_list;

pub use catalog::{DataDir, DataDirs, Identity};
pub use config::{Durability, LogConfig, StoreOptions};
pub use epochs::EpochEnd;
pub use error::{AppendError, Error, Offline, ReadError};
pub use layout::Layout;
pub use log::{Log, ReadLimits, ReadResult, STATE_SIZE_MAX, TimestampOffset};
pub use log_end::LogEnd;
pub use log_id::LogId;
pub use metadata_log::{MetadataLog, MetadataReplay};
pub use metrics::StoreMetrics;
pub use positions::{AppendContext, Appended, Positions, Progress, Repeated};
pub use producers::ActiveProducer;
pub use recovery::{Replayed, replay_journals};
pub use segment::FirstBatch;
pub use store::{OpenLog, ShardStore};

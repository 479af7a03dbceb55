//! The journal of a shard: one sync per round for all its logs.
//!
//! ```text
//!  journal-0   head | chunk | chunk | chunk ...            each chunk: one round
//!  journal-1   head | chunk | ...                          chunk: frames of many logs
//!  journal-2   (free: everything in it is in the segments, and a later head says so)
//! ```
//!
//! The files are written with zeros once and overwritten for ever, so that a sync has no metadata
//! to write. Rules, with the place that keeps each:
//!
//! 1. A head or chunk has the next number of one sequence; what does not continue it is the end
//!    (`frame`, `chunk`, recovery).
//! 2. A file's head is written alone, after everything before is synced, and synced before anything
//!    follows (`ring`). So only the newest file can have a torn tail.
//! 3. A file is overwritten only after its frames are in synced segments (`checkpoint`) and a synced
//!    head in another file says that it is not needed (`ring`).
//! 4. Waiters are told after the sync that covers them (`round`).

mod checkpoint;
mod chunk;
mod draft;
mod frame;
mod grow;
mod head;
mod ring;
mod round;
mod sequence;

pub(crate) use checkpoint::{checkpoint_log, checkpoint_logs, run_checkpoints};
pub(crate) use chunk::{ChunkHeader, read_frames};
pub(crate) use frame::{Entry, Frame};
pub(crate) use grow::{make_file, run_growth};
pub(crate) use head::{Head, JOURNAL_VERSION, NoHead, announced_size, head_size};
pub(crate) use ring::{FoundFile, Journal, JournalFile};
pub(crate) use round::{batch_size_max, chunk_size_max, run_rounds};
pub(crate) use sequence::Sequence;

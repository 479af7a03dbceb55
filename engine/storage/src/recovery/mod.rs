//! Recovery: what is trusted after a crash, and in what order.
//!
//! 0. What the run before the last start wrote down of all logs (`ends`): journals of earlier runs mean
//!    nothing any more.
//! 1. The newest valid head of a journal, and the chunks that continue it without a gap. A torn tail
//!    is legal in the newest file alone; a hole where something later was synced is damage, which is
//!    reported and never cut away.
//! 2. From the oldest file still needed on, every frame: its bytes are written where it says, over
//!    whatever stands there and nothing beside it.
//! 3. Behind the end that the journal knows, batches that continue the log: whole, with the right
//!    checksum, offset, and an epoch that is not older.
//! 4. Behind that, zeros, synced, before anything is appended.
//!
//! Logs without frames in those files are not touched: the head's table has their end. So the cost
//! is that of what was written since the last checkpoint.

mod chain;
mod ends;
mod overlay;
mod redo;
mod replay;
mod window;

pub(crate) use chain::find_files;
pub(crate) use ends::write as write_ends;
pub use replay::{Replayed, replay_journals};

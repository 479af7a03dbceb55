//! Segments: the files of a log, record batches exactly as on the wire, one behind the other.
//!
//! ```text
//!  <log>/00000000000000000000.log    closed: exactly its batches
//!        00000000000000000000.index
//!        00000000000000004711.log    open: batches, zeros up to the space reserved
//!        snapshot-0  snapshot-1      epochs and producers, in turns
//! ```
//!
//! Written lazily, behind the journal: only what is durable there is written here, in large aligned
//! pieces; [`sync`] is the checkpoint's. Only bytes below the written mark are ever read or sent.

mod flush;
mod read;
mod scan;
mod sync;
mod write;

pub(crate) use flush::{close_snapshot, flush_index, is_waiting_for_past};
pub use read::FirstBatch;
pub(crate) use read::{RangeLimits, WALK_PIECE_SIZE, index_of, place_of, read_range, segment_of};
pub(crate) use scan::{Found, ScanError, Scanner};
pub(crate) use sync::sync;
pub(crate) use write::write_out;

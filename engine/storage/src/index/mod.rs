//! The index of a segment: where batches stand, and the largest timestamp before each.
//!
//! ```text
//!  00000000000000000100.index:  header | entry | entry | ... (32 bytes each)
//!  entry: offset, position in the segment, largest timestamp before it, epoch, checksum
//! ```
//!
//! One entry every few KiB of log, and one at every change of epoch; a closed segment has one more,
//! at its end. The file is never needed: what does not hold is read from the segment again. It is
//! written behind the segment and not synced for itself.
//!
//! What the checksum of a batch does not cover, its base offset and leader epoch, an index entry
//! does: from an entry on, every batch must start at the offset where the one before ended and be
//! of the entry's epoch, up to the next entry.

mod cache;
mod entry;
mod tail;

pub(crate) use cache::{Entries, IndexCache};
pub(crate) use entry::{ENTRY_SIZE, Entry, IndexKey};
pub(crate) use tail::{IndexTail, Indexed};

//! One partition's log: append, read, truncate, delete; its positions.
//!
//! ```text
//!   start          synced      written        durable       end
//!     |--------------|------------|--------------|-----------|
//!      segments, synced  segments    journal and    tail, next
//!                                       tail          round
//! ```

mod append;
mod control;
mod handle;
mod read;
mod retention;
mod state;
mod time;
mod truncate;

pub use handle::Log;
pub use read::{ReadLimits, ReadResult};
pub use state::STATE_SIZE_MAX;
pub use time::TimestampOffset;

//! What a node tells of itself: plain structs gathered from every shard, and their text form.
//!
//! Nothing here counts: each crate fills its own struct, a shard hands them over when it is asked.

mod exposition;
mod lag;
mod report;
mod text;

pub use lag::{Committed, GroupLag, ROWS_AT_ONCE, lags};
pub use report::{PartitionReport, ShardReport};
pub use text::render;

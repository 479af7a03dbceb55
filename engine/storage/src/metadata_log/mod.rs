//! The metadata log: small records, each append synced before it returns, read whole at a start.
//!
//! *Layout*: docs/formats/metadata_log.md. `log-<first index>` holds units, one per append, one
//! behind the other from a multiple of 8 on; `snapshot-<index>` replaces every record below its
//! index. A unit is a header of 32 bytes, then each record with its length.
//!
//! A torn unit is legal at the end alone; anything valid behind it makes it damage.

mod handle;
mod unit;

pub use handle::{MetadataLog, MetadataReplay};

//! The record batch, format version 2: the same bytes on disk and on the wire.
//!
//! A batch is a header of 61 bytes and a body of records; the body may be compressed as a whole.
//! docs/formats/record_batch.md has every byte of it.
//!
//! ```text
//!  0        8      12      16    17   21         23               27
//!  | base   | length | leader | magic | crc | attributes | last offset  |
//!  | offset |        | epoch  |  = 2  |     |            | delta        |
//!  27          35         43         51         53         57      61
//!  | base      | max      | producer | producer | base     | record | records...
//!  | timestamp | timestamp| id       | epoch    | sequence | count  |
//! ```
//!
//! The crc covers everything from byte 21 on. Invariant: once a batch is checked, nobody changes a
//! byte of it but [`stamp`], and only the fields that a leader owns.
//!
//! | to do | use |
//! |---|---|
//! | check what a client sent | [`validate_produced`] gives a [`CheckedBatch`] |
//! | check what a disk or a leader gave | [`Batches`], [`check_stored`] |
//! | set offsets before an append | [`CheckedBatch::stamped_header`], [`stamp`] |
//! | read records | [`decompress`], then [`Records`]; [`visit_times`] for offsets and timestamps alone |
//! | make a batch | [`BatchBuilder`]; [`recompress`] for another codec |
//!
//! Nothing of a batch is believed, indexed or allocated for before it is checked, and no byte from
//! outside can make this crate panic.

#![deny(clippy::indexing_slicing)]

mod builder;
mod checked;
mod codec;
mod compression;
mod error;
mod grammar;
mod header;
mod invalid;
mod iter;
mod recompress;
mod rules;
mod short;
mod source;
mod stamp;
mod times;
mod validate;
mod varint;
mod view;
mod walk;

pub use builder::{BatchBuilder, BuildError, NewRecord};
pub use checked::{CheckedBatch, OwnedBatch, Producer, check_stored};
pub use codec::{Compression, UnknownCodec};
pub use compression::{
    DECOMPRESSED_SIZE_MAX, DecompressError, SNAPPY_BLOCK_SIZE_MAX, ZSTD_WINDOW_SIZE_MAX, decompress,
};
pub use error::{ChecksumMismatch, Damaged, Malformed, RecordFault};
pub use header::{Attributes, BATCH_HEADER_SIZE, BatchHeader, LENGTH_END, TimestampType};
pub use invalid::{Invalid, RECORD_ERRORS_MAX, RecordError, RecordErrors, Rejection};
pub use iter::{Header, Headers, Record, Records};
pub use recompress::{RecompressError, recompress};
pub use rules::{Keys, Rules, TimestampWindow};
pub use stamp::{Stamp, stamp, stamp_log_append_time, stamp_max_timestamp};
pub use times::{TimesError, visit_times};
pub use validate::{validate_owned, validate_produced, validate_produced_within};
pub use view::{Batch, Batches};

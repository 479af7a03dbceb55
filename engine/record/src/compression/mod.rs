//! The codecs of a batch's body.
//!
//! | codec | bits | form of the body |
//! |---|---|---|
//! | none | 0 | records |
//! | gzip | 1 | gzip members (RFC 1952) |
//! | snappy | 2 | blocks framed as snappy-java does it, or one bare block |
//! | lz4 | 3 | one LZ4 frame of independent blocks |
//! | zstd | 4 | zstd frames (RFC 8878) |
//!
//! A compressed body is a promise about memory that its sender makes, so decoders are bounded:
//! they give at most [`DECOMPRESSED_SIZE_MAX`] bytes and hold a window, never the whole output,
//! unless the caller wants it whole ([`decompress`]).

mod decode;
mod encode;
mod snappy;

pub use decode::{DECOMPRESSED_SIZE_MAX, DecompressError, ZSTD_WINDOW_SIZE_MAX, decompress};
pub use snappy::SNAPPY_BLOCK_SIZE_MAX;

pub(crate) use decode::Decoder;
pub(crate) use encode::compress;

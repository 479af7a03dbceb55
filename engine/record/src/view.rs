//! One batch, and a run of batches, as borrowed bytes.
//!
//! What is checked here is the frame: magic, length, the whole batch present. Checksum and contents
//! are `checked.rs` and `validate.rs`.

use std::iter::FusedIterator;

use crate::error::{ChecksumMismatch, Malformed};
use crate::header::{BATCH_HEADER_SIZE, BatchHeader, CRC_COVER_START};

/// The bytes of exactly one batch.
///
/// Invariant: the header can be read, and the bytes are as many as it says.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    header: &'a BatchHeader,
    bytes: &'a [u8],
}

impl<'a> Batch<'a> {
    /// Takes `bytes` as one batch, nothing in front and nothing behind.
    ///
    /// *Errors*: any [`Malformed`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (batch, rest) = Self::split_first(bytes)?;
        if rest.is_empty() {
            Ok(batch)
        } else {
            Err(Malformed::TrailingBytes { count: rest.len() })
        }
    }

    /// Takes the first batch from `bytes` and returns it with the bytes behind it.
    ///
    /// *Errors*: any [`Malformed`] but `TrailingBytes`.
    pub fn split_first(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Malformed> {
        let header = BatchHeader::read(bytes)?;
        let size = header.total_size();
        let Some((bytes, rest)) = bytes.split_at_checked(size) else {
            return Err(Malformed::Truncated {
                size,
                available: bytes.len(),
            });
        };
        Ok((Self { header, bytes }, rest))
    }

    /// Returns the header.
    pub fn header(&self) -> &'a BatchHeader {
        self.header
    }

    /// Returns the whole batch.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns the records, compressed if the header says so.
    pub fn body(&self) -> &'a [u8] {
        let (_, body) = self
            .bytes
            .split_at_checked(BATCH_HEADER_SIZE)
            .expect("a batch holds its header");
        body
    }

    /// Compares the checksum with the bytes.
    ///
    /// *Errors*: [`ChecksumMismatch`].
    /// *Cost*: one pass over the batch, about 30 us a MiB.
    pub fn check_crc(&self) -> Result<(), ChecksumMismatch> {
        let (want, got) = (self.header.crc(), crc_of(self.bytes));
        if want == got {
            Ok(())
        } else {
            Err(ChecksumMismatch { want, got })
        }
    }
}

/// Computes what a batch's checksum field must say.
///
/// *Panics*: if `batch` is shorter than a header, which no [`Batch`] is.
pub(crate) fn crc_of(batch: &[u8]) -> u32 {
    let covered = batch
        .get(CRC_COVER_START..)
        .expect("a batch holds its header");
    crc32c::crc32c(covered)
}

/// Walks whole batches that lie one behind the other.
///
/// Ends at the first batch that is not whole, which is no error: a fetch answer and the end of a
/// log may cut one off. [`Batches::remainder`] has its bytes. A header that cannot be one is an
/// error, after which the walk ends too.
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    rest: &'a [u8],
    total: usize,
    failed: bool,
}

impl<'a> Batches<'a> {
    /// Starts at the first byte of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            total: bytes.len(),
            failed: false,
        }
    }

    /// Returns the bytes not walked over: empty, or a partial batch, or what was refused.
    pub fn remainder(&self) -> &'a [u8] {
        self.rest
    }

    /// Returns how many bytes the batches so far take.
    pub fn position(&self) -> usize {
        self.total - self.rest.len()
    }
}

impl<'a> Iterator for Batches<'a> {
    type Item = Result<Batch<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.rest.is_empty() {
            return None;
        }
        match Batch::split_first(self.rest) {
            Ok((batch, rest)) => {
                self.rest = rest;
                Some(Ok(batch))
            }
            Err(Malformed::HeaderTruncated { .. } | Malformed::Truncated { .. }) => None,
            Err(malformed) => {
                self.failed = true;
                Some(Err(malformed))
            }
        }
    }
}

impl FusedIterator for Batches<'_> {}

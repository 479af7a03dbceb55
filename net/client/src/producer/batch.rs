//! A batch on its way from open to delivered.

use bytes::Bytes;
use record::{BATCH_HEADER_SIZE, BatchBuilder, BuildError, Compression, NewRecord};
use types::{ByteCount, Monotonic};

use crate::error::BrokerError;

/// A record's number: counted from 0 in the order of pushing, over all partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordNumber(pub u64);

/// Records of one partition that are sent together.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) builder: BatchBuilder,
    pub(super) numbers: Vec<RecordNumber>,
    /// When its first record was pushed.
    pub(super) since: Monotonic,
    /// What it is sent as, and sent again, byte by byte.
    pub(super) written: Option<Bytes>,
    /// Whether a broker may have it already: it was sent, and no answer said that it was not
    /// appended.
    pub(super) ambiguous: bool,
    /// The error of the latest attempt, if there was one.
    pub(super) refusal: Option<BrokerError>,
}

impl Batch {
    pub(super) fn open(compression: Compression, now: Monotonic) -> Self {
        Self {
            builder: BatchBuilder::new(compression),
            numbers: Vec::new(),
            since: now,
            written: None,
            ambiguous: false,
            refusal: None,
        }
    }

    /// Adds a record; the batch is unchanged on error.
    pub(super) fn push(
        &mut self,
        record: &NewRecord<'_>,
        number: RecordNumber,
    ) -> Result<(), BuildError> {
        self.builder.push(record)?;
        self.numbers.push(number);
        Ok(())
    }

    /// Returns the size of the records alone, before compression.
    pub(super) fn body_size(&self) -> u64 {
        self.plain_size().0 - ByteCount::from(BATCH_HEADER_SIZE).0
    }

    /// Returns the size before compression.
    pub(super) fn plain_size(&self) -> ByteCount {
        ByteCount::from(self.builder.plain_size())
    }

    /// Returns the size that sending takes.
    pub(super) fn sent_size(&self) -> ByteCount {
        match &self.written {
            Some(written) => ByteCount::of(written),
            None => self.plain_size(),
        }
    }
}

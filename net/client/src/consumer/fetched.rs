//! Fetched bytes, taken apart batch by batch when their records are wanted.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use record::{Batch, Batches, DECOMPRESSED_SIZE_MAX, Record, Records, decompress};
use types::{Offset, TimestampMs};

use crate::error::RecordsFault;

/// A record, its bytes shared with the answer it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumedRecord {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: i32,
    /// Its place in the partition.
    pub offset: Offset,
    /// Its time: the producer's or that of the append, as the topic says.
    pub timestamp: TimestampMs,
    /// The key; `None` is null.
    pub key: Option<Bytes>,
    /// The value; `None` is null.
    pub value: Option<Bytes>,
    /// The headers, in order: key, and value or null.
    pub headers: Vec<(Bytes, Option<Bytes>)>,
}

/// Whole batches of one partition, from one answer.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) topic: Arc<str>,
    pub(super) partition: i32,
    /// The position that was asked for: what is below was in the same batch.
    pub(super) from: i64,
    /// Of which assignment of the partition it is.
    pub(super) assignment: u64,
    pub(super) bytes: Bytes,
}

impl Fetched {
    /// Returns the offset behind the last whole batch; `None` if there is no whole batch.
    ///
    /// *Errors*: what stands there is no batch.
    pub(super) fn end(bytes: &[u8]) -> Result<Option<i64>, RecordsFault> {
        let mut end = None;
        for batch in Batches::new(bytes) {
            end = Some(batch_end(&batch?));
        }
        Ok(end)
    }

    /// Takes the records of the next batch off the front; `None` if no whole batch is left.
    ///
    /// *Errors*: the batch or its records are damaged; nothing is taken then.
    pub(super) fn next_batch(&mut self) -> Result<Option<VecDeque<ConsumedRecord>>, RecordsFault> {
        let whole = self.bytes.clone();
        let Some(batch) = Batches::new(&whole).next().transpose()? else {
            return Ok(None);
        };
        let mut records = VecDeque::new();
        // Markers of transactions take offsets and are not for consumers.
        if !batch.header().attributes().is_control() {
            batch.check_crc()?;
            let body = match decompress(&batch, DECOMPRESSED_SIZE_MAX)? {
                Cow::Borrowed(body) => whole.slice_ref(body),
                Cow::Owned(body) => Bytes::from(body),
            };
            for record in Records::new(batch.header(), &body) {
                let record = record?;
                if record.offset.get() >= self.from {
                    records.push_back(self.consumed(&record, &body));
                }
            }
        }
        self.bytes = whole.slice(batch.bytes().len()..);
        self.from = self.from.max(batch_end(&batch));
        Ok(Some(records))
    }

    fn consumed(&self, record: &Record<'_>, body: &Bytes) -> ConsumedRecord {
        let shared = |bytes: &[u8]| body.slice_ref(bytes);
        let headers = record.headers.clone();
        ConsumedRecord {
            topic: Arc::clone(&self.topic),
            partition: self.partition,
            offset: record.offset,
            timestamp: record.timestamp,
            key: record.key.map(shared),
            value: record.value.map(shared),
            headers: headers
                .map(|header| (shared(header.key), header.value.map(shared)))
                .collect(),
        }
    }
}

/// Returns the offset behind a batch.
fn batch_end(batch: &Batch<'_>) -> i64 {
    let header = batch.header();
    let span = i64::from(header.last_offset_delta().max(0)) + 1;
    header.base_offset().get().saturating_add(span)
}

//! Makes batches: for clients, benches and tests.

use std::io;

use bytes::Bytes;
use thiserror::Error;
use types::TimestampMs;
use zerocopy::IntoBytes;
use zerocopy::byteorder::big_endian::{I16, I32, I64, U16, U32};

use crate::checked::Producer;
use crate::codec::Compression;
use crate::compression::compress;
use crate::header::{Attributes, BATCH_HEADER_SIZE, BatchHeader, LENGTH_END, MAGIC};
use crate::iter::Header;
use crate::varint::{put_varint, put_varlong, varlong_size};
use crate::view::crc_of;

/// A record to put into a batch.
#[derive(Clone, Copy, Debug)]
pub struct NewRecord<'a> {
    /// Its time.
    pub timestamp: TimestampMs,
    /// The key; `None` is null.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is null.
    pub value: Option<&'a [u8]>,
    /// The headers, in order.
    pub headers: &'a [Header<'a>],
}

/// A record or a batch cannot be written.
#[derive(Debug, Error)]
pub enum BuildError {
    /// The batch would not fit its length field.
    #[error("batch is full")]
    Full,
    /// The distance to the first record's timestamp does not fit 64 bits.
    #[error("timestamp {timestamp} is too far from the batch's first")]
    TimestampTooFar {
        /// The record's timestamp.
        timestamp: TimestampMs,
    },
    /// A batch has at least one record.
    #[error("batch has no record")]
    Empty,
    /// The codec failed.
    #[error("body cannot be compressed")]
    Compression(#[source] io::Error),
}

/// Collects records and writes them as one batch, base offset 0, as a producer sends it.
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    compression: Compression,
    producer: Option<Producer>,
    transactional: bool,
    body: Vec<u8>,
    base_timestamp: TimestampMs,
    max_timestamp: TimestampMs,
    record_count: i32,
}

impl BatchBuilder {
    /// Starts an empty batch.
    pub fn new(compression: Compression) -> Self {
        Self {
            compression,
            producer: None,
            transactional: false,
            body: Vec::new(),
            base_timestamp: TimestampMs::NONE,
            max_timestamp: TimestampMs::NONE,
            record_count: 0,
        }
    }

    /// Makes the batch that of an idempotent producer.
    #[must_use]
    pub fn with_producer(mut self, producer: Producer) -> Self {
        self.producer = Some(producer);
        self
    }

    /// Makes the batch part of a transaction.
    #[must_use]
    pub fn transactional(mut self) -> Self {
        self.transactional = true;
        self
    }

    /// Returns how many records were pushed.
    pub fn record_count(&self) -> u32 {
        self.record_count.unsigned_abs()
    }

    /// Returns whether no record was pushed.
    pub fn is_empty(&self) -> bool {
        self.record_count == 0
    }

    /// Returns the size of the batch so far, before compression, in bytes.
    pub fn plain_size(&self) -> usize {
        BATCH_HEADER_SIZE + self.body.len()
    }

    /// Adds one record behind the others.
    ///
    /// *Errors*: [`BuildError::Full`], [`BuildError::TimestampTooFar`]; the batch is unchanged then.
    pub fn push(&mut self, record: &NewRecord<'_>) -> Result<(), BuildError> {
        let base_timestamp = match self.record_count {
            0 => record.timestamp,
            _ => self.base_timestamp,
        };
        let timestamp_delta = (record.timestamp.0).checked_sub(base_timestamp.0).ok_or(
            BuildError::TimestampTooFar {
                timestamp: record.timestamp,
            },
        )?;
        let offset_delta = self.record_count;
        let length =
            record_length(record, timestamp_delta, offset_delta).ok_or(BuildError::Full)?;
        // A length takes five bytes at most, which the difference of 49 covers.
        let fits = i32::try_from(self.plain_size())
            .ok()
            .and_then(|size| size.checked_add(length))
            .is_some();
        if !fits {
            return Err(BuildError::Full);
        }
        let body = &mut self.body;
        put_varint(body, length);
        body.push(0);
        put_varlong(body, timestamp_delta);
        put_varint(body, offset_delta);
        put_nullable(body, record.key)?;
        put_nullable(body, record.value)?;
        put_varint(body, length_of(record.headers.len())?);
        for header in record.headers {
            put_nullable(body, Some(header.key))?;
            put_nullable(body, header.value)?;
        }
        self.base_timestamp = base_timestamp;
        self.max_timestamp = match self.record_count {
            0 => record.timestamp,
            _ => self.max_timestamp.max(record.timestamp),
        };
        self.record_count += 1;
        Ok(())
    }

    /// Writes the batch.
    ///
    /// *Errors*: [`BuildError::Empty`], [`BuildError::Compression`], and [`BuildError::Full`] if
    /// compression made it too large.
    pub fn build(&self) -> Result<Bytes, BuildError> {
        if self.is_empty() {
            return Err(BuildError::Empty);
        }
        let mut batch = Vec::with_capacity(self.plain_size());
        batch.extend_from_slice(&[0; BATCH_HEADER_SIZE]);
        compress(self.compression, &self.body, &mut batch).map_err(BuildError::Compression)?;
        let length = length_of(batch.len() - LENGTH_END)?;
        let mut header = self.header(length);
        write_header(&mut batch, &header);
        header.crc = U32::new(crc_of(&batch));
        write_header(&mut batch, &header);
        Ok(batch.into())
    }

    /// Makes the header, all but the checksum.
    fn header(&self, length: i32) -> BatchHeader {
        let mut attributes = self.compression.bits();
        if self.transactional {
            attributes |= Attributes::TRANSACTIONAL;
        }
        let (producer_id, producer_epoch, base_sequence) = match self.producer {
            Some(producer) => (
                producer.id.0,
                producer.epoch.0,
                producer.base_sequence.get(),
            ),
            None => (-1, -1, -1),
        };
        BatchHeader {
            base_offset: I64::new(0),
            length: I32::new(length),
            leader_epoch: I32::new(-1),
            magic: MAGIC,
            crc: U32::new(0),
            attributes: U16::new(attributes),
            last_offset_delta: I32::new(self.record_count - 1),
            base_timestamp: I64::new(self.base_timestamp.0),
            max_timestamp: I64::new(self.max_timestamp.0),
            producer_id: I64::new(producer_id),
            producer_epoch: I16::new(producer_epoch),
            base_sequence: I32::new(base_sequence),
            record_count: I32::new(self.record_count),
        }
    }
}

/// Writes a header over the first bytes of a batch.
pub(crate) fn write_header(batch: &mut [u8], header: &BatchHeader) {
    let (target, _) = batch
        .split_first_chunk_mut::<BATCH_HEADER_SIZE>()
        .expect("a batch is built behind room for its header");
    target.copy_from_slice(header.as_bytes());
}

pub(crate) fn length_of(count: usize) -> Result<i32, BuildError> {
    i32::try_from(count).map_err(|_| BuildError::Full)
}

fn put_nullable(body: &mut Vec<u8>, bytes: Option<&[u8]>) -> Result<(), BuildError> {
    match bytes {
        None => put_varint(body, -1),
        Some(bytes) => {
            put_varint(body, length_of(bytes.len())?);
            body.extend_from_slice(bytes);
        }
    }
    Ok(())
}

/// Counts what follows a record's length field; `None` beyond 2^31.
fn record_length(record: &NewRecord<'_>, timestamp_delta: i64, offset_delta: i32) -> Option<i32> {
    let mut length = 1 + varlong_size(timestamp_delta) + varlong_size(offset_delta.into());
    let header_count = i64::try_from(record.headers.len()).ok()?;
    length += varlong_size(header_count);
    let in_headers = record
        .headers
        .iter()
        .flat_map(|header| [Some(header.key), header.value]);
    for field in [record.key, record.value].into_iter().chain(in_headers) {
        let field_size = match field {
            None => varlong_size(-1),
            Some(bytes) => varlong_size(i64::try_from(bytes.len()).ok()?) + bytes.len(),
        };
        length = length.checked_add(field_size)?;
    }
    i32::try_from(length).ok()
}

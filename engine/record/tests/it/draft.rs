//! Batches for tests: taken from the golden files, or written byte by byte.

use record::{
    BATCH_HEADER_SIZE, Batch, BatchBuilder, Compression, Keys, NewRecord, Rules, TimestampType,
    TimestampWindow, check_stored, recompress,
};
use types::{ByteCount, TimestampMs};

/// Rules that take everything that is well-formed.
pub(crate) const OPEN: Rules = Rules {
    batch_size_max: ByteCount::mib(1),
    timestamp_type: TimestampType::CreateTime,
    timestamp_window: TimestampWindow::UNBOUNDED,
    keys: Keys::Optional,
};

/// Where header fields stand.
pub(crate) mod position {
    pub(crate) const BASE_OFFSET: usize = 0;
    pub(crate) const LENGTH: usize = 8;
    pub(crate) const LEADER_EPOCH: usize = 12;
    pub(crate) const MAGIC: usize = 16;
    pub(crate) const CRC: usize = 17;
    pub(crate) const ATTRIBUTES: usize = 21;
    pub(crate) const LAST_OFFSET_DELTA: usize = 23;
    pub(crate) const MAX_TIMESTAMP: usize = 35;
    pub(crate) const PRODUCER_ID: usize = 43;
    pub(crate) const PRODUCER_EPOCH: usize = 51;
    pub(crate) const BASE_SEQUENCE: usize = 53;
    pub(crate) const RECORD_COUNT: usize = 57;
}

/// Reads a golden file.
pub(crate) fn golden(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/golden/{name}.bin", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).expect("golden files are in the repository")
}

/// A batch to be spoilt.
#[derive(Clone)]
pub(crate) struct Draft(Vec<u8>);

impl Draft {
    /// One plain record, `key` and `value`, at time 1000.
    pub(crate) fn one_record() -> Self {
        let mut builder = BatchBuilder::new(Compression::None);
        let record = NewRecord {
            timestamp: TimestampMs(1000),
            key: Some(b"key"),
            value: Some(b"value"),
            headers: &[],
        };
        builder.push(&record).expect("one record fits");
        Self(builder.build().expect("it is not empty").to_vec())
    }

    /// As many records as announced, with these bytes as the whole body.
    pub(crate) fn with_body(record_count: i32, body: &[u8]) -> Self {
        let mut draft = Self::one_record();
        draft.0.truncate(BATCH_HEADER_SIZE);
        draft.0.extend_from_slice(body);
        draft
            .set(position::RECORD_COUNT, &record_count.to_be_bytes())
            .set(
                position::LAST_OFFSET_DELTA,
                &(record_count - 1).to_be_bytes(),
            )
    }

    /// Writes a field.
    pub(crate) fn set(mut self, position: usize, field: &[u8]) -> Self {
        self.0[position..position + field.len()].copy_from_slice(field);
        self
    }

    /// Makes length and checksum right and returns the bytes.
    pub(crate) fn seal(mut self) -> Vec<u8> {
        let length = i32::try_from(self.0.len() - 12).expect("small");
        self.0[position::LENGTH..position::LENGTH + 4].copy_from_slice(&length.to_be_bytes());
        let crc = crc32c::crc32c(&self.0[position::ATTRIBUTES..]);
        self.0[position::CRC..position::CRC + 4].copy_from_slice(&crc.to_be_bytes());
        self.0
    }

    /// Seals, then puts the body under another codec without looking at the records.
    pub(crate) fn seal_as(self, compression: Compression) -> Vec<u8> {
        let plain = self.seal();
        let batch = Batch::parse(&plain).expect("the frame is sound");
        let checked = check_stored(batch).expect("sealed");
        match recompress(&checked, compression).expect("memory suffices") {
            Some(bytes) => bytes.to_vec(),
            None => plain,
        }
    }
}

/// Puts the length, at most 63, in front of a record's fields.
pub(crate) fn record(fields: &[u8]) -> Vec<u8> {
    let length = u8::try_from(fields.len()).expect("short");
    assert!(length < 64);
    [&[length * 2], fields].concat()
}

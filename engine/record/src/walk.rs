//! The walk over a produced batch's records: each must follow the grammar, stand at its offset, and
//! be what the topic's rules ask.

use types::TimestampMs;

use crate::checked::LargestTimestamp;
use crate::compression::DECOMPRESSED_SIZE_MAX;
use crate::error::RecordFault;
use crate::grammar::read_fields;
use crate::header::{BatchHeader, TimestampType};
use crate::invalid::{Invalid, RecordErrors, Rejection};
use crate::rules::{Keys, Rules, TimestampWindow};
use crate::short::Fields;
use crate::source::{Source, StreamFault};

/// One walk over a body's records.
pub(crate) struct Walk<'a> {
    base_timestamp: i64,
    rules: &'a Rules,
    /// What the topic's timestamp type leaves of the window.
    window: TimestampWindow,
    largest: TimestampMs,
    largest_index: u32,
    errors: RecordErrors,
    /// Whether a timestamp is among the errors, listed or not.
    timestamp_rejected: bool,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(header: &BatchHeader, rules: &'a Rules) -> Self {
        Self {
            base_timestamp: header.base_timestamp().0,
            rules,
            window: match rules.timestamp_type {
                TimestampType::CreateTime => rules.timestamp_window,
                TimestampType::LogAppendTime => TimestampWindow::UNBOUNDED,
            },
            largest: TimestampMs(i64::MIN),
            largest_index: 0,
            errors: RecordErrors::default(),
            timestamp_rejected: false,
        }
    }

    /// Walks over `record_count` records, which must be all there are.
    pub(crate) fn run<S: Source>(
        &mut self,
        record_count: u32,
        source: &mut S,
    ) -> Result<(), Invalid>
    where
        Refused: From<S::Error>,
    {
        for index in 0..record_count {
            let fields = match source.short_record() {
                Some(fields) => fields,
                None => read_fields(source).map_err(|error| Refused::from(error).at(index))?,
            };
            self.check(index, &fields)?;
        }
        let last_index = record_count - 1;
        match source.body_is_spent() {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refused(RecordFault::TrailingRecords.into()).at(last_index)),
            Err(error) => Err(Refused::from(error).at(last_index)),
        }
    }

    #[inline]
    fn check(&mut self, batch_index: u32, record: &Fields) -> Result<(), Invalid> {
        if u32::try_from(record.offset_delta) != Ok(batch_index) {
            return Err(Invalid::OffsetDelta {
                batch_index,
                offset_delta: record.offset_delta,
            });
        }
        let delta = record.timestamp_delta;
        let Some(timestamp) = self.base_timestamp.checked_add(delta).map(TimestampMs) else {
            let fault = RecordFault::TimestampOverflow { delta };
            return Err(Invalid::Record { batch_index, fault });
        };
        if timestamp > self.largest {
            self.largest = timestamp;
            self.largest_index = batch_index;
        }
        if !record.has_key && self.rules.keys == Keys::Required {
            self.errors.push(batch_index, Rejection::KeyMissing);
        } else if !self.window.takes(timestamp) {
            self.timestamp_rejected = true;
            let window = self.window;
            self.errors
                .push(batch_index, Rejection::Timestamp { timestamp, window });
        }
        Ok(())
    }

    /// Returns what was seen, unless a record stands in the way.
    pub(crate) fn finish(self) -> Result<LargestTimestamp, Invalid> {
        if self.errors.count > 0 {
            return Err(if self.timestamp_rejected {
                Invalid::Timestamps(self.errors)
            } else {
                Invalid::KeysMissing(self.errors)
            });
        }
        Ok(LargestTimestamp {
            timestamp: self.largest,
            offset_delta: Some(self.largest_index),
        })
    }
}

/// A source's failure, on its way to the record it happened at.
pub(crate) struct Refused(StreamFault);

impl From<RecordFault> for Refused {
    fn from(fault: RecordFault) -> Self {
        Self(fault.into())
    }
}

impl From<StreamFault> for Refused {
    fn from(fault: StreamFault) -> Self {
        Self(fault)
    }
}

impl Refused {
    #[cold]
    fn at(self, batch_index: u32) -> Invalid {
        match self.0 {
            StreamFault::Record(fault) => Invalid::Record { batch_index, fault },
            StreamFault::Codec(cause) => Invalid::Decompression(cause),
            StreamFault::TooLarge => Invalid::DecompressedTooLarge {
                max: DECOMPRESSED_SIZE_MAX,
            },
        }
    }
}

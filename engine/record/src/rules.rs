//! What a topic asks of the batches that are produced to it.

use types::{ByteCount, TimestampMs};

use crate::header::TimestampType;

/// What a topic asks of a produced batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The largest whole batch, `max.message.bytes`.
    pub batch_size_max: ByteCount,
    /// What timestamps mean in this topic; the leader's time needs no window.
    pub timestamp_type: TimestampType,
    /// Which record timestamps are taken.
    pub timestamp_window: TimestampWindow,
    /// Whether records need a key.
    pub keys: Keys,
}

/// Whether records need a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// A record may come without.
    Optional,
    /// The topic is compacted: a record without a key could never be replaced.
    Required,
}

/// Which record timestamps a topic takes, both ends included; "no timestamp" is always taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampWindow {
    /// The earliest.
    pub earliest: TimestampMs,
    /// The latest.
    pub latest: TimestampMs,
}

impl TimestampWindow {
    /// Takes every timestamp.
    pub const UNBOUNDED: Self = Self {
        earliest: TimestampMs(i64::MIN),
        latest: TimestampMs(i64::MAX),
    };

    /// Takes timestamps from `before_ms` before `now` to `after_ms` after it.
    ///
    /// *Source*: `message.timestamp.before.max.ms` and `message.timestamp.after.max.ms`.
    pub fn around(now: TimestampMs, before_ms: u64, after_ms: u64) -> Self {
        Self {
            earliest: TimestampMs(now.0.saturating_sub_unsigned(before_ms)),
            latest: TimestampMs(now.0.saturating_add_unsigned(after_ms)),
        }
    }

    #[inline]
    pub(crate) fn takes(&self, timestamp: TimestampMs) -> bool {
        (self.earliest <= timestamp && timestamp <= self.latest) || timestamp == TimestampMs::NONE
    }
}

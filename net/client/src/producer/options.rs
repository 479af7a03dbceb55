//! What may be set about a producer.

use std::time::Duration;

use record::Compression;
use types::ByteCount;

/// When a broker answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acks {
    /// Never: records may be lost without a word.
    None,
    /// When the leader has the records.
    Leader,
    /// When all replicas in sync have them.
    All,
}

impl Acks {
    /// Returns the number on the wire.
    pub(crate) fn wire(self) -> i16 {
        match self {
            Self::None => 0,
            Self::Leader => 1,
            Self::All => -1,
        }
    }
}

/// Whether the brokers recognise records that they have already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotence {
    /// They do not: a record sent again may stand in the log twice.
    Off,
    /// They do, by producer id and sequence. Needs [`Acks::All`].
    On,
}

/// How a producer sends.
#[derive(Clone, Debug)]
pub struct ProducerOptions {
    /// When a broker answers.
    pub acks: Acks,
    /// Whether the brokers recognise records that they have already.
    pub idempotence: Idempotence,
    /// How batches are compressed.
    pub compression: Compression,
    /// A batch is sent when it has this size, uncompressed; a larger record goes alone.
    pub batch_size: ByteCount,
    /// A batch is sent when its first record is this old.
    pub linger: Duration,
    /// The most that one request carries, in batches; the first goes in any case.
    pub request_size: ByteCount,
    /// The most that all records together may take, uncompressed.
    pub buffer_max: ByteCount,
    /// How long a broker may wait for its replicas.
    pub request_timeout: Duration,
    /// How long after a retriable error the same partition is tried again.
    pub retry_pause: Duration,
    /// A record that is not delivered this long after it was pushed has failed.
    pub delivery_timeout: Duration,
}

impl Default for ProducerOptions {
    fn default() -> Self {
        Self {
            acks: Acks::All,
            idempotence: Idempotence::On,
            compression: Compression::None,
            batch_size: ByteCount::kib(64),
            linger: Duration::from_millis(5),
            request_size: ByteCount::mib(1),
            buffer_max: ByteCount::mib(32),
            request_timeout: Duration::from_secs(30),
            retry_pause: Duration::from_millis(100),
            delivery_timeout: Duration::from_mins(2),
        }
    }
}

//! What may be set about a consumer.

use std::time::Duration;

use types::{ByteCount, Offset, TimestampMs};

/// Where reading a partition begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the first record there is.
    Beginning,
    /// Behind the last record there is now.
    End,
    /// At an offset.
    At(Offset),
    /// At the first record with this time or a later one; at the end if there is none.
    Since(TimestampMs),
}

/// What becomes of a partition whose position does not exist (any more).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutOfRange {
    /// An error is given out, and the partition is read no further.
    Fail,
    /// Reading goes on at the first record there is.
    Beginning,
    /// Reading goes on behind the last record there is.
    End,
}

/// How a consumer reads.
#[derive(Clone, Debug)]
pub struct ConsumerOptions {
    /// How long a broker waits for records before it answers with none.
    pub wait_max: Duration,
    /// How many bytes a broker waits for.
    pub wait_bytes: ByteCount,
    /// The most that one answer carries, but for its first batch.
    pub fetch_size: ByteCount,
    /// The most that one answer carries of one partition, but for its first batch.
    pub partition_size: ByteCount,
    /// Nothing more is fetched while this much waits to be taken.
    pub buffer_max: ByteCount,
    /// What becomes of a partition whose position does not exist.
    pub out_of_range: OutOfRange,
    /// How long after a retriable error the same partition is tried again.
    pub retry_pause: Duration,
}

impl Default for ConsumerOptions {
    fn default() -> Self {
        Self {
            wait_max: Duration::from_millis(500),
            wait_bytes: ByteCount(1),
            fetch_size: ByteCount::mib(16),
            partition_size: ByteCount::mib(1),
            buffer_max: ByteCount::mib(16),
            out_of_range: OutOfRange::Fail,
            retry_pause: Duration::from_millis(100),
        }
    }
}

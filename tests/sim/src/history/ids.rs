//! The nouns of a history.

use std::fmt;

use types::TopicId;

/// One life of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LogName {
    /// The topic's id: another one after a topic was deleted and created again.
    pub(crate) topic: TopicId,
    /// The partition's number.
    pub(crate) partition: i32,
}

impl fmt::Display for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// What one producer writes to one log, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamId(pub(crate) u32);

/// One record of a stream, whichever offsets it came to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RecordId {
    /// Whose record.
    pub(crate) stream: StreamId,
    /// Its number in the stream, counted from 0.
    pub(crate) number: u32,
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {} of stream {}", self.number, self.stream.0)
    }
}

/// One consumer group; its topic's life is the longest it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GroupNumber(pub(crate) u32);

impl fmt::Display for GroupNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "group {}", self.0)
    }
}

/// One commit of offsets, which is sent once; told beside each offset, it says whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CommitNumber(pub(crate) u32);

/// Stands for everything that must come back of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(pub(crate) u64);

//! What can happen, as a client knows it.

use types::TopicId;

use super::group::GroupEvent;
use super::ids::{Fingerprint, GroupNumber, LogName, RecordId, StreamId};
use super::record::Mark;

/// What an acknowledgement of a log promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It survives everything.
    Group,
    /// It survives the process, but not the power.
    Os,
}

/// What the producer of a stream is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// In order, each once.
    Idempotent,
    /// In order, each at least once.
    AtLeastOnce,
    /// Nothing: nobody answers.
    Unanswered,
}

/// How a node was stopped or hurt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The power failed.
    PowerFailure,
    /// The process was killed.
    Kill,
    /// The process stopped on a disk that had failed or was full.
    DirtyStop,
}

/// A record as a read returned it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Its offset.
    pub(crate) offset: i64,
    /// Which record its value says it is.
    pub(crate) record: Option<RecordId>,
    /// What stands for its bytes.
    pub(crate) fingerprint: Fingerprint,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// A producer begins a stream.
    StreamOpened {
        stream: StreamId,
        log: LogName,
        delivery: Delivery,
    },
    /// Records `first..` of a stream are about to be sent as one batch, for the first time.
    Sent {
        stream: StreamId,
        first: u32,
        fingerprints: Vec<Fingerprint>,
    },
    /// A batch was acknowledged, its first record at an offset.
    Acknowledged {
        stream: StreamId,
        first: u32,
        base_offset: i64,
    },
    /// A fetch returned, with or without records.
    Read {
        log: LogName,
        asked: Mark,
        from: i64,
        log_start: i64,
        high_watermark: i64,
        records: Vec<Seen>,
    },
    /// ListOffsets told an end of a log.
    Ends {
        log: LogName,
        asked: Mark,
        log_start: i64,
        high_watermark: i64,
    },
    /// The deletion of everything below an offset is about to be asked for.
    PrefixDeletionAsked { log: LogName, below: i64 },
    /// The deletion was acknowledged.
    PrefixDeleted { log: LogName, log_start: i64 },
    /// A topic came to be.
    TopicCreated {
        topic: TopicId,
        partitions: i32,
        durability: Durability,
    },
    /// More partitions are about to be asked for.
    PartitionsAsked { topic: TopicId, count: i32 },
    /// More partitions were acknowledged.
    PartitionsGrown { topic: TopicId, count: i32 },
    /// The deletion of a topic is about to be asked for.
    TopicDeletionAsked { topic: TopicId },
    /// The deletion was acknowledged.
    TopicDeleted { topic: TopicId },
    /// Metadata told all topics there are, with their partition counts.
    TopicsSeen {
        asked: Mark,
        topics: Vec<(TopicId, i32)>,
    },
    /// A config of a topic is about to be set.
    ConfigAsked {
        topic: TopicId,
        key: &'static str,
        value: String,
    },
    /// The change was acknowledged.
    ConfigChanged {
        topic: TopicId,
        key: &'static str,
        value: String,
    },
    /// A config of a topic was told.
    ConfigSeen {
        topic: TopicId,
        asked: Mark,
        key: &'static str,
        value: Option<String>,
    },
    /// Something happened to a consumer group.
    Group(GroupNumber, GroupEvent),
    /// A node was stopped the hard way.
    Failed(Fault),
    /// What the one who drives the life did, for people who read the history.
    Driven(String),
    /// From here on nobody writes, and every log is read from its start to its end.
    AuditBegan,
    /// Something that no fault explains: an error code, an answer that cannot be read, an end that
    /// was not reached.
    Unexpected(String),
}

//! What can happen to a consumer group, as its members know it.

use std::time::Duration;

use types::TopicId;

use super::ids::CommitNumber;
use super::record::Mark;

/// An offset that the coordinator told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FoundOffset {
    /// The offset.
    pub(crate) offset: i64,
    /// Which commit the text beside it says it is from.
    pub(crate) commit: Option<CommitNumber>,
}

/// Something that happened to a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GroupEvent {
    /// A group that reads one topic begins.
    Opened { topic: TopicId },
    /// Offsets of some partitions are about to be sent, this once.
    CommitSent {
        commit: CommitNumber,
        offsets: Vec<(i32, i64)>,
    },
    /// A commit was acknowledged for a partition.
    CommitAcknowledged {
        commit: CommitNumber,
        partition: i32,
    },
    /// The coordinator told what is committed for some partitions.
    OffsetsSeen {
        asked: Mark,
        offsets: Vec<(i32, Option<FoundOffset>)>,
    },
    /// A member was let into a generation.
    Joined { asked: Mark, generation: i32 },
    /// A member was given its part in a generation; a static member is known by its own name.
    Synced {
        asked: Mark,
        generation: i32,
        owner: String,
        partitions: Vec<i32>,
    },
    /// On a healthy node, all members were in one generation and had shared out everything.
    Settled { took: Duration, allowed: Duration },
}

//! What may be asked of the coordinator.
//!
//! Numbers that a client chose arrive as the client sent them, to be judged here; texts and names are
//! parsed before. A request that names several groups is split by the caller: each group has its own
//! coordinator.

use types::{LeaderEpoch, PartitionIndex, TopicId, TopicName};

use crate::deleted::TopicsDeleted;
use crate::text::{Blob, GroupId, InstanceId, MemberId, Text};

/// Whom an answer is for: the caller chooses it, and gets it back with the answer exactly once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// A request. Each kind is answered by the [`Response`](crate::Response) of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// JoinGroup.
    Join(Box<Join>),
    /// SyncGroup.
    Sync(Sync),
    /// Heartbeat.
    Heartbeat(Heartbeat),
    /// LeaveGroup.
    Leave(Leave),
    /// OffsetCommit.
    OffsetCommit(OffsetCommit),
    /// OffsetFetch of one group.
    OffsetFetch(OffsetFetch),
    /// OffsetDelete.
    OffsetDelete(OffsetDelete),
    /// DeleteGroups, one group.
    DeleteGroup(GroupId),
    /// DescribeGroups, one group.
    Describe(GroupId),
    /// ListGroups.
    List(List),
    /// The partitions of some topics are gone, and so are the offsets in them.
    TopicsDeleted(TopicsDeleted),
}

/// How a client's version of JoinGroup treats a member without an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownMember {
    /// It is given an id and has to join again with it: version 4 and up (KIP-394).
    Required,
    /// It joins at once.
    Optional,
}

/// Whether a client's version of JoinGroup lets a leader be told not to assign anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipAssignment {
    /// It does: version 9 and up.
    Supported,
    /// It does not.
    Unsupported,
}

/// A way to assign partitions that a member supports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// Its name.
    pub name: Text,
    /// What the member says to it.
    pub metadata: Blob,
}

/// A member joins a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// The group.
    pub group: GroupId,
    /// The member; empty before it was given an id.
    pub member: MemberId,
    /// Its name, if it is static.
    pub instance: Option<InstanceId>,
    /// What its client calls itself.
    pub client_id: Text,
    /// Where its client connects from.
    pub client_host: Text,
    /// How long it may be silent, in milliseconds.
    pub session_timeout_ms: i32,
    /// How long it may take to join again, in milliseconds; the session's before version 1.
    pub rebalance_timeout_ms: i32,
    /// What the members have in common.
    pub protocol_type: Text,
    /// What it supports, what it likes best first; the first one of a name counts.
    pub protocols: Vec<Protocol>,
    /// Depends on the request's version.
    pub known_member: KnownMember,
    /// Depends on the request's version.
    pub skip_assignment: SkipAssignment,
    /// Random bits, used up if the member needs an id.
    pub random: [u8; 16],
}

/// A member of a generation, as it introduces itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The member.
    pub member: MemberId,
    /// Its name, if it is static.
    pub instance: Option<InstanceId>,
    /// The generation that it knows; negative if none.
    pub generation: i32,
}

/// A member asks for its assignment; the leader brings all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sync {
    /// The group.
    pub group: GroupId,
    /// Who asks.
    pub claim: Claim,
    /// What the members have in common, if the version says so (5 and up).
    pub protocol_type: Option<Text>,
    /// The protocol that was chosen, if the version says so (5 and up).
    pub protocol: Option<Text>,
    /// The leader's assignments.
    pub assignments: Vec<(MemberId, Blob)>,
}

/// A member says that it is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The group.
    pub group: GroupId,
    /// Who is alive.
    pub claim: Claim,
}

/// Members leave, or are made to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leave {
    /// The group.
    pub group: GroupId,
    /// Who leaves.
    pub members: Vec<LeavingMember>,
}

/// A member that leaves: by its id, or by its name alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeavingMember {
    /// The member; empty: whoever has the name.
    pub member: MemberId,
    /// Its name, if it is static.
    pub instance: Option<InstanceId>,
}

/// Offsets are committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetCommit {
    /// The group.
    pub group: GroupId,
    /// Who commits; a consumer that is no member has no id and a negative generation.
    pub claim: Claim,
    /// Whether a missing group is "not found" (version 9 and up) or an "illegal generation".
    pub missing_group: MissingGroup,
    /// How long the offsets are kept, in milliseconds, if the client says so (versions 2 to 4).
    pub retention_ms: Option<i64>,
    /// The offsets; their topics exist.
    pub offsets: Vec<NewOffset>,
}

/// What a commit of a member is told when its group does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingGroup {
    /// `GROUP_ID_NOT_FOUND`: version 9 and up.
    NotFound,
    /// `ILLEGAL_GENERATION`: before.
    IllegalGeneration,
}

/// One offset to be committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOffset {
    /// The topic.
    pub topic: TopicName,
    /// Its id, if the request named it by that (version 10 and up); else [`TopicId::ZERO`].
    pub topic_id: TopicId,
    /// Its partition.
    pub partition: PartitionIndex,
    /// The next offset to read.
    pub offset: i64,
    /// The leader epoch of the last record read, if the client knows it.
    pub leader_epoch: Option<LeaderEpoch>,
    /// What the client notes.
    pub metadata: Text,
}

/// Which offsets are fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All that the group has.
    All,
    /// Those of some partitions.
    Topics(Vec<WantedTopic>),
}

/// Some partitions of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedTopic {
    /// The topic.
    pub topic: TopicName,
    /// Its id, if the request named it by that (version 10 and up): offsets that were committed for
    /// another topic of the name do not count. Else [`TopicId::ZERO`].
    pub topic_id: TopicId,
    /// The partitions.
    pub partitions: Vec<PartitionIndex>,
}

/// Whether a fetch waits for commits that are not durable yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stability {
    /// It waits: `require_stable`.
    Required,
    /// It answers at once, with what is durable.
    Optional,
}

/// A group's offsets are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetFetch {
    /// The group.
    pub group: GroupId,
    /// Which offsets.
    pub wanted: Wanted,
    /// Whether to wait.
    pub stability: Stability,
}

/// Some offsets of a group are deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetDelete {
    /// The group.
    pub group: GroupId,
    /// The partitions; their topics exist.
    pub partitions: Vec<(TopicName, PartitionIndex)>,
}

/// Groups are listed. Filters are compared without regard to case; none lets all pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// Names of states, `Stable` for instance.
    pub states: Vec<String>,
    /// Names of types; all groups here are `classic`.
    pub types: Vec<String>,
}

impl Request {
    /// Returns the group that the request is about; `None`: all of them.
    pub(crate) fn group(&self) -> Option<&GroupId> {
        match self {
            Self::Join(join) => Some(&join.group),
            Self::Sync(sync) => Some(&sync.group),
            Self::Heartbeat(heartbeat) => Some(&heartbeat.group),
            Self::Leave(leave) => Some(&leave.group),
            Self::OffsetCommit(commit) => Some(&commit.group),
            Self::OffsetFetch(fetch) => Some(&fetch.group),
            Self::OffsetDelete(delete) => Some(&delete.group),
            Self::DeleteGroup(group) | Self::Describe(group) => Some(group),
            Self::List(_) | Self::TopicsDeleted(_) => None,
        }
    }
}

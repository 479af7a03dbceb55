//! What the coordinator answers.

use types::{PartitionIndex, TopicName};

use crate::error::GroupError;
use crate::record::CommittedOffset;
use crate::request::Request;
use crate::text::{Blob, GroupId, InstanceId, MemberId, Text};

/// The answer to the [`Request`] of the same name. Lists stand in the request's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// To JoinGroup.
    Join(Result<Joined, JoinRefusal>),
    /// To SyncGroup.
    Sync(Result<Synced, GroupError>),
    /// To Heartbeat.
    Heartbeat(Result<(), GroupError>),
    /// To LeaveGroup: for the whole request, and for each member.
    Leave(Result<Vec<Result<(), GroupError>>, GroupError>),
    /// To OffsetCommit: for the whole request, and for each offset.
    OffsetCommit(Result<Vec<Result<(), GroupError>>, GroupError>),
    /// To OffsetFetch. Groups and partitions without an offset are no error.
    OffsetFetch(Result<Vec<FetchedTopic>, GroupError>),
    /// To OffsetDelete: for the whole request, and for each partition.
    OffsetDelete(Result<Vec<Result<(), GroupError>>, GroupError>),
    /// To DeleteGroups.
    DeleteGroup(Result<(), GroupError>),
    /// To DescribeGroups; [`GroupError::GroupNotFound`] is Kafka's `Dead`.
    Describe(Result<Described, GroupError>),
    /// To ListGroups, in the order of the groups' names.
    List(Result<Vec<Listed>, GroupError>),
    /// To the news of a topic's end: the tombstones are on their way.
    TopicsDeleted(Result<(), GroupError>),
}

/// The member belongs to a new generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Its id.
    pub member: MemberId,
    /// The generation.
    pub generation: i32,
    /// What the members have in common.
    pub protocol_type: Option<Text>,
    /// The protocol that was chosen.
    pub protocol: Option<Text>,
    /// The member that assigns.
    pub leader: Option<MemberId>,
    /// Whether the leader need not assign: the assignment of the generation stands.
    pub skip_assignment: bool,
    /// For the leader: all members, and what they said to the chosen protocol.
    pub members: Vec<JoinedMember>,
}

/// A member as its leader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedMember {
    /// Its id.
    pub member: MemberId,
    /// Its name, if it is static.
    pub instance: Option<InstanceId>,
    /// What it said to the chosen protocol.
    pub metadata: Blob,
}

/// The member does not belong to a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRefusal {
    /// The id that the answer carries: with [`GroupError::MemberIdRequired`] the one to join with.
    pub member: MemberId,
    /// Why.
    pub error: GroupError,
}

/// A member's assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    /// What the members have in common.
    pub protocol_type: Option<Text>,
    /// The protocol that was chosen.
    pub protocol: Option<Text>,
    /// What the leader assigned to the member.
    pub assignment: Blob,
}

/// The offsets of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedTopic {
    /// The topic.
    pub topic: TopicName,
    /// Its partitions, and their offsets if they have any.
    pub partitions: Vec<(PartitionIndex, Option<CommittedOffset>)>,
}

/// What a group is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupState {
    /// It has no members.
    Empty,
    /// Its members are joining.
    PreparingRebalance,
    /// Its members have joined and wait for the leader's assignments.
    CompletingRebalance,
    /// Its members have their assignments.
    Stable,
}

impl GroupState {
    /// Returns the name that Kafka uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

/// A group as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// What it is doing.
    pub state: GroupState,
    /// What its members have in common; empty if it never had any.
    pub protocol_type: Text,
    /// The protocol that was chosen; empty unless the group is stable.
    pub protocol: Text,
    /// Its members.
    pub members: Vec<DescribedMember>,
}

/// A member as an administrator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedMember {
    /// Its id.
    pub member: MemberId,
    /// Its name, if it is static.
    pub instance: Option<InstanceId>,
    /// What its client calls itself.
    pub client_id: Text,
    /// Where its client connects from.
    pub client_host: Text,
    /// What it said to the chosen protocol; empty unless the group is stable.
    pub metadata: Blob,
    /// What the leader assigned to it last.
    pub assignment: Blob,
}

/// A group in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The group.
    pub group: GroupId,
    /// What its members have in common; empty if it never had any.
    pub protocol_type: Text,
    /// What it is doing.
    pub state: GroupState,
}

impl Response {
    /// Refuses a request as a whole.
    pub(crate) fn refusal(request: &Request, error: GroupError) -> Self {
        match request {
            Request::Join(join) => Self::refused_join(join.member.clone(), error),
            Request::Sync(_) => Self::Sync(Err(error)),
            Request::Heartbeat(_) => Self::Heartbeat(Err(error)),
            Request::Leave(_) => Self::Leave(Err(error)),
            Request::OffsetCommit(_) => Self::OffsetCommit(Err(error)),
            Request::OffsetFetch(_) => Self::OffsetFetch(Err(error)),
            Request::OffsetDelete(_) => Self::OffsetDelete(Err(error)),
            Request::DeleteGroup(_) => Self::DeleteGroup(Err(error)),
            Request::Describe(_) => Self::Describe(Err(error)),
            Request::List(_) => Self::List(Err(error)),
            Request::TopicsDeleted(_) => Self::TopicsDeleted(Err(error)),
        }
    }

    pub(crate) fn refused_join(member: MemberId, error: GroupError) -> Self {
        Self::Join(Err(JoinRefusal { member, error }))
    }

    /// Turns an answer that waited for the log into one that says that the log did not take it.
    pub(crate) fn failed(self, error: GroupError) -> Self {
        match self {
            Self::Join(_) => Self::refused_join(MemberId::default(), error),
            Self::Sync(_) => Self::Sync(Err(error)),
            Self::Heartbeat(_) => Self::Heartbeat(Err(error)),
            Self::Leave(_) => Self::Leave(Err(error)),
            Self::OffsetCommit(_) => Self::OffsetCommit(Err(error)),
            Self::OffsetFetch(_) => Self::OffsetFetch(Err(error)),
            Self::OffsetDelete(_) => Self::OffsetDelete(Err(error)),
            Self::DeleteGroup(_) => Self::DeleteGroup(Err(error)),
            Self::Describe(_) => Self::Describe(Err(error)),
            Self::List(_) => Self::List(Err(error)),
            Self::TopicsDeleted(_) => Self::TopicsDeleted(Err(error)),
        }
    }
}

//! Why a request to a group is refused, and why an append was not made.

/// Why a request, or one item of it, is refused. Each variant is one of Kafka's error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum GroupError {
    /// `COORDINATOR_LOAD_IN_PROGRESS`: the log is still being read. Kafka answers a heartbeat
    /// without an error then.
    #[error("the coordinator is reading its log")]
    Loading,
    /// `COORDINATOR_NOT_AVAILABLE`: the log did not take a record, or too much waits for it.
    #[error("the coordinator is not available")]
    NotAvailable,
    /// `NOT_COORDINATOR`: the log is another's now.
    #[error("this is not the group's coordinator any more")]
    NotCoordinator,
    /// `UNKNOWN_SERVER_ERROR`: the record would be larger than the log takes.
    #[error("the group's record is too large")]
    RecordTooLarge,
    /// `INVALID_GROUP_ID`: the empty name.
    #[error("the group id is empty")]
    InvalidGroupId,
    /// `INVALID_SESSION_TIMEOUT`: out of bounds.
    #[error("the session timeout is out of bounds")]
    InvalidSessionTimeout,
    /// `MEMBER_ID_REQUIRED`: join again with the id that is given.
    #[error("the member has to join with the id that it is given")]
    MemberIdRequired,
    /// `UNKNOWN_MEMBER_ID`: no such member, or no such group.
    #[error("there is no such member")]
    UnknownMember,
    /// `FENCED_INSTANCE_ID`: another process has taken the static member's name.
    #[error("another member has this instance id")]
    FencedInstance,
    /// `ILLEGAL_GENERATION`: not the present one.
    #[error("the generation is not the present one")]
    IllegalGeneration,
    /// `INCONSISTENT_GROUP_PROTOCOL`: nothing that all members support.
    #[error("the group has another protocol")]
    InconsistentProtocol,
    /// `REBALANCE_IN_PROGRESS`: join again.
    #[error("the group is being rebalanced")]
    RebalanceInProgress,
    /// `GROUP_MAX_SIZE_REACHED`: too many members, or too much said by them.
    #[error("the group is full")]
    GroupFull,
    /// `POLICY_VIOLATION`: a bound of this coordinator, over all groups.
    #[error("the coordinator holds no more groups or offsets")]
    CoordinatorFull,
    /// `OFFSET_METADATA_TOO_LARGE`: the note beside the offset.
    #[error("the metadata of the offset is too large")]
    MetadataTooLarge,
    /// `GROUP_ID_NOT_FOUND`: no such group.
    #[error("there is no such group")]
    GroupNotFound,
    /// `NON_EMPTY_GROUP`: it has members.
    #[error("the group has members")]
    GroupNotEmpty,
    /// `GROUP_SUBSCRIBED_TO_TOPIC`: members read it.
    #[error("the group is subscribed to the topic")]
    SubscribedToTopic,
}

/// Why records did not become durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendFailure {
    /// Not now: too few replicas in sync, or too slow.
    Unavailable,
    /// Not here: the log has another leader, or its disk failed.
    NotOwner,
    /// Never: larger than the log takes.
    TooLarge,
}

impl From<AppendFailure> for GroupError {
    /// *Source*: `GroupMetadataManager.appendGroupMetadataErrorToResponseError`.
    fn from(failure: AppendFailure) -> Self {
        match failure {
            AppendFailure::Unavailable => Self::NotAvailable,
            AppendFailure::NotOwner => Self::NotCoordinator,
            AppendFailure::TooLarge => Self::RecordTooLarge,
        }
    }
}

//! Requests that are handed out.

use types::NodeId;
use wire::messages::{
    find_coordinator, heartbeat, join_group, leave_group, offset_commit, offset_fetch, sync_group,
};

/// A request's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderId(pub(super) u64);

/// A request to be carried.
#[derive(Clone, Debug)]
pub struct Order {
    /// By which the answer is reported.
    pub id: OrderId,
    /// The coordinator; `None` for any node.
    pub node: Option<NodeId>,
    /// The request.
    pub request: OrderRequest,
    /// The highest version it can be written in.
    pub version_max: i16,
}

/// What is asked.
#[derive(Clone, Debug)]
pub enum OrderRequest {
    /// Who the coordinator is.
    Coordinator(find_coordinator::Request),
    /// To be a member.
    Join(join_group::Request),
    /// For the member's part.
    Sync(sync_group::Request),
    /// How far the group has read.
    Offsets(offset_fetch::Request),
    /// To keep how far it has read.
    Commit(offset_commit::Request),
    /// Whether all is well.
    Heartbeat(heartbeat::Request),
    /// To be no member any more.
    Leave(leave_group::Request),
}

/// The kind of an order that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Coordinator,
    Join,
    Sync,
    Offsets,
    Commit,
    Heartbeat,
    Leave,
}

impl OrderRequest {
    pub(super) fn kind(&self) -> Asked {
        match self {
            Self::Coordinator(_) => Asked::Coordinator,
            Self::Join(_) => Asked::Join,
            Self::Sync(_) => Asked::Sync,
            Self::Offsets(_) => Asked::Offsets,
            Self::Commit(_) => Asked::Commit,
            Self::Heartbeat(_) => Asked::Heartbeat,
            Self::Leave(_) => Asked::Leave,
        }
    }

    /// Returns the highest version in which the request says what is meant: later ones name
    /// groups, members or topics in other fields.
    pub(super) fn version_max(&self) -> i16 {
        match self {
            Self::Coordinator(_) => 3,
            Self::Offsets(_) => 7,
            Self::Commit(_) => 9,
            Self::Leave(_) => 2,
            Self::Join(_) | Self::Sync(_) | Self::Heartbeat(_) => i16::MAX,
        }
    }
}

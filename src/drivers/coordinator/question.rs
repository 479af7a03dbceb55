//! The way to the coordinator of a group from any shard, and to all of them.

use coordinator::{GroupError, GroupId, List, Listed, Request, Response};
use runtime::Receiver;
use types::ShardId;

use super::topic::partition_of;
use crate::crossing::{Answer, Ask};
use crate::metrics::Committed;
use crate::shard::Shard;

/// A question to a coordinator that was asked and not answered yet.
pub enum Asked {
    /// Of this shard.
    Here(Receiver<Response>),
    /// Of another one.
    There(ShardId, runtime::Reply<Answer>),
    /// It cannot be asked.
    Refused(GroupError),
}

impl Asked {
    /// Waits for the answer.
    pub async fn answer(self) -> Result<Response, GroupError> {
        match self {
            Self::Here(answer) => answer.await.map_err(|_| GroupError::NotCoordinator),
            Self::There(_, reply) => match reply.await {
                Ok(Answer::Coordinated(answer)) => answer,
                Ok(_) | Err(_) => Err(GroupError::NotCoordinator),
            },
            Self::Refused(error) => Err(error),
        }
    }
}

/// Asks the coordinator of a group, whichever shard it is on. When this returns, the question has its
/// place behind those asked before.
pub async fn ask(shard: &Shard, group: &GroupId, request: Request) -> Asked {
    let Some(partition) = partition_of(&shard.image(), group) else {
        return Asked::Refused(GroupError::NotCoordinator);
    };
    let index = partition.partition;
    let owner = shard.router.owner(partition);
    if owner == shard.id() {
        return match shard.coordinators.ask(index, request) {
            Ok(answer) => Asked::Here(answer),
            Err(error) => Asked::Refused(error),
        };
    }
    let ask = Ask::Coordinate {
        partition: index,
        request: Box::new(request),
    };
    Asked::There(owner, shard.mesh.call(owner, ask).await)
}

/// Lists the groups of the whole node.
pub async fn list(shard: &Shard, list: List) -> Result<Vec<Listed>, GroupError> {
    let mut replies = Vec::new();
    for peer in shard.router.all() {
        let ask = Ask::ListGroups(list.clone());
        replies.push(shard.mesh.call(peer, ask).await);
    }
    let mut all = Vec::new();
    for reply in replies {
        match reply.await {
            Ok(Answer::Groups(listed)) => all.extend(listed?),
            Ok(_) | Err(_) => return Err(GroupError::NotAvailable),
        }
    }
    Ok(all)
}

/// Returns what the groups of the whole node have committed; a shard that is gone is left out.
pub async fn committed(shard: &Shard) -> Vec<Committed> {
    let mut replies = Vec::new();
    for peer in shard.router.all() {
        replies.push(shard.mesh.call(peer, Ask::Committed).await);
    }
    let mut all = Vec::new();
    for reply in replies {
        if let Ok(Answer::Committed(committed)) = reply.await {
            all.extend(committed);
        }
    }
    all
}

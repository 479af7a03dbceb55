//! Where a connection is at home: at the shard that does its work.
//!
//! A request that another shard serves wakes two cores and moves its records from one's cache to the
//! other's: half as much work again for a batch of 64 KiB. So a connection that has asked one other
//! shard for everything, often enough, moves there, if that shard has time. One that reads stays: its
//! fetch session is here.

use server::{Request, Session};
use types::ShardId;

use crate::shard::Shard;

/// Requests in a row for one other shard after which a connection moves for the first time; each move
/// doubles it.
const DRAWN_MIN: u32 = 32;

/// The most doublings.
const DOUBLINGS_MAX: u32 = 16;

/// Notes which shard serves a request to a group.
///
/// Only if nothing else of the connection is under way: a member that waits for a rebalance may wait for minutes, and what it
/// sends meanwhile (that it leaves) is to be read.
pub(super) fn note_group(
    shard: &Shard,
    session: &Session,
    request: &Request,
    coordinator: Option<ShardId>,
) {
    if request.alone {
        note(shard, session, coordinator.into_iter());
    }
}

/// Notes which shards serve a request.
pub(super) fn note(shard: &Shard, session: &Session, mut owners: impl Iterator<Item = ShardId>) {
    let Some(owner) = owners.next() else {
        return;
    };
    if owner == shard.id() || owners.next().is_some() {
        session.settled();
        return;
    }
    let enough = DRAWN_MIN << session.moves().min(DOUBLINGS_MAX);
    if session.drawn(owner) >= enough && shard.mesh.admits(owner) {
        session.move_to(owner);
    }
}

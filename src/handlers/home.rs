//! Where a connection is at home: at the shard that does its work.
//!
//! A request that another shard serves wakes two cores and moves its records from one's cache to the
//! other's: half as much work again for a batch of 64 KiB. So a connection that has asked one other
//! shard for everything, often enough, moves there, if that shard has time. A member of a group says
//! with its first heartbeat or commit whom it will ask as long as it lives, and moves at once. One
//! that reads stays: its fetch session is here.

use server::{Request, Session};
use types::ShardId;

use crate::drivers::coordinator::Asked;
use crate::shard::Shard;

/// Requests in a row for one other shard after which a connection moves for the first time; each move
/// doubles it.
const DRAWN_MIN: u32 = 32;

/// The most doublings.
const DOUBLINGS_MAX: u32 = 16;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// A member of the group that it asks for, by the generation that it names.
    Member,
    /// Anybody else.
    Other,
}

/// Notes which shard serves a request to a group.
///
/// Only if nothing else of the connection is under way: a member that waits for a rebalance may wait for
/// minutes, and what it sends meanwhile (that it leaves) is to be read.
pub(super) fn note_group(
    shard: &Shard,
    session: &Session,
    request: &Request,
    asker: Asker,
    asked: &Asked,
) {
    let owner = match asked {
        Asked::Here(_) => shard.id(),
        Asked::There(owner, _) => *owner,
        Asked::Refused(_) => return,
    };
    if !request.alone {
        return;
    }
    if let Some(owner) = attraction(shard.id(), session, asker, std::iter::once(owner)) {
        let admitted = match asker {
            // It costs little more there than it does already.
            Asker::Member => shard.mesh.has_time(owner),
            Asker::Other => shard.mesh.admits(owner),
        };
        if admitted {
            session.move_to(owner);
        }
    }
}

/// Notes which shards serve a request.
pub(super) fn note(shard: &Shard, session: &Session, owners: impl Iterator<Item = ShardId>) {
    if let Some(owner) = attraction(shard.id(), session, Asker::Other, owners)
        && shard.mesh.admits(owner)
    {
        session.move_to(owner);
    }
}

/// Returns the shard that the connection has asked for everything, often enough.
fn attraction(
    own: ShardId,
    session: &Session,
    asker: Asker,
    mut owners: impl Iterator<Item = ShardId>,
) -> Option<ShardId> {
    let owner = owners.next()?;
    if owner == own || owners.next().is_some() {
        session.settled();
        return None;
    }
    let enough = if asker == Asker::Member && !session.has_settled() {
        1
    } else {
        DRAWN_MIN << session.moves().min(DOUBLINGS_MAX)
    };
    (session.drawn(owner) >= enough).then_some(owner)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use types::Monotonic;

    use super::*;

    const OWN: ShardId = ShardId(0);
    const OTHER: ShardId = ShardId(1);
    const THIRD: ShardId = ShardId(2);

    fn session() -> Session {
        let address = SocketAddr::from(([127, 0, 0, 1], 9092));
        Session::new(address, address, Monotonic::ZERO)
    }

    /// Asks so often for these owners; returns whether the last time was enough.
    fn ask(session: &Session, times: u32, owners: &[ShardId]) -> Option<ShardId> {
        let ask = |_| attraction(OWN, session, Asker::Other, owners.iter().copied());
        (0..times).map(ask).last().flatten()
    }

    /// Lets a member ask once.
    fn ask_as_member(session: &Session, owner: ShardId) -> Option<ShardId> {
        attraction(OWN, session, Asker::Member, std::iter::once(owner))
    }

    #[test]
    fn one_other_shard_attracts_who_asks_it_often_enough() {
        let session = session();
        assert_eq!(ask(&session, DRAWN_MIN - 1, &[OTHER]), None);
        assert_eq!(ask(&session, 1, &[OTHER]), Some(OTHER));
        assert_eq!(ask(&session, 1, &[OTHER]), Some(OTHER), "until it moves");
    }

    #[test]
    fn the_first_shard_attracts_a_member_at_once() {
        let session = session();
        assert_eq!(ask(&session, 1, &[OTHER]), None);
        assert_eq!(ask_as_member(&session, OTHER), Some(OTHER));
        assert_eq!(
            ask_as_member(&session, OTHER),
            Some(OTHER),
            "until it moves"
        );
    }

    #[test]
    fn a_member_whose_connection_has_other_work_moves_as_everybody() {
        let (mixed, moved) = (session(), session().moved());
        ask(&mixed, 1, &[OWN]);
        for (session, enough) in [(mixed, DRAWN_MIN), (moved, DRAWN_MIN * 2)] {
            let before = (1..enough).find_map(|_| ask_as_member(&session, OTHER));
            assert_eq!(before, None);
            assert_eq!(ask_as_member(&session, OTHER), Some(OTHER));
        }
    }

    #[test]
    fn any_other_work_begins_the_count_anew() {
        for between in [&[OWN][..], &[THIRD], &[OTHER, OWN], &[OTHER, THIRD]] {
            let session = session();
            ask(&session, DRAWN_MIN - 1, &[OTHER]);
            assert_eq!(ask(&session, 1, between), None);
            assert_eq!(ask(&session, DRAWN_MIN - 1, &[OTHER]), None, "{between:?}");
            assert_eq!(ask(&session, 1, &[OTHER]), Some(OTHER));
        }
        let session = session();
        ask(&session, DRAWN_MIN - 1, &[OTHER]);
        assert_eq!(ask(&session, 1, &[]), None, "a request that asks nobody");
        assert_eq!(ask(&session, 1, &[OTHER]), Some(OTHER));
    }
}

//! Who may connect, and to which shard a connection goes. Pure counting, no I/O.
//!
//! Invariants:
//! 1. The sum over all shards, and over all addresses, is the number of tickets that are out.
//! 2. It never exceeds the total bound, nor does any address exceed its own.
//! 3. An address without connections is not remembered: memory is bounded by the total bound.

use std::collections::BTreeMap;
use std::net::IpAddr;

use types::ShardId;

/// How many connections a node takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionBounds {
    /// In total, on all shards together.
    pub total_max: usize,
    /// From one address; an IPv4 address counts the same whether it arrives mapped into IPv6.
    pub per_address_max: usize,
}

/// The right of one connection to be there. It goes with the connection to its shard and comes back
/// to [`crate::Acceptor::closed`] when the connection is over.
#[derive(Debug)]
#[must_use = "a ticket that does not come back is a connection that counts for ever"]
pub struct Ticket {
    shard: ShardId,
    address: IpAddr,
}

impl Ticket {
    /// Returns the shard that shall own the connection.
    pub fn shard(&self) -> ShardId {
        self.shard
    }
}

/// Why a connection was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    TotalSpent,
    AddressSpent,
}

/// The count of tickets that are out.
pub(crate) struct Admission {
    bounds: ConnectionBounds,
    per_shard: Vec<usize>,
    per_address: BTreeMap<IpAddr, usize>,
    total: usize,
    /// Where the search for the emptiest shard starts, so that ties go round.
    turn: usize,
}

impl Admission {
    /// *Panics*: without a shard.
    pub(crate) fn new(bounds: ConnectionBounds, shards: u16) -> Self {
        assert!(shards >= 1, "a node has at least one shard");
        Self {
            bounds,
            per_shard: vec![0; usize::from(shards)],
            per_address: BTreeMap::new(),
            total: 0,
            turn: 0,
        }
    }

    /// Takes a connection from `address` on the shard with the fewest, or says which bound is spent.
    pub(crate) fn admit(&mut self, address: IpAddr) -> Result<Ticket, Refused> {
        let address = address.to_canonical();
        if self.total >= self.bounds.total_max {
            return Err(Refused::TotalSpent);
        }
        let from_address = self.per_address.get(&address).copied().unwrap_or(0);
        if from_address >= self.bounds.per_address_max {
            return Err(Refused::AddressSpent);
        }
        let shards = self.per_shard.len();
        let emptiest = (0..shards)
            .map(|step| (self.turn + step) % shards)
            .min_by_key(|&shard| self.per_shard[shard])
            .expect("a node has at least one shard");
        self.turn = (emptiest + 1) % shards;
        self.per_shard[emptiest] += 1;
        self.per_address.insert(address, from_address + 1);
        self.total += 1;
        let shard = u16::try_from(emptiest).expect("the shards were counted by a u16");
        Ok(Ticket {
            shard: ShardId(shard),
            address,
        })
    }

    /// Takes a ticket back.
    pub(crate) fn leave(&mut self, ticket: &Ticket) {
        self.per_shard[ticket.shard.index()] -= 1; // invariant 1: underflow panics
        self.total -= 1;
        let from_address = self
            .per_address
            .get_mut(&ticket.address)
            .expect("a ticket's address is counted until it comes back");
        *from_address -= 1;
        if *from_address == 0 {
            self.per_address.remove(&ticket.address); // invariant 3
        }
    }

    /// Returns how many tickets are out.
    pub(crate) fn total(&self) -> usize {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([127, 0, 0, last])
    }

    fn admission(total_max: usize, per_address_max: usize, shards: u16) -> Admission {
        Admission::new(
            ConnectionBounds {
                total_max,
                per_address_max,
            },
            shards,
        )
    }

    #[test]
    fn connections_go_to_the_shard_with_the_fewest() {
        let mut admission = admission(100, 100, 3);
        let tickets: Vec<_> = (0..6)
            .map(|_| admission.admit(address(1)).unwrap())
            .collect();
        let shards: Vec<_> = tickets.iter().map(|ticket| ticket.shard().0).collect();
        assert_eq!(shards, [0, 1, 2, 0, 1, 2]);
        admission.leave(&tickets[1]);
        admission.leave(&tickets[4]);
        assert_eq!(admission.admit(address(1)).unwrap().shard(), ShardId(1));
        assert_eq!(admission.admit(address(1)).unwrap().shard(), ShardId(1));
    }

    #[test]
    fn bounds_hold_in_total_and_per_address() {
        let mut admission = admission(3, 2, 2);
        let first = admission.admit(address(1)).unwrap();
        let _second = admission.admit(address(1)).unwrap();
        assert_eq!(
            admission.admit(address(1)).unwrap_err(),
            Refused::AddressSpent
        );
        let _third = admission.admit(address(2)).unwrap();
        assert_eq!(
            admission.admit(address(3)).unwrap_err(),
            Refused::TotalSpent
        );
        admission.leave(&first);
        assert_eq!(admission.total(), 2);
        let _fourth = admission.admit(address(1)).unwrap();
    }

    #[test]
    fn a_mapped_address_is_the_address() {
        let mut admission = admission(10, 1, 1);
        let _ticket = admission.admit(address(1)).unwrap();
        let mapped: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
        assert_eq!(admission.admit(mapped).unwrap_err(), Refused::AddressSpent);
    }

    #[test]
    fn an_address_without_connections_is_forgotten() {
        let mut admission = admission(10, 10, 1);
        for last in 0..100 {
            let ticket = admission.admit(address(last)).unwrap();
            admission.leave(&ticket);
        }
        assert!(admission.per_address.is_empty());
        assert_eq!(admission.total(), 0);
    }
}

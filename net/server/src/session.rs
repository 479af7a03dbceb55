//! What is known of the client at the other end of a connection.

use std::cell::{Cell, Ref, RefCell};
use std::net::SocketAddr;

use types::{ClientId, Monotonic, ShardId};

/// What a client says it is made of.
///
/// *Source*: KIP-511, ApiVersions version 3 and up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSoftware {
    /// For instance `apache-kafka-java`.
    pub name: String,
    /// For instance `4.3.0`.
    pub version: String,
}

/// One connection's client, as far as it is known: shared by all requests of the connection, and
/// taken along when that moves to another shard.
#[derive(Clone, Debug)]
pub struct Session {
    peer: SocketAddr,
    local: SocketAddr,
    opened: Monotonic,
    client_id: RefCell<ClientId>,
    client_id_raw: RefCell<String>,
    software: RefCell<Option<ClientSoftware>>,
    requests: Cell<u64>,
    muted_until: Cell<Monotonic>,
    drawn: Cell<Option<Drawn>>,
    settled: Cell<bool>,
    moves_to: Cell<Option<ShardId>>,
    moves: Cell<u32>,
}

/// A run of requests that one other shard did the work of.
#[derive(Clone, Copy, Debug)]
struct Drawn {
    to: ShardId,
    requests: u32,
}

impl Session {
    /// Makes the session of a connection that was just opened.
    pub fn new(peer: SocketAddr, local: SocketAddr, opened: Monotonic) -> Self {
        Self {
            peer,
            local,
            opened,
            client_id: RefCell::new(ClientId::sanitised("")),
            client_id_raw: RefCell::new(String::new()),
            software: RefCell::new(None),
            requests: Cell::new(0),
            muted_until: Cell::new(Monotonic::ZERO),
            drawn: Cell::new(None),
            settled: Cell::new(false),
            moves_to: Cell::new(None),
            moves: Cell::new(0),
        }
    }

    /// Returns the client's address.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Returns the address the client dialled.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Returns when the connection was opened.
    pub fn opened(&self) -> Monotonic {
        self.opened
    }

    /// Returns how many requests were read, the current one included.
    pub fn requests(&self) -> u64 {
        self.requests.get()
    }

    /// Returns what the client called itself in its latest request; empty if it never did.
    pub fn client_id(&self) -> ClientId {
        self.client_id.borrow().clone()
    }

    /// Returns what the client called itself in its latest request, letter by letter.
    ///
    /// Do not hold it across an `await`, and keep no more than a bounded part of it.
    pub fn client_id_raw(&self) -> Ref<'_, str> {
        Ref::map(self.client_id_raw.borrow(), String::as_str)
    }

    /// Returns what the client said it is made of.
    pub fn software(&self) -> Option<ClientSoftware> {
        self.software.borrow().clone()
    }

    /// Keeps what the client says it is made of; the caller has checked it.
    pub fn set_software(&self, software: ClientSoftware) {
        *self.software.borrow_mut() = Some(software);
    }

    /// Reads nothing more from the client before `until`; never shortens an earlier mute.
    ///
    /// What was read before is answered all the same. A request whose first bytes have arrived
    /// already is left where it is, so that a muted connection holds no memory for requests.
    /// *Source*: KIP-219: the answer that says how long goes out at once.
    pub fn mute(&self, until: Monotonic) {
        self.muted_until.update(|earlier| earlier.max(until));
    }

    /// Notes that another shard does all the work of this request; returns how many requests in a row
    /// that makes.
    pub fn drawn(&self, to: ShardId) -> u32 {
        let before = self.drawn.get().filter(|drawn| drawn.to == to);
        let requests = before.map_or(0, |drawn| drawn.requests).saturating_add(1);
        self.drawn.set(Some(Drawn { to, requests }));
        requests
    }

    /// Notes that the connection's own shard has a part in this request.
    pub fn settled(&self) {
        self.drawn.set(None);
        self.settled.set(true);
    }

    /// Returns whether the connection's own shard had a part in any request, or the connection has moved.
    pub fn has_settled(&self) -> bool {
        self.settled.get()
    }

    /// Returns how often the connection has moved.
    pub fn moves(&self) -> u32 {
        self.moves.get()
    }

    /// Has the connection move to another shard, once what was read from it is answered.
    pub fn move_to(&self, shard: ShardId) {
        self.moves_to.set(Some(shard));
    }

    /// Returns where the connection is to move.
    pub(crate) fn moves_to(&self) -> Option<ShardId> {
        self.moves_to.get()
    }

    /// Returns the session as it goes on after a move.
    #[must_use]
    pub fn moved(&self) -> Self {
        let moved = self.clone();
        moved.moves.set(self.moves.get().saturating_add(1));
        moved.moves_to.set(None);
        moved.settled();
        moved
    }

    /// Returns when the last mute ends or ended; [`Monotonic::ZERO`] before the first.
    pub(crate) fn muted_until(&self) -> Monotonic {
        self.muted_until.get()
    }

    /// Notes one more request and what its client calls itself.
    ///
    /// *Cost*: no allocation while the name stays the same.
    pub(crate) fn note_request(&self, client_id: Option<&str>) {
        self.requests.update(|requests| requests + 1);
        let client_id = client_id.unwrap_or_default();
        let mut raw = self.client_id_raw.borrow_mut();
        if raw.as_str() != client_id {
            *self.client_id.borrow_mut() = ClientId::sanitised(client_id);
            client_id.clone_into(&mut raw);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_client_id_counts() {
        let address = SocketAddr::from(([127, 0, 0, 1], 9092));
        let session = Session::new(address, address, Monotonic::ZERO);
        assert_eq!(session.client_id().as_str(), "");
        for name in [Some("a"), Some("a"), Some("b\n")] {
            session.note_request(name);
        }
        assert_eq!(session.client_id().as_str(), "b?");
        session.note_request(None);
        assert_eq!(session.client_id().as_str(), "");
        assert_eq!(session.requests(), 4);
    }
}

//! Connections on their way to a shard.

use std::net::SocketAddr;

use runtime::{Accepted, ChunkWriter, FrameReader};
use types::ShardId;

use crate::error::Error;
use crate::session::Session;

/// A connection that comes to a shard: new, or from another one with all that is known of its client.
#[derive(Debug)]
pub struct Arrival {
    pub(crate) accepted: Accepted,
    /// `None` for a new one.
    pub(crate) session: Option<Session>,
}

impl Arrival {
    /// Makes one of a new connection. On the heap: it is small in the task that serves it.
    pub fn new(accepted: Accepted) -> Box<Self> {
        Box::new(Self {
            accepted,
            session: None,
        })
    }

    /// Returns the client's address.
    pub fn peer_addr(&self) -> SocketAddr {
        self.accepted.peer_addr()
    }

    /// Takes a connection from its shard, everything that was read being answered.
    pub(crate) async fn departing(
        session: &Session,
        reader: FrameReader,
        writer: ChunkWriter,
    ) -> Result<Self, Error> {
        Ok(Self {
            accepted: Accepted::reunite(reader, writer).await?,
            session: Some(session.moved()),
        })
    }
}

const _: () = {
    const fn sendable<T: Send>() {}
    sendable::<Arrival>();
};

/// What became of a connection.
#[derive(Debug)]
pub enum Served {
    /// It is over.
    Ended,
    /// It goes on at another shard.
    Moves {
        /// The shard.
        to: ShardId,
        /// The connection.
        arrival: Box<Arrival>,
    },
}

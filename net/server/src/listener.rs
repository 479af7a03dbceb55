//! Taking connections, within bounds, and choosing a shard for each.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;

use runtime::{Accepted, Listener};

use crate::admission::{Admission, ConnectionBounds, Refused, Ticket};

/// What an acceptor counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AcceptorMetrics {
    /// Connections whose tickets are out.
    pub open: u64,
    /// Connections closed at once because the total bound was spent.
    pub refused_total: u64,
    /// Connections closed at once because their address's bound was spent.
    pub refused_address: u64,
}

/// The one place of a node where connections come in; lives on its first shard.
pub struct Acceptor {
    listener: Listener,
    admission: RefCell<Admission>,
    refused_total: Cell<u64>,
    refused_address: Cell<u64>,
}

impl Acceptor {
    /// Takes connections from `listener` for `shards` shards.
    ///
    /// *Panics*: without a shard.
    pub fn new(listener: Listener, bounds: ConnectionBounds, shards: u16) -> Self {
        Self {
            listener,
            admission: RefCell::new(Admission::new(bounds, shards)),
            refused_total: Cell::new(0),
            refused_address: Cell::new(0),
        }
    }

    /// Returns the address listened on.
    pub fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr()
    }

    /// Waits for the next connection within the bounds; those beyond are closed and counted.
    ///
    /// The ticket names the shard that shall own the connection, and must come back to
    /// [`Self::closed`] when it is over.
    /// *Errors*: whatever ended the listener; it is of no more use.
    pub async fn accept(&self) -> io::Result<(Accepted, Ticket)> {
        loop {
            let accepted = self.listener.accept().await?;
            let admitted = self.admission.borrow_mut().admit(accepted.peer_addr().ip());
            let refused = match admitted {
                Ok(ticket) => return Ok((accepted, ticket)),
                Err(Refused::TotalSpent) => &self.refused_total,
                Err(Refused::AddressSpent) => &self.refused_address,
            };
            refused.update(|count| count + 1);
            drop(accepted);
            // A storm of refused connections must not take the shard's whole turn.
            runtime::yield_if_due().await;
        }
    }

    /// Takes back the ticket of a connection that is over.
    #[expect(clippy::needless_pass_by_value, reason = "a ticket comes back once")]
    pub fn closed(&self, ticket: Ticket) {
        self.admission.borrow_mut().leave(&ticket);
    }

    /// Returns what was counted.
    pub fn metrics(&self) -> AcceptorMetrics {
        let open = self.admission.borrow().total();
        AcceptorMetrics {
            open: u64::try_from(open).unwrap_or(u64::MAX),
            refused_total: self.refused_total.get(),
            refused_address: self.refused_address.get(),
        }
    }
}

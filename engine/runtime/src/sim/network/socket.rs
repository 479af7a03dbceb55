//! One side of a connection: a pipe in, a pipe out, two addresses. `Send`, since an accepted one may
//! cross shards.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::pipe::Pipe;

/// One side of a connection, shared by its two halves.
///
/// Dropping it closes the connection if writing was finished and all was read, else aborts it.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) incoming: Pipe,
    pub(crate) outgoing: Pipe,
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
    finished: AtomicBool,
}

impl Socket {
    /// Makes both sides of a connection from `near` to `far`.
    pub(crate) fn pair(near: SocketAddr, far: SocketAddr, window: usize) -> (Arc<Self>, Arc<Self>) {
        let (there, back) = (Pipe::new(window), Pipe::new(window));
        let dialling = Self {
            incoming: back.clone(),
            outgoing: there.clone(),
            peer: far,
            local: near,
            finished: AtomicBool::new(false),
        };
        let accepting = Self {
            incoming: there,
            outgoing: back,
            peer: near,
            local: far,
            finished: AtomicBool::new(false),
        };
        (Arc::new(dialling), Arc::new(accepting))
    }

    /// Ends writing, for the reader to learn after the data; returns when.
    pub(crate) fn finish(&self, now: Duration, latency: Duration) -> Duration {
        self.finished.store(true, Ordering::Relaxed);
        self.outgoing.finish(now, latency)
    }

    /// Aborts both directions; what is still under way is lost.
    pub(crate) fn reset(&self) {
        self.incoming.reset();
        self.outgoing.reset();
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.finished.load(Ordering::Relaxed) && !self.incoming.has_unread() {
            self.incoming.abandon();
        } else {
            self.reset();
        }
    }
}

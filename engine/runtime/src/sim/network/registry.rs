//! Who listens where, and which connections there are.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::sync::{Arc, Weak};

use super::socket::Socket;
use crate::queue::LocalQueue;
use crate::sim::executor::HostId;
use crate::sim::faults::NetworkPlan;

/// Connections that may wait to be accepted, per listener.
const BACKLOG_MAX: usize = 1024;

pub(crate) type Backlog = LocalQueue<Arc<Socket>>;

/// A connection that can be reset from outside.
#[derive(Debug)]
struct Link {
    ends: [HostId; 2],
    socket: Weak<Socket>,
}

/// The network of one simulation.
#[derive(Default)]
pub(crate) struct Network {
    listeners: RefCell<BTreeMap<(HostId, u16), Rc<Backlog>>>,
    links: RefCell<Vec<Link>>,
    plan: RefCell<NetworkPlan>,
    made: Cell<u64>,
}

impl Network {
    pub(crate) fn set_plan(&self, plan: NetworkPlan) {
        self.plan.replace(plan);
    }

    pub(crate) fn with_plan<R>(&self, use_it: impl FnOnce(&NetworkPlan) -> R) -> R {
        use_it(&self.plan.borrow())
    }

    /// Opens a port for connections.
    pub(crate) fn listen(&self, host: HostId, port: u16) -> io::Result<Rc<Backlog>> {
        let mut listeners = self.listeners.borrow_mut();
        if listeners.contains_key(&(host, port)) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let backlog = Rc::new(LocalQueue::new(BACKLOG_MAX));
        listeners.insert((host, port), Rc::clone(&backlog));
        Ok(backlog)
    }

    /// Returns whether a port is open.
    pub(crate) fn listens(&self, host: HostId, port: u16) -> bool {
        self.listeners.borrow().contains_key(&(host, port))
    }

    /// Closes a port; connections that nobody accepted are reset.
    pub(crate) fn stop_listening(&self, host: HostId, port: u16) {
        let backlog = self.listeners.borrow_mut().remove(&(host, port));
        if let Some(backlog) = backlog {
            backlog.close();
            while backlog.try_pop().is_some() {}
        }
    }

    /// Offers a connection to whoever listens.
    pub(crate) fn offer(
        &self,
        ends: [HostId; 2],
        port: u16,
        accepting: Arc<Socket>,
    ) -> io::Result<()> {
        let backlog = self.listeners.borrow().get(&(ends[1], port)).cloned();
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let backlog = backlog.ok_or_else(refused)?;
        self.note(ends, &accepting);
        backlog.try_push(accepting).map_err(|_| refused())
    }

    /// Aborts every connection that has an end at a host; returns how many.
    pub(crate) fn reset_all(&self, host: HostId) -> usize {
        let sockets: Vec<Arc<Socket>> = {
            let links = self.links.borrow();
            let of_host = links.iter().filter(|link| link.ends.contains(&host));
            of_host.filter_map(|link| link.socket.upgrade()).collect()
        };
        for socket in &sockets {
            socket.reset();
        }
        sockets.len()
    }

    fn note(&self, ends: [HostId; 2], socket: &Arc<Socket>) {
        let mut links = self.links.borrow_mut();
        self.made.set(self.made.get() + 1);
        if self.made.get().is_multiple_of(64) {
            links.retain(|link| link.socket.strong_count() > 0);
        }
        links.push(Link {
            ends,
            socket: Arc::downgrade(socket),
        });
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Network({} connections made)", self.made.get())
    }
}

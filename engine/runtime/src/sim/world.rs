//! Everything that is simulated: hosts with their disks and clocks, the network between them, and
//! the executor that drives it.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use super::disk::Disk;
use super::executor::{Executor, HostId};
use super::network::Network;
use crate::queue::LocalQueue;
use crate::signal::Signal;

/// How many signals may wait for a node to take them.
const SIGNALS_MAX: usize = 16;

/// The first port given to the near end of a connection.
const EPHEMERAL_PORT_FIRST: u16 = 32_768;

/// One machine of the simulated network.
pub(crate) struct Host {
    pub(crate) id: HostId,
    pub(crate) name: String,
    pub(crate) address: Ipv4Addr,
    pub(crate) disk: Rc<Disk>,
    /// What the wall clock shows beyond the virtual time, in milliseconds.
    pub(crate) clock_offset_ms: Cell<i64>,
    pub(crate) signals: RefCell<Rc<LocalQueue<Signal>>>,
    pub(crate) shards: Cell<u16>,
    /// Counts the processes that were started on it.
    pub(crate) lives: Cell<u64>,
    /// How many shards' mains have not returned.
    pub(crate) running: Cell<u16>,
    port_next: Cell<u16>,
}

impl Host {
    pub(crate) fn new(id: HostId, name: &str) -> Self {
        let number = u32::try_from(id.0).expect("there are few hosts");
        Self {
            id,
            name: name.to_owned(),
            address: Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 1).to_bits() + number),
            disk: Rc::new(Disk::new()),
            clock_offset_ms: Cell::new(0),
            signals: RefCell::new(Self::no_signals()),
            shards: Cell::new(0),
            lives: Cell::new(0),
            running: Cell::new(0),
            port_next: Cell::new(EPHEMERAL_PORT_FIRST),
        }
    }

    /// Makes the queue of a process that has just started.
    pub(crate) fn no_signals() -> Rc<LocalQueue<Signal>> {
        Rc::new(LocalQueue::new(SIGNALS_MAX))
    }

    /// Gives out a port for the near end of a connection or for a listener that asks for any.
    pub(crate) fn next_port(&self) -> u16 {
        let port = self.port_next.get();
        let next = port.checked_add(1).unwrap_or(EPHEMERAL_PORT_FIRST);
        self.port_next.set(next);
        port
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Host({} at {})", self.name, self.address)
    }
}

/// The whole of a simulation.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) executor: Executor,
    pub(crate) network: Network,
    hosts: RefCell<Vec<Rc<Host>>>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            executor: Executor::new(seed),
            network: Network::default(),
            hosts: RefCell::default(),
        }
    }

    pub(crate) fn add_host(&self, name: &str) -> Rc<Host> {
        let mut hosts = self.hosts.borrow_mut();
        let host = Rc::new(Host::new(HostId(hosts.len()), name));
        hosts.push(Rc::clone(&host));
        host
    }

    pub(crate) fn host(&self, id: HostId) -> Rc<Host> {
        Rc::clone(&self.hosts.borrow()[id.0])
    }

    /// Finds the host that an address means when `from` uses it.
    pub(crate) fn host_at(&self, address: IpAddr, from: HostId) -> Option<Rc<Host>> {
        if address.is_loopback() || address.is_unspecified() {
            return Some(self.host(from));
        }
        let hosts = self.hosts.borrow();
        hosts.iter().find(|host| host.address == address).cloned()
    }
}

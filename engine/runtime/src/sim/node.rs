//! A node of the simulation, as the test that drives it sees it.

use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;

use super::context::Context;
use super::executor::HostId;
use super::faults::DiskPlan;
use super::world::Host;
use crate::signal::Signal;
use crate::watchdog::Stalls;

/// How a node stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// The process is killed: what it wrote stays, synced or not; writes under way are done or not.
    Process,
    /// The power fails: what was not synced survives or not, sector by sector and name by name.
    Power,
}

/// A node: its disk, address and clock outlive its crashes. A clone is the same node.
#[derive(Clone)]
pub struct NodeHandle {
    pub(crate) host: Rc<Host>,
}

impl NodeHandle {
    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.host.name
    }

    /// Returns the address at which other hosts reach a port of it.
    pub fn address(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.host.address.into(), port)
    }

    /// Returns whether any shard's main has not returned.
    pub fn is_running(&self) -> bool {
        self.host.running.get() > 0
    }

    /// Sets what its disk does from now on; faults count from here.
    pub fn set_disk(&self, plan: DiskPlan) {
        self.host.disk.set_plan(plan);
    }

    /// Sends it a signal, which [`crate::next_signal`] returns.
    pub fn signal(&self, signal: Signal) {
        let signals = Rc::clone(&self.host.signals.borrow());
        // More signals than a process can remember are one.
        let _forgotten = signals.try_push(signal).err();
    }

    /// Sets how many shards its next start gives it.
    ///
    /// *Panics*: if there is none.
    pub fn set_shards(&self, shards: u16) {
        assert!(shards > 0, "a node has at least one shard");
        self.host.shards.set(shards);
    }

    /// Moves its wall clock, forth or back.
    pub fn step_wall_clock(&self, by_ms: i64) {
        let offset = &self.host.clock_offset_ms;
        offset.set(offset.get() + by_ms);
    }

    pub(crate) fn id(&self) -> HostId {
        self.host.id
    }
}

impl fmt::Debug for NodeHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeHandle({})", self.host.name)
    }
}

/// Returns the node that the code which asks runs on: for a test body that breaks its own disk.
///
/// *Panics*: outside a simulation.
pub fn this_node() -> NodeHandle {
    Context::with(|context| NodeHandle {
        host: Rc::clone(&context.host),
    })
}

pub(crate) async fn next_signal() -> Signal {
    let signals = Context::with(|context| Rc::clone(&context.host.signals.borrow()));
    let signal = signals.pop().await;
    signal.expect("the queue of a running process is open")
}

/// A simulated shard never stalls: its polls take next to no time.
pub(crate) fn stalls() -> Stalls {
    Stalls::default()
}

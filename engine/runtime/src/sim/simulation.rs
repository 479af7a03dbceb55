//! A whole simulated system under the hands of a test.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use types::{Monotonic, ShardId};

use super::context::Context;
use super::executor::{Event, MAIN, Owner, TaskId, Turn};
use super::faults::NetworkPlan;
use super::mesh::Mesh;
use super::node::{Crash, NodeHandle};
use super::world::{Host, World};
use crate::mesh::MeshArm;

/// Turns that one call may take: a bound on a simulation that spins.
const TURNS_MAX: u64 = 50_000_000;

/// The virtual time that [`Simulation::join`] and [`Simulation::block_on`] wait at most.
const PATIENCE: Duration = Duration::from_hours(30 * 24);

/// Why a simulation stopped before a condition held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReached {
    /// The virtual time given to it has passed.
    #[error("the virtual time is up")]
    TimeUp,
    /// Nothing can happen any more: every task waits for another.
    #[error("every task waits for another")]
    Quiet,
}

/// Hosts, disks, a network and a clock, all of one seed, driven by the thread that owns it.
///
/// 1. Equal seeds and equal calls give equal runs: see [`Simulation::trace_hash`].
/// 2. Time passes only while a method of this type drives the simulation.
/// 3. A panic in a task is the panic of the method that drives it; the seed is printed.
pub struct Simulation {
    seed: u64,
    world: Rc<World>,
    /// Where code of the test itself runs.
    client: Rc<Host>,
}

impl Simulation {
    /// Makes a simulation without nodes.
    pub fn new(seed: u64) -> Self {
        let world = Rc::new(World::new(seed));
        let client = world.add_host("client");
        Self {
            seed,
            world,
            client,
        }
    }

    /// Returns the seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Makes a node with an empty disk and starts it: `main` runs once per shard.
    pub fn spawn_node<Q, R, M, F>(&self, name: &str, shards: u16, main: M) -> NodeHandle
    where
        Q: Send + 'static,
        R: Send + 'static,
        M: Fn(crate::Mesh<Q, R>) -> F + 'static,
        F: Future<Output = ()> + 'static,
    {
        assert!(shards > 0, "a node has at least one shard");
        let host = self.world.add_host(name);
        host.shards.set(shards);
        let node = NodeHandle { host };
        self.start(&node, main);
        node
    }

    /// Stops a node at once: its tasks are gone, its connections reset, its disk keeps what the kind
    /// of crash leaves.
    pub fn crash(&self, node: &NodeHandle, crash: Crash) {
        stop(&self.world, |owner| owner.host == node.id());
        node.host.running.set(0);
        self.world.executor.draw(|rng| match crash {
            Crash::Process => node.host.disk.fail_process(rng),
            Crash::Power => node.host.disk.fail_power(rng),
        });
    }

    /// Starts a node again on the disk it has.
    ///
    /// *Panics*: if it is running: crash it first, or let it end.
    pub fn restart<Q, R, M, F>(&self, node: &NodeHandle, main: M)
    where
        Q: Send + 'static,
        R: Send + 'static,
        M: Fn(crate::Mesh<Q, R>) -> F + 'static,
        F: Future<Output = ()> + 'static,
    {
        assert!(!node.is_running(), "{} is running", node.name());
        self.start(node, main);
    }

    /// Sets what the network does from now on.
    pub fn set_network(&self, plan: NetworkPlan) {
        self.world.network.set_plan(plan);
    }

    /// Aborts every connection that has an end at the node; returns how many there were.
    pub fn reset_connections(&self, node: &NodeHandle) -> usize {
        self.world.network.reset_all(node.id())
    }

    /// Returns the address from which code of the test dials.
    pub fn client_address(&self) -> IpAddr {
        self.client.address.into()
    }

    /// Returns the virtual time.
    pub fn now(&self) -> Monotonic {
        Monotonic::from_start(self.world.executor.now())
    }

    /// Returns a hash over every poll, event and operation: equal for equal runs.
    pub fn trace_hash(&self) -> u64 {
        self.world.executor.trace_hash()
    }

    /// Lets virtual time pass.
    pub fn run_for(&self, duration: Duration) {
        let end = self.world.executor.now() + duration;
        // Either way of ending is what was asked for.
        let _ended = self.drive(end, || false).err();
        self.world.executor.pass_to(end);
    }

    /// Runs until a condition holds, which is asked after every turn.
    pub fn run_until(
        &self,
        limit: Duration,
        condition: impl FnMut() -> bool,
    ) -> Result<(), NotReached> {
        self.drive(self.world.executor.now() + limit, condition)
    }

    /// Runs until every shard's main of a node has returned.
    ///
    /// *Panics*: if that cannot happen any more, or not within 30 days of virtual time.
    pub fn join(&self, node: &NodeHandle) {
        let ended = self.run_until(PATIENCE, || !node.is_running());
        let name = node.name();
        assert!(ended.is_ok(), "{name} does not end: {ended:?}");
    }

    /// Runs a future of the test itself, on a host of its own, until it ends.
    ///
    /// *Panics*: as [`Simulation::join`].
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let owner = Owner {
            host: self.client.id,
            shard: ShardId(0),
        };
        let mut future = pin!(future);
        let waker = self.world.executor.waker(MAIN);
        waker.wake_by_ref();
        let limit = self.world.executor.now() + PATIENCE;
        for _ in 0..TURNS_MAX {
            match self.world.executor.next_turn(limit) {
                Some(Turn::Poll(MAIN)) => {
                    let _entered = Context::new(&self.world, owner).enter();
                    let polled = future.as_mut().poll(&mut TaskContext::from_waker(&waker));
                    if let Poll::Ready(output) = polled {
                        return output;
                    }
                }
                Some(turn) => self.take(turn),
                None => break,
            }
        }
        let reason = self.stopped();
        unreachable!("seed {}: the future does not end: {reason}", self.seed)
    }

    fn start<Q, R, M, F>(&self, node: &NodeHandle, main: M)
    where
        Q: Send + 'static,
        R: Send + 'static,
        M: Fn(crate::Mesh<Q, R>) -> F + 'static,
        F: Future<Output = ()> + 'static,
    {
        let host = &node.host;
        // Of a process that has ended, tasks may be left that have not heard of it, and signals that
        // came too late for it.
        stop(&self.world, |owner| owner.host == host.id);
        host.signals.replace(Host::no_signals());
        let shards = host.shards.get();
        let life = host.lives.get() + 1;
        host.lives.set(life);
        host.running.set(shards);
        for end in Mesh::<Q, R>::ends(shards) {
            let owner = Owner {
                host: host.id,
                shard: end.id(),
            };
            let _entered = Context::new(&self.world, owner).enter();
            let body = main(crate::Mesh(MeshArm::Sim(end)));
            let (ending, world) = (Rc::clone(host), Rc::clone(&self.world));
            let whole = async move {
                body.await;
                ending.running.set(ending.running.get() - 1);
                // Its shard ends with it, whatever other tasks still wanted.
                let stopping = Rc::clone(&world);
                let end = move || {
                    if ending.lives.get() == life {
                        stop(&stopping, |other| other == owner);
                    }
                };
                let end = Event::Run(Box::new(end));
                world.executor.schedule(Duration::ZERO, end);
            };
            self.world.executor.add(owner, Box::pin(whole));
        }
    }

    fn drive(
        &self,
        limit: Duration,
        mut condition: impl FnMut() -> bool,
    ) -> Result<(), NotReached> {
        for _ in 0..TURNS_MAX {
            if condition() {
                return Ok(());
            }
            match self.world.executor.next_turn(limit) {
                Some(turn) => self.take(turn),
                None => return Err(self.stopped()),
            }
        }
        unreachable!("seed {}: {TURNS_MAX} turns without an end", self.seed)
    }

    fn stopped(&self) -> NotReached {
        if self.world.executor.is_quiet() {
            NotReached::Quiet
        } else {
            NotReached::TimeUp
        }
    }

    /// Carries out one turn.
    fn take(&self, turn: Turn) {
        match turn {
            Turn::Happen(Event::Wake(waker)) => waker.wake(),
            Turn::Happen(Event::Run(work)) => work(),
            Turn::Poll(task) => self.poll(task),
        }
    }

    fn poll(&self, task: TaskId) {
        let executor = &self.world.executor;
        let Some((owner, waker, mut future)) = executor.take(task) else {
            return;
        };
        let _entered = Context::new(&self.world, owner).enter();
        let polled = future.as_mut().poll(&mut TaskContext::from_waker(&waker));
        match polled {
            Poll::Ready(()) => drop(executor.remove(task)),
            Poll::Pending => {
                // Cancelled by itself: what is left of it is dropped here.
                drop(executor.put_back(task, future));
            }
        }
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Simulation(seed {}, {:?})",
            self.seed, self.world.executor
        )
    }
}

impl Drop for Simulation {
    /// Drops what is left of tasks and events, which refer back to the world.
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("simulation seed: {}", self.seed);
        }
        stop(&self.world, |_| true);
        while let Some(event) = self.world.executor.remove_event() {
            drop(event);
        }
    }
}

/// Drops the tasks of some owners, each where it ran, until none is left.
fn stop(world: &Rc<World>, of: impl Fn(Owner) -> bool) {
    loop {
        let removed = world.executor.remove_all(&of);
        if removed.is_empty() {
            return;
        }
        for (owner, future) in removed {
            let _entered = Context::new(world, owner).enter();
            drop(future);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{AlignedBuffer, File, OpenMode, Queue, sleep, spawn};

    #[test]
    fn a_simulation_that_ends_in_the_middle_leaves_nothing_behind() {
        let simulation = Simulation::new(9);
        let main = |_mesh: crate::Mesh<(), ()>| async {
            let file = File::open(Path::new("/f"), OpenMode::Create).await;
            let file = file.expect("the disk is healthy");
            loop {
                let buffer = AlignedBuffer::zeroed(4096);
                let task = spawn(Queue::Background, sleep(Duration::from_secs(1)));
                let written = file.write_at(buffer, 0).await;
                written.expect("the disk is healthy");
                task.detach();
            }
        };
        let node = simulation.spawn_node("node", 2, main);
        let world = Rc::downgrade(&simulation.world);
        for _ in 0..100 {
            let reached = simulation.run_until(Duration::from_micros(777), || false);
            assert_eq!(reached, Err(NotReached::TimeUp));
        }
        assert!(node.is_running());
        drop(simulation);
        assert_eq!(world.strong_count(), 0);
    }
}

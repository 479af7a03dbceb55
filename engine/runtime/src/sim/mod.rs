//! The simulated machine: hosts with disks and clocks, a network, one thread, virtual time, one seed.
//!
//! ```text
//!   Simulation ----- drives ----> executor: ready tasks (drawn by the seed), events, virtual time
//!       |                             ^              ^              ^
//!       | nodes                       | polls        | events       | events
//!       v                             |              |              |
//!   Host = shards + mesh ---------- task           disk          network
//! ```
//!
//! Everything that could differ between two runs is drawn from the seed: which ready task is polled
//! next, how long an operation takes, where a read is cut, what a power failure leaves. So a run is
//! repeated by its seed, and [`Simulation::trace_hash`] proves it.
//!
//! It is kinder than a kernel: no operation is interrupted half-way without being told to
//! ([`DiskPlan`], [`NetworkPlan`]). Every test of storage and server runs on both arms.

mod buffer;
mod clock;
mod context;
mod disk;
mod executor;
mod faults;
mod mesh;
mod network;
mod node;
mod rng;
mod simulation;
mod task;
mod world;

pub use faults::{DiskError, DiskFault, DiskPlan, NetworkPlan, Operation};
pub use node::{Crash, NodeHandle, this_node};
pub use simulation::{NotReached, Simulation};

pub(crate) use buffer::{AlignedBuffer, ReadBuffer};
pub(crate) use clock::{now, recently, sleep_until, wall_clock};
pub(crate) use disk::directory::{
    DirLock, create_dir_all, disk_space, exists, list_dir, lock_file, read_file, remove_dir_all,
    remove_file, rename, sync_dir, write_file_durably,
};
pub(crate) use disk::file::{File, FileReader};
pub(crate) use mesh::{Mesh, Reply, Responder};
pub(crate) use network::stream::{Accepted, Listener, ReadHalf, WriteHalf, connect};
pub(crate) use node::{next_signal, stalls};
pub(crate) use task::{Task, fill_random, offload, spawn, yield_if_due};

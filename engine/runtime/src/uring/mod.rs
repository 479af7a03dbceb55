//! The arm on the real kernel: glommio for executors, files and readiness, system calls for the rest.
//!
//! What glommio 0.9 gets wrong or leaves out is kept from the rest of the code base here. The rules,
//! each with the file that obeys it:
//!
//! | rule | where |
//! |---|---|
//! | A due preemption timer loses a wake-up: it is set to an hour, no queue asks for latency | `shard` |
//! | A shard that lost a wake-up is woken within seconds, a stalled one is counted | `watchdog` |
//! | `yield_now` polls no I/O: a read of a ready eventfd does | `turn`, `reactor` |
//! | Its reactor costs 45 us a wake-up: a busy shard sleeps on its own epoll instance | `pump`, `timers` |
//! | So do its rings, for each read and write: the shard has one of its own | `disk` |
//! | Writes from its memory pin it page by page: the shard has huge pages of its own | `arena` |
//! | Reads queue before the writes of a commit round in the disk: few and small ones at a time | `cold` |
//! | io_uring, its registration and locked memory are tried first: glommio panics without them | `preflight` |
//! | A panic in the blocking pool never resolves and breaks the pool: it is carried to the awaiter | `task` |
//! | 4,096 always, whatever the device says; buffers are zeroed; sizes by fstat | `buffer`, `file` |
//! | Files are closed explicitly; a dropped one is closed in the reactor's next turn | `file` |
//! | Listeners without SO_REUSEPORT, accepted descriptors close on exec, back-off without descriptors | `tcp` |
//! | Polling every socket through the ring interrupts the shard for every message: epoll collects | `poller` |
//! | File ranges leave by sendfile if they are in the page cache, never inline if they are not | `send_file` |
//! | Two syncs at a time: the kernel's worker limit is raised | `shard` |
//! | The first sleep takes milliseconds: the memory barrier is registered before threads start | `shard` |
//! | Placement by the affinity and the control group's quota | `cpus` |
//!
//! Rules 9 and 10 of the runtime (race instead of cancelling, a dropped write may have happened) bind
//! the callers and stand in the docs of the public types.

mod arena;
mod buffer;
mod clock;
mod cold;
mod cpus;
mod dir;
mod disk;
mod file;
mod load;
mod mesh;
mod poller;
mod preflight;
mod pump;
mod reactor;
mod residency;
mod send_file;
mod shard;
mod signal;
mod slots;
mod sys;
mod task;
mod tcp;
mod timers;
mod turn;
mod watchdog;

#[cfg(test)]
mod tests;

pub(crate) use buffer::{AlignedBuffer, ReadBuffer};
pub(crate) use clock::{fill_random, now, recently, wall_clock};
pub(crate) use cpus::allowed_cpus;
pub(crate) use dir::{
    DirLock, create_dir_all, disk_space, exists, list_dir, lock_file, read_file, remove_dir_all,
    remove_file, rename, sync_dir, write_file_durably,
};
pub(crate) use file::{File, FileReader};
pub(crate) use mesh::{Mesh, Reply, Responder};
pub(crate) use preflight::{direct_io, preflight};
pub(crate) use shard::launch;
pub(crate) use signal::next_signal;
pub(crate) use task::{Task, offload, sleep_until, spawn};
pub(crate) use tcp::{Accepted, Listener, ReadHalf, WriteHalf, connect};
pub(crate) use turn::yield_if_due;
pub(crate) use watchdog::stalls;

//! Cores and the kernel: the one crate that names the operating system.
//!
//! Tasks, clocks, randomness, direct-I/O files, directories, TCP and the mesh between shards. Public
//! types are concrete; behind each stands a private enum with one arm per backend:
//!
//! ```text
//!   storage, server, riverrun
//!        |  File, Connection, spawn, now ...        (this crate's public items: docs and dispatch)
//!        v
//!   +---------+----------------+
//!   |  uring  |      sim       |                    (features, additive)
//!   | glommio | one OS thread, |
//!   | kernel  | virtual time,  |
//!   |         | seeded faults  |
//!   +---------+----------------+
//! ```
//!
//! The arm in force is ambient: the launcher sets it for the thread of each shard, the simulator
//! for the time it polls a node's task. So `runtime::spawn`, `runtime::now` and `File::open` are
//! plain functions, and no type parameter for the backend appears anywhere.
//!
//! # What may be assumed
//!
//! 1. A shard is one thread: everything here is that shard's alone unless it says `Send`.
//! 2. A task runs until it awaits something that is not ready. Long work calls [`yield_if_due`].
//! 3. Dropping a future cancels the wait; a write or sync that was under way may still take effect.
//! 4. A panic in a task ends the process: it is a broken invariant.
//! 5. Every error of the outside world is a value of [`std::io::Error`].
//!
//! # Arm contract
//!
//! Each arm module (`crate::uring`, `crate::sim`) offers these items, by these names, at its root,
//! with the methods and signatures of the public item of the same name where nothing else is said;
//! the public layer forwards and never adds behaviour of one arm.
//!
//! | item | signature |
//! |---|---|
//! | `spawn` | `fn<F: Future + 'static>(Queue, F) -> Task<F::Output>` |
//! | `Task<T>` | `Future<Output = T> + Unpin`, `fn detach(self)`; drop cancels |
//! | `yield_if_due` | `async fn()` |
//! | `sleep_until` | `async fn(Monotonic)`; returns at once if it has passed |
//! | `offload` | `async fn<T: Send + 'static>(impl FnOnce() -> T + Send + 'static) -> T` |
//! | `now`, `recently`, `wall_clock` | `fn() -> Monotonic` twice, `fn() -> TimestampMs` |
//! | `fill_random` | `fn(&mut [u8])` |
//! | `AlignedBuffer` | `fn take(len: usize) -> Self` with whatever was there before, `as_slice(&self)`, `as_mut_slice(&mut self)`; the public layer has checked the length |
//! | `ReadBuffer` | `Clone`, `fn as_slice(&self) -> &[u8]` |
//! | `File` | as public [`File`] with the arm's own `AlignedBuffer`, `ReadBuffer`, `FileReader`; the public layer has checked that positions are aligned |
//! | `FileReader` | `Clone + Send + Sync`; `async fn read_at(&self, position: u64, len: usize) -> io::Result<Bytes>` |
//! | `create_dir_all`, `sync_dir`, `list_dir`, `exists`, `remove_file`, `remove_dir_all`, `rename`, `disk_space`, `lock_file` | as the public functions; `lock_file` gives the arm's `DirLock`, which has `fn path(&self) -> &Path` and releases on drop |
//! | `read_file`, `write_file_durably` | as the public functions |
//! | `Listener` | `fn bind(SocketAddr) -> io::Result<Self>`, `local_addr(&self) -> SocketAddr`, `async accept(&self) -> io::Result<Accepted>` |
//! | `Accepted` | `Send`; `peer_addr`, `local_addr`, `fn into_halves(self) -> io::Result<(ReadHalf, WriteHalf)>`, `async fn reunite(ReadHalf, WriteHalf)` back into one |
//! | `connect` | `async fn(SocketAddr) -> io::Result<Connected>`; `Connected { peer, local, read: ReadHalf, write: WriteHalf }` |
//! | `ReadHalf` | `fn poll_read(&mut self, &mut Context<'_>, &mut BytesMut) -> Poll<io::Result<usize>>`: appends what has arrived to the spare capacity (at least one byte of it is there; the buffer is never enlarged or moved); 0 is the end; pending leaves the buffer as it was and keeps no reference to it |
//! | `WriteHalf` | `async fn send(&mut self, &mut SendQueue) -> io::Result<()>` until the queue is empty: what the kernel took is advanced over at once, so that a dropped `send` can be called again (an operation still under way on another thread is kept and awaited first); `async fn finish(self) -> io::Result<()>` shuts down writing and lets go of its half |
//! | both halves | share the socket; when the second is dropped without `finish` the connection is aborted, else closed |
//! | `Mesh<Q, R>`, `Reply<R>`, `Responder<R>` | as public |
//! | `next_signal`, `stalls` | as public |
//! | `launch`, `allowed_cpus`, `preflight`, `check_data_dir` | as public; `uring` alone |
//!
//! Arm independent, written once: [`Watch`], [`oneshot()`], [`LocalQueue`], [`Semaphore`],
//! [`TaskGroup`], [`LongWork`], [`join_all()`], [`race()`], [`timeout()`], frame parsing and the growth of read buffers
//! ([`FrameReader`]), the queue of chunks to send (`SendQueue`).

#[cfg(not(any(feature = "uring", feature = "sim")))]
compile_error!("the runtime needs at least one arm: feature `uring` or `sim`");

#[macro_use]
mod arm;

mod buffer;
mod chunk;
mod clock;
mod dir;
mod file;
mod frame;
mod group;
mod join;
mod long_work;
mod mesh;
mod oneshot;
mod preflight;
mod process;
mod queue;
mod race;
mod rng;
mod semaphore;
mod shard;
mod signal;
mod task;
mod tcp;
pub mod testing;
mod waiters;
mod watch;
mod watchdog;

#[cfg(feature = "sim")]
pub mod sim;
#[cfg(feature = "uring")]
mod uring;

pub use buffer::{AlignedBuffer, ReadBuffer};
pub use chunk::Chunk;
pub use clock::{now, recently, wall_clock};
pub use dir::{
    DirEntry, DirLock, DiskSpace, EntryKind, LockError, create_dir_all, disk_space, exists,
    list_dir, lock_file, read_file, remove_dir_all, remove_file, rename, sync_dir,
    write_file_durably,
};
pub use file::{File, FileReader, OpenMode};
pub use frame::FrameReader;
pub use group::TaskGroup;
pub use join::join_all;
pub use long_work::LongWork;
pub use mesh::{Mesh, PeerGone, Reply, Responder};
pub use oneshot::{Dropped, Receiver, Sender, oneshot};
pub use preflight::{Check, Outcome, check_data_dir, preflight};
pub use process::resident_memory;
pub use queue::{Closed, LocalQueue, TryPushError};
pub use race::{Either, Elapsed, race, timeout};
pub use rng::{random_bytes, random_u64};
pub use semaphore::{Permit, Semaphore};
pub use shard::{LaunchError, LaunchOptions, Pinning, allowed_cpus, launch};
pub use signal::{Signal, next_signal};
pub use task::{Queue, Task, offload, sleep, sleep_until, spawn, yield_if_due};
pub use tcp::{
    Accepted, ChunkWriter, Connection, ConnectionLimits, Listener, bind_retrying, connect,
};
pub use watch::Watch;
pub use watchdog::{Stalls, stalls};

//! Starting one executor per core and waiting for all of them.

use std::future::Future;
use std::io;

use types::{ByteCount, ShardId};

use crate::mesh::Mesh;

/// How shards are started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchOptions {
    /// The core of each shard, in order of shard: one shard per entry.
    pub cpus: Vec<usize>,
    /// Whether each shard is bound to its core.
    pub pinning: Pinning,
    /// The memory for direct I/O that each shard registers with the kernel.
    pub io_memory: ByteCount,
    /// The congestion control of accepted connections; the system's default if `None`.
    pub tcp_congestion: Option<String>,
}

/// Whether shards are bound to their cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pinning {
    /// Each shard runs on its core alone.
    Pinned,
    /// The kernel places them: for tests and for machines shared with others.
    Unpinned,
}

impl Default for LaunchOptions {
    /// One unpinned shard with little memory: what a test needs.
    fn default() -> Self {
        Self {
            cpus: vec![0],
            pinning: Pinning::Unpinned,
            io_memory: ByteCount::mib(10),
            tcp_congestion: None,
        }
    }
}

/// Why shards did not start or end well.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// No core was given, or more than a node may have.
    #[error("{count} shards were asked for, between 1 and {count_max} are possible")]
    ShardCount {
        /// How many were asked for.
        count: usize,
        /// How many are possible.
        count_max: u16,
    },
    /// This build has no arm for the real kernel.
    #[error("this build has no io_uring arm")]
    NotBuilt,
    /// An executor could not be started.
    #[error("shard {shard} cannot start")]
    Start {
        /// The shard.
        shard: ShardId,
        /// What the kernel or the executor said.
        source: io::Error,
    },
    /// A task panicked and took its shard down (in a build where panics unwind).
    #[error("shard {shard} panicked: {message}")]
    Panicked {
        /// The shard.
        shard: ShardId,
        /// What the panic said.
        message: String,
    },
}

/// Returns the cores this process may use: its affinity, cut to the control group's CPU quota
/// (rounded up), never empty.
pub fn allowed_cpus() -> io::Result<Vec<usize>> {
    #[cfg(feature = "uring")]
    return crate::uring::allowed_cpus();
    #[cfg(not(feature = "uring"))]
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// Starts one shard per entry of `options.cpus`, runs `main` on each, and blocks until every one has
/// returned. Signals for [`crate::next_signal`] are blocked first: call it before other threads start.
///
/// *Errors*: the first failure; the other shards are told by their mesh ([`crate::PeerGone`]).
pub fn launch<Q, R, M, F>(options: &LaunchOptions, main: M) -> Result<(), LaunchError>
where
    Q: Send + 'static,
    R: Send + 'static,
    M: Fn(Mesh<Q, R>) -> F + Clone + Send + 'static,
    F: Future<Output = ()> + 'static,
{
    let count = options.cpus.len();
    let count_max = types::limits::SHARDS_MAX;
    if count == 0 || count > usize::from(count_max) {
        return Err(LaunchError::ShardCount { count, count_max });
    }
    #[cfg(feature = "uring")]
    return crate::uring::launch(options, main);
    #[cfg(not(feature = "uring"))]
    {
        drop(main);
        Err(LaunchError::NotBuilt)
    }
}

//! What may go wrong, as a plan: on a disk, on the network.

use std::path::Path;
use std::time::Duration;

use types::ByteCount;

use super::rng::Rng;

/// What is asked of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Opening, or creating, a file.
    Open,
    /// A direct read, or a read through a [`crate::FileReader`].
    Read,
    /// A write, synced or not.
    Write,
    /// A sync of a file's data.
    Sync,
    /// Reserving space or changing the size.
    Resize,
    /// A change of names: create a directory, rename, remove.
    Name,
    /// A sync of a directory.
    SyncDir,
}

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskError {
    /// The device answers EIO. A write's sectors may or may not hold the new bytes.
    Io,
    /// A write ends early; other operations answer EIO.
    Short,
    /// It succeeds, this much later.
    Delay(Duration),
}

/// One fault, for operations counted from the time the plan is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskFault {
    /// Which operations are meant.
    pub operation: Operation,
    /// Only files whose path contains this; all files if empty.
    pub path_contains: String,
    /// How many matching operations succeed first.
    pub after: u64,
    /// How many then fail.
    pub times: u64,
    /// How they fail.
    pub error: DiskError,
}

impl DiskFault {
    /// Plans one failure: the `after`-th matching operation, counted from 0.
    pub fn once(operation: Operation, after: u64, error: DiskError) -> Self {
        Self {
            operation,
            path_contains: String::new(),
            after,
            times: 1,
            error,
        }
    }
}

/// A node's disk: its size, its speed, and its faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskPlan {
    /// The faults, each counting on its own.
    pub faults: Vec<DiskFault>,
    /// The space for files' content.
    pub capacity: ByteCount,
    /// The least and the most an operation takes.
    pub latency: (Duration, Duration),
    /// The least and the most a sync takes.
    pub sync_latency: (Duration, Duration),
    /// How many operations in a thousand take ten times as long.
    pub slow_permille: u16,
}

impl Default for DiskPlan {
    /// A healthy, fast disk of 64 GiB.
    fn default() -> Self {
        Self {
            faults: Vec::new(),
            capacity: ByteCount::mib(64 * 1024),
            latency: (Duration::from_micros(20), Duration::from_micros(300)),
            sync_latency: (Duration::from_micros(100), Duration::from_micros(1500)),
            slow_permille: 10,
        }
    }
}

impl DiskPlan {
    /// Counts an operation and returns its fault, if one is planned for it.
    pub(crate) fn strike(&mut self, operation: Operation, path: &Path) -> Option<DiskError> {
        let mut struck = None;
        for fault in &mut self.faults {
            let matches = fault.operation == operation
                && path.to_string_lossy().contains(&fault.path_contains);
            if !matches {
                continue;
            }
            if fault.after > 0 {
                fault.after -= 1;
            } else if fault.times > 0 {
                fault.times -= 1;
                struck = struck.or(Some(fault.error));
            }
        }
        struck
    }

    /// Draws how long an operation takes.
    pub(crate) fn delay(&self, operation: Operation, rng: &mut Rng) -> Duration {
        let (least, most) = match operation {
            Operation::Sync | Operation::SyncDir => self.sync_latency,
            _ => self.latency,
        };
        let delay = rng.duration(least, most);
        if rng.chance(self.slow_permille) {
            delay * 10
        } else {
            delay
        }
    }
}

/// The network between all hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkPlan {
    /// The least and the most a piece of data is under way.
    pub latency: (Duration, Duration),
    /// What one direction of a connection holds between writer and reader.
    pub window: ByteCount,
    /// How many writes in ten thousand reset their connection instead.
    pub reset_per_ten_thousand: u16,
}

impl Default for NetworkPlan {
    /// A healthy local network.
    fn default() -> Self {
        Self {
            latency: (Duration::from_micros(10), Duration::from_micros(200)),
            window: ByteCount::kib(256),
            reset_per_ten_thousand: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_the_operation_it_counts_to() {
        let fault = DiskFault {
            path_contains: String::from(".log"),
            times: 2,
            ..DiskFault::once(Operation::Write, 1, DiskError::Io)
        };
        let mut plan = DiskPlan {
            faults: vec![fault],
            ..DiskPlan::default()
        };
        let struck: Vec<bool> = ["a.log", "b.index", "c.log", "d.log", "e.log"]
            .iter()
            .map(|path| plan.strike(Operation::Write, Path::new(path)).is_some())
            .collect();
        assert_eq!(struck, [false, false, true, true, false]);
        assert_eq!(plan.strike(Operation::Sync, Path::new("c.log")), None);
    }
}

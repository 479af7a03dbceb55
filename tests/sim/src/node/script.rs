//! The script of one life: how its epochs, from start to stop of a process, go.

use std::time::Duration;

use runtime::sim::{DiskError, DiskFault, DiskPlan, NetworkPlan, Operation};
use types::ByteCount;

use super::tenant::Habits;
use crate::chance::Chance;
use crate::history::Durability;

/// The data directories that a node has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Directories {
    /// One.
    One,
    /// Two, of which one may fail for itself.
    Two,
}

/// The directory with the metadata.
pub(super) const FIRST_DIRECTORY: &str = "/data";

/// The other one.
const SECOND_DIRECTORY: &str = "/more";

impl Directories {
    /// Draws how many there are.
    pub(super) fn draw(chance: &mut Chance) -> Self {
        chance.pick(&[Self::One, Self::Two])
    }

    /// Returns the configuration that says so.
    pub(super) fn setting(self) -> String {
        match self {
            Self::One => format!("data.dir={FIRST_DIRECTORY}"),
            Self::Two => format!("data.dir={FIRST_DIRECTORY},{SECOND_DIRECTORY}"),
        }
    }
}

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The power fails.
    PowerFailure,
    /// The process is killed.
    Kill,
    /// It is asked to stop, and does.
    Stop,
    /// It is asked to stop, and the power fails before it has.
    StopCutShort {
        /// So much later.
        after: Duration,
    },
}

/// What goes wrong while a process runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing.
    None,
    /// Writes and syncs take long.
    SlowDisk,
    /// A write or a sync fails once: the process goes on without its store.
    DiskFault(DiskFault),
    /// From some operation on all of its kind fail in the directory beside the first.
    FailingDirectory(DiskFault),
    /// There is no space left.
    FullDisk {
        /// What there is in all.
        capacity: ByteCount,
    },
    /// Connections break.
    Resets,
}

/// One run of the process.
#[derive(Clone, Debug)]
pub(super) struct Epoch {
    /// How many shards it has.
    pub(super) shards: u16,
    /// How long it runs.
    pub(super) length: Duration,
    /// When all its connections are reset, if they are.
    pub(super) reset_after: Option<Duration>,
    /// What goes wrong meanwhile.
    pub(super) trouble: Trouble,
    /// How it ends.
    pub(super) ending: Ending,
}

/// Draws the epochs of a life.
pub(super) fn epochs(chance: &mut Chance, directories: Directories) -> Vec<Epoch> {
    let count = chance.between(2, 6);
    (0..count).map(|_| epoch(chance, directories)).collect()
}

fn epoch(chance: &mut Chance, directories: Directories) -> Epoch {
    let length_us = match chance.between(1, 10) {
        // A crash in the middle of a start.
        1..=2 => chance.between(0, 30_000),
        3..=8 => chance.between(20_000, 300_000),
        _ => chance.between(300_000, 900_000),
    };
    let ending = match chance.between(1, 10) {
        1..=5 => Ending::PowerFailure,
        6..=7 => Ending::Kill,
        8..=9 => Ending::Stop,
        _ => Ending::StopCutShort {
            after: Duration::from_micros(chance.between(0, 20_000)),
        },
    };
    let reset_after = chance.percent(30);
    let reset_after = reset_after.then(|| Duration::from_micros(chance.between(0, length_us)));
    Epoch {
        shards: shards(chance),
        length: Duration::from_micros(length_us),
        reset_after,
        trouble: trouble(chance, directories),
        ending,
    }
}

/// Every operation that a disk may refuse.
const OPERATIONS: &[Operation] = &[
    Operation::Open,
    Operation::Read,
    Operation::Write,
    Operation::Sync,
    Operation::Resize,
    Operation::Name,
    Operation::SyncDir,
];

/// Draws how many shards a process has.
pub(super) fn shards(chance: &mut Chance) -> u16 {
    chance.pick(&[1, 1, 2, 2, 3, 4])
}

fn trouble(chance: &mut Chance, directories: Directories) -> Trouble {
    match chance.between(1, 20) {
        1..=3 => Trouble::SlowDisk,
        4..=5 => {
            let operation = chance.pick(&[Operation::Write, Operation::Sync, Operation::Write]);
            let error = chance.pick(&[DiskError::Io, DiskError::Io, DiskError::Short]);
            let after = chance.between(0, 400);
            Trouble::DiskFault(DiskFault::once(operation, after, error))
        }
        6 => Trouble::FullDisk {
            capacity: ByteCount::kib(chance.between(1_000, 20_000)),
        },
        7..=9 => Trouble::Resets,
        10..=13 if directories == Directories::Two => Trouble::FailingDirectory(DiskFault {
            path_contains: SECOND_DIRECTORY.to_owned(),
            times: u64::MAX,
            ..DiskFault::once(
                chance.pick(OPERATIONS),
                chance.pick(&[0, 0, 5, 20, 100, 400]),
                DiskError::Io,
            )
        }),
        _ => Trouble::None,
    }
}

impl Trouble {
    /// Returns what the disk does.
    pub(super) fn disk(&self) -> DiskPlan {
        let healthy = DiskPlan::default();
        match self {
            Self::SlowDisk => DiskPlan {
                latency: (Duration::from_micros(200), Duration::from_millis(5)),
                sync_latency: (Duration::from_millis(1), Duration::from_millis(30)),
                slow_permille: 50,
                ..healthy
            },
            Self::DiskFault(fault) | Self::FailingDirectory(fault) => DiskPlan {
                faults: vec![fault.clone()],
                ..healthy
            },
            Self::FullDisk { capacity } => DiskPlan {
                capacity: *capacity,
                ..healthy
            },
            Self::None | Self::Resets => healthy,
        }
    }

    /// Returns what the network does.
    pub(super) fn network(&self) -> NetworkPlan {
        NetworkPlan {
            reset_per_ten_thousand: if *self == Self::Resets { 100 } else { 0 },
            ..NetworkPlan::default()
        }
    }

    /// Returns whether a process that meets it may fail to start or to stop in order.
    pub(super) fn excuses_failure(&self) -> bool {
        matches!(self, Self::DiskFault(_) | Self::FullDisk { .. })
    }

    /// Returns whether a process that meets it may stop without everything written out.
    pub(super) fn excuses_dirt(&self) -> bool {
        self.excuses_failure() || self.is_of_one_directory()
    }

    /// Returns whether it may concern nothing but one of two directories.
    pub(super) fn is_of_one_directory(&self) -> bool {
        matches!(self, Self::FailingDirectory(_))
    }
}

/// Draws the tenants of a life.
pub(super) fn tenants(chance: &mut Chance) -> Vec<Habits> {
    let count = chance.between(1, 3);
    let mut tenants = Vec::new();
    for number in 0..count {
        let durability = match chance.between(1, 8) {
            1 => Durability::Os,
            _ => Durability::Group,
        };
        let is_lasting = number == 0 || chance.percent(40);
        tenants.push(Habits {
            name: format!("topic-{number}"),
            partitions: chance.pick(&[1, 1, 2, 3, 6]),
            producers: chance.between(1, 2),
            consumers: chance.between(0, 2),
            groups: chance.pick(&[0, 1, 1, 2]),
            topic_life_ms: (!is_lasting).then(|| chance.between(5, 400)),
            durability,
        });
    }
    tenants
}

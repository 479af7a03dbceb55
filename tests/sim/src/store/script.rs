//! The script of one life of stores.

use std::time::Duration;

use runtime::sim::{DiskError, DiskFault, DiskPlan, Operation};
use storage::{Durability, LogConfig, StoreOptions};
use types::ByteCount;

use crate::chance::Chance;

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The power fails.
    PowerFailure,
    /// The process is killed.
    Kill,
    /// Its stores are closed in order.
    Close,
}

/// What holds for the whole life.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    /// How many logs there are.
    pub(super) logs: u64,
    /// The settings of each.
    pub(super) log: LogConfig,
    /// How many tasks append.
    pub(super) writers: u64,
    /// How often a log is cut, if any is.
    pub(super) cut_every: Option<Duration>,
}

/// One run of the process.
#[derive(Clone, Debug)]
pub(super) struct Epoch {
    /// How many stores it opens.
    pub(super) stores: u16,
    /// Their bounds.
    pub(super) options: StoreOptions,
    /// How long it runs.
    pub(super) length: Duration,
    /// What the disk does.
    pub(super) disk: DiskPlan,
    /// How it ends.
    pub(super) ending: Ending,
}

/// Draws what holds for the whole life.
pub(super) fn setting(chance: &mut Chance) -> Setting {
    let log = LogConfig {
        segment_size_max: ByteCount::kib(chance.pick(&[16, 64, 64, 256, 4096])),
        index_interval: ByteCount(chance.pick(&[1, 4096])),
        durability: Durability::Group,
        ..LogConfig::default()
    };
    Setting {
        logs: chance.pick(&[1, 3, 8, 24]),
        log,
        writers: chance.pick(&[1, 4, 12]),
        cut_every: chance
            .pick(&[None, Some(1), Some(5), Some(5), Some(20)])
            .map(Duration::from_millis),
    }
}

/// Draws the epochs of a life.
pub(super) fn epochs(chance: &mut Chance) -> Vec<Epoch> {
    let count = chance.between(2, 7);
    (0..count).map(|_| epoch(chance)).collect()
}

fn epoch(chance: &mut Chance) -> Epoch {
    let length_us = match chance.between(1, 10) {
        1..=2 => chance.between(0, 15_000),
        3..=8 => chance.between(10_000, 150_000),
        _ => chance.between(150_000, 400_000),
    };
    Epoch {
        stores: stores(chance),
        options: options(chance),
        length: Duration::from_micros(length_us),
        disk: disk(chance),
        ending: match chance.between(1, 10) {
            1..=6 => Ending::PowerFailure,
            7..=8 => Ending::Kill,
            _ => Ending::Close,
        },
    }
}

/// Draws how many stores are opened.
pub(super) fn stores(chance: &mut Chance) -> u16 {
    chance.pick(&[1, 1, 1, 2, 3])
}

/// Draws bounds under which everything happens often: the ring laps, memory is short.
pub(super) fn options(chance: &mut Chance) -> StoreOptions {
    let file = chance.pick(&[64, 128, 256]);
    StoreOptions {
        journal_file_size: ByteCount::kib(file),
        journal_file_size_max: ByteCount::kib(file * chance.pick(&[1, 2])),
        journal_size_max: ByteCount::kib(file * chance.pick(&[4, 8])),
        tail_size_max: ByteCount::kib(chance.pick(&[128, 512, 4096])),
        open_files_max: chance.pick(&[2, 8, 64]),
        index_cache_size_max: ByteCount::kib(chance.pick(&[4, 64])),
        reserve_size: ByteCount::kib(64),
        ..StoreOptions::default()
    }
}

fn disk(chance: &mut Chance) -> DiskPlan {
    let healthy = DiskPlan::default();
    match chance.between(1, 20) {
        1..=4 => DiskPlan {
            latency: (Duration::from_micros(100), Duration::from_millis(3)),
            sync_latency: (Duration::from_micros(500), Duration::from_millis(15)),
            slow_permille: 50,
            ..healthy
        },
        5..=6 => {
            let operation = chance.pick(&[Operation::Write, Operation::Sync]);
            let error = chance.pick(&[DiskError::Io, DiskError::Short]);
            let fault = DiskFault::once(operation, chance.between(0, 300), error);
            DiskPlan {
                faults: vec![fault],
                ..healthy
            }
        }
        _ => healthy,
    }
}

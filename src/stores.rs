//! The stores of one shard, one in each data directory, and which of them a log is in.
//!
//! Nothing says where a log is: it is looked for. The journals of a directory and its list of ends know
//! every log in it, but for an empty one that was made a moment before a crash.
//!
//! Invariants:
//! 1. A log stays in the directory that it is in.
//! 2. A log that no directory knows is empty if all of them were looked at. Otherwise it is lost: out
//!    of service until it is found, and never begun anew.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use runtime::LongWork;
use storage::{
    Error, Layout, Log, LogConfig, LogEnd, LogId, OpenLog, Replayed, ShardStore, StoreMetrics,
    StoreOptions,
};
use types::{Incarnation, ShardId};

use crate::causes::with_causes;

/// The directory that lost logs are told to be in.
const LOST: &str = "missing";

/// The data directories of the node as a shard needs them. `Send`: one clone per shard.
#[derive(Clone, Debug)]
pub struct Directories {
    /// In the order of the configuration; the first one is in service.
    pub list: Vec<Directory>,
    /// Whether the node has no others, and all of these are in service.
    pub is_complete: bool,
}

/// One data directory.
#[derive(Clone, Debug)]
pub struct Directory {
    /// Where it is.
    pub path: PathBuf,
    /// Its parts and the ends of its logs; else why it is out of service.
    pub found: Result<(Layout, Arc<Replayed>), String>,
}

impl Directory {
    fn end_of(&self, incarnation: Incarnation) -> Option<LogEnd> {
        let (_, replayed) = self.found.as_ref().ok()?;
        replayed.end_of(incarnation)
    }
}

/// Logs by the directory that they are in.
struct Sorted {
    by_directory: Vec<Vec<OpenLog>>,
    lost: Vec<OpenLog>,
}

/// One shard's stores. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stores {
    shard: ShardId,
    /// In the order of the directories; behind them one of lost logs, if there are any.
    stores: Vec<ShardStore>,
}

impl Stores {
    /// Opens a store in each directory, with the shard's logs.
    ///
    /// *Errors*: those of the first directory; any other is out of service instead.
    pub async fn open(
        shard: ShardId,
        options: StoreOptions,
        directories: &Directories,
        logs: Vec<(LogId, LogConfig)>,
        long_work: &LongWork,
    ) -> Result<Self, Error> {
        let Sorted { by_directory, lost } = Sorted::new(shard, directories, logs);
        let mut stores = Vec::with_capacity(by_directory.len() + 1);
        for (directory, logs) in directories.list.iter().zip(by_directory) {
            let opened = match &directory.found {
                Ok((layout, _)) => {
                    let (logs, work) = (logs.clone(), long_work.clone());
                    let opened = ShardStore::open(layout, shard, options, logs, work).await;
                    if stores.is_empty() {
                        Ok(opened?)
                    } else {
                        opened.map_err(|error| with_causes(&error))
                    }
                }
                Err(reason) => Err(reason.clone()),
            };
            stores.push(opened.unwrap_or_else(|reason| {
                let path = &directory.path;
                tracing::error!(%shard, directory = %path.display(), reason, "a data directory is out of service");
                ShardStore::out_of_service(path, shard, options, logs, reason)
            }));
        }
        if !lost.is_empty() {
            let reason = format!("{} logs are in no data directory that is there", lost.len());
            tracing::error!(%shard, reason, "partitions are out of service");
            let path = Path::new(LOST);
            let store = ShardStore::out_of_service(path, shard, options, lost, reason);
            stores.push(store);
        }
        Ok(Self { shard, stores })
    }

    /// Returns one of the shard's logs.
    pub fn log(&self, incarnation: Incarnation) -> Option<Rc<Log>> {
        self.stores.iter().find_map(|store| store.log(incarnation))
    }

    /// Makes an empty log, in the directory in service that has the fewest of this shard's.
    ///
    /// *Panics*: if the incarnation was used before.
    pub fn create_log(&self, id: LogId, config: LogConfig) -> Rc<Log> {
        let in_service = self.stores.iter().enumerate();
        let in_service = in_service.filter(|(_, store)| store.offline().is_none());
        let counts = in_service.map(|(index, store)| (index, store.log_count()));
        // If none is, the log is out of service like all others.
        let index = fewest(self.shard, self.stores.len(), counts).unwrap_or(0);
        let log = self.stores[index].create_log(id, config);
        if self.stores.len() > 1 && log.check_online().is_ok() {
            log.make_known();
        }
        log
    }

    /// Deletes a log and its files; its deletion must be durable in the metadata before.
    ///
    /// *Errors*: what is left is removed at the next start.
    pub async fn remove_log(&self, incarnation: Incarnation) -> Result<(), Error> {
        for store in &self.stores {
            store.remove_log(incarnation).await?;
        }
        Ok(())
    }

    /// Writes everything out and closes; the outcomes are in the order of the directories.
    pub async fn close(&self) -> Vec<Result<(), Error>> {
        let mut outcomes = Vec::with_capacity(self.stores.len());
        for store in &self.stores {
            outcomes.push(store.close().await);
        }
        outcomes
    }

    /// Returns each store.
    pub fn each(&self) -> impl Iterator<Item = &ShardStore> {
        self.stores.iter()
    }

    /// Returns what each store counts.
    pub fn metrics(&self) -> Vec<StoreMetrics> {
        self.stores.iter().map(ShardStore::metrics).collect()
    }
}

impl Sorted {
    /// Looks in which directory each log is; those that are in none and empty are shared out.
    fn new(shard: ShardId, directories: &Directories, logs: Vec<(LogId, LogConfig)>) -> Self {
        let mut sorted = Self {
            by_directory: directories.list.iter().map(|_| Vec::new()).collect(),
            lost: Vec::new(),
        };
        let mut new = Vec::new();
        for (id, config) in logs {
            let ends = directories.list.iter().enumerate();
            let mut ends = ends.filter_map(|(index, it)| Some((index, it.end_of(id.incarnation)?)));
            match (ends.next(), ends.next()) {
                (Some((index, end)), None) => {
                    let end = Some(end);
                    sorted.by_directory[index].push(OpenLog { id, config, end });
                }
                (None, _) if directories.is_complete => new.push((id, config)),
                (None, _) => sorted.lose(id, config),
                (Some(_), Some(_)) => {
                    tracing::error!(log = %id, "the log is in two data directories");
                    sorted.lose(id, config);
                }
            }
        }
        for (id, config) in new {
            let counts = sorted.by_directory.iter().map(Vec::len).enumerate();
            let index = fewest(shard, sorted.by_directory.len(), counts).unwrap_or(0);
            let end = None;
            sorted.by_directory[index].push(OpenLog { id, config, end });
        }
        sorted
    }

    fn lose(&mut self, id: LogId, config: LogConfig) {
        let end = None;
        self.lost.push(OpenLog { id, config, end });
    }
}

/// Finds the directory with the fewest logs; of several, each shard begins with another one.
fn fewest(
    shard: ShardId,
    directories: usize,
    counts: impl Iterator<Item = (usize, usize)>,
) -> Option<usize> {
    let turn = usize::from(shard.0) % directories;
    let distance = |index: usize| (index + directories - turn) % directories;
    let fewest = counts.min_by_key(|&(index, count)| (count, distance(index)));
    fewest.map(|(index, _)| index)
}

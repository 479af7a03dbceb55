//! One shard's store: its logs, its journal, and the tasks that serve them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::rc::Rc;

use runtime::{LongWork, Queue, Task};
use types::{BLOCK_SIZE, ByteCount, Incarnation, ShardId};

use crate::config::{LogConfig, StoreOptions};
use crate::error::{Error, Offline};
use crate::journal::{
    FoundFile, Journal, JournalFile, checkpoint_logs, chunk_size_max, head_size, make_file,
    run_checkpoints, run_growth, run_rounds,
};
use crate::layout::{Layout, journal_name};
use crate::load::load;
use crate::log::Log;
use crate::log_core::LogCore;
use crate::log_end::LogEnd;
use crate::log_id::LogId;
use crate::metrics::StoreMetrics;
use crate::recovery;
use crate::segment;
use crate::shared::Shared;

/// How many logs are written out at a time, besides the checkpoint's.
const WRITE_OUT_TASKS: usize = 4;

/// A new ring has so many files of the first size.
const FIRST_FILES: u64 = 4;

/// A log to be opened.
#[derive(Clone, Copy, Debug)]
pub struct OpenLog {
    /// Which log.
    pub id: LogId,
    /// Its settings.
    pub config: LogConfig,
    /// Where replay found its end; `None` for one that no journal knows, which is empty.
    pub end: Option<LogEnd>,
}

/// One shard's logs and their journal. Cheap to clone.
///
/// Dropping the last clone stops its tasks where they are, as a crash would; [`ShardStore::close`]
/// ends them in order.
#[derive(Clone)]
pub struct ShardStore(Rc<Inner>);

struct Inner {
    shared: Rc<Shared>,
    /// `None`: the store was never in service.
    journal: Option<Rc<Journal>>,
    logs: RefCell<BTreeMap<Incarnation, Rc<Log>>>,
    rounds: RefCell<Option<Task<Result<(), Offline>>>>,
    tasks: RefCell<Vec<Task<()>>>,
}

impl fmt::Debug for ShardStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ShardStore")
            .field(&self.0.shared.shard)
            .finish()
    }
}

impl ShardStore {
    /// Opens a shard's store with all its logs, after every journal was replayed.
    ///
    /// The first head of the new journal holds where each log ends; it goes into a file that the old
    /// journal does not need, so that a crash on the way finds the old one whole. No log is read.
    /// Large batches are decompressed in the turn of `long_work`, one for all stores of a shard.
    ///
    /// *Errors*: [`Error::Io`], [`Error::NewerFormat`].
    pub async fn open(
        layout: &Layout,
        id: ShardId,
        options: StoreOptions,
        logs: Vec<OpenLog>,
        long_work: LongWork,
    ) -> Result<Self, Error> {
        let directory = layout.journal(id);
        runtime::create_dir_all(&directory)
            .await
            .map_err(Error::io("creation", &directory))?;
        // A run that was killed may have left names that are not durable yet.
        runtime::sync_dir(&directory)
            .await
            .map_err(Error::io("sync", &directory))?;
        let shared = Rc::new(Shared::new(layout.clone(), id, options, long_work));
        let reserve = layout.reserve(id);
        let kept = shared.space.keep_reserve().await;
        kept.map_err(Error::io("reservation", reserve))?;
        let handles = add_logs(&shared, logs);
        let journal = Rc::new(open_ring(&shared).await?);
        let store = Self::new(shared, Some(Rc::clone(&journal)), handles);
        store.start_tasks(&journal);
        Ok(store)
    }

    /// Makes the store of a data directory that cannot be used: all its logs are offline.
    ///
    /// *Layout*: `path` is where the directory was to be; nothing is read or written there.
    pub fn out_of_service(
        path: &Path,
        id: ShardId,
        options: StoreOptions,
        logs: Vec<OpenLog>,
        reason: String,
    ) -> Self {
        let layout = Layout::new(path.to_path_buf(), 0);
        let shared = Rc::new(Shared::out_of_service(layout, id, options, reason));
        let handles = add_logs(&shared, logs);
        Self::new(shared, None, handles)
    }

    fn new(
        shared: Rc<Shared>,
        journal: Option<Rc<Journal>>,
        logs: BTreeMap<Incarnation, Rc<Log>>,
    ) -> Self {
        Self(Rc::new(Inner {
            rounds: RefCell::new(None),
            tasks: RefCell::new(Vec::new()),
            logs: RefCell::new(logs),
            shared,
            journal,
        }))
    }

    /// Returns one of the shard's logs.
    pub fn log(&self, incarnation: Incarnation) -> Option<Rc<Log>> {
        self.0.logs.borrow().get(&incarnation).map(Rc::clone)
    }

    /// Makes an empty log, without I/O: its files come with its first write-out. It is offline if the
    /// store is.
    ///
    /// *Panics*: if the incarnation was used before.
    pub fn create_log(&self, id: LogId, config: LogConfig) -> Rc<Log> {
        let end = LogEnd::empty(id.incarnation);
        let log = add_log(&self.0.shared, id, config, end);
        self.0
            .logs
            .borrow_mut()
            .insert(id.incarnation, Rc::clone(&log));
        log
    }

    /// Deletes a log and its files; its deletion must be durable in the metadata before.
    ///
    /// Whoever waits for the log is told [`Offline::Removed`].
    ///
    /// *Errors*: [`Error::Io`]; what is left is removed at the next start.
    pub async fn remove_log(&self, incarnation: Incarnation) -> Result<(), Error> {
        let shared = &self.0.shared;
        self.0.logs.borrow_mut().remove(&incarnation);
        let Some(core) = shared.remove_log(incarnation) else {
            return Ok(());
        };
        core.take_offline(Offline::Removed);
        // Whatever is under way for it ends first, so that no file comes back.
        let io = core.io.acquire(1).await;
        let syncing = core.syncing.acquire(1).await;
        let loading = core.loading.acquire(1).await;
        let released = core.state.borrow_mut().tail.cut_from(types::Offset::ZERO);
        shared.release_tail(released);
        shared.files.forget(incarnation, None);
        drop((io, syncing, loading));
        if self.0.journal.is_none() {
            return Ok(());
        }
        let directory = shared.layout.log(&core.id);
        let exists = runtime::exists(&directory).await;
        if !exists.map_err(Error::io("lookup", &directory))? {
            return Ok(());
        }
        runtime::remove_dir_all(&directory)
            .await
            .map_err(Error::io("removal", &directory))?;
        let logs = shared.layout.logs();
        runtime::sync_dir(&logs)
            .await
            .map_err(Error::io("sync", logs))
    }

    /// Writes everything out and notes it, so that the next start replays nothing.
    ///
    /// Appends are refused from the start of this call on; those that were taken become durable.
    ///
    /// *Errors*: [`Error::Offline`] if the store is, or goes, offline.
    pub async fn close(&self) -> Result<(), Error> {
        let Inner {
            shared,
            journal,
            rounds,
            tasks,
            logs,
        } = &*self.0;
        let Some(journal) = journal else {
            return Ok(shared.check_online()?);
        };
        shared.begin_close();
        let running = rounds.borrow_mut().take();
        if let Some(running) = running {
            running.await?;
        }
        let cores = shared.logs();
        checkpoint_logs(shared, cores.clone()).await?;
        for core in &cores {
            // Its last write-out may still be writing index entries.
            let permit = core.io.acquire(1).await;
            let written = core.state.borrow().written_at.segment;
            if core.state.borrow().past == crate::log_core::Past::Loaded {
                segment::flush_index(shared, core, written).await?;
            }
            segment::close_snapshot(shared, core).await?;
            drop(permit);
            runtime::yield_if_due().await;
        }
        tasks.borrow_mut().clear();
        journal.retire_all();
        let begun = journal.begin_file(shared, 0).await;
        if let Err(error) = begun {
            return Err(shared.fail("journal head", &error).into());
        }
        shared.end(Offline::Closed, "closed".to_owned());
        logs.borrow_mut().clear();
        Ok(())
    }

    /// Returns how many logs there are.
    pub fn log_count(&self) -> usize {
        self.0.shared.log_count()
    }

    /// Returns why the store is offline, if it is.
    pub fn offline(&self) -> Option<Offline> {
        self.0.shared.check_online().err()
    }

    /// Waits until the store is offline and returns why.
    pub async fn ended(&self) -> Offline {
        self.0.shared.ended().await
    }

    /// Returns what the store counts.
    pub fn metrics(&self) -> StoreMetrics {
        let Inner {
            shared, journal, ..
        } = &*self.0;
        let mut metrics = shared.counters.read();
        metrics.directory = shared.layout.path().to_path_buf();
        if let Some(journal) = journal {
            metrics.journal_size_bytes = journal.sizes().0;
            metrics.journal_live_bytes = journal.live_size();
        }
        metrics.tail_bytes = shared.tail_size();
        metrics.open_files = ByteCount::from(shared.files.count()).0;
        metrics.producers = ByteCount::from(shared.producer_count()).0;
        metrics.logs = ByteCount::from(shared.log_count()).0;
        metrics.is_full = shared.space.is_full();
        metrics.offline = shared.offline_reason();
        metrics
    }

    fn start_tasks(&self, journal: &Rc<Journal>) {
        let shared = &self.0.shared;
        let rounds = run_rounds(Rc::clone(shared), Rc::clone(journal));
        *self.0.rounds.borrow_mut() = Some(runtime::spawn(Queue::Latency, rounds));
        let mut tasks = self.0.tasks.borrow_mut();
        let checkpoints = run_checkpoints(Rc::clone(shared), Rc::clone(journal));
        tasks.push(runtime::spawn(Queue::Background, async move {
            if let Err(why) = checkpoints.await {
                tracing::debug!(%why, "checkpoints end");
            }
        }));
        for _ in 0..WRITE_OUT_TASKS {
            let shared = Rc::clone(shared);
            tasks.push(runtime::spawn(Queue::Throughput, run_write_outs(shared)));
        }
        let (growing, ring) = (Rc::clone(shared), Rc::clone(journal));
        tasks.push(runtime::spawn(Queue::Background, async move {
            let Err(error) = run_growth(&growing, &ring).await;
            growing.fail("journal growth", &error);
        }));
        let watched = Rc::clone(shared);
        tasks.push(runtime::spawn(Queue::Background, async move {
            let Err(error) = watched.space.watch().await;
            watched.fail("reserve", &error);
        }));
    }
}

fn add_logs(shared: &Rc<Shared>, logs: Vec<OpenLog>) -> BTreeMap<Incarnation, Rc<Log>> {
    let add = |log: OpenLog| {
        let incarnation = log.id.incarnation;
        let end = log.end.unwrap_or_else(|| LogEnd::empty(incarnation));
        (incarnation, add_log(shared, log.id, log.config, end))
    };
    logs.into_iter().map(add).collect()
}

fn add_log(shared: &Rc<Shared>, id: LogId, config: LogConfig, end: LogEnd) -> Rc<Log> {
    let core = Rc::new(LogCore::new(id, config, end));
    shared.add_log(&core);
    Rc::new(Log::new(core, Rc::clone(shared)))
}

/// Writes out the logs that are enlisted for it, one after the other.
async fn run_write_outs(shared: Rc<Shared>) {
    loop {
        shared.write_outs.wait().await;
        if shared.check_online().is_err() {
            return;
        }
        let Some(core) = shared.write_outs.take() else {
            continue;
        };
        let until = {
            let mut state = core.state.borrow_mut();
            state.listed.write_out = false;
            state.durable
        };
        if let Err(why) = segment::write_out(&shared, &core, until).await {
            // Removed meanwhile, or the whole store is offline: the loop sees it.
            tracing::debug!(log = %core.id, %why, "not written out");
        } else if segment::is_waiting_for_past(&core)
            && let Err(error) = load(&shared, &core).await
        {
            // The index stays in memory; reads of the past will say what is wrong with it.
            tracing::warn!(log = %core.id, %error, "the log's past cannot be read");
        }
        shared.relieve_pressure();
        runtime::yield_if_due().await;
    }
}

/// Makes the ring of this run out of the files there are, and writes its first head.
async fn open_ring(shared: &Rc<Shared>) -> Result<Journal, Error> {
    let directory = shared.layout.journal(shared.shard);
    let found = recovery::find_files(&shared.layout, shared.shard).await?;
    let next_index = found.iter().map(|file| file.index + 1).max().unwrap_or(0);
    let (mut unneeded, needed) = split_by_need(found);
    let smallest = shared.options.journal_file_size.0;
    let chunk_size = chunk_size_max(shared.options.journal_file_size);
    let least = head_size(shared.log_count()) + chunk_size + BLOCK_SIZE;
    let fits = |file: &FoundFile| file.size >= least;
    let (first, next_index) = if let Some(index) = unneeded.iter().position(fits) {
        (journal_file(unneeded.swap_remove(index)), next_index)
    } else {
        let path = directory.join(journal_name(next_index));
        let size = types::size::block_ceil(smallest.max(least));
        let made = make_file(&path, size).await;
        (made.map_err(Error::io("creation", path))?, next_index + 1)
    };
    let others = unneeded.into_iter().chain(needed).map(journal_file);
    let generation = shared.layout.generation();
    let journal = Journal::new(generation, first, others.collect(), next_index);
    let begun = journal.begin_file(shared, chunk_size).await;
    let begun = begun.map_err(Error::io("write of the head", directory))?;
    assert!(begun, "the first file was chosen to fit");
    journal.want(smallest * FIRST_FILES);
    Ok(journal)
}

/// Splits files into those that a replay of the old journal would not read, and the others.
fn split_by_need(found: Vec<FoundFile>) -> (Vec<FoundFile>, Vec<FoundFile>) {
    let heads = found.iter().filter_map(|file| file.head.as_ref());
    let newest = heads.max_by_key(|head| head.sequence);
    let Some((generation, live_from)) =
        newest.map(|head| (head.sequence.generation, head.live_from))
    else {
        return (found, Vec::new());
    };
    found.into_iter().partition(|file| {
        file.head.as_ref().is_none_or(|head| {
            let sequence = head.sequence;
            sequence.generation < generation || sequence.counter < live_from
        })
    })
}

fn journal_file(found: FoundFile) -> JournalFile {
    JournalFile {
        file: found.file,
        size: found.size,
    }
}

//! The stores of one process, opened in the order in which a broker opens them.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use runtime::{Chunk, LocalQueue, LongWork, Queue, TaskGroup};
use storage::{
    DataDir, Error, FirstBatch, Layout, Log, LogConfig, LogId, OpenLog, ReadError, ReadLimits,
    Replayed, ShardStore, StoreOptions, replay_journals,
};
use types::{
    ByteCount, Incarnation, NodeId, Offset, PartitionIndex, ShardId, TopicId, TopicPartition,
};

use super::model::Stored;

/// Where the data is.
const DIRECTORY: &str = "/data";

/// How much is read at a time.
const READ_SIZE: ByteCount = ByteCount::kib(64);

/// Returns which log a number stands for.
fn log_id(number: u64) -> LogId {
    let index = i32::try_from(number).ok().and_then(PartitionIndex::new);
    LogId {
        partition: TopicPartition {
            topic: TopicId([7; 16]),
            partition: index.expect("there are few logs"),
        },
        incarnation: Incarnation(number + 1),
    }
}

/// Open stores and their data directory.
pub(super) struct Stores {
    directory: DataDir,
    stores: Vec<ShardStore>,
}

impl Stores {
    /// Opens `count` stores that share `logs` logs.
    pub(super) async fn open(
        count: u16,
        options: StoreOptions,
        logs: u64,
        config: LogConfig,
    ) -> Result<Self, Error> {
        let directory = DataDir::open(Path::new(DIRECTORY), NodeId(1)).await?;
        let known: BTreeMap<_, _> = (0..logs)
            .map(|number| (log_id(number).incarnation, log_id(number)))
            .collect();
        let replayed = replay(&directory, &known, count).await?;
        directory.note_replayed(&replayed).await?;
        // The shards of a broker open their stores side by side.
        let opening = TaskGroup::new();
        let opened = Rc::new(LocalQueue::new(usize::from(count)));
        for shard in 0..count {
            let mine = (0..logs).filter(|number| number % u64::from(count) == u64::from(shard));
            let open = |number| OpenLog {
                id: log_id(number),
                config,
                end: replayed.end_of(log_id(number).incarnation),
            };
            let logs = mine.map(open).collect();
            let (layout, opened) = (directory.layout().clone(), Rc::clone(&opened));
            opening.spawn(Queue::Latency, async move {
                let store = open_one(&layout, ShardId(shard), options, logs).await;
                let pushed = opened.try_push((shard, store));
                assert!(pushed.is_ok(), "there is room for every store");
            });
        }
        let mut stores = BTreeMap::new();
        for _ in 0..count {
            let (shard, store) = opened.pop().await.expect("nobody closes the queue");
            stores.insert(shard, store?);
        }
        directory.retire_journals(count).await?;
        directory.remove_unknown_logs(&known).await?;
        let stores = stores.into_values().collect();
        Ok(Self { directory, stores })
    }

    /// Returns a log.
    pub(super) fn log(&self, number: u64) -> Rc<Log> {
        let id = log_id(number);
        let found = self
            .stores
            .iter()
            .find_map(|store| store.log(id.incarnation));
        found.expect("every log belongs to a store")
    }

    /// Returns whether a store is offline.
    pub(super) fn is_offline(&self) -> bool {
        self.stores.iter().any(|store| store.offline().is_some())
    }

    /// Closes everything in order.
    pub(super) async fn close(self) -> Result<(), Error> {
        for store in &self.stores {
            store.close().await?;
        }
        self.directory.close_clean().await
    }
}

async fn open_one(
    layout: &Layout,
    shard: ShardId,
    options: StoreOptions,
    logs: Vec<OpenLog>,
) -> Result<ShardStore, Error> {
    ShardStore::open(layout, shard, options, logs, LongWork::new()).await
}

/// Replays the journals there are, as `count` shards would: each those whose turn it is.
async fn replay(
    directory: &DataDir,
    known: &BTreeMap<Incarnation, LogId>,
    count: u16,
) -> Result<Replayed, Error> {
    let journals = directory.journals().await?;
    let mut replayed = Replayed::default();
    for shard in 0..count {
        let turn = |journal: &&ShardId| journal.0 % count == shard;
        let mine: Vec<ShardId> = journals.iter().filter(turn).copied().collect();
        replayed.merge(replay_journals(directory.layout(), &mine, known).await?);
    }
    Ok(replayed)
}

/// Reads what a log holds from an offset up to `until`, checked batch by batch.
///
/// *Errors*: what is wrong, in words; offline is `Ok(None)`.
pub(super) async fn read(
    log: &Log,
    from: Offset,
    until: Offset,
) -> Result<Option<Vec<Stored>>, String> {
    let mut found: Vec<Stored> = Vec::new();
    let mut next = from;
    while next < until {
        let limits = ReadLimits {
            size_max: READ_SIZE,
            until,
            first_batch: FirstBatch::Whole,
        };
        let portion = match log.read(next, limits).await {
            Ok(portion) => portion,
            Err(ReadError::Offline(_) | ReadError::Io(_)) => return Ok(None),
            Err(error) => return Err(format!("cannot be read from {next}: {error}")),
        };
        let Some(bytes) = gather(portion.chunks).await else {
            return Ok(None);
        };
        let before = found.len();
        take_batches(&bytes, &mut found)?;
        let Some(last) = found.get(before..).and_then(<[Stored]>::last) else {
            return Err(format!("returned nothing from {next} below {until}"));
        };
        next = last.end;
    }
    Ok(Some(found))
}

/// Collects what chunks hold; `None` if the disk fails.
async fn gather(chunks: Vec<Chunk>) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    for chunk in chunks {
        match chunk {
            Chunk::Memory(bytes) => all.extend_from_slice(&bytes),
            Chunk::File {
                reader,
                position,
                length,
            } => {
                let length = usize::try_from(length).expect("a portion fits memory");
                all.extend_from_slice(&reader.read_at(position, length).await.ok()?);
            }
        }
    }
    Some(all)
}

fn take_batches(bytes: &[u8], found: &mut Vec<Stored>) -> Result<(), String> {
    let mut batches = record::Batches::new(bytes);
    for batch in &mut batches {
        let batch = batch.map_err(|error| error.to_string())?;
        let batch = record::check_stored(batch).map_err(|error| error.to_string())?;
        let stored = Stored::read(&batch);
        if found.last().is_some_and(|last| last.end != stored.first) {
            return Err(format!("has a gap before {stored:?}"));
        }
        found.push(stored);
    }
    match batches.remainder().len() {
        0 => Ok(()),
        cut => Err(format!("returned {cut} bytes of a batch that is cut off")),
    }
}

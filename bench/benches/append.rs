//! Durable appends on the real kernel: one shard, 256 appends outstanding, each acknowledged after
//! the journal's sync. What one partition reaches is the measure for a thousand.
//!
//! The directory is the system's temporary one, or `RIVERRUN_TEST_DIR`; what it lies on is measured
//! along. Inputs are named by batch size in bytes and number of partitions.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use record::{Batch, BatchBuilder, Compression, NewRecord};
use runtime::{LaunchOptions, LongWork, Mesh, Queue, TaskGroup};
use storage::{
    AppendContext, AppendError, DataDir, FirstBatch, Log, LogConfig, LogId, OpenLog, ReadLimits,
    ShardStore, StoreOptions, replay_journals,
};
use types::{
    ByteCount, Incarnation, LeaderEpoch, NodeId, Offset, PartitionIndex, ShardId, TimestampMs,
    TopicId, TopicPartition,
};

const NOW: TimestampMs = TimestampMs(1_700_000_000_000);

/// Appends under way at a time.
const OUTSTANDING: u64 = 256;

/// Appends of one iteration: enough for the ring to lap and the checkpoints to take part.
const ITERATION: u64 = 16_384;

/// Batch size in bytes, and number of partitions.
const SHAPES: [(usize, u32); 5] = [
    (1 << 10, 1),
    (1 << 10, 16),
    (1 << 10, 1_000),
    (16 << 10, 1),
    (16 << 10, 1_000),
];

fn batch(size: usize) -> Bytes {
    let value = vec![b'x'; size - 61 - 10];
    let mut builder = BatchBuilder::new(Compression::None);
    let record = NewRecord {
        timestamp: NOW,
        key: None,
        value: Some(&value),
        headers: &[],
    };
    builder.push(&record).expect("one record fits a batch");
    builder.build().expect("a batch of one record can be built")
}

fn log_id(number: u32) -> LogId {
    let partition = i32::try_from(number).ok().and_then(PartitionIndex::new);
    LogId {
        partition: TopicPartition {
            topic: TopicId([1; 16]),
            partition: partition.expect("few partitions"),
        },
        incarnation: Incarnation(u64::from(number) + 1),
    }
}

async fn open(path: &Path, partitions: u32) -> (DataDir, ShardStore, Vec<Rc<Log>>) {
    let dir = DataDir::open(path, NodeId(1))
        .await
        .expect("a fresh directory");
    let logs = (0..partitions).map(|number| OpenLog {
        id: log_id(number),
        config: LogConfig::default(),
        end: None,
    });
    let logs: Vec<OpenLog> = logs.collect();
    let ids: Vec<Incarnation> = logs.iter().map(|log| log.id.incarnation).collect();
    let options = StoreOptions::default();
    let store = ShardStore::open(dir.layout(), ShardId(0), options, logs, LongWork::new())
        .await
        .expect("a store in a fresh directory");
    let handles = ids.iter().map(|id| store.log(*id).expect("it was opened"));
    let handles = handles.collect();
    (dir, store, handles)
}

/// Appends and waits, until the count is used up.
async fn client(logs: Rc<Vec<Rc<Log>>>, bytes: Bytes, left: Rc<Cell<u64>>) {
    let batch = Batch::parse(&bytes).expect("it was built");
    let checked = record::check_stored(batch).expect("it was built");
    let context = AppendContext {
        now: NOW,
        leader_epoch: LeaderEpoch::ZERO,
    };
    loop {
        let number = left.get();
        if number == 0 {
            return;
        }
        left.set(number - 1);
        let index = usize::try_from(number).expect("64 bits") % logs.len();
        let log = &logs[index];
        let appended = loop {
            match log.append(&checked, context) {
                Err(AppendError::Busy) => log.room().await.expect("the store is online"),
                other => break other.expect("the batch is as it should be"),
            }
        };
        let acknowledged = log.acknowledged_to(appended.end).await;
        acknowledged.expect("the store is online");
    }
}

/// Runs `count` appends on a fresh store and returns the time they took.
fn appends(path: PathBuf, size: usize, partitions: u32, count: u64) -> Duration {
    let took = Arc::new(Mutex::new(Duration::ZERO));
    let result = Arc::clone(&took);
    let main = move |_mesh: Mesh<(), ()>| {
        let (path, result) = (path.clone(), Arc::clone(&result));
        async move {
            let (_dir, store, logs) = open(&path, partitions).await;
            let logs = Rc::new(logs);
            let bytes = batch(size);
            // Every partition once, so that its files are there.
            let warm = Rc::new(Cell::new(u64::from(partitions)));
            client(Rc::clone(&logs), bytes.clone(), warm).await;
            let left = Rc::new(Cell::new(count));
            let group = TaskGroup::new();
            let began = runtime::now();
            for _ in 0..OUTSTANDING {
                let client = client(Rc::clone(&logs), bytes.clone(), Rc::clone(&left));
                group.spawn(Queue::Latency, client);
            }
            group.join_all().await;
            let took = runtime::now().since(began);
            *result.lock().expect("nobody panicked") = took;
            if std::env::var_os("RIVERRUN_BENCH_METRICS").is_some() {
                let metrics = store.metrics();
                eprintln!("{count} appends in {took:?}: {metrics:?}");
            }
            store.close().await.expect("the store is online");
        }
    };
    runtime::launch(&LaunchOptions::default(), main).expect("the shard runs to its end");
    *took.lock().expect("nobody panicked")
}

fn durable_appends(criterion: &mut Criterion) {
    let base = std::env::var_os("RIVERRUN_TEST_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let path = base.join(format!("riverrun-bench-{}", std::process::id()));
    let mut group = criterion.benchmark_group("append_durably");
    group.sample_size(10);
    for (size, partitions) in SHAPES {
        group.throughput(Throughput::Elements(ITERATION));
        let id = BenchmarkId::new(format!("{size}"), partitions);
        group.bench_function(id, |bencher| {
            bencher.iter_custom(|count| {
                let took = appends(path.clone(), size, partitions, count * ITERATION);
                if let Err(error) = std::fs::remove_dir_all(&path) {
                    eprintln!("the directory stays: {error}");
                }
                took
            });
        });
    }
    group.finish();
}

/// Consumers that read after a restart.
const CONSUMERS: usize = 16;

/// Reads the last batch of each log.
async fn read_last(logs: Vec<Rc<Log>>) {
    for log in logs {
        let end = log.positions().end;
        let last = Offset::new(end.get() - 1).expect("every log has a batch");
        let limits = ReadLimits {
            size_max: ByteCount::kib(64),
            until: end,
            first_batch: FirstBatch::Whole,
        };
        let read = log.read(last, limits).await.expect("the last batch");
        assert_eq!(read.end, Some(end));
    }
}

/// Kills a shard with a thousand partitions under way, and times the next start until every log is
/// open and has answered a read of its last batch.
fn restart(criterion: &mut Criterion) {
    let base = std::env::var_os("RIVERRUN_TEST_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let path = base.join(format!("riverrun-bench-{}", std::process::id()));
    let mut group = criterion.benchmark_group("restart_after_kill");
    group.sample_size(10);
    group.bench_function(BenchmarkId::new("partitions", PARTITIONS), |bencher| {
        bencher.iter_custom(|count| {
            let mut sum = Duration::ZERO;
            for _ in 0..count {
                kill_after(path.clone(), RESTART_APPENDS);
                sum += start(path.clone());
            }
            sum
        });
    });
    group.finish();
    if let Err(error) = std::fs::remove_dir_all(&path) {
        eprintln!("the directory stays: {error}");
    }
}

/// Partitions of the restart.
const PARTITIONS: u32 = 1_000;

/// Appends of 1 KiB before each kill: more than the ring holds.
const RESTART_APPENDS: u64 = 100_000;

async fn reopen(path: &Path) -> (DataDir, ShardStore, Vec<Rc<Log>>) {
    let dir = DataDir::open(path, NodeId(1)).await.expect("the directory");
    let ids = (0..PARTITIONS).map(log_id);
    let known = ids.map(|id| (id.incarnation, id)).collect();
    let journals = dir.journals().await.expect("the directory can be listed");
    let replayed = replay_journals(dir.layout(), &journals, &known).await;
    let replayed = replayed.expect("nothing is damaged");
    let logs = known.values().map(|&id| OpenLog {
        id,
        config: LogConfig::default(),
        end: replayed.end_of(id.incarnation),
    });
    let logs = logs.collect();
    let store = ShardStore::open(
        dir.layout(),
        ShardId(0),
        StoreOptions::default(),
        logs,
        LongWork::new(),
    )
    .await;
    let store = store.expect("the store opens");
    let handles = known
        .keys()
        .map(|&id| store.log(id).expect("it was opened"));
    let handles = handles.collect();
    (dir, store, handles)
}

fn kill_after(path: PathBuf, count: u64) {
    let main = move |_mesh: Mesh<(), ()>| {
        let path = path.clone();
        async move {
            let (_dir, _store, logs) = reopen(&path).await;
            let (logs, bytes) = (Rc::new(logs), batch(1 << 10));
            let left = Rc::new(Cell::new(count));
            let group = TaskGroup::new();
            for _ in 0..OUTSTANDING {
                let client = client(Rc::clone(&logs), bytes.clone(), Rc::clone(&left));
                group.spawn(Queue::Latency, client);
            }
            group.join_all().await;
        }
    };
    runtime::launch(&LaunchOptions::default(), main).expect("the shard runs to its end");
}

fn start(path: PathBuf) -> Duration {
    let took = Arc::new(Mutex::new(Duration::ZERO));
    let result = Arc::clone(&took);
    let main = move |_mesh: Mesh<(), ()>| {
        let (path, result) = (path.clone(), Arc::clone(&result));
        async move {
            let began = runtime::now();
            let (_dir, _store, logs) = reopen(&path).await;
            let open = runtime::now().since(began);
            let group = TaskGroup::new();
            for logs in logs.chunks(logs.len() / CONSUMERS) {
                group.spawn(Queue::Latency, read_last(logs.to_vec()));
            }
            group.join_all().await;
            let took = runtime::now().since(began);
            if std::env::var_os("RIVERRUN_BENCH_METRICS").is_some() {
                eprintln!("open after {open:?}, all read after {took:?}");
            }
            *result.lock().expect("nobody panicked") = took;
        }
    };
    runtime::launch(&LaunchOptions::default(), main).expect("the shard runs to its end");
    *took.lock().expect("nobody panicked")
}

criterion_group!(benches, durable_appends, restart);
criterion_main!(benches);

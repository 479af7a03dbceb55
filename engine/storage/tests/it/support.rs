//! What the tests of this crate share: a node of one shard, batches, and reading all back.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use record::{
    Batch, BatchBuilder, Batches, CheckedBatch, Compression, Header, NewRecord, Producer,
};
use runtime::{AlignedBuffer, Chunk, File, LongWork, OpenMode};
use storage::{
    AppendContext, AppendError, Appended, DataDir, Error, FirstBatch, Log, LogConfig, LogId,
    OpenLog, ReadError, ReadLimits, ShardStore, StoreOptions, replay_journals,
};
use types::{
    ByteCount, Incarnation, LeaderEpoch, NodeId, Offset, PartitionIndex, ShardId, TimestampMs,
    TopicId, TopicPartition,
};

pub(crate) const NOW: TimestampMs = TimestampMs(1_700_000_000_000);

/// A small ring, small segments: everything happens often.
pub(crate) fn tiny_options() -> StoreOptions {
    StoreOptions {
        journal_file_size: ByteCount::kib(256),
        journal_file_size_max: ByteCount::kib(256),
        journal_size_max: ByteCount::mib(1),
        tail_size_max: ByteCount::mib(1),
        open_files_max: 16,
        index_cache_size_max: ByteCount::kib(64),
        reserve_size: ByteCount::kib(64),
        producer_expiry: Duration::from_hours(24),
        producers_max: 1_000,
    }
}

pub(crate) fn config() -> LogConfig {
    LogConfig::default()
}

pub(crate) fn small_segments(size: ByteCount) -> LogConfig {
    LogConfig {
        segment_size_max: size,
        ..LogConfig::default()
    }
}

pub(crate) fn log_id(number: u64) -> LogId {
    LogId {
        partition: TopicPartition {
            topic: TopicId([7; 16]),
            partition: PartitionIndex::new(i32::try_from(number).unwrap()).unwrap(),
        },
        incarnation: Incarnation(number + 1),
    }
}

/// A node of one shard: opened in the order that a broker opens it.
pub(crate) struct Node {
    pub(crate) dir: DataDir,
    pub(crate) store: ShardStore,
    #[cfg_attr(
        not(feature = "uring"),
        expect(dead_code, reason = "only a real helper thread can be held up")
    )]
    pub(crate) long_work: LongWork,
}

impl Node {
    pub(crate) async fn open(path: &Path, logs: u64) -> Self {
        Self::open_with(path, tiny_options(), logs, config())
            .await
            .unwrap()
    }

    pub(crate) async fn open_with(
        path: &Path,
        options: StoreOptions,
        logs: u64,
        config: LogConfig,
    ) -> Result<Self, Error> {
        let path = path.join("data");
        let dir = DataDir::open(&path, NodeId(1)).await?;
        let known: BTreeMap<_, _> = (0..logs)
            .map(|number| (log_id(number).incarnation, log_id(number)))
            .collect();
        dir.remove_unknown_logs(&known).await?;
        let journals = dir.journals().await?;
        let replayed = replay_journals(dir.layout(), &journals, &known).await?;
        dir.note_replayed(&replayed).await?;
        let open = |id: &LogId| OpenLog {
            id: *id,
            config,
            end: replayed.end_of(id.incarnation),
        };
        let logs = known.values().map(open).collect();
        let long_work = LongWork::new();
        let turn = long_work.clone();
        let store = ShardStore::open(dir.layout(), ShardId(0), options, logs, turn).await?;
        dir.retire_journals(1).await?;
        Ok(Self {
            dir,
            store,
            long_work,
        })
    }

    pub(crate) fn log(&self, number: u64) -> Rc<Log> {
        self.store.log(log_id(number).incarnation).unwrap()
    }

    /// Closes in order, as at a shutdown.
    pub(crate) async fn close(self) {
        self.store.close().await.unwrap();
        self.dir.close_clean().await.unwrap();
    }

    /// Drops everything where it stands, as a killed process does.
    pub(crate) fn kill(self) {
        drop(self);
    }
}

/// One record per timestamp; values of `size` bytes that differ by `seed`.
pub(crate) fn batch_of(
    timestamps: &[i64],
    size: usize,
    seed: u64,
    producer: Option<Producer>,
) -> Bytes {
    let mut builder = BatchBuilder::new(Compression::None);
    if let Some(producer) = producer {
        builder = builder.with_producer(producer);
    }
    for (index, &timestamp) in timestamps.iter().enumerate() {
        let value: Vec<u8> = (0..size)
            .map(|place| {
                let mixed = (seed + index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                mixed
                    .rotate_left(u32::try_from(place % 61).unwrap())
                    .to_le_bytes()[place % 8]
            })
            .collect();
        let record = NewRecord {
            timestamp: TimestampMs(timestamp),
            key: None,
            value: Some(&value),
            // Without one a batch ends with a zero, and that it was cut by a byte could not be seen.
            headers: &[Header {
                key: b"h",
                value: Some(b"!"),
            }],
        };
        builder.push(&record).unwrap();
    }
    builder.build().unwrap()
}

/// A small batch of records of 6 MiB each, one per timestamp.
pub(crate) fn large_inside(timestamps: &[i64]) -> Bytes {
    let value = vec![7; 6 << 20];
    let mut builder = BatchBuilder::new(Compression::Zstd);
    for &timestamp in timestamps {
        let record = NewRecord {
            timestamp: TimestampMs(timestamp),
            key: None,
            value: Some(&value),
            headers: &[],
        };
        builder.push(&record).unwrap();
    }
    let written = builder.build().unwrap();
    assert!(written.len() < 10_000);
    written
}

/// A batch of `count` records with values of `size` bytes.
pub(crate) fn batch(count: usize, size: usize, seed: u64) -> Bytes {
    batch_of(&vec![NOW.0; count], size, seed, None)
}

pub(crate) fn checked(bytes: &[u8]) -> CheckedBatch<'_> {
    record::check_stored(Batch::parse(bytes).unwrap()).unwrap()
}

pub(crate) fn context(log: &Log) -> AppendContext {
    AppendContext {
        now: NOW,
        leader_epoch: log.latest_epoch(),
    }
}

/// Appends, waiting for room as a broker does.
pub(crate) async fn append(log: &Log, bytes: &[u8]) -> Result<Appended, AppendError> {
    loop {
        match log.append(&checked(bytes), context(log)) {
            Err(AppendError::Busy) => log.room().await?,
            other => return other,
        }
    }
}

/// Appends and waits until it is acknowledged.
pub(crate) async fn append_durably(log: &Log, bytes: &[u8]) -> Appended {
    let appended = append(log, bytes).await.unwrap();
    log.durable_to(appended.end).await.unwrap();
    appended
}

/// Changes one byte of a file.
pub(crate) async fn flip(path: &Path, position: u64) {
    let file = File::open(path, OpenMode::Existing).await.unwrap();
    let floor = position / 4096 * 4096;
    let block = file.read_at(floor, 4096).await.unwrap();
    let mut buffer = AlignedBuffer::zeroed(4096);
    buffer[..block.len()].copy_from_slice(&block);
    buffer[usize::try_from(position - floor).unwrap()] ^= 0x40;
    let size = file.size().await.unwrap();
    file.write_at_synced(buffer, floor).await.unwrap();
    file.set_len(size).await.unwrap();
    file.sync_data().await.unwrap();
    file.close().await.unwrap();
}

pub(crate) async fn bytes_of(chunks: Vec<Chunk>) -> Vec<u8> {
    let mut all = Vec::new();
    for chunk in chunks {
        match chunk {
            Chunk::Memory(bytes) => all.extend_from_slice(&bytes),
            Chunk::File {
                reader,
                position,
                length,
            } => {
                let length = usize::try_from(length).unwrap();
                let bytes = reader.read_at(position, length).await.unwrap();
                assert_eq!(bytes.len(), length);
                all.extend_from_slice(&bytes);
            }
        }
    }
    all
}

/// What is compared of a stored batch: its offsets, its epoch, its checksum, its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) first: Offset,
    pub(crate) end: Offset,
    pub(crate) epoch: i32,
    pub(crate) crc: u32,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn stored(bytes: &[u8]) -> Vec<Stored> {
    let mut batches = Batches::new(bytes);
    let mut all = Vec::new();
    for batch in &mut batches {
        let checked = record::check_stored(batch.unwrap()).unwrap();
        all.push(Stored {
            first: checked.base_offset(),
            end: checked.end_offset(),
            epoch: checked.header().leader_epoch().unwrap().get(),
            crc: checked.header().crc(),
            body: checked.body().to_vec(),
        });
    }
    assert!(
        batches.remainder().is_empty(),
        "a read returns whole batches"
    );
    all
}

/// Reads everything from `from` to the durable end, in reads of `size` bytes.
pub(crate) async fn read_from(
    log: &Log,
    from: Offset,
    size: u64,
) -> Result<Vec<Stored>, ReadError> {
    let until = log.positions().durable;
    let mut all = Vec::new();
    let mut next = from;
    while next < until {
        let limits = ReadLimits {
            size_max: ByteCount(size),
            until,
            first_batch: FirstBatch::Whole,
        };
        let result = log.read(next, limits).await?;
        let end = result.end.expect("a read below the end returns something");
        let bytes = bytes_of(result.chunks).await;
        assert_eq!(ByteCount::of(&bytes), result.size);
        let batches = stored(&bytes);
        assert_eq!(batches.last().unwrap().end, end);
        assert!(batches.first().unwrap().first <= next);
        all.extend(batches);
        next = end;
    }
    Ok(all)
}

pub(crate) async fn read_all(log: &Log) -> Vec<Stored> {
    let start = log.positions().start;
    let all = read_from(log, start, 64 * 1024).await.unwrap();
    for pair in all.windows(2) {
        assert_eq!(pair[0].end, pair[1].first, "no gap, no overlap");
    }
    all
}

pub(crate) fn offset(offset: i64) -> Offset {
    Offset::new(offset).unwrap()
}

pub(crate) fn epoch(epoch: i32) -> LeaderEpoch {
    LeaderEpoch::new(epoch).unwrap()
}

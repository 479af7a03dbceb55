//! A coordinator as its log says: the newest snapshot, then every later record.

use coordinator::record::DecodeError;
use coordinator::{Coordinator, Record, Settings, SnapshotError};
use runtime::Chunk;
use storage::{FirstBatch, Log, ReadError, ReadLimits};
use types::limits::BATCH_SIZE_MAX;
use types::{ByteCount, Offset};

/// How much of the log is read at a time.
const READ_SIZE: ByteCount = ByteCount::mib(1);

/// Why a coordinator cannot be made of its log. Its groups are not served, and nothing is lost.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReplayError {
    /// The snapshot is there and cannot be read.
    #[error("the snapshot cannot be read")]
    State(#[from] storage::Error),
    /// The snapshot is not what was written.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The log does not begin where the snapshot ends.
    #[error("the snapshot ends at {end}, the log has {start} to {durable}")]
    Apart {
        /// The first offset that the snapshot does not hold.
        end: Offset,
        /// The first offset of the log.
        start: Offset,
        /// The end of the log.
        durable: Offset,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file of the log cannot be read.
    #[error("the log cannot be read")]
    Io(#[from] std::io::Error),
    /// A batch is not what was written.
    #[error("the batch at {offset} is damaged")]
    Batch {
        /// Where it begins, or the one before it ends.
        offset: Offset,
    },
    /// A record is not one that a coordinator wrote.
    #[error("the record at {offset} cannot be read")]
    Record {
        /// Its offset.
        offset: Offset,
        /// Why.
        #[source]
        source: DecodeError,
    },
}

/// What was found.
pub(super) struct Replayed {
    /// The state as of the log's durable end.
    pub(super) coordinator: Coordinator,
    /// How many bytes of log are not in the snapshot.
    pub(super) distance: u64,
}

/// Makes a coordinator of its log.
pub(super) async fn replay(log: &Log, settings: Settings) -> Result<Replayed, ReplayError> {
    let positions = log.positions();
    let (start, durable) = (positions.start, positions.durable);
    let (mut coordinator, end) = match log.kept_state().await? {
        Some(snapshot) => Coordinator::from_snapshot(settings, &snapshot)?,
        None => (Coordinator::new(settings), Offset::ZERO),
    };
    if end < start || durable < end {
        return Err(ReplayError::Apart {
            end,
            start,
            durable,
        });
    }
    let mut distance = 0;
    let mut next = end;
    while next < durable {
        let limits = ReadLimits {
            size_max: READ_SIZE,
            until: durable,
            first_batch: FirstBatch::Whole,
        };
        let read = log.read(next, limits).await?;
        let bytes = gather(read.chunks).await?;
        distance += ByteCount::of(&bytes).0;
        next = apply(&mut coordinator, &bytes, next)?;
        runtime::yield_if_due().await;
    }
    Ok(Replayed {
        coordinator,
        distance,
    })
}

/// Applies the records of whole batches that are at `next` or behind; returns where they end.
fn apply(coordinator: &mut Coordinator, bytes: &[u8], next: Offset) -> Result<Offset, ReplayError> {
    let mut end = next;
    for batch in &mut record::Batches::new(bytes) {
        let damaged = ReplayError::Batch { offset: end };
        let Ok(batch) = batch else {
            return Err(damaged);
        };
        let Ok(batch) = record::check_stored(batch) else {
            return Err(damaged);
        };
        let Ok(body) = record::decompress(&batch.batch(), BATCH_SIZE_MAX) else {
            return Err(damaged);
        };
        for found in record::Records::new(batch.header(), &body) {
            let Ok(found) = found else {
                return Err(damaged);
            };
            let offset = found.offset;
            // A snapshot may end within a batch that a read returns whole.
            if offset < next {
                continue;
            }
            let decoded = Record::decode(found.key, found.value);
            let decoded = decoded.map_err(|source| ReplayError::Record { offset, source })?;
            if let Some(record) = decoded {
                coordinator.apply(record);
            }
        }
        end = batch.end_offset();
    }
    if end == next {
        return Err(ReplayError::Batch { offset: next });
    }
    Ok(end)
}

async fn gather(chunks: Vec<Chunk>) -> std::io::Result<Vec<u8>> {
    let mut all = Vec::new();
    for chunk in chunks {
        match chunk {
            Chunk::Memory(bytes) => all.extend_from_slice(&bytes),
            Chunk::File {
                reader,
                position,
                length,
            } => {
                let length =
                    usize::try_from(length).map_err(|_| std::io::ErrorKind::OutOfMemory)?;
                all.extend_from_slice(&reader.read_at(position, length).await?);
            }
        }
    }
    Ok(all)
}

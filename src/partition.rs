//! A partition: its log, and the rules of its topic. Append, read, look up.
//!
//! One shard owns it. With one replica the high watermark is the log's durable end.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use bytes::Bytes;
use record::{Invalid, RecompressError, Rules, TimestampWindow};
use runtime::{Chunk, LongWork};
use storage::{
    ActiveProducer, AppendContext, AppendError, Appended, EpochEnd, FirstBatch, Log, Offline,
    ReadError, ReadLimits, Repeated, TimestampOffset,
};
use types::{ByteCount, LeaderEpoch, Offset, TimestampMs, TopicPartition};

use crate::config::TopicConfig;
use crate::intake::{Intake, Unfit};

/// One partition that this shard owns.
pub struct Partition {
    log: Rc<Log>,
    long_work: LongWork,
    leader_epoch: LeaderEpoch,
    config: RefCell<Rc<TopicConfig>>,
}

/// An offset of a partition.
pub type Place = (TopicPartition, Offset);

/// A batch in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The offset of its first record.
    pub first: Offset,
    /// The offset behind its last record.
    pub end: Offset,
    /// The time that was stamped, on topics of log append time.
    pub log_append_time: Option<TimestampMs>,
    /// The first offset of the log.
    pub log_start: Offset,
    /// Whether an earlier attempt had put it there.
    pub repeated: Repeated,
}

/// Why a batch was not appended, or may not be acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum AppendRefused {
    /// The partition is not on this shard any more.
    #[error("the partition is gone")]
    Gone,
    /// The batch is not what a producer may send.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The batch cannot be put into the compression of the topic.
    #[error(transparent)]
    Recompress(#[from] RecompressError),
    /// The log did not take it.
    #[error(transparent)]
    Storage(#[from] AppendError),
}

/// What a read found.
#[derive(Debug)]
pub struct Portion {
    /// Whole batches in offset order.
    pub chunks: Vec<Chunk>,
    /// Their size.
    pub size: ByteCount,
    /// Below it consumers may read.
    pub high_watermark: Offset,
    /// The first offset of the log.
    pub log_start: Offset,
}

/// Something to look up in a partition, or to cut off it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inquiry {
    /// Its marks.
    Ends,
    /// The first record at or after a time.
    AtTimestamp(TimestampMs),
    /// The record with the largest timestamp.
    MaxTimestamp,
    /// Where a leader epoch ended.
    EpochEnd(LeaderEpoch),
    /// Who produces to it.
    Producers,
    /// How many bytes it takes, and where.
    Size,
    /// Delete everything below this offset; `None` is the high watermark.
    DeleteBelow(Option<Offset>),
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// To [`Inquiry::Ends`].
    Ends {
        /// The first offset.
        start: Offset,
        /// Below it consumers may read.
        high_watermark: Offset,
        /// The epoch of the last record.
        epoch: LeaderEpoch,
    },
    /// To [`Inquiry::AtTimestamp`] and [`Inquiry::MaxTimestamp`].
    At(Option<TimestampOffset>),
    /// To [`Inquiry::EpochEnd`]; `None` if no such epoch is known.
    EpochEnd(Option<EpochEnd>),
    /// To [`Inquiry::Producers`].
    Producers(Vec<ActiveProducer>),
    /// To [`Inquiry::Size`].
    Size {
        /// The data directory that it is in.
        directory: PathBuf,
        /// How much it takes.
        size: ByteCount,
    },
    /// To [`Inquiry::DeleteBelow`]: the new start.
    Start(Offset),
}

/// Why a partition could not be read or asked.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The partition is not on this shard any more.
    #[error("the partition is gone")]
    Gone,
    /// The read failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The log failed.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The offset lies beyond the high watermark.
    #[error("offset {offset} is beyond the high watermark {high_watermark}")]
    BeyondHighWatermark {
        /// The offset.
        offset: Offset,
        /// The high watermark.
        high_watermark: Offset,
    },
}

impl Partition {
    /// Makes a partition of an open log.
    pub fn new(
        log: Rc<Log>,
        leader_epoch: LeaderEpoch,
        config: Rc<TopicConfig>,
        long_work: LongWork,
    ) -> Self {
        log.set_config(config.log());
        Self {
            log,
            long_work,
            leader_epoch,
            config: RefCell::new(config),
        }
    }

    /// Returns its log.
    pub fn log(&self) -> &Rc<Log> {
        &self.log
    }

    /// Returns which partition it is.
    pub fn id(&self) -> TopicPartition {
        self.log.id().partition
    }

    /// Returns whether its log takes part in anything.
    pub fn is_in_service(&self) -> bool {
        self.log.check_online().is_ok()
    }

    /// Obeys other rules from now on.
    pub fn set_config(&self, config: &Rc<TopicConfig>) {
        self.log.set_config(config.log());
        *self.config.borrow_mut() = Rc::clone(config);
    }

    /// Returns the end of what consumers may read.
    pub fn high_watermark(&self) -> Offset {
        self.log.positions().durable
    }

    /// Checks what a client sent and puts it into the log's tail: its place is fixed.
    ///
    /// Waits while the shard's tail memory is spent, and for a large batch to be decompressed. Call in
    /// the order in which batches came, the next when this one is done.
    pub async fn append(&self, records: &Bytes, now: TimestampMs) -> Result<Placed, AppendRefused> {
        let config = Rc::clone(&self.config.borrow());
        let rules = Rules {
            batch_size_max: config.batch_size_max(),
            timestamp_type: config.timestamp_type(),
            timestamp_window: TimestampWindow::around(
                now,
                config.timestamp_before_max_ms(),
                config.timestamp_after_max_ms(),
            ),
            keys: config.keys(),
        };
        let intake = Intake {
            rules,
            compression: config.compression(),
        };
        let batch = intake.take(records, &self.long_work).await?;
        let batch = batch.checked();
        let context = AppendContext {
            now,
            leader_epoch: self.leader_epoch,
        };
        loop {
            match self.log.append(&batch, context) {
                Ok(appended) => return Ok(self.placed(appended)),
                Err(AppendError::Busy) => self.log.room().await.map_err(AppendError::from)?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn placed(&self, appended: Appended) -> Placed {
        Placed {
            first: appended.first,
            end: appended.end,
            log_append_time: appended.log_append_time,
            log_start: self.log.positions().start,
            repeated: appended.repeated,
        }
    }

    /// Waits until a batch in its place may be acknowledged.
    pub async fn acknowledged(&self, placed: Placed) -> Result<Placed, AppendRefused> {
        self.log
            .acknowledged_to(placed.end)
            .await
            .map_err(AppendError::from)?;
        Ok(placed)
    }

    /// Says where the partition stands, and nothing of what it holds.
    ///
    /// *Errors*: it is out of service, and may never have been read: where it stands is not known.
    pub fn nothing(&self) -> Result<Portion, Trouble> {
        self.log.check_online()?;
        let positions = self.log.positions();
        Ok(Portion {
            chunks: Vec::new(),
            size: ByteCount::ZERO,
            high_watermark: positions.durable,
            log_start: positions.start,
        })
    }

    /// Returns whether what a read begins with is in memory.
    pub fn is_in_memory(&self, from: Offset) -> bool {
        self.log.is_in_memory(from)
    }

    /// Reads whole batches from `from` up to the high watermark: at least one if there is one, and
    /// beyond that at most `size_max`.
    pub async fn read(&self, from: Offset, size_max: ByteCount) -> Result<Portion, Trouble> {
        let nothing = self.nothing()?;
        let (start, until) = (nothing.log_start, nothing.high_watermark);
        if from < start || from > until {
            let error = ReadError::OutOfRange {
                offset: from,
                start,
                end: until,
            };
            return Err(error.into());
        }
        if from == until {
            return Ok(nothing);
        }
        let limits = ReadLimits {
            size_max,
            until,
            first_batch: FirstBatch::Whole,
        };
        let read = self.log.read(from, limits).await?;
        Ok(Portion {
            chunks: read.chunks,
            size: read.size,
            ..nothing
        })
    }

    /// Returns the timestamp of the first record at or behind each of these offsets, which ascend; one
    /// that no record is behind is left out.
    ///
    /// *Cost*: each batch that has such records is read and decompressed once.
    pub async fn timestamps(
        &self,
        offsets: &[Offset],
    ) -> Result<Vec<(Offset, TimestampMs)>, Trouble> {
        let (mut all, mut left) = (Vec::new(), offsets);
        while !left.is_empty() {
            let until = self.high_watermark();
            let found = self.log.timestamps_of(left, until).await?;
            if found.is_empty() {
                break;
            }
            let found_of = left.iter().zip(&found);
            all.extend(found_of.map(|(&offset, record)| (offset, record.timestamp)));
            left = left.get(found.len()..).unwrap_or_default();
            runtime::yield_if_due().await;
        }
        Ok(all)
    }

    /// Waits until there is something to read at `from`, or the log is gone.
    pub async fn has_data(&self, from: Offset) {
        let moved = |durable: Offset| durable > from;
        self.log
            .progress()
            .wait_until(|now| moved(now.durable) || now.offline.is_some())
            .await;
    }

    /// Answers an inquiry.
    pub async fn inquire(&self, inquiry: Inquiry) -> Result<Finding, Trouble> {
        self.log.check_online()?;
        let until = self.high_watermark();
        Ok(match inquiry {
            Inquiry::Ends => Finding::Ends {
                start: self.log.positions().start,
                high_watermark: until,
                epoch: self.log.latest_epoch(),
            },
            Inquiry::AtTimestamp(timestamp) => {
                Finding::At(self.log.offset_for_timestamp(timestamp, until).await?)
            }
            Inquiry::MaxTimestamp => Finding::At(self.log.max_timestamp(until).await?),
            Inquiry::EpochEnd(epoch) => Finding::EpochEnd(self.log.epoch_end(epoch).await?),
            Inquiry::Producers => Finding::Producers(self.log.producers().await?),
            Inquiry::Size => Finding::Size {
                directory: self.log.directory().to_path_buf(),
                size: self.log.size().await?,
            },
            Inquiry::DeleteBelow(offset) => {
                let offset = offset.unwrap_or(until);
                if offset > until {
                    return Err(Trouble::BeyondHighWatermark {
                        offset,
                        high_watermark: until,
                    });
                }
                Finding::Start(self.log.delete_prefix(offset).await?)
            }
        })
    }
}

impl From<Unfit> for AppendRefused {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Invalid(invalid) => Self::Invalid(invalid),
            Unfit::Recompress(error) => Self::Recompress(error),
        }
    }
}

impl From<Offline> for Trouble {
    fn from(offline: Offline) -> Self {
        Self::Read(ReadError::Offline(offline))
    }
}

//! Walking the batches of a segment file from a known place on.

use std::io;

use record::{Batch, BatchHeader, CheckedBatch, Malformed, Producer, check_stored};
use runtime::{File, ReadBuffer};
use thiserror::Error;
use types::limits::FRAME_SIZE_MAX;
use types::{ByteCount, LeaderEpoch, Offset, TimestampMs};

use crate::error::ReadError;
use crate::index::Indexed;

/// How much is read at a time.
const PIECE_SIZE: u64 = 256 * 1024;

/// Why a walk ended before its end.
#[derive(Debug, Error)]
pub(crate) enum ScanError {
    /// The file could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// No batch that continues the log stands here.
    #[error("no valid batch at byte {position}")]
    Damaged {
        /// Where it should start.
        position: u64,
    },
}

impl ScanError {
    /// Returns what a reader of the segment is told.
    pub(crate) fn in_segment(self, segment: Offset) -> ReadError {
        match self {
            Self::Io(error) => error.into(),
            Self::Damaged { position } => ReadError::Corrupt { segment, position },
        }
    }
}

/// A batch that was found and checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) position: u64,
    pub(crate) first: Offset,
    pub(crate) next: Offset,
    pub(crate) epoch: LeaderEpoch,
    pub(crate) max_timestamp: TimestampMs,
    pub(crate) producer: Option<Producer>,
}

impl Found {
    /// Returns what an index notes of the batch.
    pub(crate) fn indexed(&self) -> Indexed {
        Indexed {
            offset: self.first,
            position: self.position,
            max_timestamp: self.max_timestamp,
            epoch: self.epoch,
        }
    }
}

/// Walks batches: each must be whole, its checksum right, its first offset the next one, and its
/// epoch not below the one before.
pub(crate) struct Scanner<'a> {
    file: &'a File,
    /// Where the next batch starts.
    position: u64,
    /// Where the walk ends.
    end: u64,
    next: Offset,
    epoch: LeaderEpoch,
    piece: Option<(u64, ReadBuffer)>,
    piece_size: u64,
}

impl<'a> Scanner<'a> {
    /// Starts at `position`, where the batch with the first offset `next` stands.
    ///
    /// `epoch` is the floor: a batch of an older one does not belong to the log any more.
    pub(crate) fn new(
        file: &'a File,
        position: u64,
        end: u64,
        next: Offset,
        epoch: LeaderEpoch,
    ) -> Self {
        Self {
            file,
            position,
            end,
            next,
            epoch,
            piece: None,
            piece_size: PIECE_SIZE,
        }
    }

    /// Reads at most `size` bytes at a time, for short walks.
    pub(crate) fn with_piece_size(mut self, size: u64) -> Self {
        self.piece_size = size.clamp(4096, PIECE_SIZE);
        self
    }

    /// Returns where the walk stands: behind the last batch found.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Returns the offset behind the last batch found.
    pub(crate) fn next_offset(&self) -> Offset {
        self.next
    }

    /// Finds the next batch; `None` at the end.
    ///
    /// *Errors*: [`ScanError`]; the walk stands still then.
    pub(crate) async fn next(&mut self) -> Result<Option<Found>, ScanError> {
        match self.next_with(|_| ()).await? {
            Some((found, ())) => Ok(Some(found)),
            None => Ok(None),
        }
    }

    /// Finds the next batch and looks at it; `None` at the end.
    pub(crate) async fn next_with<T>(
        &mut self,
        look: impl FnOnce(&CheckedBatch<'_>) -> T,
    ) -> Result<Option<(Found, T)>, ScanError> {
        if self.position >= self.end {
            return Ok(None);
        }
        let damaged = ScanError::Damaged {
            position: self.position,
        };
        let size = self.batch_size().await?.ok_or(ScanError::Damaged {
            position: self.position,
        })?;
        if !self.holds(size) {
            self.read(size.max(self.piece_size)).await?;
        }
        let Some(bytes) = self.bytes().get(..ByteCount(size).as_usize()) else {
            return Err(damaged);
        };
        let Ok(batch) = Batch::parse(bytes) else {
            return Err(damaged);
        };
        let Ok(checked) = check_stored(batch) else {
            return Err(damaged);
        };
        let Some(epoch) = checked.header().leader_epoch() else {
            return Err(damaged);
        };
        if checked.base_offset() != self.next || epoch < self.epoch {
            return Err(damaged);
        }
        let found = Found {
            position: self.position,
            first: checked.base_offset(),
            next: checked.end_offset(),
            epoch,
            max_timestamp: checked.max_timestamp(),
            producer: checked.producer(),
        };
        let looked = look(&checked);
        self.position += size;
        self.next = found.next;
        self.epoch = epoch;
        runtime::yield_if_due().await;
        Ok(Some((found, looked)))
    }

    /// Goes on behind a damaged batch, if what its header says of its size and its records can be;
    /// returns how large the batch is.
    ///
    /// The header is believed for this only: what follows has to be valid and to continue it, as the
    /// next step finds out.
    pub(crate) async fn pass_damage(&mut self) -> Result<Option<u64>, ScanError> {
        let Some(size) = self.batch_size().await? else {
            return Ok(None);
        };
        let Ok(header) = BatchHeader::read(self.bytes()) else {
            return Ok(None);
        };
        let last_delta = u32::try_from(header.last_offset_delta());
        let count = last_delta.ok().and_then(|last| last.checked_add(1));
        let next = count.and_then(|count| self.next.get().checked_add(count.into()));
        let Some(next) = next.and_then(Offset::new) else {
            return Ok(None);
        };
        self.position += size;
        self.next = next;
        Ok(Some(size))
    }

    /// Returns the size of the batch at the walk's place, by its header; `None` if there is none.
    async fn batch_size(&mut self) -> Result<Option<u64>, ScanError> {
        if !self.holds(ByteCount::from(record::BATCH_HEADER_SIZE).0) {
            self.read(self.piece_size).await?;
        }
        let size = match BatchHeader::read(self.bytes()) {
            Ok(header) => ByteCount::from(header.total_size()).0,
            Err(Malformed::HeaderTruncated { .. } | _) => return Ok(None),
        };
        let fits = size <= self.end - self.position && size <= FRAME_SIZE_MAX.0;
        Ok(fits.then_some(size))
    }

    /// Returns whether the piece holds `size` bytes at the walk's place.
    fn holds(&self, size: u64) -> bool {
        ByteCount::of(self.bytes()).0 >= size
    }

    /// Returns the bytes of the piece from the walk's place on.
    fn bytes(&self) -> &[u8] {
        let Some((start, piece)) = &self.piece else {
            return &[];
        };
        let skipped = self.position.checked_sub(*start);
        let skipped = skipped.and_then(|skipped| usize::try_from(skipped).ok());
        skipped
            .and_then(|skipped| piece.get(skipped..))
            .unwrap_or(&[])
    }

    async fn read(&mut self, size: u64) -> Result<(), ScanError> {
        let size = size.min(self.end - self.position);
        let piece = self
            .file
            .read_at(self.position, ByteCount(size).as_usize())
            .await?;
        self.piece = Some((self.position, piece));
        Ok(())
    }
}

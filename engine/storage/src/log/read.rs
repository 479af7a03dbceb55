//! Reading: the tail from memory, the rest from its segments.

use runtime::Chunk;
use types::{ByteCount, Offset};

use super::handle::Log;
use crate::error::ReadError;
use crate::load::load;
use crate::segment::{FirstBatch, RangeLimits, read_range};

/// How far a read goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// How many bytes are wanted at most.
    pub size_max: ByteCount,
    /// The first offset that must not be returned: the high watermark or the last stable offset.
    pub until: Offset,
    /// What is done with a first batch that is larger.
    pub first_batch: FirstBatch,
}

/// Whole batches in offset order, without gaps, as on disk.
#[derive(Debug, Default)]
pub struct ReadResult {
    /// The pieces, in order; the first batch holds the offset asked for.
    pub chunks: Vec<Chunk>,
    /// Their size.
    pub size: ByteCount,
    /// The offset behind the last batch; `None` if there is none.
    pub end: Option<Offset>,
}

impl ReadResult {
    fn push(&mut self, chunk: Chunk, end: Offset) {
        self.size.0 += chunk.size().0;
        self.chunks.push(chunk);
        self.end = Some(end);
    }
}

impl Log {
    /// Returns whether what a read begins with is in memory; nothing is, too.
    pub fn is_in_memory(&self, from: Offset) -> bool {
        let state = self.core.state.borrow();
        let has_tail = state.tail.start().is_some_and(|start| start <= from);
        has_tail || from >= state.written
    }

    /// Reads batches from the one that holds `from` on.
    ///
    /// Whole batches are returned; the last one may reach beyond `until` only if `until` lies inside
    /// a batch that begins below it, which no high watermark does.
    ///
    /// *Errors*: [`ReadError::OutOfRange`] below the start or behind the end; nothing at `until` or
    /// between it and the end is no error. [`ReadError::Corrupt`] for damage at `from`.
    /// *Cost*: no copy for what is in the tail, or was written or read before by this run.
    pub async fn read(&self, from: Offset, limits: ReadLimits) -> Result<ReadResult, ReadError> {
        let mut result = ReadResult::default();
        // A log out of service may not know where it ends: nothing is out of range then.
        self.core.check_online()?;
        self.check_range(from)?;
        let mut next = from;
        loop {
            self.core.check_online()?;
            if next >= limits.until {
                return Ok(result);
            }
            if self.is_in_memory(next) {
                self.read_tail(next, limits, &mut result);
                return Ok(result);
            }
            let left = limits.size_max.0.saturating_sub(result.size.0);
            if left == 0 && !result.chunks.is_empty() {
                return Ok(result);
            }
            let range = RangeLimits {
                size_max: left,
                until: limits.until,
                first_batch: result.chunks.is_empty().then_some(limits.first_batch),
            };
            load(&self.shared, &self.core).await?;
            match read_range(&self.shared, &self.core, next, range).await {
                Ok(Some((chunk, end))) => {
                    assert!(end > next);
                    result.push(chunk, end);
                    next = end;
                }
                Ok(None) => return Ok(result),
                // What was read is whole; the next read meets the error first.
                Err(_) if !result.chunks.is_empty() => return Ok(result),
                Err(error) => {
                    // The segment may have been deleted, or cut, meanwhile.
                    self.check_range(from)?;
                    return Err(error);
                }
            }
        }
    }

    fn check_range(&self, from: Offset) -> Result<(), ReadError> {
        let state = self.core.state.borrow();
        if from >= state.start && from <= state.end {
            return Ok(());
        }
        Err(ReadError::OutOfRange {
            offset: from,
            start: state.start,
            end: state.end,
        })
    }

    /// Shares batches of the tail, from the one that holds `from` on.
    fn read_tail(&self, from: Offset, limits: ReadLimits, result: &mut ReadResult) {
        let state = self.core.state.borrow();
        for batch in state.tail.from(from) {
            let size = result.size.0 + batch.size();
            let is_first = result.chunks.is_empty() && limits.first_batch == FirstBatch::Whole;
            let fits = size <= limits.size_max.0 || is_first;
            if batch.first >= limits.until || !fits {
                return;
            }
            result.push(Chunk::Memory(batch.bytes.clone()), batch.next);
        }
    }
}

//! Where a log stands: the marks that move, and what an append took.

use types::{LeaderEpoch, Offset, TimestampMs};

use crate::error::Offline;

/// The marks of one log.
///
/// Invariants:
/// 1. `synced <= written <= durable <= end`, each at the start of a batch or the end.
/// 2. `start <= durable`, and `durable <= acknowledged <= end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Positions {
    /// The first offset that can be read; it may lie inside a batch.
    pub start: Offset,
    /// Everything below is in the segment files and synced there.
    pub synced: Offset,
    /// Everything below is in the segment files; above it, in the tail.
    pub written: Offset,
    /// Everything below survives a power failure.
    pub durable: Offset,
    /// Everything below may be acknowledged, by the log's durability.
    pub acknowledged: Offset,
    /// The offset of the next record.
    pub end: Offset,
}

/// What watchers of a log wait on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Everything below survives a power failure: the high watermark of a single replica.
    pub durable: Offset,
    /// Everything below may be acknowledged, by the log's durability.
    pub acknowledged: Offset,
    /// Set once and for ever when the log takes part in nothing any more.
    pub offline: Option<Offline>,
}

/// What the caller says of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppendContext {
    /// The wall clock, for log append time, roll by age and producer expiry.
    pub now: TimestampMs,
    /// The epoch of the leader that appends; see [`crate::Log::start_epoch`].
    pub leader_epoch: LeaderEpoch,
}

/// Where a batch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The offset of its first record.
    pub first: Offset,
    /// The offset behind its last record.
    pub end: Offset,
    /// The time that was stamped, on logs of log append time.
    pub log_append_time: Option<TimestampMs>,
    /// Whether it was there already (an idempotent producer sent it again).
    pub repeated: Repeated,
}

/// Whether an append found its batch in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    /// It was appended now.
    No,
    /// An earlier attempt had appended it.
    Yes,
}

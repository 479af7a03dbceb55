//! Everything that may cross cores: one question, one answer.
//!
//! Data does not cross, references do: records as shared slices of a frame, what is fetched as chunks.
//! Requests of one shard to one other arrive in their order, so an append's place in a log is fixed
//! by the order in which it was sent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use controller::Record;
use coordinator::GroupError;
use server::Arrival;
use storage::{Layout, LogId, Replayed};
use types::{ByteCount, Incarnation, Offset, PartitionIndex, ShardId, TimestampMs, TopicPartition};

use crate::drivers::controller::ControlError;
use crate::metrics::{Committed, ShardReport};
use crate::partition::{AppendRefused, Finding, Inquiry, Place, Placed, Portion, Trouble};
use crate::quotas::Charge;
use crate::shard::Opening;

/// What one shard may ask of another.
#[derive(Debug)]
pub enum Ask {
    /// Own this connection, which is new or was another shard's. Answered when it is over; the ticket goes
    /// back to the first shard.
    Adopt(Box<Arrival>),
    /// Append these batches, in this order.
    Append {
        /// The batches.
        parts: Vec<AppendPart>,
        /// When to answer.
        answer: AppendAnswer,
    },
    /// Read what is there now.
    Read {
        /// The partitions, in the order in which they are served.
        parts: Vec<ReadPart>,
        /// Once this much was found, the others give nothing.
        size_max: ByteCount,
    },
    /// Answer when one of these partitions has more than the offset beside it, or at the end of the
    /// wait.
    AwaitData {
        /// The wait's number, chosen by the asking shard.
        wait: u64,
        /// Partitions, and the end of what the asker has of each.
        parts: Vec<(TopicPartition, Offset)>,
    },
    /// The asker needs the answer to this wait no more.
    EndWait(u64),
    /// Look something up in each of these partitions, or cut it.
    Inquire(Vec<(TopicPartition, Inquiry)>),
    /// Coordinate: a request to the groups of one partition of `__consumer_offsets`.
    Coordinate {
        /// The partition.
        partition: PartitionIndex,
        /// The request.
        request: Box<coordinator::Request>,
    },
    /// List the groups whose coordinators you have.
    ListGroups(coordinator::List),
    /// Count what the holder of a quota has used.
    Charge(Charge),
    /// Decide on metadata; the first shard does.
    Control(controller::Request),
    /// These records are durable: apply them.
    Apply(Arc<[Record]>),
    /// Tell clients that these partitions are out of service.
    OutOfService(Arc<[TopicPartition]>),
    /// Start: replay these journals.
    Replay {
        /// The data directory that they are in.
        layout: Layout,
        /// Whose journals.
        journals: Vec<ShardId>,
        /// Every log that the metadata knows.
        known: Arc<BTreeMap<Incarnation, LogId>>,
    },
    /// Start: open your logs and serve.
    Open(Opening),
    /// Serve what you opened: all shards have.
    Serve,
    /// Tell what you counted.
    Report,
    /// Tell what the groups whose coordinators you have committed.
    Committed,
    /// Tell when the first record at or behind each of these places was stamped.
    Timestamps(Vec<Place>),
    /// End your connections, write everything out, close.
    Stop,
}

/// What is answered; each kind of question has one kind of answer.
#[derive(Debug)]
pub enum Answer {
    /// It is done, or the wait is over.
    Done,
    /// To [`Ask::Append`], in order.
    Appended(Vec<Result<Placed, AppendRefused>>),
    /// To [`Ask::Read`], in order.
    Read(Vec<Result<Portion, Trouble>>),
    /// To [`Ask::Inquire`], in order.
    Found(Vec<Result<Finding, Trouble>>),
    /// To [`Ask::Coordinate`].
    Coordinated(Result<coordinator::Response, GroupError>),
    /// To [`Ask::ListGroups`].
    Groups(Result<Vec<coordinator::Listed>, GroupError>),
    /// To [`Ask::Charge`]: how long the holder must wait.
    Charged(Duration),
    /// To [`Ask::Control`].
    Controlled(Result<controller::Reply, ControlError>),
    /// To [`Ask::Replay`].
    Replayed(Result<Replayed, storage::Error>),
    /// To [`Ask::Open`].
    Opened(Result<(), storage::Error>),
    /// To [`Ask::Stop`]: how each store closed, in the order of the data directories.
    Stopped(Vec<Result<(), storage::Error>>),
    /// To [`Ask::Report`].
    Report(Box<ShardReport>),
    /// To [`Ask::Committed`].
    Committed(Vec<Committed>),
    /// To [`Ask::Timestamps`]: for the places where it is known.
    Timestamps(Vec<(Place, TimestampMs)>),
}

/// When an append is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendAnswer {
    /// When its place is fixed.
    Placed,
    /// When it may be acknowledged, by the durability of its topic.
    Acknowledged,
}

/// One batch for one partition.
#[derive(Debug)]
pub struct AppendPart {
    /// The partition.
    pub partition: TopicPartition,
    /// What the client sent for it, unchecked, sharing the memory of its frame.
    pub records: Bytes,
}

/// One partition to read from.
#[derive(Clone, Copy, Debug)]
pub struct ReadPart {
    /// The partition.
    pub partition: TopicPartition,
    /// The first offset wanted.
    pub from: Offset,
    /// How much of it, except that one batch is always whole (KIP-74).
    pub size_max: ByteCount,
}

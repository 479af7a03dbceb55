//! The nouns of riverrun: identifiers, offsets, times, sizes, limits and error codes.
//!
//! No dependency, no `unsafe`, no clock, no I/O. Everything else stands on these types, so that two
//! numbers of different meaning can never be exchanged by mistake.
//!
//! | module | nouns |
//! |---|---|
//! | [`ids`] | who and what: nodes, shards, topics, partitions, producers |
//! | [`latencies`] | how long things took, in powers of two |
//! | [`offset`] | places in a log, leader epochs |
//! | [`time`] | monotonic time for timers, wall-clock timestamps for records |
//! | [`size`] | byte counts and block rounding |
//! | [`limits`] | every bound of the system, related to each other by assertions |
//! | [`error_code`] | the error codes of the Kafka protocol |
//! | [`name`] | names from outside, parsed once and valid ever after |
//! | [`mod@mutants`] | rules that tests break on purpose |

pub mod error_code;
pub mod ids;
pub mod latencies;
pub mod limits;
pub mod mutants;
pub mod name;
pub mod offset;
pub mod size;
pub mod time;

pub use error_code::ErrorCode;
pub use ids::{
    Incarnation, NodeId, PartitionIndex, ProducerEpoch, ProducerId, Sequence, ShardId, TopicId,
    TopicPartition,
};
pub use latencies::{LATENCY_BUCKETS, Latencies};
pub use name::{ClientId, InvalidTopicName, TopicName};
pub use offset::{LeaderEpoch, Offset, OffsetRange};
pub use size::{BLOCK_SIZE, ByteCount};
pub use time::{Monotonic, TimestampMs};

//! Every fixed bound of the system, related to its neighbours by assertions.
//!
//! A bound that a user may set lives in the configuration; its default or its ceiling lives here.

use crate::size::{BLOCK_SIZE, ByteCount};

/// The largest request frame that is read, Kafka's `socket.request.max.bytes`.
pub const FRAME_SIZE_MAX: ByteCount = ByteCount::mib(100);

/// The largest batch a topic takes unless told otherwise, Kafka's `message.max.bytes`.
pub const BATCH_SIZE_MAX_DEFAULT: ByteCount = ByteCount(1_048_588);

/// The largest value `max.message.bytes` may be set to: one batch fits a journal file of the
/// smallest ring and a frame.
pub const BATCH_SIZE_MAX: ByteCount = ByteCount::mib(3);

/// The longest topic name, as in Kafka (a directory name with its suffix must fit 255 bytes).
pub const TOPIC_NAME_LENGTH_MAX: usize = 249;

/// How many partitions one topic may have.
pub const TOPIC_PARTITIONS_MAX: i32 = 100_000;

/// How many batches of one producer a partition remembers.
///
/// *Source*: Kafka's `ProducerStateEntry.NUM_BATCHES_TO_RETAIN`; clients keep at most five requests
/// in flight when idempotence is on.
pub const PRODUCER_BATCHES_MAX: usize = 5;

/// How many shards one node may have.
pub const SHARDS_MAX: u16 = 256;

/// Requests of one connection that are being served at a time; the next is not read until one is
/// answered.
pub const CONNECTION_REQUESTS_MAX: usize = 64;

const _: () = assert!(BATCH_SIZE_MAX_DEFAULT.0 <= BATCH_SIZE_MAX.0);
const _: () = assert!(BATCH_SIZE_MAX.0 < FRAME_SIZE_MAX.0);
const _: () = assert!(BATCH_SIZE_MAX.0.is_multiple_of(BLOCK_SIZE));

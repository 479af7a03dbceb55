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

/// A batch that decompresses to more is looked through on a helper thread: its shard would stand still
/// meanwhile.
pub const DECOMPRESSED_IN_PLACE_MAX: ByteCount = ByteCount::mib(4);

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

/// How many data directories one node may have.
pub const DATA_DIRS_MAX: usize = 16;

/// Requests of one connection that are being served at a time; the next is not read until one is
/// answered.
pub const CONNECTION_REQUESTS_MAX: usize = 64;

/// How many topics a cluster may have.
pub const CLUSTER_TOPICS_MAX: usize = 100_000;

/// How many partitions a cluster may have, over all topics.
pub const CLUSTER_PARTITIONS_MAX: usize = 200_000;

/// How many partitions one request may create, so that its metadata record stays small.
///
/// *Source*: Kafka's `ReplicationControlManager.MAX_PARTITIONS_PER_BATCH`.
pub const REQUEST_PARTITIONS_MAX: usize = 10_000;

/// How many brokers may register, and so how many replicas a partition may have.
pub const BROKERS_MAX: usize = 64;

/// How many addresses one broker may register.
pub const BROKER_ENDPOINTS_MAX: usize = 16;

/// The longest value of a topic or broker configuration, in bytes.
pub const CONFIG_VALUE_LENGTH_MAX: usize = 1_024;

/// How many users, client ids, their pairs and addresses may have quotas.
pub const CLUSTER_QUOTA_ENTITIES_MAX: usize = 10_000;

/// The longest name of a user or client id with a quota, in bytes.
pub const QUOTA_NAME_LENGTH_MAX: usize = 1_024;

/// Of how many holders of quotas a shard remembers what they have used, times the kinds of quotas.
pub const QUOTA_BUCKETS_MAX: usize = 10_000;

/// The largest record of the metadata log, envelope included.
pub const METADATA_RECORD_SIZE_MAX: ByteCount = ByteCount::mib(4);

/// How many producer ids a broker takes at a time.
///
/// *Source*: Kafka's `ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE`.
pub const PRODUCER_ID_BLOCK_LENGTH: u32 = 1_000;

const _: () = assert!(REQUEST_PARTITIONS_MAX <= CLUSTER_PARTITIONS_MAX);
const _: () = assert!(CLUSTER_TOPICS_MAX <= CLUSTER_PARTITIONS_MAX);
// A list of replicas takes 8 bytes and 4 for each; a fifth of the record is left for the rest.
const _: () = assert!(
    (REQUEST_PARTITIONS_MAX * (8 + 4 * BROKERS_MAX)) as u64 * 5 / 4 <= METADATA_RECORD_SIZE_MAX.0
);
/// The most memory that the arrays of one decoded request may take. A hostile request asks for up
/// to thirty times its own size; record bytes are never decoded and do not count.
pub const REQUEST_DECODED_SIZE_MAX: ByteCount = ByteCount::mib(16);

/// The same for a response that our client decodes: a cluster's metadata may be large.
pub const RESPONSE_DECODED_SIZE_MAX: ByteCount = ByteCount::mib(1024);

const _: () = assert!(BATCH_SIZE_MAX_DEFAULT.0 <= BATCH_SIZE_MAX.0);
const _: () = assert!(BATCH_SIZE_MAX.0 < FRAME_SIZE_MAX.0);
// What does not compress is looked through in place.
const _: () = assert!(BATCH_SIZE_MAX.0 <= DECOMPRESSED_IN_PLACE_MAX.0);
const _: () = assert!(REQUEST_DECODED_SIZE_MAX.0 <= FRAME_SIZE_MAX.0);
const _: () = assert!(BATCH_SIZE_MAX.0.is_multiple_of(BLOCK_SIZE));

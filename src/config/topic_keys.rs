//! The keys that are defaults of topics: each has a topic config that overrides it, and may be
//! changed while the node runs.
//!
//! *Source*: names, types, ranges and defaults as a Kafka 4.3 broker describes them, where the key is
//! Kafka's; `durability` is riverrun's own.

use types::limits::BATCH_SIZE_MAX;

use super::key::Key;
use super::kind::{Kind, Unit};

/// A topic config, and the node's key that is its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TopicKey {
    /// The topic config's name.
    pub(crate) name: &'static str,
    /// The node's key; kind, unit, default and text are the topic config's too.
    pub(crate) key: Key,
}

/// Finds a topic config by its own name.
pub(crate) fn find(name: &str) -> Option<&'static TopicKey> {
    TOPIC_KEYS.iter().find(|row| row.name == name)
}

/// Finds a topic config by the name of the node's key.
pub(crate) fn find_by_key(name: &str) -> Option<&'static TopicKey> {
    TOPIC_KEYS.iter().find(|row| row.key.name == name)
}

const INT_MAX: i64 = i32::MAX as i64;
/// As in Kafka.
const SEGMENT_BYTES_MIN: i64 = 1 << 20;
const BATCH_BYTES_MAX: i64 = BATCH_SIZE_MAX.0.cast_signed();
const COMPRESSIONS: &[&str] = &["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"];
const TIMESTAMP_TYPES: &[&str] = &["CreateTime", "LogAppendTime"];
const DURABILITIES: &[&str] = &["group", "os"];
const CLEANUP_POLICIES: Kind = Kind::List(&["compact", "delete"]);

/// The rows, in the order in which people read them.
pub(crate) const TOPIC_KEYS: &[TopicKey] = &[
    TopicKey {
        name: "retention.ms",
        key: Key {
            name: "log.retention.ms",
            kind: Kind::Integer {
                min: -1,
                max: i64::MAX,
            },
            unit: Unit::Milliseconds,
            default: Some("604800000"),
            doc: "Segments whose newest record is older than this are deleted; -1 keeps them \
                  whatever their age.",
        },
    },
    TopicKey {
        name: "retention.bytes",
        key: Key {
            name: "log.retention.bytes",
            kind: Kind::Integer {
                min: -1,
                max: i64::MAX,
            },
            unit: Unit::Bytes,
            default: Some("-1"),
            doc: "The oldest segments of a partition are deleted while the others hold at least \
                  this much; -1 sets no bound.",
        },
    },
    TopicKey {
        name: "segment.bytes",
        key: Key {
            name: "log.segment.bytes",
            kind: Kind::Integer {
                min: SEGMENT_BYTES_MIN,
                max: INT_MAX,
            },
            unit: Unit::Bytes,
            default: Some("1073741824"),
            doc: "A segment is closed before it grows beyond this. Retention deletes whole \
                  segments.",
        },
    },
    TopicKey {
        name: "segment.ms",
        key: Key {
            name: "log.roll.ms",
            kind: Kind::Integer {
                min: 1,
                max: i64::MAX,
            },
            unit: Unit::Milliseconds,
            default: Some("604800000"),
            doc: "A segment is closed when its first batch is older than this, so that retention \
                  can reach it.",
        },
    },
    TopicKey {
        name: "index.interval.bytes",
        key: Key {
            name: "log.index.interval.bytes",
            kind: Kind::Integer {
                min: 0,
                max: INT_MAX,
            },
            unit: Unit::Bytes,
            default: Some("4096"),
            doc: "One index entry is kept for so many bytes of log: less finds an offset faster, \
                  more keeps the index smaller.",
        },
    },
    TopicKey {
        name: "max.message.bytes",
        key: Key {
            name: "message.max.bytes",
            kind: Kind::Integer {
                min: 0,
                max: BATCH_BYTES_MAX,
            },
            unit: Unit::Bytes,
            default: Some("1048588"),
            doc: "The largest record batch that is accepted, as it was sent.",
        },
    },
    TopicKey {
        name: "compression.type",
        key: Key {
            name: "compression.type",
            kind: Kind::Choice(COMPRESSIONS),
            unit: Unit::None,
            default: Some("producer"),
            doc: "How batches are stored: as the producer sent them, or recompressed by the \
                  broker.",
        },
    },
    TopicKey {
        name: "message.timestamp.type",
        key: Key {
            name: "log.message.timestamp.type",
            kind: Kind::Choice(TIMESTAMP_TYPES),
            unit: Unit::None,
            default: Some("CreateTime"),
            doc: "Whose clock timestamps are: the producer's, or the broker's when it appends.",
        },
    },
    TopicKey {
        name: "message.timestamp.before.max.ms",
        key: Key {
            name: "log.message.timestamp.before.max.ms",
            kind: Kind::Integer {
                min: 0,
                max: i64::MAX,
            },
            unit: Unit::Milliseconds,
            default: Some("9223372036854775807"),
            doc: "A record whose timestamp lies further in the past than this is refused; only \
                  with CreateTime.",
        },
    },
    TopicKey {
        name: "message.timestamp.after.max.ms",
        key: Key {
            name: "log.message.timestamp.after.max.ms",
            kind: Kind::Integer {
                min: 0,
                max: i64::MAX,
            },
            unit: Unit::Milliseconds,
            default: Some("3600000"),
            doc: "A record whose timestamp lies further in the future than this is refused; only \
                  with CreateTime.",
        },
    },
    TopicKey {
        name: "min.insync.replicas",
        key: Key {
            name: "min.insync.replicas",
            kind: Kind::Integer {
                min: 1,
                max: INT_MAX,
            },
            unit: Unit::None,
            default: Some("1"),
            doc: "With acks=all, a write is refused while fewer replicas than this are in sync; \
                  where there are not so many, all of them must be.",
        },
    },
    TopicKey {
        name: "cleanup.policy",
        key: Key {
            name: "log.cleanup.policy",
            kind: CLEANUP_POLICIES,
            unit: Unit::None,
            default: Some("delete"),
            doc: "What becomes of old segments. delete: they go as retention says. compact: every \
                  record must have a key, and the last one of each key is kept; older ones may go, \
                  but this version keeps them all. Without delete nothing goes by age or size.",
        },
    },
    TopicKey {
        name: "durability",
        key: Key {
            name: "durability",
            kind: Kind::Choice(DURABILITIES),
            unit: Unit::None,
            default: Some("group"),
            doc: "What an acknowledged write promises. group: it is synced to disk, all \
                  partitions of a core sharing one sync. os: it is written, and synced within 50 \
                  ms or 1 MiB.",
        },
    },
];

#[cfg(test)]
mod tests {
    use types::limits::BATCH_SIZE_MAX_DEFAULT;

    use super::*;

    #[test]
    fn every_default_is_one_of_its_own_kind() {
        for row in TOPIC_KEYS {
            assert!(row.key.default_value().is_some(), "{}", row.name);
        }
    }

    #[test]
    fn the_largest_batch_is_the_one_the_bounds_name() {
        let default = find("max.message.bytes").and_then(|row| row.key.default);
        assert_eq!(default, Some(BATCH_SIZE_MAX_DEFAULT.0.to_string().as_str()));
    }
}

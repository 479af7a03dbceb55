//! What is in force for one topic: its own configs over the broker's over the defaults.

use std::time::Duration;

use controller::Image;
use controller::image::Topic;
use record::{Compression, Keys, TimestampType};
use storage::Durability;
use types::ByteCount;

use crate::internal_topics::is_internal;

use super::kind::Value;
use super::layers::layers;
use super::node::NodeConfig;
use super::topic_keys;

/// The configuration in force for one topic.
///
/// Of an internal topic neither retention nor durability can be configured: its log is a state of the
/// broker's, which itself deletes what a snapshot holds, and nothing else may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicConfig {
    retention_age: Option<Duration>,
    retention_size: Option<ByteCount>,
    segment_size_max: ByteCount,
    segment_age_max: Duration,
    index_interval: ByteCount,
    batch_size_max: ByteCount,
    compression: Option<Compression>,
    timestamp_type: TimestampType,
    timestamp_before_max_ms: u64,
    timestamp_after_max_ms: u64,
    min_insync_replicas: usize,
    keys: Keys,
    durability: Durability,
}

impl TopicConfig {
    /// Works out what is in force for `topic`.
    ///
    /// *Cost*: reads every config's text; keep the result until the image changes it.
    pub fn effective(node: &NodeConfig, image: &Image, topic: &Topic) -> Self {
        let sources = Sources { node, image, topic };
        let is_internal = is_internal(topic.name.as_str());
        let policies = sources.list("cleanup.policy");
        let deletes = policies.contains(&"delete") && !is_internal;
        let retained = |name| sources.unsigned(name).filter(|_| deletes);
        Self {
            retention_age: retained("retention.ms").map(Duration::from_millis),
            retention_size: retained("retention.bytes").map(ByteCount),
            segment_size_max: sources.bytes("segment.bytes"),
            segment_age_max: Duration::from_millis(sources.milliseconds("segment.ms")),
            index_interval: sources.bytes("index.interval.bytes"),
            batch_size_max: sources.bytes("max.message.bytes"),
            compression: match sources.word("compression.type") {
                "uncompressed" => Some(Compression::None),
                "gzip" => Some(Compression::Gzip),
                "snappy" => Some(Compression::Snappy),
                "lz4" => Some(Compression::Lz4),
                "zstd" => Some(Compression::Zstd),
                _ => None,
            },
            timestamp_type: match sources.word("message.timestamp.type") {
                "LogAppendTime" => TimestampType::LogAppendTime,
                _ => TimestampType::CreateTime,
            },
            timestamp_before_max_ms: sources.milliseconds("message.timestamp.before.max.ms"),
            timestamp_after_max_ms: sources.milliseconds("message.timestamp.after.max.ms"),
            min_insync_replicas: sources.count("min.insync.replicas"),
            keys: if policies.contains(&"compact") {
                Keys::Required
            } else {
                Keys::Optional
            },
            durability: match sources.word("durability") {
                "os" if !is_internal => Durability::Os,
                _ => Durability::Group,
            },
        }
    }

    /// Returns how old a segment's newest record may become; `None`: as old as it likes.
    pub fn retention_age(&self) -> Option<Duration> {
        self.retention_age
    }

    /// Returns how much a partition keeps; `None`: all of it.
    pub fn retention_size(&self) -> Option<ByteCount> {
        self.retention_size
    }

    /// Returns the size beyond which no segment grows.
    pub fn segment_size_max(&self) -> ByteCount {
        self.segment_size_max
    }

    /// Returns how old a segment's first batch may become before the segment is closed.
    pub fn segment_age_max(&self) -> Duration {
        self.segment_age_max
    }

    /// Returns how many bytes of log one index entry stands for.
    pub fn index_interval(&self) -> ByteCount {
        self.index_interval
    }

    /// Returns the size of the largest batch that is accepted.
    pub fn batch_size_max(&self) -> ByteCount {
        self.batch_size_max
    }

    /// Returns how batches are to be compressed; `None`: as the producer sent them.
    pub fn compression(&self) -> Option<Compression> {
        self.compression
    }

    /// Returns whose clock timestamps are.
    pub fn timestamp_type(&self) -> TimestampType {
        self.timestamp_type
    }

    /// Returns how far in the past a timestamp may lie, in milliseconds.
    pub fn timestamp_before_max_ms(&self) -> u64 {
        self.timestamp_before_max_ms
    }

    /// Returns how far in the future a timestamp may lie, in milliseconds.
    pub fn timestamp_after_max_ms(&self) -> u64 {
        self.timestamp_after_max_ms
    }

    /// Returns how many replicas must be in sync for a write with acks=all.
    pub fn min_insync_replicas(&self) -> usize {
        self.min_insync_replicas
    }

    /// Returns whether every record must have a key.
    pub fn keys(&self) -> Keys {
        self.keys
    }

    /// Returns what an acknowledgement promises.
    pub fn durability(&self) -> Durability {
        self.durability
    }
}

/// Where the values of one topic come from.
struct Sources<'a> {
    node: &'a NodeConfig,
    image: &'a Image,
    topic: &'a Topic,
}

impl Sources<'_> {
    fn value(&self, name: &str) -> Value {
        let row = topic_keys::find(name).expect("the name stands in the table");
        let layers = layers(row, Some(&self.topic.configs), self.node, self.image);
        let text = layers.first().expect("the last layer is the default").value;
        row.key
            .parse(text)
            .expect("layers hold values that were checked")
    }

    /// Returns a number; `None` if it is negative, which means "no bound".
    fn unsigned(&self, name: &str) -> Option<u64> {
        match self.value(name) {
            Value::Integer(number) => u64::try_from(number).ok(),
            _ => None,
        }
    }

    fn milliseconds(&self, name: &str) -> u64 {
        self.unsigned(name)
            .expect("the key is a number that is not negative")
    }

    fn bytes(&self, name: &str) -> ByteCount {
        ByteCount(self.milliseconds(name))
    }

    fn count(&self, name: &str) -> usize {
        let count = usize::try_from(self.milliseconds(name));
        count.expect("the key is a 32-bit number")
    }

    fn word(&self, name: &str) -> &'static str {
        match self.value(name) {
            Value::Choice(word) => word,
            _ => "",
        }
    }

    fn list(&self, name: &str) -> Vec<&'static str> {
        match self.value(name) {
            Value::List(words) => words,
            _ => Vec::new(),
        }
    }
}

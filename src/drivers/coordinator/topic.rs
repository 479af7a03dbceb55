//! The topic `__consumer_offsets`: its rules, and which of its partitions a group belongs to.

use controller::request::{Mode, NewTopic};
use controller::{DecideError, Image, Reply, Request};
use coordinator::GroupId;
use types::TopicPartition;

use crate::config::NodeConfig;
use crate::drivers::controller::{ControlError, control, fresh_topic_id};
use crate::shard::Shard;

/// The name, as in Kafka.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// Topics that brokers write and clients do not.
const INTERNAL_TOPICS: &[&str] = &[OFFSETS_TOPIC, "__transaction_state"];

/// Its records count as long as nothing replaces them, so that nothing is deleted by age or size: a
/// coordinator deletes what its snapshot holds. Small segments, since only whole ones go. Coordinators
/// wait for the sync whatever the durability says.
const CONFIGS: &[(&str, &str)] = &[
    ("cleanup.policy", "delete"),
    ("retention.ms", "-1"),
    ("retention.bytes", "-1"),
    ("segment.bytes", "4194304"),
    ("max.message.bytes", "3145728"),
    ("compression.type", "producer"),
    ("durability", "group"),
];

/// Returns whether only the broker itself may write to a topic of this name.
pub fn is_internal(name: &str) -> bool {
    INTERNAL_TOPICS.contains(&name)
}

/// Why the topic is not there.
#[derive(Debug, thiserror::Error)]
pub enum NoTopic {
    /// The controller cannot be asked, or its log failed.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// It may not be created.
    #[error("{OFFSETS_TOPIC} cannot be created")]
    Refused(#[from] DecideError),
}

/// Creates the topic unless it is there; every shard knows it when this returns.
pub async fn ensure_topic(shard: &Shard) -> Result<(), NoTopic> {
    if shard.image().topic_named(OFFSETS_TOPIC).is_some() {
        return Ok(());
    }
    let request = Request::CreateTopics {
        topics: vec![new_topic(&shard.config)],
        mode: Mode::Commit,
    };
    let reply = control(&shard.mesh, request).await?;
    // Somebody else may have been first.
    if shard.image().topic_named(OFFSETS_TOPIC).is_some() {
        return Ok(());
    }
    match reply {
        Reply::CreateTopics(results) => {
            for result in results {
                result?;
            }
            Ok(())
        }
        _ => Err(ControlError::Stopping.into()),
    }
}

/// Returns the topic as it is to be created.
fn new_topic(config: &NodeConfig) -> NewTopic {
    let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    NewTopic {
        id: fresh_topic_id(),
        name: OFFSETS_TOPIC
            .parse()
            .expect("the name is one a topic can have"),
        partition_count: i32::try_from(config.offsets_partitions).unwrap_or(i32::MAX),
        replication_factor: -1,
        assignments: Vec::new(),
        configs: CONFIGS.iter().map(owned).collect(),
    }
}

/// Returns the partition that is the log of a group's coordinator; `None` before the topic is there.
pub(super) fn partition_of(image: &Image, group: &GroupId) -> Option<TopicPartition> {
    let topic = image.topic_named(OFFSETS_TOPIC)?;
    let count = i32::try_from(topic.partitions.len()).ok()?;
    let partition = group.partition(count);
    Some(TopicPartition {
        topic: topic.id,
        partition,
    })
}

//! The topic `__consumer_offsets`: its rules, and which of its partitions a group belongs to.

use controller::request::{Mode, NewTopic};
use controller::{DecideError, Image, Reply, Request};
use coordinator::GroupId;
use types::TopicPartition;

use crate::config::NodeConfig;
use crate::drivers::controller::{ControlError, control, fresh_topic_id};
use crate::internal_topics::OFFSETS_TOPIC;
use crate::shard::Shard;

/// What the topic is created with. Clients may alter it: neither retention nor durability follows
/// ([`crate::config::TopicConfig`]). Small segments, since only whole ones go.
const CONFIGS: &[(&str, &str)] = &[
    ("cleanup.policy", "compact"),
    ("segment.bytes", "4194304"),
    ("max.message.bytes", "3145728"),
    ("compression.type", "producer"),
    ("durability", "group"),
];

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

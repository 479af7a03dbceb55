//! Words about topics.

use client::metadata;
use types::TopicId;

/// Says how large a topic is.
pub(super) fn extent(partitions: impl Into<i64>, replication: impl Into<i64>) -> String {
    let (partitions, replication) = (partitions.into(), replication.into());
    let plural = |count: i64| if count == 1 { "" } else { "s" };
    format!(
        "{partitions} partition{}, {replication} replica{} each",
        plural(partitions),
        plural(replication)
    )
}

/// Writes an id, unless it is that of a broker that knows none.
pub(super) fn known_id(id: TopicId) -> Option<String> {
    (!id.is_zero()).then(|| id.to_string())
}

/// Counts a topic's partitions and the replicas of its first.
pub(super) fn size(topic: &metadata::Topic) -> (i64, i64) {
    let replicas = topic
        .partitions
        .first()
        .map_or(0, |first| first.replicas.len());
    let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    (count(topic.partitions.len()), count(replicas))
}

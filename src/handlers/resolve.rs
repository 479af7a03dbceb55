//! From a topic as a request names it to the topic that the image knows.

use controller::Image;
use controller::image::Topic;
use types::ErrorCode;
use wire::messages::topic::TopicRef;

/// Finds a topic, or says which code its absence has.
///
/// *Errors*: 3 for an unknown name, 100 for an unknown id (KIP-516).
pub(super) fn resolve<'a>(image: &'a Image, topic: TopicRef<'_>) -> Result<&'a Topic, ErrorCode> {
    match topic {
        TopicRef::Name(name) => image
            .topic_named(name)
            .ok_or(ErrorCode::UnknownTopicOrPartition),
        TopicRef::Id(id) => image.topic(id).ok_or(ErrorCode::UnknownTopicId),
    }
}

/// Checks the leader epoch that a client names beside a partition.
///
/// *Errors*: 74 for an older one, 75 for a newer one; -1 is not checked (KIP-320).
pub(super) fn check_epoch(known: types::LeaderEpoch, claimed: i32) -> Result<(), ErrorCode> {
    match claimed {
        -1 => Ok(()),
        claimed if claimed < known.get() => Err(ErrorCode::FencedLeaderEpoch),
        claimed if claimed > known.get() => Err(ErrorCode::UnknownLeaderEpoch),
        _ => Ok(()),
    }
}

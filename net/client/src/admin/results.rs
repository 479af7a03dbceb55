//! One result for each thing asked for: by name, or by partition.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use wire::consumer_protocol::Assignment;

use crate::error::BrokerError;

/// One result for each name, in the order of the answer.
pub type Results<T> = Vec<(String, Result<T, BrokerError>)>;

/// A topic, by name, and the number of a partition of it.
pub type Place = (String, i32);

/// One result for each partition.
pub type PlaceResults<T> = BTreeMap<Place, Result<T, BrokerError>>;

/// Tells the partitions of each topic.
pub(crate) fn by_topic<'a>(
    places: impl IntoIterator<Item = &'a Place>,
) -> BTreeMap<&'a str, Vec<i32>> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in places {
        topics.entry(topic).or_default().push(*partition);
    }
    topics
}

/// Reads the partitions of a consumer's part in a group; none if it is not a consumer's, nor if the
/// leader gave it nothing.
pub(crate) fn places(part: &Bytes) -> Vec<Place> {
    let part = Assignment::decode(part).unwrap_or_default();
    let topics = part.assigned_partitions.into_iter();
    let places = topics.flat_map(|it| {
        let place = move |partition| (it.topic.clone(), partition);
        it.partitions.into_iter().map(place)
    });
    places.collect()
}

/// Turns a timeout into the wire's int32.
pub(crate) fn milliseconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}

/// Writes a request in every version that is served.
#[cfg(test)]
pub(super) fn in_all<M: wire::Message>(message: &M) {
    let served = M::KEY.api().served;
    in_versions(message, served.min..=served.max);
}

/// Writes a request in some versions.
#[cfg(test)]
pub(super) fn in_versions<M: wire::Message>(
    message: &M,
    mut versions: std::ops::RangeInclusive<i16>,
) {
    assert!(versions.all(|version| message.encode(version).is_ok()));
}

//! Where logs begin and end, and which of their offsets a time has, as their leaders tell.

use std::collections::BTreeMap;
use std::time::Duration;

use client::BrokerError;
use client::admin::{OffsetQuery, Place, PlaceResults};
use client::blocking::{Admin, Cluster};
use types::{ErrorCode, Offset, OffsetRange};

use super::connect::missing;
use super::failure::Failure;

/// How long leaders that move are looked for.
const LEADERS_WAIT_MAX: Duration = Duration::from_secs(30);

/// The pause before they are asked again.
const LEADERS_PAUSE: Duration = Duration::from_millis(100);

/// Why the offsets of a partition are not known.
#[derive(Debug, thiserror::Error)]
#[error("{topic} partition {partition}")]
struct Unknown {
    topic: String,
    partition: i32,
    #[source]
    refusal: BrokerError,
}

/// Tells where the logs of some partitions of one topic begin and end.
///
/// *Units*: offsets; the end is the high watermark.
///
/// *Errors*: that of a partition whose leader does not tell.
pub(super) fn log_ends(
    cluster: &mut Cluster,
    places: &[Place],
) -> Result<BTreeMap<i32, OffsetRange>, Failure> {
    let ends = all_log_ends(cluster, places)?;
    let range = |((topic, partition), range): (Place, Result<OffsetRange, BrokerError>)| {
        let range = range.map_err(|refusal| unknown((topic, partition), refusal))?;
        Ok((partition, range))
    };
    ends.into_iter().map(range).collect()
}

/// Tells where logs begin and end.
///
/// *Units*: as [`log_ends`].
pub(super) fn all_log_ends(
    cluster: &mut Cluster,
    places: &[Place],
) -> Result<PlaceResults<OffsetRange>, Failure> {
    // The ends first: what is deleted meanwhile moves the beginning, not the end.
    let ends = offsets(cluster, places, OffsetQuery::End)?;
    let told = ends.iter().filter(|(_, end)| end.is_ok());
    let told: Vec<Place> = told.map(|(place, _)| place.clone()).collect();
    let mut starts = offsets(cluster, &told, OffsetQuery::Beginning)?;
    let mut range = |place: &Place, end: Option<Offset>| {
        let start = starts.remove(place).transpose()?.flatten();
        let end = end.unwrap_or(Offset::ZERO);
        let start = start.unwrap_or(end);
        Ok(OffsetRange { start, end })
    };
    let ranges = ends.into_iter().map(|(place, end)| {
        let range = end.and_then(|end| range(&place, end));
        (place, range)
    });
    Ok(ranges.collect())
}

/// Asks the leaders, until all have answered, for an offset of each of their partitions.
pub(super) fn offsets(
    cluster: &mut Cluster,
    places: &[Place],
    query: OffsetQuery,
) -> Result<PlaceResults<Option<Offset>>, Failure> {
    let give_up = cluster.now().after(LEADERS_WAIT_MAX);
    loop {
        let found = Admin::new(cluster).offsets(places, query)?;
        let mut refusals = found.values().filter_map(|result| result.as_ref().err());
        if refusals.all(is_final) || cluster.now() >= give_up {
            return Ok(found);
        }
        // Nothing is under way: this only waits.
        let _nothing = cluster.receive(LEADERS_PAUSE);
    }
}

/// Returns the partitions of a topic, as far as the metadata is known.
pub(super) fn places_of(cluster: &Cluster, topic: &str) -> Vec<Place> {
    let known = cluster.metadata().topics.get(topic);
    let partitions = known.into_iter().flat_map(|topic| &topic.partitions);
    partitions
        .map(|partition| (topic.to_owned(), partition.index))
        .collect()
}

/// Returns whether a topic will not come back by itself.
pub(super) fn is_final(refusal: &BrokerError) -> bool {
    refusal.known() == Some(ErrorCode::UnknownTopicOrPartition) || !refusal.is_retriable()
}

/// Says why the offsets of a partition are not known.
pub(super) fn unknown((topic, partition): Place, refusal: BrokerError) -> Failure {
    if refusal.known() == Some(ErrorCode::UnknownTopicOrPartition) {
        let subject = topic.clone();
        return missing(&topic, client::Error::Refused { subject, refusal });
    }
    Unknown {
        topic,
        partition,
        refusal,
    }
    .into()
}

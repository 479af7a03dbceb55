//! Elections of leaders, and the offsets that leaders know.

use std::time::Duration;

use types::{Offset, TimestampMs};
use wire::messages::{elect_leaders, list_offsets};

use super::results::{Place, PlaceResults, by_topic, milliseconds};
use crate::error::BrokerError;

/// Who may win an election.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Election {
    /// The first replica of the list, if it is in sync.
    Preferred,
    /// Any replica, though records are lost, if there is no leader.
    Unclean,
}

/// Which offset is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetQuery {
    /// That of the first record there is.
    Beginning,
    /// That behind the last record there is.
    End,
    /// That of the first record with this time or a later one.
    Since(TimestampMs),
}

/// Asks for leaders to be chosen anew; without partitions for all there are.
pub fn elect_leaders(
    election: Election,
    places: Option<&[Place]>,
    timeout: Duration,
) -> elect_leaders::Request {
    let topic = |(topic, partitions): (&str, Vec<i32>)| elect_leaders::Topic {
        topic: topic.to_owned(),
        partitions,
    };
    elect_leaders::Request {
        election_type: match election {
            Election::Preferred => elect_leaders::ELECTION_PREFERRED,
            Election::Unclean => elect_leaders::ELECTION_UNCLEAN,
        },
        topic_partitions: places.map(|places| by_topic(places).into_iter().map(topic).collect()),
        timeout_ms: milliseconds(timeout),
    }
}

/// Reads what became of each partition.
///
/// *Errors*: why there was no election at all.
pub fn leaders_elected(response: elect_leaders::Response) -> Result<PlaceResults<()>, BrokerError> {
    BrokerError::check(response.error_code, None)?;
    let mut results = PlaceResults::new();
    for topic in response.replica_election_results {
        for partition in topic.partition_result {
            let place = (topic.topic.clone(), partition.partition_id);
            let checked = BrokerError::check(partition.error_code, partition.error_message);
            results.insert(place, checked);
        }
    }
    Ok(results)
}

/// Asks a leader for offsets of its partitions.
pub fn list_offsets(places: &[Place], query: OffsetQuery) -> list_offsets::Request {
    let timestamp = match query {
        OffsetQuery::Beginning => list_offsets::EARLIEST,
        OffsetQuery::End => list_offsets::LATEST,
        OffsetQuery::Since(time) => time.0.max(0),
    };
    let partition = |partition_index| list_offsets::Partition {
        partition_index,
        timestamp,
        ..Default::default()
    };
    let topic = |(topic, partitions): (&str, Vec<i32>)| list_offsets::Topic {
        name: topic.to_owned(),
        partitions: partitions.into_iter().map(partition).collect(),
    };
    list_offsets::Request {
        replica_id: -1,
        topics: by_topic(places).into_iter().map(topic).collect(),
        ..Default::default()
    }
}

/// Reads the offsets of partitions; `None` where no record is that young.
pub fn offsets(response: list_offsets::Response) -> PlaceResults<Option<Offset>> {
    let mut results = PlaceResults::new();
    for topic in response.topics {
        for partition in topic.partitions {
            let place = (topic.name.clone(), partition.partition_index);
            let checked = BrokerError::check(partition.error_code, None);
            results.insert(place, checked.map(|()| Offset::new(partition.offset)));
        }
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::results::{in_all, in_versions};

    #[test]
    fn requests_can_be_said_in_every_version_that_is_served() {
        let places = [
            ("t".to_owned(), 0),
            ("t".to_owned(), 1),
            ("u".to_owned(), 0),
        ];
        let second = Duration::from_secs(1);
        in_all(&elect_leaders(Election::Preferred, Some(&places), second));
        in_all(&elect_leaders(Election::Preferred, None, second));
        // Version 0 has no other than the preferred.
        in_versions(&elect_leaders(Election::Unclean, None, second), 1..=2);
        in_all(&list_offsets(&places, OffsetQuery::Since(TimestampMs(7))));
    }

    #[test]
    fn partitions_of_a_topic_are_asked_for_together() {
        let places = [
            ("t".to_owned(), 3),
            ("u".to_owned(), 0),
            ("t".to_owned(), 1),
        ];
        let request = list_offsets(&places, OffsetQuery::End);
        let asked: Vec<_> = request
            .topics
            .iter()
            .map(|topic| {
                let partitions = topic.partitions.iter().map(|it| it.partition_index);
                (topic.name.as_str(), partitions.collect::<Vec<_>>())
            })
            .collect();
        assert_eq!(asked, [("t", vec![3, 1]), ("u", vec![0])]);
    }
}

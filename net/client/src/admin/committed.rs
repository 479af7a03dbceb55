//! The offsets that groups have committed.

use std::collections::BTreeMap;

use types::{LeaderEpoch, Offset};
use wire::messages::{offset_commit, offset_delete, offset_fetch};

use super::results::{Place, PlaceResults, by_topic};
use crate::error::BrokerError;

/// The highest version of OffsetCommit and OffsetFetch that names topics; later ones need ids.
pub const NAMES_VERSION_MAX: i16 = 9;

/// What a group has committed for a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The offset of the next record that the group is to read.
    pub offset: Offset,
    /// The leader epoch of the last record that was read, if it is known.
    pub leader_epoch: Option<LeaderEpoch>,
    /// What the client wanted to find beside the offset.
    pub metadata: String,
}

impl Committed {
    /// Makes a bare offset.
    pub const fn at(offset: Offset) -> Self {
        Self {
            offset,
            leader_epoch: None,
            metadata: String::new(),
        }
    }

    /// Reads an offset; `None` if there is none.
    fn read(offset: i64, leader_epoch: i32, metadata: Option<String>) -> Option<Self> {
        Some(Self {
            offset: Offset::new(offset)?,
            leader_epoch: LeaderEpoch::new(leader_epoch),
            metadata: metadata.unwrap_or_default(),
        })
    }
}

/// Asks a coordinator for all offsets of a group; `version` is the one that the request will be
/// written in, at most [`NAMES_VERSION_MAX`], since versions up to 7 are about one group.
pub fn offsets_of_group(group: &str, version: i16) -> offset_fetch::Request {
    const SINGLE_VERSION_MAX: i16 = 7;
    if version <= SINGLE_VERSION_MAX {
        return offset_fetch::Request {
            group_id: group.to_owned(),
            ..Default::default()
        };
    }
    offset_fetch::Request {
        groups: vec![offset_fetch::Group {
            group_id: group.to_owned(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// Reads the offsets of the one group that was asked for.
///
/// *Errors*: why they are not told.
pub fn committed_offsets(
    response: offset_fetch::Response,
) -> Result<PlaceResults<Committed>, BrokerError> {
    BrokerError::check(response.error_code, None)?;
    let mut results = PlaceResults::new();
    let mut take = |place: Place, code, committed: Option<Committed>| {
        let result = match (BrokerError::check(code, None), committed) {
            (Err(refusal), _) => Err(refusal),
            (Ok(()), Some(committed)) => Ok(committed),
            (Ok(()), None) => return,
        };
        results.insert(place, result);
    };
    for topic in response.topics {
        for it in topic.partitions {
            let place = (topic.name.clone(), it.partition_index);
            let (offset, epoch) = (it.committed_offset, it.committed_leader_epoch);
            take(
                place,
                it.error_code,
                Committed::read(offset, epoch, it.metadata),
            );
        }
    }
    for group in response.groups {
        BrokerError::check(group.error_code, None)?;
        for topic in group.topics {
            for it in topic.partitions {
                let place = (topic.name.clone(), it.partition_index);
                let (offset, epoch) = (it.committed_offset, it.committed_leader_epoch);
                take(
                    place,
                    it.error_code,
                    Committed::read(offset, epoch, it.metadata),
                );
            }
        }
    }
    Ok(results)
}

/// Asks a coordinator to keep offsets for a group without members; in a version up to
/// [`NAMES_VERSION_MAX`].
pub fn commit_offsets(group: &str, offsets: &BTreeMap<Place, Committed>) -> offset_commit::Request {
    let mut topics: Vec<offset_commit::Topic> = Vec::new();
    for ((topic, partition_index), committed) in offsets {
        let partition = offset_commit::Partition {
            partition_index: *partition_index,
            committed_offset: committed.offset.get(),
            committed_leader_epoch: committed.leader_epoch.map_or(-1, LeaderEpoch::get),
            committed_metadata: Some(committed.metadata.clone()),
        };
        match topics.last_mut().filter(|last| last.name == *topic) {
            Some(last) => last.partitions.push(partition),
            None => topics.push(offset_commit::Topic {
                name: topic.clone(),
                partitions: vec![partition],
                ..Default::default()
            }),
        }
    }
    offset_commit::Request {
        group_id: group.to_owned(),
        topics,
        ..Default::default()
    }
}

/// Reads which offsets are kept.
pub fn offsets_committed(response: offset_commit::Response) -> PlaceResults<()> {
    let mut results = PlaceResults::new();
    for topic in response.topics {
        for partition in topic.partitions {
            let place = (topic.name.clone(), partition.partition_index);
            results.insert(place, BrokerError::check(partition.error_code, None));
        }
    }
    results
}

/// Asks a coordinator to forget offsets of a group.
pub fn delete_offsets(group: &str, places: &[Place]) -> offset_delete::Request {
    let partition = |partition_index| offset_delete::Partition { partition_index };
    let topic = |(topic, partitions): (&str, Vec<i32>)| offset_delete::Topic {
        name: topic.to_owned(),
        partitions: partitions.into_iter().map(partition).collect(),
    };
    offset_delete::Request {
        group_id: group.to_owned(),
        topics: by_topic(places).into_iter().map(topic).collect(),
    }
}

/// Reads which offsets are forgotten.
///
/// *Errors*: why none is.
pub fn offsets_deleted(response: offset_delete::Response) -> Result<PlaceResults<()>, BrokerError> {
    BrokerError::check(response.error_code, None)?;
    let mut results = PlaceResults::new();
    for topic in response.topics {
        for partition in topic.partitions {
            let place = (topic.name.clone(), partition.partition_index);
            results.insert(place, BrokerError::check(partition.error_code, None));
        }
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::results::{in_all, in_versions};

    fn place(partition: i32) -> Place {
        ("t".to_owned(), partition)
    }

    #[test]
    fn requests_can_be_said_in_every_version_that_names_topics() {
        // Version 1 cannot ask for all offsets of a group.
        for version in 2..=NAMES_VERSION_MAX {
            in_versions(&offsets_of_group("g", version), version..=version);
        }
        let offset = Committed::at(Offset::ZERO);
        let offsets = BTreeMap::from([(place(0), offset.clone()), (place(1), offset)]);
        let request = commit_offsets("g", &offsets);
        assert_eq!(request.topics[0].partitions.len(), 2);
        in_versions(&request, 2..=NAMES_VERSION_MAX);
        in_all(&delete_offsets("g", &[place(0), place(1)]));
    }

    #[test]
    fn offsets_are_read_from_the_old_and_from_the_new_answer() {
        let partition =
            |partition_index, committed_offset, error_code| offset_fetch::PartitionResult {
                partition_index,
                committed_offset,
                metadata: Some("m".into()),
                error_code,
                ..Default::default()
            };
        let old = offset_fetch::Response {
            topics: vec![offset_fetch::TopicResult {
                name: "t".into(),
                partitions: vec![
                    partition(0, 7, 0),
                    partition(1, -1, 0),
                    partition(2, -1, 88),
                ],
            }],
            ..Default::default()
        };
        let partition =
            |partition_index, committed_offset, error_code| offset_fetch::GroupPartitionResult {
                partition_index,
                committed_offset,
                metadata: Some("m".into()),
                error_code,
                ..Default::default()
            };
        let topic = offset_fetch::GroupTopicResult {
            name: "t".into(),
            partitions: vec![
                partition(0, 7, 0),
                partition(1, -1, 0),
                partition(2, -1, 88),
            ],
            ..Default::default()
        };
        let group = |error_code| offset_fetch::Response {
            groups: vec![offset_fetch::GroupResult {
                topics: vec![topic.clone()],
                error_code,
                ..Default::default()
            }],
            ..Default::default()
        };
        let want = committed_offsets(old).unwrap();
        assert_eq!(committed_offsets(group(0)).unwrap(), want);
        assert_eq!(committed_offsets(group(16)).unwrap_err().code, 16);
        assert_eq!(want.len(), 2, "partition 1 has no offset");
        let committed = want[&place(0)].as_ref().unwrap();
        assert_eq!(
            (committed.offset.get(), committed.metadata.as_str()),
            (7, "m")
        );
        assert_eq!(committed.leader_epoch, None);
        assert_eq!(want[&place(2)].as_ref().unwrap_err().code, 88);
    }
}

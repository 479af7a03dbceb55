//! OffsetFetch (9): how far groups have read.
//!
//! Up to version 7 a request names one group, from 8 on many: one form inside, two on the wire.

use std::collections::BTreeMap;
use std::rc::Rc;

use controller::Image;
use coordinator::record::CommittedOffset;
use coordinator::{
    FetchedTopic, GroupError, GroupId, OffsetFetch, Request as Ask, Response as Told, Stability,
    Wanted, WantedTopic,
};
use server::{Reply, Request};
use types::{ErrorCode, LeaderEpoch, PartitionIndex, TopicId};
use wire::messages::offset_fetch::{
    Group, GroupPartitionResult, GroupResult, GroupTopic, GroupTopicResult, OFFSET_NONE,
    PartitionResult, Request as Body, Response, TopicResult,
};

use crate::drivers::coordinator::{Asked, ask};
use crate::handlers::bounds::{Allowance, drop_repeated, seldom_repeated};
use crate::handlers::message::{answer_later, decode, outcome};
use crate::shard::Shard;

use super::words::{code, parse};

/// From this version on a request names many groups (KIP-709).
const MANY_GROUPS_VERSION: i16 = 8;
/// From this version on topics are named by id.
const TOPIC_ID_VERSION: i16 = 10;
/// From this version on an error stands beside the topics; before, in every partition.
const GROUP_ERROR_VERSION: i16 = 2;

/// Answers the offsets of groups.
pub(in crate::handlers) async fn offset_fetch(shard: &Rc<Shard>, request: &Request) -> Reply {
    let body: Body = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let version = request.version;
    let stability = if body.require_stable {
        Stability::Required
    } else {
        Stability::Optional
    };
    let groups = if version >= MANY_GROUPS_VERSION {
        body.groups
    } else {
        vec![single(body)]
    };
    let groups = seldom_repeated(groups, |group| group.group_id.clone());
    let mut asked = Vec::with_capacity(groups.len());
    let mut repeats = Allowance::for_repeats();
    for mut group in groups {
        let topics = group.topics.iter_mut().flatten();
        let lists = topics.map(|it| ((it.name.clone(), it.topic_id), &mut it.partition_indexes));
        drop_repeated(lists, &mut repeats);
        let question = ask_one(shard, &group, stability, version).await;
        asked.push((group, question));
    }
    let shard = Rc::clone(shard);
    Reply::later(async move {
        let mut results = Vec::with_capacity(asked.len());
        for (group, question) in asked {
            let fetched = match question {
                Ok(asked) => match asked.answer().await {
                    Ok(Told::OffsetFetch(result)) => result.map_err(code),
                    Ok(_) => Err(code(GroupError::NotAvailable)),
                    Err(error) => Err(code(error)),
                },
                Err(code) => Err(code.code()),
            };
            results.push(result(&shard.image(), group, fetched, version));
        }
        let codes = outcome(results.iter().map(|group| group.error_code));
        let response = if version >= MANY_GROUPS_VERSION {
            Response {
                groups: results,
                ..Default::default()
            }
        } else {
            let result = results.pop().expect("one group was asked for");
            single_response(result, version)
        };
        answer_later(&response, version, codes)
    })
}

/// The one group of an early version, in the form of the later ones.
fn single(body: Body) -> Group {
    let topic = |topic: wire::messages::offset_fetch::Topic| GroupTopic {
        name: topic.name,
        partition_indexes: topic.partition_indexes,
        ..Default::default()
    };
    Group {
        group_id: body.group_id,
        topics: (body.topics).map(|topics| topics.into_iter().map(topic).collect()),
        ..Default::default()
    }
}

async fn ask_one(
    shard: &Shard,
    group: &Group,
    stability: Stability,
    version: i16,
) -> Result<Asked, ErrorCode> {
    let id: GroupId = parse(&group.group_id)?;
    let wanted = match &group.topics {
        None => Wanted::All,
        Some(topics) => Wanted::Topics(wanted(&shard.image(), topics, version)),
    };
    let fetch = OffsetFetch {
        group: id.clone(),
        wanted,
        stability,
    };
    Ok(ask(shard, &id, Ask::OffsetFetch(fetch)).await)
}

/// What of a request a coordinator can know: topics that can be named, partitions that can be.
fn wanted(image: &Image, topics: &[GroupTopic], version: i16) -> Vec<WantedTopic> {
    let wanted = |topic: &GroupTopic| {
        let (name, id) = if version >= TOPIC_ID_VERSION {
            (image.topic(topic.topic_id)?.name.clone(), topic.topic_id)
        } else {
            // What was committed for an earlier topic of the name does not count.
            let known = image.topic_named(&topic.name);
            let id = known.map_or(TopicId::ZERO, |known| known.id);
            (topic.name.parse().ok()?, id)
        };
        let partitions = topic.partition_indexes.iter();
        Some(WantedTopic {
            topic: name,
            topic_id: id,
            partitions: partitions
                .filter_map(|&index| PartitionIndex::new(index))
                .collect(),
        })
    };
    topics.iter().filter_map(wanted).collect()
}

fn result(
    image: &Image,
    group: Group,
    fetched: Result<Vec<FetchedTopic>, i16>,
    version: i16,
) -> GroupResult {
    let (error_code, fetched) = match fetched {
        Ok(fetched) => (0, fetched),
        Err(code) => (code, Vec::new()),
    };
    let topics = match group.topics {
        // Offsets of a topic that is gone have no id to be told by.
        None => (fetched.into_iter())
            .filter_map(|topic| whole_topic(image, topic, version))
            .collect(),
        Some(_) if error_code != 0 && version >= GROUP_ERROR_VERSION => Vec::new(),
        Some(asked) => {
            let known = known(fetched);
            (asked.into_iter())
                .map(|topic| asked_topic(image, topic, &known, error_code, version))
                .collect()
        }
    };
    GroupResult {
        group_id: group.group_id,
        topics,
        error_code,
    }
}

fn whole_topic(image: &Image, topic: FetchedTopic, version: i16) -> Option<GroupTopicResult> {
    let name = topic.topic.as_str();
    let known = image.topic_named(name).map(|known| known.id);
    let topic_id = if version >= TOPIC_ID_VERSION {
        known?
    } else {
        TopicId::ZERO
    };
    // What was committed for an earlier topic of the name does not count.
    let is_of_earlier = |committed: &CommittedOffset| {
        known.is_some_and(|known| !committed.topic_id.is_zero() && committed.topic_id != known)
    };
    let partitions = topic.partitions.into_iter();
    Some(GroupTopicResult {
        name: name.to_owned(),
        topic_id,
        partitions: partitions
            .filter(|(_, offset)| !offset.as_ref().is_some_and(is_of_earlier))
            .map(|(index, offset)| partition(index.get(), offset.as_ref(), 0))
            .collect(),
    })
}

/// What a coordinator found, by the names of topics and partitions.
type Known = BTreeMap<String, BTreeMap<i32, CommittedOffset>>;

fn known(fetched: Vec<FetchedTopic>) -> Known {
    let mut known = Known::new();
    for topic in fetched {
        let partitions = known.entry(topic.topic.as_str().to_owned()).or_default();
        let found = topic.partitions.into_iter();
        partitions.extend(found.filter_map(|(index, offset)| Some((index.get(), offset?))));
    }
    known
}

fn asked_topic(
    image: &Image,
    topic: GroupTopic,
    known: &Known,
    error_code: i16,
    version: i16,
) -> GroupTopicResult {
    let mut error_code = error_code;
    let name = if version < TOPIC_ID_VERSION {
        topic.name
    } else if let Some(found) = image.topic(topic.topic_id) {
        found.name.as_str().to_owned()
    } else {
        error_code = ErrorCode::UnknownTopicId.code();
        String::new()
    };
    let offsets = known.get(&name);
    let partitions = topic.partition_indexes.into_iter();
    GroupTopicResult {
        partitions: partitions
            .map(|index| {
                let offset = offsets.and_then(|offsets| offsets.get(&index));
                partition(index, offset, error_code)
            })
            .collect(),
        name,
        topic_id: topic.topic_id,
    }
}

fn partition(
    partition_index: i32,
    offset: Option<&CommittedOffset>,
    error_code: i16,
) -> GroupPartitionResult {
    let epoch = offset.and_then(|offset| offset.leader_epoch);
    GroupPartitionResult {
        partition_index,
        committed_offset: offset.map_or(OFFSET_NONE, |offset| offset.offset),
        committed_leader_epoch: epoch.map_or(-1, LeaderEpoch::get),
        metadata: Some(
            offset
                .map(|offset| offset.metadata.as_str().to_owned())
                .unwrap_or_default(),
        ),
        error_code,
    }
}

fn single_response(result: GroupResult, version: i16) -> Response {
    let partition = |partition: GroupPartitionResult| PartitionResult {
        partition_index: partition.partition_index,
        committed_offset: partition.committed_offset,
        committed_leader_epoch: partition.committed_leader_epoch,
        metadata: partition.metadata,
        error_code: partition.error_code,
    };
    let topic = |topic: GroupTopicResult| TopicResult {
        name: topic.name,
        partitions: topic.partitions.into_iter().map(partition).collect(),
    };
    Response {
        topics: result.topics.into_iter().map(topic).collect(),
        error_code: if version >= GROUP_ERROR_VERSION {
            result.error_code
        } else {
            0
        },
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use controller::Record;
    use controller::record::TopicCreated;
    use types::{Incarnation, NodeId, TimestampMs};

    use super::*;

    const ID: TopicId = TopicId([2; 16]);

    /// A cluster in which the name `t` is a topic's, and was an earlier one's.
    fn image() -> Image {
        let mut image = Image::empty();
        let created = TopicCreated {
            topic: ID,
            name: "t".parse().unwrap(),
            created_at: TimestampMs(0),
            first_incarnation: Incarnation(0),
            assignments: vec![vec![NodeId(1)]],
            configs: Vec::new(),
        };
        for record in [
            Record::LevelRaised { level: 1 },
            Record::TopicCreated(created),
        ] {
            image.apply(&record).unwrap();
        }
        image
    }

    #[test]
    fn by_name_the_topic_is_asked_for_that_has_it_now() {
        let asked = ["t", "gone"].map(|name| GroupTopic {
            name: name.to_owned(),
            ..GroupTopic::default()
        });
        let wanted = wanted(&image(), &asked, TOPIC_ID_VERSION - 1);
        let ids: Vec<TopicId> = wanted.iter().map(|topic| topic.topic_id).collect();
        assert_eq!(ids, [ID, TopicId::ZERO]);
    }

    #[test]
    fn of_all_offsets_those_of_an_earlier_topic_of_the_name_are_left_out() {
        let committed = |topic_id| CommittedOffset {
            offset: 7,
            leader_epoch: None,
            metadata: coordinator::Text::default(),
            committed_at: TimestampMs(0),
            expire_at: None,
            topic_id,
        };
        let ids = [TopicId([1; 16]), ID, TopicId::ZERO];
        let partitions = (0..).zip(ids.map(committed));
        let fetched = FetchedTopic {
            topic: "t".parse().unwrap(),
            partitions: partitions
                .map(|(index, offset)| (PartitionIndex::new(index).unwrap(), Some(offset)))
                .collect(),
        };
        for version in [TOPIC_ID_VERSION - 1, TOPIC_ID_VERSION] {
            let told = whole_topic(&image(), fetched.clone(), version).unwrap();
            let partitions = told.partitions.iter();
            let told: Vec<i32> = partitions.map(|it| it.partition_index).collect();
            assert_eq!(told, [1, 2], "version {version}");
        }
    }
}

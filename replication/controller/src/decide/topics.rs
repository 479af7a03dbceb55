//! Creating and deleting topics.
//!
//! *Source*: the order of the checks is that of Kafka 4.3: name, configs, replication factor, count,
//! placement.

use types::TopicName;
use types::limits::TOPIC_PARTITIONS_MAX;

use crate::decide::configs;
use crate::decide::draft::{Context, Draft, duplicates};
use crate::decide::placement;
use crate::error::DecideError;
use crate::image::{Image, Topic};
use crate::record::{Record, TopicCreated};
use crate::request::{CreatedTopic, Decision, DeletedTopic, Mode, NewTopic, Reply, TopicReference};
use crate::schema::ResourceKind;

pub(crate) fn create(
    context: &Context<'_>,
    topics: &[NewTopic],
    mode: Mode,
) -> Result<Decision, DecideError> {
    check_request_size(context, topics)?;
    let twice = duplicates(topics.iter().map(|topic| &topic.name));
    let mut draft = Draft::new(context);
    let mut results = Vec::with_capacity(topics.len());
    for topic in topics {
        let result = if twice.contains(&topic.name) {
            let name = topic.name.to_string();
            Err(DecideError::DuplicateItem { name })
        } else {
            create_one(context, draft.image(), topic)
        };
        results.push(result.map(|record| {
            let created = CreatedTopic {
                id: record.topic,
                partition_count: record.assignments.len(),
                replication_factor: record.assignments.first().map_or(0, Vec::len),
            };
            draft.push(Record::TopicCreated(record));
            created
        }));
    }
    Ok(draft.finish(mode, Reply::CreateTopics(results)))
}

/// One request creates a bounded number of partitions, whatever else is wrong with it.
fn check_request_size(context: &Context<'_>, topics: &[NewTopic]) -> Result<(), DecideError> {
    let default = context.settings.default_partitions;
    let count = |topic: &NewTopic| {
        if topic.assignments.is_empty() {
            usize::try_from(topic.partition_count).unwrap_or(default)
        } else {
            topic.assignments.len()
        }
    };
    let want = topics.iter().map(count).fold(0, usize::saturating_add);
    let max = context.settings.request_partitions_max;
    if want > max {
        return Err(DecideError::RequestTooLarge { want, max });
    }
    Ok(())
}

fn create_one(
    context: &Context<'_>,
    image: &Image,
    topic: &NewTopic,
) -> Result<TopicCreated, DecideError> {
    check_name(image, &topic.name)?;
    if topic.id.is_zero() || image.topic(topic.id).is_some() {
        return Err(DecideError::TopicIdTaken { id: topic.id });
    }
    let configs = configs::for_creation(context, ResourceKind::Topic, &topic.configs)?;
    let assignments = if topic.assignments.is_empty() {
        place(context, image, topic)?
    } else {
        if topic.partition_count != -1 || topic.replication_factor != -1 {
            return Err(DecideError::CountsBesideAssignments);
        }
        placement::assigned_from_zero(image, &topic.assignments)?
    };
    check_room(context, image, 0, assignments.len())?;
    let max = context.settings.topics_max;
    if image.topic_count() >= max {
        return Err(DecideError::TooManyTopics { max });
    }
    Ok(TopicCreated {
        topic: topic.id,
        name: topic.name.clone(),
        created_at: context.now,
        first_incarnation: image.next_incarnation(),
        assignments,
        configs,
    })
}

fn check_name(image: &Image, name: &TopicName) -> Result<(), DecideError> {
    let name = name.clone();
    if image.topic_named(name.as_str()).is_some() {
        return Err(DecideError::TopicExists { name });
    }
    if let Some(existing) = image.collision(&name) {
        let existing = existing.name.clone();
        return Err(DecideError::NameCollision { name, existing });
    }
    Ok(())
}

/// Chooses brokers for as many partitions and replicas as asked for, or as is the default.
fn place(
    context: &Context<'_>,
    image: &Image,
    topic: &NewTopic,
) -> Result<Vec<Vec<types::NodeId>>, DecideError> {
    let factor = match topic.replication_factor {
        -1 => context.settings.default_replicas,
        factor => usize::try_from(factor)
            .ok()
            .filter(|&factor| factor > 0)
            .ok_or(DecideError::ReplicationFactorNotPositive { factor })?,
    };
    let count = match topic.partition_count {
        -1 => context.settings.default_partitions,
        count => usize::try_from(count)
            .ok()
            .filter(|&count| count > 0)
            .ok_or(DecideError::PartitionCountNotPositive { count })?,
    };
    placement::round_robin(image, count, factor)
}

/// Checks that a topic of `have` partitions, and the cluster, have room for `add` more.
pub(crate) fn check_room(
    context: &Context<'_>,
    image: &Image,
    have: usize,
    add: usize,
) -> Result<(), DecideError> {
    let want = have.saturating_add(add);
    if !i32::try_from(want).is_ok_and(|want| want <= TOPIC_PARTITIONS_MAX) {
        let max = usize::try_from(TOPIC_PARTITIONS_MAX).expect("the bound is positive");
        return Err(DecideError::TopicTooLarge { want, max });
    }
    let (have, max) = (image.partition_count(), context.settings.partitions_max);
    if have.saturating_add(add) > max {
        return Err(DecideError::TooManyPartitions { have, add, max });
    }
    Ok(())
}

pub(crate) fn delete(context: &Context<'_>, topics: &[TopicReference]) -> Decision {
    let named: Vec<_> = topics
        .iter()
        .map(|item| find(context.image, item))
        .collect();
    let twice = duplicates(named.iter().flatten().map(|topic| topic.id));
    let mut draft = Draft::new(context);
    let mut results = Vec::with_capacity(topics.len());
    for topic in named {
        results.push(topic.and_then(|topic| {
            let (id, name) = (topic.id, topic.name.clone());
            if twice.contains(&id) {
                let name = name.to_string();
                return Err(DecideError::DuplicateItem { name });
            }
            draft.push(Record::TopicDeleted { topic: id });
            Ok(DeletedTopic { id, name })
        }));
    }
    draft.finish(Mode::Commit, Reply::DeleteTopics(results))
}

fn find<'a>(image: &'a Image, topic: &TopicReference) -> Result<&'a Topic, DecideError> {
    match topic {
        TopicReference::Name(name) => {
            let name = name.clone();
            let found = image.topic_named(name.as_str());
            found.ok_or(DecideError::UnknownTopicName { name })
        }
        &TopicReference::Id(id) => image.topic(id).ok_or(DecideError::UnknownTopicId { id }),
    }
}

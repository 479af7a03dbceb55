//! Adding partitions to topics.

use crate::decide::draft::{Context, Draft, duplicates};
use crate::decide::{placement, topics::check_room};
use crate::error::DecideError;
use crate::image::Image;
use crate::record::{PartitionsAdded, Record};
use crate::request::{Decision, Mode, MorePartitions, Reply};

pub(crate) fn create(
    context: &Context<'_>,
    topics: &[MorePartitions],
    mode: Mode,
) -> Result<Decision, DecideError> {
    check_request_size(context, topics)?;
    let twice = duplicates(topics.iter().map(|item| &item.topic));
    let mut draft = Draft::new(context);
    let mut results = Vec::with_capacity(topics.len());
    for item in topics {
        let result = if twice.contains(&item.topic) {
            let name = item.topic.to_string();
            Err(DecideError::DuplicateItem { name })
        } else {
            add(context, draft.image(), item)
        };
        results.push(result.map(|record| draft.push(Record::PartitionsAdded(record))));
    }
    Ok(draft.finish(mode, Reply::CreatePartitions(results)))
}

/// One request creates a bounded number of partitions; a topic that is not there adds none.
fn check_request_size(context: &Context<'_>, topics: &[MorePartitions]) -> Result<(), DecideError> {
    let added = |item: &MorePartitions| {
        let topic = context.image.topic_named(item.topic.as_str())?;
        let want = usize::try_from(item.partition_count).ok()?;
        want.checked_sub(topic.partitions.len())
    };
    let want = topics.iter().filter_map(added);
    let want = want.fold(0, usize::saturating_add);
    let max = context.settings.request_partitions_max;
    if want > max {
        return Err(DecideError::RequestTooLarge { want, max });
    }
    Ok(())
}

fn add(
    context: &Context<'_>,
    image: &Image,
    item: &MorePartitions,
) -> Result<PartitionsAdded, DecideError> {
    let name = item.topic.clone();
    let Some(topic) = image.topic_named(name.as_str()) else {
        return Err(DecideError::UnknownTopicName { name });
    };
    let (have, want) = (topic.partitions.len(), item.partition_count);
    let added = usize::try_from(want).ok();
    let added = added.and_then(|want| want.checked_sub(have));
    let Some(count) = added.filter(|&added| added > 0) else {
        return Err(DecideError::NotAnIncrease { name, have, want });
    };
    check_room(context, image, have, count)?;
    let factor = topic.replication_factor();
    let assignments = match &item.assignments {
        None => placement::round_robin(image, count, factor)?,
        Some(assigned) => {
            if assigned.len() != count {
                let (want, got) = (count, assigned.len());
                return Err(DecideError::AssignmentCount { want, got });
            }
            placement::check(image, assigned, factor)?;
            assigned.clone()
        }
    };
    Ok(PartitionsAdded {
        topic: topic.id,
        first_partition: u32::try_from(have).expect("a topic's partitions are bounded"),
        first_incarnation: image.next_incarnation(),
        assignments,
    })
}

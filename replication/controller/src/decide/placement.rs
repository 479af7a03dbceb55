//! Which brokers hold a partition: chosen here, or by the client and checked here.

use std::collections::BTreeSet;

use types::NodeId;

use crate::error::DecideError;
use crate::image::Image;

/// Spreads partitions over brokers in turn; the next topic starts at the next broker.
///
/// *Layout*: the replicas of each partition, the leader first, no broker twice.
pub(crate) fn round_robin(
    image: &Image,
    count: usize,
    factor: usize,
) -> Result<Vec<Vec<NodeId>>, DecideError> {
    let nodes: Vec<NodeId> = image.brokers().map(|(node, _)| node).collect();
    let brokers = nodes.len();
    if factor == 0 || factor > brokers {
        return Err(DecideError::TooFewBrokers { factor, brokers });
    }
    // Incarnations count all partitions ever made, so they tell whose turn it is.
    let turns = u64::try_from(brokers).expect("a count of brokers fits 64 bits");
    let first = usize::try_from(image.next_incarnation().0 % turns);
    let first = first.expect("a remainder is below the count of brokers");
    let replicas_of = |partition: usize| -> Vec<NodeId> {
        let turn = nodes.iter().cycle().skip((first + partition) % brokers);
        turn.take(factor).copied().collect()
    };
    Ok((0..count).map(replicas_of).collect())
}

/// Checks assignments of a new topic, which come with their indexes, and sorts them.
pub(crate) fn assigned_from_zero(
    image: &Image,
    assignments: &[(i32, Vec<NodeId>)],
) -> Result<Vec<Vec<NodeId>>, DecideError> {
    let mut sorted: Vec<_> = assignments.iter().collect();
    sorted.sort_by_key(|(index, _)| *index);
    for (place, (index, _)) in sorted.iter().enumerate() {
        if usize::try_from(*index) != Ok(place) {
            return Err(DecideError::AssignmentsNotConsecutive);
        }
    }
    let sorted: Vec<_> = sorted.into_iter().map(|(_, nodes)| nodes.clone()).collect();
    let factor = sorted.first().map_or(0, Vec::len);
    check(image, &sorted, factor)?;
    Ok(sorted)
}

/// Checks that each assignment names `factor` registered brokers, none of them twice.
pub(crate) fn check(
    image: &Image,
    assignments: &[Vec<NodeId>],
    factor: usize,
) -> Result<(), DecideError> {
    for replicas in assignments {
        if replicas.is_empty() {
            return Err(DecideError::AssignmentEmpty);
        }
        let mut seen = BTreeSet::new();
        for &node in replicas {
            if !seen.insert(node) {
                return Err(DecideError::AssignmentRepeats { node });
            }
            if image.broker(node).is_none() {
                return Err(DecideError::AssignmentUnknownBroker { node });
            }
        }
        if replicas.len() != factor {
            let (want, got) = (factor, replicas.len());
            return Err(DecideError::AssignmentUneven { want, got });
        }
    }
    Ok(())
}

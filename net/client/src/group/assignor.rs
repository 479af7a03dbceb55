//! How a leader shares out: by range, as Kafka's assignor of that name does.

use std::collections::BTreeMap;

use wire::consumer_protocol::{Assignment, TopicPartitions};

use crate::metadata::Metadata;

/// The name under which members vote for it.
pub(super) const NAME: &str = "range";

/// Gives each member its part: of every topic a run of partitions, the first members in the order
/// of their ids one more if they do not come out even. Topics that nobody knows are left out.
pub(super) fn assign(
    members: &BTreeMap<String, Vec<String>>,
    metadata: &Metadata,
) -> BTreeMap<String, Assignment> {
    let mut readers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (member, topics) in members {
        for topic in topics {
            readers.entry(topic).or_default().push(member);
        }
    }
    let none = |member: &String| (member.clone(), Assignment::default());
    let mut parts: BTreeMap<String, Assignment> = members.keys().map(none).collect();
    for (topic, readers) in readers {
        let Some(known) = metadata.topics.get(topic) else {
            continue;
        };
        let mut left: Vec<i32> = known.partitions.iter().map(|it| it.index).collect();
        for (place, member) in readers.iter().enumerate() {
            // What is left, by those who are left, rounded up: larger parts come first.
            let behind = left.split_off(left.len().div_ceil(readers.len() - place));
            let partitions = std::mem::replace(&mut left, behind);
            if let Some(part) = parts.get_mut(*member).filter(|_| !partitions.is_empty()) {
                part.assigned_partitions.push(TopicPartitions {
                    topic: topic.to_owned(),
                    partitions,
                });
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use wire::messages::metadata;

    use super::*;

    fn topic(name: &str, count: i32) -> metadata::Topic {
        let partition = |partition_index| metadata::Partition {
            partition_index,
            ..Default::default()
        };
        metadata::Topic {
            name: Some(name.into()),
            partitions: (0..count).map(partition).collect(),
            ..Default::default()
        }
    }

    #[test]
    fn every_partition_of_every_topic_has_one_reader() {
        let mut metadata = Metadata::default();
        metadata.update(metadata::Response {
            topics: vec![topic("t", 7), topic("u", 2)],
            ..Default::default()
        });
        let topics = |topics: &[&str]| topics.iter().map(|&it| it.to_owned()).collect();
        let members = BTreeMap::from([
            ("a".to_owned(), topics(&["t", "u", "unknown"])),
            ("b".to_owned(), topics(&["t", "u"])),
            ("c".to_owned(), topics(&["t", "u"])),
            ("d".to_owned(), topics(&[])),
        ]);
        let parts = assign(&members, &metadata);
        let of = |member: &str| {
            let part = &parts[member].assigned_partitions;
            let part = part
                .iter()
                .map(|it| (it.topic.as_str(), it.partitions.clone()));
            part.collect::<Vec<_>>()
        };
        assert_eq!(of("a"), [("t", vec![0, 1, 2]), ("u", vec![0])]);
        assert_eq!(of("b"), [("t", vec![3, 4]), ("u", vec![1])]);
        assert_eq!(of("c"), [("t", vec![5, 6])]);
        assert_eq!(of("d"), []);
    }
}

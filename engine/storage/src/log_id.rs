//! What names a log: its partition and which life of it.

use std::fmt;

use types::{Incarnation, PartitionIndex, TopicId, TopicPartition};

/// One life of one partition's log on this node.
///
/// The incarnation comes from the metadata log, counts up and is never used twice, so that files
/// and journal frames of a deleted log are never taken for its successor's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogId {
    /// Whose log it is.
    pub partition: TopicPartition,
    /// Which life of it.
    pub incarnation: Incarnation,
}

impl LogId {
    /// Returns the name of the log's directory: `<topic id, 32 hex>-<partition>-<incarnation>`.
    pub fn directory_name(&self) -> String {
        let topic = u128::from_be_bytes(self.partition.topic.0);
        let partition = self.partition.partition;
        format!("{topic:032x}-{partition}-{}", self.incarnation)
    }

    /// Reads a directory's name back; `None` if no log is named so.
    pub fn from_directory_name(name: &str) -> Option<Self> {
        let mut parts = name.splitn(3, '-');
        let topic = u128::from_str_radix(parts.next()?, 16).ok()?;
        let partition = PartitionIndex::new(parts.next()?.parse().ok()?)?;
        let incarnation = Incarnation(parts.next()?.parse().ok()?);
        let id = Self {
            partition: TopicPartition {
                topic: TopicId(topic.to_be_bytes()),
                partition,
            },
            incarnation,
        };
        // One log has one name: `+1` or upper case are nobody's.
        (id.directory_name() == name).then_some(id)
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.partition, self.incarnation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directory_names_are_read_back_and_others_are_nobodys() {
        let id = LogId {
            partition: TopicPartition {
                topic: TopicId([0xab; 16]),
                partition: PartitionIndex::new(17).unwrap(),
            },
            incarnation: Incarnation(42),
        };
        let name = id.directory_name();
        assert_eq!(name, format!("{}-17-42", "ab".repeat(16)));
        assert_eq!(LogId::from_directory_name(&name), Some(id));
        for other in [
            "",
            "x-1-2",
            "00-1-2",
            &name.to_uppercase(),
            &format!("{name}-1"),
        ] {
            assert_eq!(LogId::from_directory_name(other), None, "{other}");
        }
    }
}

//! Which partition of `__consumer_offsets` a group's records lie in, and so which coordinator is its.

use types::PartitionIndex;

use crate::text::GroupId;

impl GroupId {
    /// Returns the group's partition, of so many that the topic has.
    ///
    /// *Source*: Kafka's `GroupCoordinatorService.partitionFor`: Java's hash of the name, without its
    /// sign, modulo the count.
    /// *Panics*: if there are no partitions.
    pub fn partition(&self, partition_count: i32) -> PartitionIndex {
        assert!(partition_count > 0, "a topic has partitions");
        let units = self.as_str().encode_utf16();
        let hash = units.fold(0_i32, |hash, unit| {
            hash.wrapping_mul(31).wrapping_add(i32::from(unit))
        });
        // The lowest number has no positive counterpart; Kafka takes 0 for it.
        let index = hash.checked_abs().unwrap_or(0) % partition_count;
        PartitionIndex::new(index).expect("it is not negative")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_lie_where_kafka_puts_them() {
        for (group, index) in [
            ("", 0),
            ("billing", 9),
            ("console-consumer-12345", 6),
            ("größe-日本-😀", 29),
            // Its hash is the lowest number.
            ("polygenelubricants", 0),
        ] {
            let group: GroupId = group.parse().expect("short");
            assert_eq!(group.partition(50).get(), index, "{group}");
        }
    }
}

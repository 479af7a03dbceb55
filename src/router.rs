//! Which shard owns a partition, or counts for the holder of a quota: pure functions, the same on every shard and at every start.

use controller::quota::{EntityName, QuotaEntity};
use types::{ShardId, TopicPartition};

/// Maps partitions to the shards of this node.
#[derive(Clone, Copy, Debug)]
pub struct Router {
    shards: u16,
}

impl Router {
    /// Makes the map for a node of `shards` shards.
    ///
    /// *Panics*: if there is no shard.
    pub fn new(shards: u16) -> Self {
        assert!(shards > 0, "a node has at least one shard");
        Self { shards }
    }

    /// Returns how many shards there are.
    pub fn shards(self) -> u16 {
        self.shards
    }

    /// Returns every shard in order.
    pub fn all(self) -> impl Iterator<Item = ShardId> {
        (0..self.shards).map(ShardId)
    }

    /// Returns the shard that owns a partition.
    ///
    /// The partitions of one topic go to the shards in turn, so that a topic with at least as many
    /// partitions as shards uses all of them evenly; topics start at different shards.
    pub fn owner(self, partition: TopicPartition) -> ShardId {
        let first = partition
            .topic
            .0
            .iter()
            .fold(0_u64, |sum, &byte| sum + u64::from(byte));
        self.turn(first + u64::from(partition.partition.get().unsigned_abs()))
    }

    /// Returns the shard that counts what the holder of a quota uses.
    pub fn keeper(self, holder: &QuotaEntity) -> ShardId {
        let names = holder
            .parts()
            .filter_map(|(_, name)| EntityName::as_named(name));
        let sum = names
            .flat_map(str::bytes)
            .fold(0_u64, |sum, byte| sum + u64::from(byte));
        self.turn(sum)
    }

    fn turn(self, number: u64) -> ShardId {
        let shard = number % u64::from(self.shards);
        ShardId(u16::try_from(shard).expect("the remainder is below a u16"))
    }
}

#[cfg(test)]
mod tests {
    use types::{PartitionIndex, TopicId};

    use super::*;

    #[test]
    fn partitions_of_a_topic_use_all_shards_evenly() {
        let router = Router::new(4);
        let mut counts = [0; 4];
        for index in 0..100 {
            let partition = PartitionIndex::new(index).unwrap();
            let owner = router.owner(TopicPartition {
                topic: TopicId([7; 16]),
                partition,
            });
            counts[owner.index()] += 1;
        }
        assert_eq!(counts, [25; 4]);
    }
}

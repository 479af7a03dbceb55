//! Who holds and leads a partition, as clients are told.

use controller::image::{Partition, Topic};
use types::{ErrorCode, NodeId, PartitionIndex, TopicPartition};

use crate::shard::Shard;

/// The leader of a partition that has none.
const NOBODY: NodeId = NodeId(-1);

/// What Metadata and DescribeTopicPartitions tell of one partition, as their fields have it.
pub(super) struct Told {
    /// 5 if there is no leader.
    pub(super) error_code: i16,
    pub(super) index: i32,
    pub(super) leader: i32,
    pub(super) leader_epoch: i32,
    pub(super) replicas: Vec<i32>,
    pub(super) in_sync: Vec<i32>,
    /// The replicas that are out of service.
    pub(super) offline: Vec<i32>,
}

impl Told {
    /// Returns a topic's partitions in their order.
    ///
    /// Nobody leads one whose log is out of service here.
    pub(super) fn of<'a>(shard: &'a Shard, topic: &'a Topic) -> impl Iterator<Item = Self> + 'a {
        let partitions = topic.partitions.iter().zip(0..);
        partitions.map(move |(entry, index)| Self::one(shard, topic, entry, index))
    }

    fn one(shard: &Shard, topic: &Topic, entry: &Partition, index: i32) -> Self {
        let partition = TopicPartition {
            topic: topic.id,
            partition: PartitionIndex::new(index).expect("partitions are counted from zero"),
        };
        let is_lost = shard.is_out_of_service(partition);
        let (code, leader) = if is_lost {
            (ErrorCode::LeaderNotAvailable, NOBODY)
        } else {
            (ErrorCode::None, entry.leader)
        };
        let numbers = |nodes: &[NodeId]| nodes.iter().map(|node| node.0).collect();
        Self {
            error_code: code.code(),
            index,
            leader: leader.0,
            leader_epoch: entry.leader_epoch.get(),
            replicas: numbers(&entry.replicas),
            in_sync: numbers(&entry.isr),
            offline: if is_lost {
                vec![shard.node().0]
            } else {
                Vec::new()
            },
        }
    }
}

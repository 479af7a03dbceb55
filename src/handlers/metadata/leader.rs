//! Who leads a partition, as clients are told.

use controller::image::{Partition, Topic};
use types::{ErrorCode, NodeId, PartitionIndex, TopicPartition};

use crate::shard::Shard;

/// The leader of a partition that has none.
const NOBODY: NodeId = NodeId(-1);

/// What Metadata and DescribeTopicPartitions tell of a partition's replicas.
pub(super) struct Leader {
    /// 5 if there is none.
    pub(super) error_code: i16,
    pub(super) node: NodeId,
    /// The replicas that are out of service.
    pub(super) offline: Vec<i32>,
}

impl Leader {
    /// Returns who leads: nobody, if the log is out of service here. Kafka's producer sends what has no
    /// key to the other partitions then.
    pub(super) fn of(shard: &Shard, topic: &Topic, index: i32, entry: &Partition) -> Self {
        let partition = TopicPartition {
            topic: topic.id,
            partition: PartitionIndex::new(index).expect("partitions are counted from zero"),
        };
        if shard.is_out_of_service(partition) {
            Self {
                error_code: ErrorCode::LeaderNotAvailable.code(),
                node: NOBODY,
                offline: vec![shard.node().0],
            }
        } else {
            Self {
                error_code: ErrorCode::None.code(),
                node: entry.leader,
                offline: Vec::new(),
            }
        }
    }
}

//! What a record says: one whole change of the image.

use types::{Incarnation, NodeId, ProducerId, TimestampMs, TopicId, TopicName};

use crate::image::{BrokerEpoch, Endpoint};
use crate::quota::{QuotaEntity, QuotaKind, QuotaValue};

/// One whole change of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// The metadata format rises to a level; the first record of every log.
    LevelRaised {
        /// The level in force from here on.
        level: u16,
    },
    /// A broker has started.
    BrokerRegistered(BrokerRegistered),
    /// A topic exists, with its partitions and configs.
    TopicCreated(TopicCreated),
    /// A topic, its partitions and configs are gone.
    TopicDeleted {
        /// Which one.
        topic: TopicId,
    },
    /// A topic has more partitions.
    PartitionsAdded(PartitionsAdded),
    /// Configs have changed.
    ConfigsChanged(ConfigsChanged),
    /// Producer ids were given out.
    ProducerIdsAllocated(ProducerIdsAllocated),
    /// Quotas have changed.
    QuotasChanged(QuotasChanged),
}

/// A broker has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerRegistered {
    /// Which one.
    pub node: NodeId,
    /// The number of this registration, above all before it.
    pub epoch: BrokerEpoch,
    /// When it was decided.
    pub registered_at: TimestampMs,
    /// Where it stands, if it says so.
    pub rack: Option<String>,
    /// Its addresses.
    pub endpoints: Vec<Endpoint>,
}

/// A topic exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicCreated {
    /// Its id.
    pub topic: TopicId,
    /// Its name.
    pub name: TopicName,
    /// When it was decided.
    pub created_at: TimestampMs,
    /// The incarnation of partition 0; partition `n` has the one `n` further.
    pub first_incarnation: Incarnation,
    /// The replicas of each partition, the leader first.
    pub assignments: Vec<Vec<NodeId>>,
    /// Names and values of its configs, in name order.
    pub configs: Vec<(String, String)>,
}

/// A topic has more partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionsAdded {
    /// The topic.
    pub topic: TopicId,
    /// The index of the first new partition: how many there were.
    pub first_partition: u32,
    /// The incarnation of the first new partition; the others follow.
    pub first_incarnation: Incarnation,
    /// The replicas of each new partition, the leader first.
    pub assignments: Vec<Vec<NodeId>>,
}

/// Whose configs a record changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigScope {
    /// One topic's.
    Topic(TopicId),
    /// One broker's.
    Broker(NodeId),
    /// All brokers'.
    AllBrokers,
}

/// Configs have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigsChanged {
    /// Whose.
    pub scope: ConfigScope,
    /// Names and new values, in name order; `None` goes back to the default.
    pub changes: Vec<(String, Option<String>)>,
}

/// Producer ids were given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerIdsAllocated {
    /// To which broker.
    pub node: NodeId,
    /// The first id of the block.
    pub first: ProducerId,
    /// How many ids there are in it.
    pub count: u32,
}

/// Quotas have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotasChanged {
    /// Whose.
    pub entity: QuotaEntity,
    /// Kinds and new values, in order of kinds; `None` removes the quota.
    pub changes: Vec<(QuotaKind, Option<QuotaValue>)>,
}

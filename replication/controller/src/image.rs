//! The cluster as it is: what the applied records add up to.
//!
//! Cheap to clone (topics are shared until one of them changes), so that every shard has its own.
//! Only `apply.rs` changes one, and `snapshot.rs` makes one anew from bytes that it checks.
//!
//! Invariants, asserted by `check` when a snapshot is read, and held by `apply`:
//! 1. Names, ids and collision keys of topics are unique and point at each other.
//! 2. A topic has 1 or more partitions, each with a leader among its in-sync replicas, and those
//!    among its replicas.
//! 3. No incarnation is at or above `next_incarnation`, and none occurs twice.
//! 4. No broker epoch is at or above `next_broker_epoch`.
//! 5. An entity stands among the quotas only while it has one.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use types::{
    Incarnation, LeaderEpoch, NodeId, PartitionIndex, ProducerId, TimestampMs, TopicId, TopicName,
    TopicPartition,
};

use crate::quota::{QuotaEntity, Quotas};

/// Names and values of configs that somebody set, in name order.
pub type Configs = BTreeMap<String, String>;

/// The newest level of the metadata format that this code reads and writes.
pub const LEVEL_NEWEST: u16 = 1;

/// One registration of a broker; a later one has a higher number.
///
/// *Source*: KIP-903, broker epochs fence requests of earlier lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BrokerEpoch(pub i64);

impl fmt::Display for BrokerEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How often a partition's leader or replicas have changed; counts up from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionEpoch(pub i32);

/// An address that a broker tells clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The listener's name, `PLAINTEXT` for instance.
    pub listener: String,
    /// Host name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// A broker as it registered last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// The number of this registration.
    pub epoch: BrokerEpoch,
    /// When it registered.
    pub registered_at: TimestampMs,
    /// Where it stands, if it says so.
    pub rack: Option<String>,
    /// Its addresses; none means: the one that the client dialled.
    pub endpoints: Vec<Endpoint>,
}

/// One partition: who holds it, who leads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// The life of its log; names the log's directory and journal frames.
    pub incarnation: Incarnation,
    /// The broker that takes writes.
    pub leader: NodeId,
    /// The leader's reign.
    pub leader_epoch: LeaderEpoch,
    /// How often this entry has changed.
    pub partition_epoch: PartitionEpoch,
    /// The brokers that hold it, the preferred leader first.
    pub replicas: Vec<NodeId>,
    /// Those that hold all that was acknowledged.
    pub isr: Vec<NodeId>,
}

/// One topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its identity, for ever.
    pub id: TopicId,
    /// Its name.
    pub name: TopicName,
    /// When it was created.
    pub created_at: TimestampMs,
    /// Its partitions, in index order, never empty.
    pub partitions: Vec<Partition>,
    /// What differs from the defaults.
    pub configs: Configs,
}

impl Topic {
    /// Returns one partition; `None` beyond the last.
    pub fn partition(&self, index: PartitionIndex) -> Option<&Partition> {
        self.partitions.get(index.index())
    }

    /// Returns how many replicas each partition was created with.
    pub fn replication_factor(&self) -> usize {
        self.partitions
            .first()
            .map_or(0, |first| first.replicas.len())
    }
}

/// The state of the cluster after some number of records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    pub(crate) level: u16,
    pub(crate) revision: u64,
    pub(crate) topics: BTreeMap<TopicId, Arc<Topic>>,
    pub(crate) names: BTreeMap<TopicName, TopicId>,
    /// Only names with `.` or `_`, see [`collision_key`].
    pub(crate) collision_keys: BTreeMap<String, TopicId>,
    pub(crate) partition_count: usize,
    pub(crate) brokers: BTreeMap<NodeId, Arc<Broker>>,
    pub(crate) broker_configs: BTreeMap<NodeId, Configs>,
    pub(crate) all_brokers_configs: Configs,
    /// No entity without a quota; seldom changed, so shared as a whole.
    pub(crate) quotas: Arc<BTreeMap<QuotaEntity, Quotas>>,
    pub(crate) next_incarnation: u64,
    pub(crate) next_broker_epoch: i64,
    pub(crate) next_producer_id: i64,
}

impl Image {
    /// Makes the image of an empty log.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Returns the level of the metadata format in force; 0 before the first record.
    pub fn level(&self) -> u16 {
        self.level
    }

    /// Returns how many records made this image, counted from the empty log.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Finds a topic by its id.
    pub fn topic(&self, id: TopicId) -> Option<&Topic> {
        self.topics.get(&id).map(Arc::as_ref)
    }

    /// Finds a topic by its name.
    pub fn topic_named(&self, name: &str) -> Option<&Topic> {
        self.names.get(name).and_then(|&id| self.topic(id))
    }

    /// Returns every topic, in name order.
    pub fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.names.values().filter_map(|&id| self.topic(id))
    }

    /// Returns every topic whose name is `first` or sorts after it, in name order.
    pub fn topics_from(&self, first: &str) -> impl Iterator<Item = &Topic> {
        self.names
            .range::<str, _>((std::ops::Bound::Included(first), std::ops::Bound::Unbounded))
            .filter_map(|(_, &id)| self.topic(id))
    }

    /// Finds a partition.
    pub fn partition(&self, partition: TopicPartition) -> Option<&Partition> {
        self.topic(partition.topic)?.partition(partition.partition)
    }

    /// Returns how many topics there are.
    pub fn topic_count(&self) -> usize {
        self.topics.len()
    }

    /// Returns how many partitions there are, over all topics.
    pub fn partition_count(&self) -> usize {
        self.partition_count
    }

    /// Finds a registered broker.
    pub fn broker(&self, node: NodeId) -> Option<&Broker> {
        self.brokers.get(&node).map(Arc::as_ref)
    }

    /// Returns every registered broker, in id order.
    pub fn brokers(&self) -> impl Iterator<Item = (NodeId, &Broker)> {
        self.brokers
            .iter()
            .map(|(&node, broker)| (node, broker.as_ref()))
    }

    /// Returns the configs set for one broker; none if there are none.
    pub fn broker_configs(&self, node: NodeId) -> Option<&Configs> {
        self.broker_configs.get(&node)
    }

    /// Returns the configs set for all brokers at once, which are defaults of topics too.
    pub fn all_brokers_configs(&self) -> &Configs {
        &self.all_brokers_configs
    }

    /// Returns the quotas of every entity that has one, in order of entities.
    pub fn quotas(&self) -> &BTreeMap<QuotaEntity, Quotas> {
        &self.quotas
    }

    /// Returns the quotas set for exactly this entity; `None` if there are none.
    pub fn quotas_of(&self, entity: &QuotaEntity) -> Option<&Quotas> {
        self.quotas.get(entity)
    }

    /// Returns the lowest producer id that was never given out.
    pub fn next_producer_id(&self) -> ProducerId {
        ProducerId(self.next_producer_id)
    }

    /// Returns the lowest incarnation that was never given out.
    pub fn next_incarnation(&self) -> Incarnation {
        Incarnation(self.next_incarnation)
    }

    /// Returns the topic that a new topic of this name would be confused with.
    ///
    /// *Source*: Kafka's `Topic.hasCollision`: metric names turn `.` into `_`.
    pub fn collision(&self, name: &TopicName) -> Option<&Topic> {
        let id = *self.collision_keys.get(&collision_key(name)?)?;
        self.topic(id)
    }
}

/// Returns what must be unique over all names with `.` or `_`; `None` for a name with neither.
pub(crate) fn collision_key(name: &TopicName) -> Option<String> {
    name.as_str()
        .contains(['.', '_'])
        .then(|| name.as_str().replace('.', "_"))
}

impl Partition {
    /// Makes a new partition: the first replica leads, all are in sync.
    ///
    /// Returns `None` if there are no replicas.
    pub(crate) fn created(incarnation: Incarnation, replicas: &[NodeId]) -> Option<Self> {
        let &leader = replicas.first()?;
        Some(Self {
            incarnation,
            leader,
            leader_epoch: LeaderEpoch::ZERO,
            partition_epoch: PartitionEpoch(0),
            replicas: replicas.to_vec(),
            isr: replicas.to_vec(),
        })
    }
}

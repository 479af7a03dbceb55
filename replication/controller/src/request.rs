//! What may be asked of the controller, what it decides, and what it answers.
//!
//! Numbers that a client chose arrive as the client sent them, to be judged in `decide`; names are
//! parsed before.

use types::{NodeId, ProducerId, TopicId, TopicName};

use crate::error::DecideError;
use crate::image::{BrokerEpoch, Endpoint};
use crate::quota::EntityParts;
use crate::record::Record;

/// Whether a request is to be carried out, or only judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Do it.
    Commit,
    /// Say what would be answered, write nothing.
    ValidateOnly,
}

/// A request to the controller. Each kind is answered by the [`Reply`] of the same name.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Creates topics, each judged by itself.
    CreateTopics {
        /// The topics, judged in this order.
        topics: Vec<NewTopic>,
        /// Whether to create them.
        mode: Mode,
    },
    /// Deletes topics, each judged by itself.
    DeleteTopics(Vec<TopicReference>),
    /// Adds partitions to topics, each judged by itself.
    CreatePartitions {
        /// The topics that grow, judged in this order.
        topics: Vec<MorePartitions>,
        /// Whether to create them.
        mode: Mode,
    },
    /// Changes configs of resources, each judged by itself; all changes of one resource or none.
    AlterConfigs {
        /// The resources, judged in this order.
        resources: Vec<ConfigAlteration>,
        /// Whether to change them.
        mode: Mode,
    },
    /// Changes quotas of entities, each judged by itself; all changes of one entity or none.
    /// An entity that occurs again is refused where it does.
    AlterQuotas {
        /// The entities, judged in this order.
        alterations: Vec<QuotaAlteration>,
        /// Whether to change them.
        mode: Mode,
    },
    /// Takes a block of producer ids.
    AllocateProducerIds(NodeId),
    /// Says that a broker has started.
    RegisterBroker(Registration),
}

/// The answer to a request, item by item in the request's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// To [`Request::CreateTopics`].
    CreateTopics(Vec<Result<CreatedTopic, DecideError>>),
    /// To [`Request::DeleteTopics`].
    DeleteTopics(Vec<Result<DeletedTopic, DecideError>>),
    /// To [`Request::CreatePartitions`].
    CreatePartitions(Vec<Result<(), DecideError>>),
    /// To [`Request::AlterConfigs`].
    AlterConfigs(Vec<Result<(), DecideError>>),
    /// To [`Request::AlterQuotas`].
    AlterQuotas(Vec<Result<(), DecideError>>),
    /// To [`Request::AllocateProducerIds`].
    AllocateProducerIds(ProducerIdBlock),
    /// To [`Request::RegisterBroker`].
    RegisterBroker(BrokerEpoch),
}

/// What is to be written, and what is to be answered once it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Records in order; none if nothing changes.
    pub records: Vec<Record>,
    /// The answer; not before every record is durable and applied.
    pub reply: Reply,
}

/// A topic to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    /// A random id, drawn by the caller; kept if the topic is created.
    pub id: TopicId,
    /// Its name.
    pub name: TopicName,
    /// How many partitions; -1 for the default.
    pub partition_count: i32,
    /// How many replicas of each; -1 for the default.
    pub replication_factor: i16,
    /// Partition index and its replicas, preferred leader first; empty: the controller places them.
    pub assignments: Vec<(i32, Vec<NodeId>)>,
    /// Names and values of its configs.
    pub configs: Vec<(String, String)>,
}

/// A topic that was, or would be, created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedTopic {
    /// Its id.
    pub id: TopicId,
    /// How many partitions it has.
    pub partition_count: usize,
    /// How many replicas its first partition has.
    pub replication_factor: usize,
}

/// Which topic is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicReference {
    /// The one of this name.
    Name(TopicName),
    /// The one of this id.
    Id(TopicId),
}

/// A topic that was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedTopic {
    /// Its id.
    pub id: TopicId,
    /// Its name.
    pub name: TopicName,
}

/// A topic that grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MorePartitions {
    /// The topic.
    pub topic: TopicName,
    /// How many partitions it shall have in all.
    pub partition_count: i32,
    /// The replicas of each new partition; `None`: the controller places them.
    pub assignments: Option<Vec<Vec<NodeId>>>,
}

/// Whose configs are meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConfigResource {
    /// One topic's.
    Topic(TopicName),
    /// One broker's.
    Broker(NodeId),
    /// All brokers', which are the defaults of topics too.
    AllBrokers,
}

/// Changes to the configs of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigAlteration {
    /// Whose configs.
    pub resource: ConfigResource,
    /// What happens to them.
    pub change: ConfigChanges,
}

/// What happens to the configs of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigChanges {
    /// These are set, every other goes back to its default (`AlterConfigs`).
    Replace(Vec<(String, String)>),
    /// These change, every other stays (`IncrementalAlterConfigs`, KIP-339).
    Edit(Vec<(String, ConfigOperation)>),
}

/// What happens to one config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigOperation {
    /// It takes this value.
    Set(String),
    /// It goes back to its default.
    Delete,
    /// These comma-separated items join the list, if they are not in it.
    Append(String),
    /// These comma-separated items leave the list.
    Subtract(String),
}

/// Changes to the quotas of one entity, as the client sent them.
#[derive(Clone, Debug, PartialEq)]
pub struct QuotaAlteration {
    /// Its parts.
    pub entity: EntityParts,
    /// Names and new values of quotas; `None` removes one.
    pub changes: Vec<(String, Option<f64>)>,
}

/// A run of producer ids that nobody else will ever be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerIdBlock {
    /// The first id.
    pub first: ProducerId,
    /// How many there are.
    pub count: u32,
}

/// A broker that has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Which one.
    pub node: NodeId,
    /// Where it stands, if it says so.
    pub rack: Option<String>,
    /// Its addresses; none means: the one that the client dialled.
    pub endpoints: Vec<Endpoint>,
}

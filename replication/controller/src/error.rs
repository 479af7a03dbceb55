//! Why the controller refuses a request. The text is what the client gets as error message.

use types::{NodeId, ProducerId, TopicId, TopicName};

use crate::quota::{EntityRefusal, ValueRefusal};
use crate::schema::ConfigRefusal;

/// Why a request, or one item of it, is refused. Nothing was decided for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecideError {
    /// The first registration has not been applied yet: ask again later.
    #[error("no broker has registered yet")]
    NoBroker,
    /// A topic of this name exists.
    #[error("topic '{name}' already exists")]
    TopicExists {
        /// The name.
        name: TopicName,
    },
    /// The random id is taken, or is the one that means "none": draw another.
    #[error("topic id {id} is taken")]
    TopicIdTaken {
        /// The id.
        id: TopicId,
    },
    /// The name differs from an existing one only by `.` and `_`.
    #[error("topic '{name}' collides with the existing topic '{existing}'")]
    NameCollision {
        /// The name asked for.
        name: TopicName,
        /// The topic it would be confused with.
        existing: TopicName,
    },
    /// No topic of this name.
    #[error("there is no topic '{name}'")]
    UnknownTopicName {
        /// The name.
        name: TopicName,
    },
    /// No topic of this id.
    #[error("there is no topic with id {id}")]
    UnknownTopicId {
        /// The id.
        id: TopicId,
    },
    /// The request names the same topic or resource more than once; none of its items is done.
    #[error("'{name}' occurs more than once in the request")]
    DuplicateItem {
        /// What occurs twice.
        name: String,
    },
    /// A count of partitions that is neither positive nor -1.
    #[error("the number of partitions is {count}, it must be positive, or -1 for the default")]
    PartitionCountNotPositive {
        /// The count asked for.
        count: i32,
    },
    /// The new count of partitions is not above the present one.
    #[error("topic '{name}' has {have} partition(s), {want} would not be an increase")]
    NotAnIncrease {
        /// The topic.
        name: TopicName,
        /// How many it has.
        have: usize,
        /// How many it was asked to have.
        want: i32,
    },
    /// The topic would have more partitions than any may.
    #[error("a topic has at most {max} partitions, not {want}")]
    TopicTooLarge {
        /// How many it was asked to have.
        want: usize,
        /// The bound.
        max: usize,
    },
    /// One request would create more partitions than any may.
    #[error("a request creates at most {max} partitions, not {want}")]
    RequestTooLarge {
        /// How many it asks for, over all topics.
        want: usize,
        /// The bound.
        max: usize,
    },
    /// The cluster is full of topics.
    #[error("the cluster has {max} topics and takes no more")]
    TooManyTopics {
        /// The bound.
        max: usize,
    },
    /// The cluster would hold more partitions than it may.
    #[error("the cluster has {have} of at most {max} partitions, {add} more do not fit")]
    TooManyPartitions {
        /// How many there are.
        have: usize,
        /// How many were to be added.
        add: usize,
        /// The bound.
        max: usize,
    },
    /// A replication factor that is neither positive nor -1.
    #[error("the replication factor is {factor}, it must be positive, or -1 for the default")]
    ReplicationFactorNotPositive {
        /// The factor asked for.
        factor: i16,
    },
    /// More replicas than brokers.
    #[error("the replication factor is {factor}, {brokers} broker(s) are registered")]
    TooFewBrokers {
        /// The factor asked for.
        factor: usize,
        /// How many brokers there are.
        brokers: usize,
    },
    /// Both counts and assignments were given.
    #[error("replicas are assigned by hand: both counts must be -1")]
    CountsBesideAssignments,
    /// The assigned partitions are not numbered from 0 without a gap.
    #[error("assigned partitions are numbered from 0 without a gap")]
    AssignmentsNotConsecutive,
    /// As many assignments are wanted as there are new partitions.
    #[error("{want} partition(s) are added, {got} are assigned by hand")]
    AssignmentCount {
        /// How many partitions are new.
        want: usize,
        /// How many were assigned.
        got: usize,
    },
    /// An assignment without a replica.
    #[error("a partition is assigned to no broker")]
    AssignmentEmpty,
    /// An assignment with a broker twice.
    #[error("a partition is assigned to broker {node} more than once")]
    AssignmentRepeats {
        /// The broker.
        node: NodeId,
    },
    /// An assignment to a broker that is not registered.
    #[error("a partition is assigned to broker {node}, which is not registered")]
    AssignmentUnknownBroker {
        /// The broker.
        node: NodeId,
    },
    /// An assignment of another length than the topic's others.
    #[error("a partition is assigned to {got} broker(s), the topic's others to {want}")]
    AssignmentUneven {
        /// How many replicas the others have.
        want: usize,
        /// How many this one has.
        got: usize,
    },
    /// No broker of this number is registered.
    #[error("there is no broker {node}")]
    UnknownBroker {
        /// The broker.
        node: NodeId,
    },
    /// More brokers, or more addresses of one, than may register.
    #[error("at most {max} may register")]
    RegistrationTooLarge {
        /// The bound.
        max: usize,
    },
    /// A config occurs more than once in the request.
    #[error("config '{name}' occurs more than once")]
    DuplicateConfig {
        /// The config's name.
        name: String,
    },
    /// The config cannot be set so.
    #[error("config '{name}': {refusal}")]
    ConfigRefused {
        /// The config's name.
        name: String,
        /// Why.
        refusal: ConfigRefusal,
    },
    /// Items can be appended and subtracted only where the value is a list.
    #[error("config '{name}' is not a list")]
    NotAList {
        /// The config's name.
        name: String,
    },
    /// What a quota is set for does not exist.
    #[error(transparent)]
    QuotaEntity(#[from] EntityRefusal),
    /// The quota cannot be set so.
    #[error(transparent)]
    QuotaValue(#[from] ValueRefusal),
    /// The cluster is full of quotas.
    #[error("the cluster has quotas of {max} entities and takes no more")]
    TooManyQuotaEntities {
        /// The bound.
        max: usize,
    },
    /// Every producer id has been given out.
    #[error("no producer id is left after {next}")]
    ProducerIdsExhausted {
        /// The lowest id that was never given out.
        next: ProducerId,
    },
}

//! The only writer of an image: one record, one change, all of it or nothing.
//!
//! A record comes from this node's own log or from the decision just taken, so an error here means
//! that the log is damaged, was written by newer code, or that `decide` is wrong. The caller stops.

use std::collections::btree_map::Entry;
use std::sync::Arc;

use types::limits::TOPIC_PARTITIONS_MAX;
use types::{Incarnation, NodeId, ProducerId, TopicId, TopicName};

use crate::image::{
    Broker, BrokerEpoch, Configs, Image, LEVEL_NEWEST, Partition, Topic, collision_key,
};
use crate::record::{
    BrokerRegistered, ConfigScope, ConfigsChanged, PartitionsAdded, ProducerIdsAllocated,
    QuotasChanged, Record, TopicCreated,
};

/// Why a record does not follow from the image that it meets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// The log was written by a newer riverrun.
    #[error("metadata level {level} is newer than {newest}, the newest of this version")]
    LevelTooNew {
        /// The level asked for.
        level: u16,
        /// The newest that this code knows.
        newest: u16,
    },
    /// Levels only rise, one record each.
    #[error("metadata level {level} does not rise above {have}")]
    LevelNotRaised {
        /// The level in force.
        have: u16,
        /// The level of the record.
        level: u16,
    },
    /// The first record of a log raises the level.
    #[error("a record stands before the first metadata level")]
    LevelMissing,
    /// A broker epoch out of order.
    #[error("broker epoch {got} follows, {want} should")]
    BrokerEpochOrder {
        /// The next epoch.
        want: BrokerEpoch,
        /// The record's.
        got: BrokerEpoch,
    },
    /// A topic id that is taken, or is the one that means "none".
    #[error("topic id {id} is taken")]
    TopicIdTaken {
        /// The id.
        id: TopicId,
    },
    /// A name that is taken, or differs from one that is only by `.` and `_`.
    #[error("topic name '{name}' is taken")]
    TopicNameTaken {
        /// The name.
        name: TopicName,
    },
    /// No such topic.
    #[error("there is no topic with id {id}")]
    UnknownTopic {
        /// The id.
        id: TopicId,
    },
    /// No such broker.
    #[error("there is no broker {node}")]
    UnknownBroker {
        /// The broker.
        node: NodeId,
    },
    /// Incarnations out of order.
    #[error("incarnation {got} follows, {want} should")]
    IncarnationOrder {
        /// The next incarnation.
        want: Incarnation,
        /// The record's first.
        got: Incarnation,
    },
    /// Added partitions that do not follow the last one.
    #[error("partition {got} follows, {want} should")]
    PartitionOrder {
        /// How many partitions there are.
        want: usize,
        /// The record's first.
        got: u32,
    },
    /// No partition, more than a topic may have, or a partition without replicas.
    #[error("{count} partition(s) of which one may have no replica")]
    Assignments {
        /// How many partitions the topic would have.
        count: usize,
    },
    /// The config is set twice, or names are out of order.
    #[error("config names are not in order")]
    ConfigOrder,
    /// Producer ids out of order, or none.
    #[error("producer id {got} follows, {want} should")]
    ProducerIdOrder {
        /// The next id.
        want: ProducerId,
        /// The record's first.
        got: ProducerId,
    },
    /// A quota is changed twice, or kinds are out of order, or none is changed.
    #[error("kinds of quotas are not in order")]
    QuotaOrder,
    /// A quota is removed that is not set.
    #[error("a quota is removed that is not set")]
    QuotaMissing,
    /// A counter would pass its end.
    #[error("a counter of the image is exhausted")]
    Exhausted,
}

impl Image {
    /// Changes the image as the record says.
    ///
    /// *Errors*: as [`Image::check`]; the image has not changed then.
    pub fn apply(&mut self, record: &Record) -> Result<(), ApplyError> {
        self.check(record)?;
        match record {
            Record::LevelRaised { level } => self.level = *level,
            Record::BrokerRegistered(record) => self.register(record),
            Record::TopicCreated(record) => self.create_topic(record),
            Record::TopicDeleted { topic } => self.delete_topic(*topic),
            Record::PartitionsAdded(record) => self.add_partitions(record),
            Record::ConfigsChanged(record) => self.change_configs(record),
            Record::ProducerIdsAllocated(record) => {
                self.next_producer_id += i64::from(record.count);
            }
            Record::QuotasChanged(record) => self.change_quotas(record),
        }
        self.revision += 1;
        Ok(())
    }

    /// Returns whether the record follows from this image.
    ///
    /// *Errors*: what does not fit; the caller refuses to go on.
    /// *Cost*: no more than the size of the record.
    pub fn check(&self, record: &Record) -> Result<(), ApplyError> {
        if self.level == 0 && !matches!(record, Record::LevelRaised { .. }) {
            return Err(ApplyError::LevelMissing);
        }
        match record {
            Record::LevelRaised { level } => self.check_level(*level),
            Record::BrokerRegistered(record) => self.check_registration(record),
            Record::TopicCreated(record) => self.check_creation(record),
            Record::TopicDeleted { topic } => self.check_topic(*topic).map(|_| ()),
            Record::PartitionsAdded(record) => self.check_addition(record),
            Record::ConfigsChanged(record) => self.check_configs(record),
            Record::ProducerIdsAllocated(record) => self.check_producer_ids(*record),
            Record::QuotasChanged(record) => self.check_quotas(record),
        }
    }

    fn check_level(&self, level: u16) -> Result<(), ApplyError> {
        if level > LEVEL_NEWEST {
            let newest = LEVEL_NEWEST;
            return Err(ApplyError::LevelTooNew { level, newest });
        }
        if level <= self.level {
            let have = self.level;
            return Err(ApplyError::LevelNotRaised { have, level });
        }
        Ok(())
    }

    fn check_registration(&self, record: &BrokerRegistered) -> Result<(), ApplyError> {
        let (want, got) = (BrokerEpoch(self.next_broker_epoch), record.epoch);
        if want != got {
            return Err(ApplyError::BrokerEpochOrder { want, got });
        }
        let next = self.next_broker_epoch.checked_add(1);
        next.map(|_| ()).ok_or(ApplyError::Exhausted)
    }

    fn check_topic(&self, id: TopicId) -> Result<&Topic, ApplyError> {
        self.topic(id).ok_or(ApplyError::UnknownTopic { id })
    }

    fn check_creation(&self, record: &TopicCreated) -> Result<(), ApplyError> {
        let id = record.topic;
        if id.is_zero() || self.topics.contains_key(&id) {
            return Err(ApplyError::TopicIdTaken { id });
        }
        let name = &record.name;
        if self.names.contains_key(name) || self.collision(name).is_some() {
            let name = name.clone();
            return Err(ApplyError::TopicNameTaken { name });
        }
        self.check_assignments(0, record.first_incarnation, &record.assignments)?;
        check_order(&record.configs)
    }

    fn check_addition(&self, record: &PartitionsAdded) -> Result<(), ApplyError> {
        let want = self.check_topic(record.topic)?.partitions.len();
        let got = record.first_partition;
        if usize::try_from(got) != Ok(want) {
            return Err(ApplyError::PartitionOrder { want, got });
        }
        self.check_assignments(want, record.first_incarnation, &record.assignments)
    }

    fn check_assignments(
        &self,
        have: usize,
        got: Incarnation,
        assignments: &[Vec<NodeId>],
    ) -> Result<(), ApplyError> {
        let want = self.next_incarnation();
        if want != got {
            return Err(ApplyError::IncarnationOrder { want, got });
        }
        let count = have.saturating_add(assignments.len());
        let fits = i32::try_from(count).is_ok_and(|count| count <= TOPIC_PARTITIONS_MAX);
        if !fits || assignments.is_empty() || assignments.iter().any(Vec::is_empty) {
            return Err(ApplyError::Assignments { count });
        }
        let next = u64::try_from(assignments.len())
            .ok()
            .and_then(|added| self.next_incarnation.checked_add(added));
        next.map(|_| ()).ok_or(ApplyError::Exhausted)
    }

    fn check_configs(&self, record: &ConfigsChanged) -> Result<(), ApplyError> {
        match record.scope {
            ConfigScope::Topic(id) => self.check_topic(id).map(|_| ())?,
            ConfigScope::Broker(node) => {
                let broker = self.broker(node).map(|_| ());
                broker.ok_or(ApplyError::UnknownBroker { node })?;
            }
            ConfigScope::AllBrokers => {}
        }
        check_order(&record.changes)
    }

    fn check_producer_ids(&self, record: ProducerIdsAllocated) -> Result<(), ApplyError> {
        let (want, got) = (self.next_producer_id(), record.first);
        if want != got || record.count == 0 {
            return Err(ApplyError::ProducerIdOrder { want, got });
        }
        let next = self.next_producer_id.checked_add(i64::from(record.count));
        next.map(|_| ()).ok_or(ApplyError::Exhausted)
    }

    fn check_quotas(&self, record: &QuotasChanged) -> Result<(), ApplyError> {
        let changes = &record.changes;
        if changes.is_empty() || !changes.is_sorted_by(|(left, _), (right, _)| left < right) {
            return Err(ApplyError::QuotaOrder);
        }
        let present = self.quotas_of(&record.entity);
        let is_set = |kind| present.is_some_and(|quotas| quotas.contains_key(kind));
        let follows = changes
            .iter()
            .all(|(kind, value)| value.is_some() || is_set(kind));
        follows.then_some(()).ok_or(ApplyError::QuotaMissing)
    }

    fn register(&mut self, record: &BrokerRegistered) {
        let broker = Broker {
            epoch: record.epoch,
            registered_at: record.registered_at,
            rack: record.rack.clone(),
            endpoints: record.endpoints.clone(),
        };
        self.brokers.insert(record.node, Arc::new(broker));
        self.next_broker_epoch += 1;
    }

    fn create_topic(&mut self, record: &TopicCreated) {
        let id = record.topic;
        let topic = Topic {
            id,
            name: record.name.clone(),
            created_at: record.created_at,
            partitions: self.new_partitions(&record.assignments),
            configs: record.configs.iter().cloned().collect(),
        };
        self.names.insert(topic.name.clone(), id);
        if let Some(key) = collision_key(&topic.name) {
            self.collision_keys.insert(key, id);
        }
        self.topics.insert(id, Arc::new(topic));
    }

    fn delete_topic(&mut self, id: TopicId) {
        let topic = self.topics.remove(&id).expect("checked to be there");
        self.names.remove(&topic.name);
        if let Some(key) = collision_key(&topic.name) {
            self.collision_keys.remove(&key);
        }
        self.partition_count -= topic.partitions.len();
    }

    fn add_partitions(&mut self, record: &PartitionsAdded) {
        let added = self.new_partitions(&record.assignments);
        self.topic_mut(record.topic).partitions.extend(added);
    }

    /// Takes one incarnation for each assignment.
    fn new_partitions(&mut self, assignments: &[Vec<NodeId>]) -> Vec<Partition> {
        let mut partitions = Vec::with_capacity(assignments.len());
        for replicas in assignments {
            let incarnation = Incarnation(self.next_incarnation);
            let partition = Partition::created(incarnation, replicas);
            partitions.push(partition.expect("checked to have replicas"));
            self.next_incarnation += 1;
        }
        self.partition_count += partitions.len();
        partitions
    }

    fn topic_mut(&mut self, id: TopicId) -> &mut Topic {
        Arc::make_mut(self.topics.get_mut(&id).expect("checked to be there"))
    }

    fn change_configs(&mut self, record: &ConfigsChanged) {
        let configs = match record.scope {
            ConfigScope::Topic(id) => &mut self.topic_mut(id).configs,
            ConfigScope::Broker(node) => self.broker_configs.entry(node).or_default(),
            ConfigScope::AllBrokers => &mut self.all_brokers_configs,
        };
        change(configs, &record.changes);
        if let ConfigScope::Broker(node) = record.scope
            && let Entry::Occupied(entry) = self.broker_configs.entry(node)
            && entry.get().is_empty()
        {
            entry.remove();
        }
    }

    fn change_quotas(&mut self, record: &QuotasChanged) {
        let entities = Arc::make_mut(&mut self.quotas);
        let quotas = entities.entry(record.entity.clone()).or_default();
        for &(kind, value) in &record.changes {
            match value {
                Some(value) => quotas.insert(kind, value),
                None => quotas.remove(&kind),
            };
        }
        if quotas.is_empty() {
            entities.remove(&record.entity);
        }
    }
}

fn change(configs: &mut Configs, changes: &[(String, Option<String>)]) {
    for (name, value) in changes {
        match value {
            Some(value) => configs.insert(name.clone(), value.clone()),
            None => configs.remove(name),
        };
    }
}

/// Names rise strictly, so that equal changes have equal bytes.
fn check_order<T>(configs: &[(String, T)]) -> Result<(), ApplyError> {
    if configs.is_sorted_by(|(left, _), (right, _)| left < right) {
        Ok(())
    } else {
        Err(ApplyError::ConfigOrder)
    }
}

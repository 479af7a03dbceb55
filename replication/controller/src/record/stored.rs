//! What records look like on disk: plain numbers and texts, archived by rkyv.
//!
//! These types never change once released: a new shape is a new `V2` beside the old one. Going to
//! disk cannot fail; coming back checks every field, because the bytes may be anything.

use rkyv::{Archive, Deserialize, Serialize};
use types::{Incarnation, NodeId, ProducerId, TimestampMs, TopicId};

use crate::archive::{
    EndpointV1, FieldError, QuotaEntityV1, node_id, nodes, numbers, quota, quota_kind, topic_name,
};
use crate::image::{BrokerEpoch, Endpoint};
use crate::quota::{QuotaKind, QuotaValue};
use crate::record::change::{
    BrokerRegistered, ConfigScope, ConfigsChanged, PartitionsAdded, ProducerIdsAllocated,
    QuotasChanged, TopicCreated,
};

#[derive(Archive, Serialize, Deserialize)]
pub(crate) struct LevelRaisedV1 {
    pub(crate) level: u16,
}

#[derive(Archive, Serialize, Deserialize)]
pub(crate) struct BrokerRegisteredV1 {
    pub(crate) node: i32,
    pub(crate) epoch: i64,
    pub(crate) registered_at_ms: i64,
    pub(crate) rack: Option<String>,
    pub(crate) endpoints: Vec<EndpointV1>,
}

#[derive(Archive, Serialize, Deserialize)]
pub(crate) struct TopicCreatedV1 {
    pub(crate) topic: [u8; 16],
    pub(crate) name: String,
    pub(crate) created_at_ms: i64,
    pub(crate) first_incarnation: u64,
    pub(crate) assignments: Vec<Vec<i32>>,
    pub(crate) configs: Vec<(String, String)>,
}

#[derive(Archive, Serialize, Deserialize)]
pub(crate) struct TopicDeletedV1 {
    pub(crate) topic: [u8; 16],
}

#[derive(Archive, Serialize, Deserialize)]
pub(crate) struct PartitionsAddedV1 {
    pub(crate) topic: [u8; 16],
    pub(crate) first_partition: u32,
    pub(crate) first_incarnation: u64,
    pub(crate) assignments: Vec<Vec<i32>>,
}

#[derive(Archive, Serialize, Deserialize)]
pub(crate) enum ConfigScopeV1 {
    Topic([u8; 16]),
    Broker(i32),
    AllBrokers,
}

#[derive(Archive, Serialize, Deserialize)]
pub(crate) struct ConfigsChangedV1 {
    pub(crate) scope: ConfigScopeV1,
    pub(crate) changes: Vec<(String, Option<String>)>,
}

#[derive(Archive, Serialize, Deserialize)]
pub(crate) struct ProducerIdsAllocatedV1 {
    pub(crate) node: i32,
    pub(crate) first: i64,
    pub(crate) count: u32,
}

#[derive(Archive, Serialize, Deserialize)]
pub(crate) struct QuotasChangedV1 {
    pub(crate) entity: QuotaEntityV1,
    pub(crate) changes: Vec<(String, Option<f64>)>,
}

fn assignments(stored: &[Vec<i32>]) -> Result<Vec<Vec<NodeId>>, FieldError> {
    stored
        .iter()
        .map(|replicas| nodes(replicas, "assignments"))
        .collect()
}

impl From<&BrokerRegistered> for BrokerRegisteredV1 {
    fn from(record: &BrokerRegistered) -> Self {
        Self {
            node: record.node.0,
            epoch: record.epoch.0,
            registered_at_ms: record.registered_at.0,
            rack: record.rack.clone(),
            endpoints: record.endpoints.iter().map(EndpointV1::from).collect(),
        }
    }
}

impl TryFrom<BrokerRegisteredV1> for BrokerRegistered {
    type Error = FieldError;

    fn try_from(stored: BrokerRegisteredV1) -> Result<Self, FieldError> {
        Ok(Self {
            node: node_id(stored.node, "node")?,
            epoch: BrokerEpoch(stored.epoch),
            registered_at: TimestampMs(stored.registered_at_ms),
            rack: stored.rack,
            endpoints: stored.endpoints.into_iter().map(Endpoint::from).collect(),
        })
    }
}

impl From<&TopicCreated> for TopicCreatedV1 {
    fn from(record: &TopicCreated) -> Self {
        Self {
            topic: record.topic.0,
            name: record.name.as_str().to_owned(),
            created_at_ms: record.created_at.0,
            first_incarnation: record.first_incarnation.0,
            assignments: record
                .assignments
                .iter()
                .map(|nodes| numbers(nodes))
                .collect(),
            configs: record.configs.clone(),
        }
    }
}

impl TryFrom<TopicCreatedV1> for TopicCreated {
    type Error = FieldError;

    fn try_from(stored: TopicCreatedV1) -> Result<Self, FieldError> {
        Ok(Self {
            topic: TopicId(stored.topic),
            name: topic_name(&stored.name)?,
            created_at: TimestampMs(stored.created_at_ms),
            first_incarnation: Incarnation(stored.first_incarnation),
            assignments: assignments(&stored.assignments)?,
            configs: stored.configs,
        })
    }
}

impl From<&PartitionsAdded> for PartitionsAddedV1 {
    fn from(record: &PartitionsAdded) -> Self {
        Self {
            topic: record.topic.0,
            first_partition: record.first_partition,
            first_incarnation: record.first_incarnation.0,
            assignments: record
                .assignments
                .iter()
                .map(|nodes| numbers(nodes))
                .collect(),
        }
    }
}

impl TryFrom<PartitionsAddedV1> for PartitionsAdded {
    type Error = FieldError;

    fn try_from(stored: PartitionsAddedV1) -> Result<Self, FieldError> {
        Ok(Self {
            topic: TopicId(stored.topic),
            first_partition: stored.first_partition,
            first_incarnation: Incarnation(stored.first_incarnation),
            assignments: assignments(&stored.assignments)?,
        })
    }
}

impl From<&ConfigsChanged> for ConfigsChangedV1 {
    fn from(record: &ConfigsChanged) -> Self {
        let scope = match record.scope {
            ConfigScope::Topic(topic) => ConfigScopeV1::Topic(topic.0),
            ConfigScope::Broker(node) => ConfigScopeV1::Broker(node.0),
            ConfigScope::AllBrokers => ConfigScopeV1::AllBrokers,
        };
        Self {
            scope,
            changes: record.changes.clone(),
        }
    }
}

impl From<ConfigsChangedV1> for ConfigsChanged {
    fn from(stored: ConfigsChangedV1) -> Self {
        let scope = match stored.scope {
            ConfigScopeV1::Topic(topic) => ConfigScope::Topic(TopicId(topic)),
            ConfigScopeV1::Broker(node) => ConfigScope::Broker(NodeId(node)),
            ConfigScopeV1::AllBrokers => ConfigScope::AllBrokers,
        };
        Self {
            scope,
            changes: stored.changes,
        }
    }
}

impl From<&ProducerIdsAllocated> for ProducerIdsAllocatedV1 {
    fn from(record: &ProducerIdsAllocated) -> Self {
        Self {
            node: record.node.0,
            first: record.first.0,
            count: record.count,
        }
    }
}

impl TryFrom<ProducerIdsAllocatedV1> for ProducerIdsAllocated {
    type Error = FieldError;

    fn try_from(stored: ProducerIdsAllocatedV1) -> Result<Self, FieldError> {
        Ok(Self {
            node: node_id(stored.node, "node")?,
            first: ProducerId(stored.first),
            count: stored.count,
        })
    }
}

impl From<&QuotasChanged> for QuotasChangedV1 {
    fn from(record: &QuotasChanged) -> Self {
        let changes = record.changes.iter();
        let change = |(kind, value): &(QuotaKind, Option<QuotaValue>)| {
            (kind.name().to_owned(), value.map(QuotaValue::get))
        };
        Self {
            entity: QuotaEntityV1::from(&record.entity),
            changes: changes.map(change).collect(),
        }
    }
}

impl TryFrom<QuotasChangedV1> for QuotasChanged {
    type Error = FieldError;

    fn try_from(stored: QuotasChangedV1) -> Result<Self, FieldError> {
        let change = |(name, value): (String, Option<f64>)| match value {
            Some(value) => quota(&name, value).map(|(kind, value)| (kind, Some(value))),
            None => quota_kind(&name).map(|kind| (kind, None)),
        };
        Ok(Self {
            entity: stored.entity.try_into()?,
            changes: stored
                .changes
                .into_iter()
                .map(change)
                .collect::<Result<_, _>>()?,
        })
    }
}

//! What a client knows of the cluster: brokers, topics, partitions and their leaders.

use std::collections::BTreeMap;

use types::{LeaderEpoch, NodeId, TopicId};
use wire::messages::metadata;

use crate::error::BrokerError;

/// The latest that the cluster told.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    /// The cluster's id, if it has one.
    pub cluster_id: Option<String>,
    /// The node that takes admin requests.
    pub controller: Option<NodeId>,
    /// Where each broker is reached, as `(host, port)`.
    pub brokers: BTreeMap<NodeId, Endpoint>,
    /// The topics that exist, by name.
    pub topics: BTreeMap<String, Topic>,
    /// Why a topic that was asked for is not among them.
    pub refused: BTreeMap<String, BrokerError>,
}

/// Where a broker is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// A host name or address.
    pub host: String,
    /// A port.
    pub port: u16,
    /// The rack, if the broker has one.
    pub rack: Option<String>,
}

/// A topic.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Its id; zero from a broker that knows none.
    pub id: TopicId,
    /// Whether it belongs to the cluster itself.
    pub internal: bool,
    /// Its partitions, in the order of their numbers.
    pub partitions: Vec<Partition>,
}

/// A partition.
#[derive(Clone, Debug)]
pub struct Partition {
    /// Its number.
    pub index: i32,
    /// Its leader, if it has one.
    pub leader: Option<NodeId>,
    /// The leader's epoch, if it is known.
    pub leader_epoch: Option<LeaderEpoch>,
    /// The nodes that hold it, the preferred leader first.
    pub replicas: Vec<NodeId>,
    /// Those of them that are in sync.
    pub in_sync: Vec<NodeId>,
}

/// Asks for topics by name; for all of them without names.
pub fn request(names: Option<&[&str]>, allow_auto_topic_creation: bool) -> metadata::Request {
    let topic = |name: &&str| metadata::RequestTopic {
        name: Some((*name).to_owned()),
        ..Default::default()
    };
    metadata::Request {
        topics: names.map(|names| names.iter().map(topic).collect()),
        allow_auto_topic_creation,
        ..Default::default()
    }
}

impl Metadata {
    /// Takes what the cluster told: brokers are replaced, topics are replaced one by one.
    pub fn update(&mut self, response: metadata::Response) {
        self.cluster_id = response.cluster_id;
        self.controller = node(response.controller_id);
        self.brokers = response.brokers.into_iter().filter_map(endpoint).collect();
        for topic in response.topics {
            let Some(name) = topic.name else { continue };
            if let Some(refusal) = BrokerError::of(topic.error_code, None) {
                self.topics.remove(&name);
                self.refused.insert(name, refusal);
            } else {
                self.refused.remove(&name);
                let told = Topic::of(topic.topic_id, topic.is_internal, topic.partitions);
                self.topics.insert(name, told);
            }
        }
    }

    /// Returns a partition, if the topic has it.
    pub fn partition(&self, topic: &str, index: i32) -> Option<&Partition> {
        let partitions = &self.topics.get(topic)?.partitions;
        let place = partitions.binary_search_by_key(&index, |partition| partition.index);
        place.ok().and_then(|place| partitions.get(place))
    }

    /// Returns the leader of a partition, if there is one whose address is known.
    pub fn leader(&self, topic: &str, index: i32) -> Option<NodeId> {
        let leader = self.partition(topic, index)?.leader?;
        self.brokers.contains_key(&leader).then_some(leader)
    }

    /// Returns the name of the topic with this id.
    pub fn name_of(&self, id: TopicId) -> Option<&str> {
        let mut topics = self.topics.iter();
        topics
            .find(|(_, topic)| topic.id == id)
            .map(|(name, _)| name.as_str())
    }
}

impl Topic {
    fn of(id: TopicId, internal: bool, told: Vec<metadata::Partition>) -> Self {
        let nodes = |ids: Vec<i32>| ids.into_iter().map(NodeId).collect();
        let mut partitions: Vec<_> = told
            .into_iter()
            .map(|partition| Partition {
                index: partition.partition_index,
                leader: node(partition.leader_id),
                leader_epoch: LeaderEpoch::new(partition.leader_epoch),
                replicas: nodes(partition.replica_nodes),
                in_sync: nodes(partition.isr_nodes),
            })
            .collect();
        partitions.sort_by_key(|partition| partition.index);
        Self {
            id,
            internal,
            partitions,
        }
    }
}

fn node(id: i32) -> Option<NodeId> {
    (id >= 0).then_some(NodeId(id))
}

/// A broker whose port is none cannot be reached, and is left out.
fn endpoint(broker: metadata::Broker) -> Option<(NodeId, Endpoint)> {
    let endpoint = Endpoint {
        host: broker.host,
        port: u16::try_from(broker.port).ok()?,
        rack: broker.rack,
    };
    Some((NodeId(broker.node_id), endpoint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broker(node_id: i32, port: i32) -> metadata::Broker {
        metadata::Broker {
            node_id,
            host: "here".into(),
            port,
            ..Default::default()
        }
    }

    fn told(name: &str, error_code: i16, leaders: &[i32]) -> metadata::Topic {
        let partition = |(index, &leader_id)| metadata::Partition {
            partition_index: i32::try_from(index).unwrap(),
            leader_id,
            ..Default::default()
        };
        metadata::Topic {
            error_code,
            name: Some(name.into()),
            topic_id: TopicId([7; 16]),
            partitions: leaders.iter().enumerate().map(partition).rev().collect(),
            ..Default::default()
        }
    }

    #[test]
    fn leaders_are_found_as_far_as_they_can_be_reached() {
        let mut metadata = Metadata::default();
        metadata.update(metadata::Response {
            brokers: vec![broker(1, 9092), broker(2, 70_000)],
            controller_id: 1,
            topics: vec![told("t", 0, &[1, 2, -1])],
            ..Default::default()
        });
        assert_eq!(metadata.leader("t", 0), Some(NodeId(1)));
        assert_eq!(metadata.leader("t", 1), None, "its port is none");
        assert_eq!(metadata.leader("t", 2), None, "it has no leader");
        assert_eq!(metadata.leader("t", 3), None);
        assert_eq!(metadata.leader("u", 0), None);
        assert_eq!(metadata.name_of(TopicId([7; 16])), Some("t"));
    }

    #[test]
    fn a_topic_that_is_gone_is_forgotten_with_its_reason() {
        let mut metadata = Metadata::default();
        metadata.update(metadata::Response {
            topics: vec![told("t", 0, &[1]), told("u", 0, &[1])],
            ..Default::default()
        });
        metadata.update(metadata::Response {
            topics: vec![told("t", 3, &[])],
            ..Default::default()
        });
        assert_eq!(metadata.topics.keys().collect::<Vec<_>>(), ["u"]);
        assert_eq!(metadata.refused["t"].code, 3);
    }
}

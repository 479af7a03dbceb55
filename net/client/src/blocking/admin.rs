//! The admin client with sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use types::{ErrorCode, NodeId, Offset};
use wire::Call;
use wire::api::ApiKey;

use super::cluster::{Cluster, Peer};
use crate::admin::{
    self, Config, ConfigChange, ConfigResource, CreatedTopic, Election, EntityFilter, NewTopic,
    OffsetQuery, Place, PlaceResults, QuotaChange, QuotaEntity, Quotas, Results,
};
use crate::error::{BrokerError, Error};

/// How many topics one request asks about.
const TOPICS_MAX: usize = 1000;

/// Orders to a cluster, one at a time.
///
/// *Errors* of all its methods: those of [`Cluster::call`]; what is refused is in the results.
#[derive(Debug)]
pub struct Admin<'a> {
    pub(super) cluster: &'a mut Cluster,
    /// How long a broker may take.
    timeout: Duration,
}

impl<'a> Admin<'a> {
    /// Speaks to a cluster.
    pub fn new(cluster: &'a mut Cluster) -> Self {
        let timeout = cluster.options().request_timeout / 2;
        Self { cluster, timeout }
    }

    /// Creates topics.
    pub fn create_topics(&mut self, topics: &[NewTopic]) -> Result<Results<CreatedTopic>, Error> {
        let request = admin::create_topics(topics, self.timeout);
        self.ordered(&request).map(admin::topics_created)
    }

    /// Deletes topics.
    pub fn delete_topics(&mut self, names: &[&str]) -> Result<Results<()>, Error> {
        self.cluster.refresh(Some(&[]), false)?;
        let version = self
            .cluster
            .version(Peer::Controller, ApiKey::DeleteTopics)?;
        let request = admin::delete_topics(names, self.timeout, version);
        let response = self.cluster.call(Peer::Controller, &request)?;
        Ok(admin::topics_deleted(response))
    }

    /// Gives a topic `count` partitions in all.
    pub fn widen_topic(&mut self, name: &str, count: i32) -> Result<(), Error> {
        let request = admin::widen_topic(name, count, self.timeout);
        let results = self.ordered(&request).map(admin::topics_widened)?;
        only(name, results)
    }

    /// Tells all configurations of a topic.
    pub fn topic_configs(&mut self, name: &str) -> Result<Vec<Config>, Error> {
        self.configs(&ConfigResource::Topic(name.to_owned()))
    }

    /// Changes single configurations of a topic.
    pub fn alter_topic_configs(
        &mut self,
        name: &str,
        changes: &[ConfigChange],
    ) -> Result<(), Error> {
        self.alter_configs(&ConfigResource::Topic(name.to_owned()), changes)
    }

    /// Tells all configurations of a resource.
    pub fn configs(&mut self, resource: &ConfigResource) -> Result<Vec<Config>, Error> {
        let request = admin::describe_configs(std::slice::from_ref(resource), None);
        let peer = broker_of(resource).unwrap_or(Peer::Any);
        let response = self.cluster.call(peer, &request)?;
        only(&subject(resource), admin::configs(response))
    }

    /// Tells the value that each of these topics has for a key.
    pub fn topics_config(
        &mut self,
        names: &[&str],
        key: &str,
    ) -> Result<Results<Option<String>>, Error> {
        let mut results = Results::new();
        for names in names.chunks(TOPICS_MAX) {
            let topic = |&name: &&str| ConfigResource::Topic(name.to_owned());
            let topics: Vec<_> = names.iter().map(topic).collect();
            let request = admin::describe_configs(&topics, Some(&[key]));
            let response = self.cluster.call(Peer::Any, &request)?;
            let value = |(name, configs): (String, Result<Vec<Config>, BrokerError>)| {
                let config = configs.map(|configs| configs.into_iter().find(|it| it.name == key));
                (name, config.map(|config| config.and_then(|it| it.value)))
            };
            results.extend(admin::configs(response).into_iter().map(value));
        }
        Ok(results)
    }

    /// Changes single configurations of a resource.
    pub fn alter_configs(
        &mut self,
        resource: &ConfigResource,
        changes: &[ConfigChange],
    ) -> Result<(), Error> {
        let request = admin::alter_configs(resource, changes);
        let response = match broker_of(resource) {
            Some(broker) => self.cluster.call(broker, &request)?,
            None => self.ordered(&request)?,
        };
        only(&subject(resource), admin::configs_altered(response))
    }

    /// Chooses leaders anew; without partitions, those of all there are.
    ///
    /// *Errors*: [`Error::Refused`] if there was no election at all.
    pub fn elect_leaders(
        &mut self,
        election: Election,
        places: Option<&[Place]>,
    ) -> Result<PlaceResults<()>, Error> {
        let request = admin::elect_leaders(election, places, self.timeout);
        let elected = self.ordered(&request).map(admin::leaders_elected)?;
        elected.map_err(|refusal| Error::refused("ElectLeaders", refusal))
    }

    /// Tells offsets of partitions, each asked of its leader; `None` where no record is that
    /// young.
    pub fn offsets(
        &mut self,
        places: &[Place],
        query: OffsetQuery,
    ) -> Result<PlaceResults<Option<Offset>>, Error> {
        let names: BTreeSet<&str> = places.iter().map(|(topic, _)| topic.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        self.cluster.refresh(Some(&names), false)?;
        let mut results = PlaceResults::new();
        let mut led: BTreeMap<NodeId, Vec<Place>> = BTreeMap::new();
        for place in places {
            match self.leader(place) {
                Ok(leader) => led.entry(leader).or_default().push(place.clone()),
                Err(refusal) => {
                    results.insert(place.clone(), Err(refusal));
                }
            }
        }
        for (leader, places) in led {
            let request = admin::list_offsets(&places, query);
            let response = self.cluster.call(Peer::Node(leader), &request)?;
            results.extend(admin::offsets(response));
        }
        Ok(results)
    }

    /// Returns the leader of a partition, or why it has none.
    fn leader(&self, (topic, partition): &Place) -> Result<NodeId, BrokerError> {
        let metadata = self.cluster.metadata();
        if let Some(leader) = metadata.leader(topic, *partition) {
            return Ok(leader);
        }
        if let Some(refusal) = metadata.refused.get(topic) {
            return Err(refusal.clone());
        }
        Err(match metadata.partition(topic, *partition) {
            Some(_) => ErrorCode::LeaderNotAvailable.into(),
            None => ErrorCode::UnknownTopicOrPartition.into(),
        })
    }

    /// Tells the quotas of the entities whose parts are as each filter says; without filters of
    /// all.
    ///
    /// *Errors*: [`Error::Refused`] if the filters make no sense to the broker.
    pub fn quotas(
        &mut self,
        filters: &BTreeMap<String, EntityFilter>,
    ) -> Result<Vec<(QuotaEntity, Quotas)>, Error> {
        let request = admin::describe_quotas(filters);
        let quotas = self.cluster.call(Peer::Any, &request).map(admin::quotas)?;
        quotas.map_err(|refusal| Error::refused("DescribeClientQuotas", refusal))
    }

    /// Changes quotas of an entity.
    ///
    /// *Errors*: [`Error::Refused`] if they were not changed.
    pub fn alter_quotas(
        &mut self,
        entity: &QuotaEntity,
        changes: &[QuotaChange],
    ) -> Result<(), Error> {
        let request = admin::alter_quotas(entity, changes);
        let altered = self.ordered(&request).map(admin::quotas_altered)?;
        altered.map_err(|refusal| Error::refused("AlterClientQuotas", refusal))
    }

    /// Sends an order to the controller. The metadata may be old: who it is, is asked first.
    fn ordered<C: Call>(&mut self, request: &C) -> Result<C::Response, Error> {
        self.cluster.refresh(Some(&[]), false)?;
        self.cluster.call(Peer::Controller, request)
    }
}

/// Returns the broker whose own configurations these are: it alone knows them.
fn broker_of(resource: &ConfigResource) -> Option<Peer> {
    match resource {
        ConfigResource::Broker(node) => Some(Peer::Node(*node)),
        ConfigResource::Topic(_) | ConfigResource::Brokers => None,
    }
}

/// Says what a refusal is about.
fn subject(resource: &ConfigResource) -> String {
    match resource {
        ConfigResource::Topic(name) => name.clone(),
        ConfigResource::Broker(node) => format!("broker {node}"),
        ConfigResource::Brokers => "all brokers".to_owned(),
    }
}

/// Takes the one result of a request about one thing.
fn only<T>(name: &str, results: Results<T>) -> Result<T, Error> {
    let result = results.into_iter().next().map(|(_, result)| result);
    let result = result.unwrap_or_else(|| Err(ErrorCode::UnknownServerError.into()));
    result.map_err(|refusal| Error::refused(name, refusal))
}

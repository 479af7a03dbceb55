//! The admin client with sockets.

use std::collections::BTreeMap;
use std::time::Duration;

use wire::Call;
use wire::api::ApiKey;

use super::cluster::{Cluster, Peer};
use crate::admin::{
    self, ConfigChange, CreatedTopic, EntityFilter, NewTopic, QuotaChange, QuotaEntity, Quotas,
    Results, TopicConfig,
};
use crate::error::{BrokerError, Error};

/// Orders to a cluster, one at a time.
///
/// *Errors* of all its methods: those of [`Cluster::call`]; what is refused is in the results.
#[derive(Debug)]
pub struct Admin<'a> {
    cluster: &'a mut Cluster,
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
    pub fn topic_configs(&mut self, name: &str) -> Result<Vec<TopicConfig>, Error> {
        let request = admin::describe_topic_configs(&[name]);
        let response = self.cluster.call(Peer::Any, &request)?;
        only(name, admin::topic_configs(response))
    }

    /// Changes single configurations of a topic.
    pub fn alter_topic_configs(
        &mut self,
        name: &str,
        changes: &[ConfigChange],
    ) -> Result<(), Error> {
        let request = admin::alter_topic_configs(name, changes);
        let results = self.ordered(&request).map(admin::topic_configs_altered)?;
        only(name, results)
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

/// Takes the one result of a request about one topic.
fn only<T>(name: &str, results: Results<T>) -> Result<T, Error> {
    let result = results.into_iter().next().map(|(_, result)| result);
    let untold = BrokerError {
        code: types::ErrorCode::UnknownServerError.code(),
        message: None,
    };
    let result = result.unwrap_or(Err(untold));
    result.map_err(|refusal| Error::refused(name, refusal))
}

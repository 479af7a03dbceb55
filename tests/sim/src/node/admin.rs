//! Admin requests, each repeated until its outcome is known.
//!
//! A topic has one owner, who asks for one thing at a time. After a connection was lost in the middle
//! the broker may still be at the last request, so the owner waits before it asks again.

use std::rc::Rc;

use types::{ErrorCode, TopicId};
use wire::Call;
use wire::messages::describe_configs::RESOURCE_TOPIC;
use wire::messages::{
    create_partitions, create_topics, delete_records, delete_topics, describe_configs,
    incremental_alter_configs, metadata,
};

use super::desk::{Desk, is_passing, name};
use super::link::{ADMIN_VERSIONS_MAX, Link, pause};
use crate::chance::Chance;

/// How long an admin waits after a request whose outcome it does not know, in milliseconds.
const UNCERTAIN_MS: (u64, u64) = (300, 400);

/// An admin client.
pub(super) struct Admin {
    pub(super) desk: Rc<Desk>,
    pub(super) chance: Chance,
    link: Option<Link>,
}

/// What became of a request, once that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settled {
    /// The error code, 0 for success.
    pub(super) code: i16,
    /// Whether an earlier attempt may have been carried out.
    pub(super) repeated: bool,
}

impl Settled {
    fn is(self, code: ErrorCode) -> bool {
        self.code == code.code()
    }
}

impl Admin {
    pub(super) fn new(desk: &Rc<Desk>, chance: Chance) -> Self {
        Self {
            desk: Rc::clone(desk),
            chance,
            link: None,
        }
    }

    /// Asks once; `None` if the connection was lost.
    async fn try_ask<C: Call>(&mut self, request: &C) -> Option<C::Response> {
        self.try_ask_at_most(request, i16::MAX).await
    }

    async fn try_ask_at_most<C: Call>(
        &mut self,
        request: &C,
        version_max: i16,
    ) -> Option<C::Response> {
        let mut link = if let Some(link) = self.link.take() {
            link
        } else {
            let link_max = self.chance.pick(ADMIN_VERSIONS_MAX);
            Link::dial_patiently(&self.desk, &mut self.chance, link_max).await
        };
        let response = link.call_at_most(&self.desk, request, version_max).await;
        let response = response.ok()?;
        self.link = Some(link);
        Some(response)
    }

    /// Asks until there is an answer.
    pub(super) async fn ask<C: Call>(&mut self, request: &C) -> C::Response {
        self.ask_at_most(request, i16::MAX).await
    }

    /// Asks in a version up to `version_max` until there is an answer.
    pub(super) async fn ask_at_most<C: Call>(
        &mut self,
        request: &C,
        version_max: i16,
    ) -> C::Response {
        loop {
            if let Some(response) = self.try_ask_at_most(request, version_max).await {
                return response;
            }
            pause(&mut self.chance, 1, 40).await;
        }
    }

    /// Asks until the outcome is known; `code_of` finds the code of the one item.
    async fn settle<C: Call>(
        &mut self,
        request: &C,
        code_of: impl Fn(&C::Response) -> Option<i16>,
    ) -> (Settled, C::Response) {
        let mut repeated = false;
        loop {
            if let Some(response) = self.try_ask(request).await {
                let code = code_of(&response).unwrap_or_else(|| {
                    self.desk
                        .unexpected(format!("an answer to {} without its item", C::KEY));
                    0
                });
                if !is_passing(code) {
                    return (Settled { code, repeated }, response);
                }
            }
            repeated = true;
            pause(&mut self.chance, UNCERTAIN_MS.0, UNCERTAIN_MS.1).await;
        }
    }

    /// Creates a topic that nobody else creates; `None` if that was refused without reason.
    pub(super) async fn create_topic(
        &mut self,
        topic: &str,
        partitions: i32,
        configs: &[(&str, &str)],
    ) -> Option<TopicId> {
        let config = |(name, value): &(&str, &str)| create_topics::Config {
            name: (*name).to_owned(),
            value: Some((*value).to_owned()),
        };
        let request = create_topics::Request {
            topics: vec![create_topics::Topic {
                name: topic.to_owned(),
                num_partitions: partitions,
                replication_factor: 1,
                assignments: Vec::new(),
                configs: configs.iter().map(config).collect(),
            }],
            timeout_ms: 5_000,
            validate_only: false,
        };
        let first = |response: &create_topics::Response| Some(response.topics.first()?.error_code);
        let (settled, response) = self.settle(&request, first).await;
        if settled.code == 0 {
            // Older versions do not tell the id.
            let id = response.topics.first().map(|topic| topic.topic_id);
            if let Some(id) = id.filter(|id| !id.is_zero()) {
                return Some(id);
            }
        } else if !(settled.is(ErrorCode::TopicAlreadyExists) && settled.repeated) {
            self.unexpected("CreateTopics", topic, settled);
            return None;
        }
        self.find_topic(topic).await
    }

    /// Looks for the id of a topic that is there.
    async fn find_topic(&mut self, topic: &str) -> Option<TopicId> {
        let topics = self.topics().await;
        let found = topics.iter().find(|it| it.name.as_deref() == Some(topic));
        if found.is_none() {
            self.desk
                .unexpected(format!("{topic} was created and is not there"));
        }
        found.map(|topic| topic.topic_id)
    }

    /// Lists all topics but the broker's own.
    pub(super) async fn topics(&mut self) -> Vec<metadata::Topic> {
        let request = metadata::Request {
            topics: None,
            allow_auto_topic_creation: false,
            ..metadata::Request::default()
        };
        let mut topics = self.ask(&request).await.topics;
        topics.retain(|topic| !topic.is_internal);
        topics
    }

    /// Deletes a topic that is there and that nobody else deletes.
    pub(super) async fn delete_topic(&mut self, topic: &str) {
        let request = delete_topics::Request {
            topics: vec![delete_topics::Topic {
                name: Some(topic.to_owned()),
                topic_id: TopicId::ZERO,
            }],
            topic_names: vec![topic.to_owned()],
            timeout_ms: 5_000,
        };
        let first =
            |response: &delete_topics::Response| Some(response.responses.first()?.error_code);
        let (settled, _) = self.settle(&request, first).await;
        let is_gone = settled.is(ErrorCode::UnknownTopicOrPartition) && settled.repeated;
        if settled.code != 0 && !is_gone {
            self.unexpected("DeleteTopics", topic, settled);
        }
    }

    /// Gives a topic more partitions; returns whether it has them.
    pub(super) async fn grow(&mut self, topic: &str, count: i32) -> bool {
        let request = create_partitions::Request {
            topics: vec![create_partitions::Topic {
                name: topic.to_owned(),
                count,
                assignments: None,
            }],
            timeout_ms: 5_000,
            validate_only: false,
        };
        let first =
            |response: &create_partitions::Response| Some(response.results.first()?.error_code);
        let (settled, _) = self.settle(&request, first).await;
        let had_them = settled.is(ErrorCode::InvalidPartitions) && settled.repeated;
        if settled.code != 0 && !had_them {
            self.unexpected("CreatePartitions", topic, settled);
            return false;
        }
        true
    }

    /// Sets a config of a topic; returns whether it is set.
    pub(super) async fn set_config(&mut self, topic: &str, key: &str, value: &str) -> bool {
        let change = incremental_alter_configs::Change {
            name: key.to_owned(),
            config_operation: incremental_alter_configs::OPERATION_SET,
            value: Some(value.to_owned()),
        };
        let request = incremental_alter_configs::Request {
            resources: vec![incremental_alter_configs::Resource {
                resource_type: RESOURCE_TOPIC,
                resource_name: topic.to_owned(),
                configs: vec![change],
            }],
            validate_only: false,
        };
        let first = |response: &incremental_alter_configs::Response| {
            Some(response.responses.first()?.error_code)
        };
        let (settled, _) = self.settle(&request, first).await;
        if settled.code != 0 {
            self.unexpected("IncrementalAlterConfigs", topic, settled);
        }
        settled.code == 0
    }

    /// Reads configs of a topic; `None` for a key that is not told.
    pub(super) async fn configs(
        &mut self,
        topic: &str,
        keys: &[&'static str],
    ) -> Vec<(&'static str, Option<String>)> {
        let request = describe_configs::Request {
            resources: vec![describe_configs::Resource {
                resource_type: RESOURCE_TOPIC,
                resource_name: topic.to_owned(),
                configuration_keys: Some(keys.iter().map(|key| (*key).to_owned()).collect()),
            }],
            ..describe_configs::Request::default()
        };
        let first =
            |response: &describe_configs::Response| Some(response.results.first()?.error_code);
        let (settled, response) = self.settle(&request, first).await;
        if settled.code != 0 {
            self.unexpected("DescribeConfigs", topic, settled);
            return Vec::new();
        }
        let configs: Vec<_> = response
            .results
            .into_iter()
            .flat_map(|it| it.configs)
            .collect();
        let told = |key: &str| configs.iter().find(|it| it.name == key)?.value.clone();
        keys.iter().map(|key| (*key, told(key))).collect()
    }

    /// Deletes everything below an offset that is not beyond the high watermark; returns the start.
    pub(super) async fn delete_below(
        &mut self,
        topic: &str,
        partition: i32,
        below: i64,
    ) -> Option<i64> {
        let request = delete_records::Request {
            topics: vec![delete_records::Topic {
                name: topic.to_owned(),
                partitions: vec![delete_records::Partition {
                    partition_index: partition,
                    offset: below,
                }],
            }],
            timeout_ms: 5_000,
        };
        let item = |response: &delete_records::Response| {
            let partition = response.topics.first()?.partitions.first()?;
            Some((partition.error_code, partition.low_watermark))
        };
        let (settled, response) = self
            .settle(&request, |response| Some(item(response)?.0))
            .await;
        if settled.code != 0 {
            self.unexpected("DeleteRecords", topic, settled);
            return None;
        }
        item(&response).map(|(_, log_start)| log_start)
    }

    fn unexpected(&self, what: &str, topic: &str, settled: Settled) {
        self.desk
            .unexpected(format!("{what} of {topic}: {}", name(settled.code)));
    }
}

//! What an admin asks, and what the answers mean: requests are made and answers read here, and
//! carried elsewhere.
//!
//! Every answer is a list with one result for each thing asked for, because a broker may do one
//! and refuse another.

mod quotas;

use std::collections::BTreeMap;
use std::time::Duration;

use types::TopicId;
use wire::messages::describe_configs::RESOURCE_TOPIC;
use wire::messages::{
    create_partitions, create_topics, delete_topics, describe_configs, incremental_alter_configs,
};

use crate::error::BrokerError;

pub use quotas::{
    EntityFilter, QuotaChange, QuotaEntity, Quotas, alter_quotas, describe_quotas, quotas,
    quotas_altered,
};

/// One result for each name, in the order of the answer.
pub type Results<T> = Vec<(String, Result<T, BrokerError>)>;

/// A topic to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions; `None` for the broker's default.
    pub partitions: Option<i32>,
    /// How many replicas each; `None` for the broker's default.
    pub replication: Option<i16>,
    /// The configurations that differ from the defaults.
    pub configs: BTreeMap<String, String>,
}

/// A topic that was created, as far as the broker told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedTopic {
    /// Its id; zero from older brokers.
    pub id: TopicId,
    /// How many partitions it has.
    pub partitions: Option<i32>,
    /// How many replicas each has.
    pub replication: Option<i16>,
}

/// One configuration of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicConfig {
    /// The key.
    pub name: String,
    /// The value; `None` for a secret.
    pub value: Option<String>,
    /// Whether it was set for this topic, and is not inherited.
    pub is_own: bool,
}

/// A change of one configuration of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigChange {
    /// The key.
    pub name: String,
    /// The value; `None` returns it to its default.
    pub value: Option<String>,
}

/// Asks for topics to be created.
pub fn create_topics(topics: &[NewTopic], timeout: Duration) -> create_topics::Request {
    let topic = |topic: &NewTopic| create_topics::Topic {
        name: topic.name.clone(),
        num_partitions: topic.partitions.unwrap_or(-1),
        replication_factor: topic.replication.unwrap_or(-1),
        assignments: Vec::new(),
        configs: topic.configs.iter().map(config).collect(),
    };
    create_topics::Request {
        topics: topics.iter().map(topic).collect(),
        timeout_ms: milliseconds(timeout),
        validate_only: false,
    }
}

fn config((name, value): (&String, &String)) -> create_topics::Config {
    create_topics::Config {
        name: name.clone(),
        value: Some(value.clone()),
    }
}

/// Reads which topics were created.
pub fn topics_created(response: create_topics::Response) -> Results<CreatedTopic> {
    let result = |topic: create_topics::TopicResult| {
        let created = CreatedTopic {
            id: topic.topic_id,
            partitions: Some(topic.num_partitions).filter(|&count| count >= 0),
            replication: Some(topic.replication_factor).filter(|&count| count >= 0),
        };
        let checked = BrokerError::check(topic.error_code, topic.error_message);
        (topic.name, checked.map(|()| created))
    };
    response.topics.into_iter().map(result).collect()
}

/// Asks for topics to be deleted; `version` is the one that the request will be written in, since
/// versions up to 5 name topics in another field than those behind.
pub fn delete_topics(names: &[&str], timeout: Duration, version: i16) -> delete_topics::Request {
    const LISTED_VERSION_MAX: i16 = 5;
    let topic = |name: &&str| delete_topics::Topic {
        name: Some((*name).to_owned()),
        topic_id: TopicId::ZERO,
    };
    let mut request = delete_topics::Request {
        timeout_ms: milliseconds(timeout),
        ..Default::default()
    };
    if version <= LISTED_VERSION_MAX {
        request.topic_names = names.iter().map(|&name| name.to_owned()).collect();
    } else {
        request.topics = names.iter().map(topic).collect();
    }
    request
}

/// Reads which topics were deleted.
pub fn topics_deleted(response: delete_topics::Response) -> Results<()> {
    let result = |topic: delete_topics::TopicResult| {
        let checked = BrokerError::check(topic.error_code, topic.error_message);
        (topic.name.unwrap_or_default(), checked)
    };
    response.responses.into_iter().map(result).collect()
}

/// Asks for a topic to have `count` partitions in all.
pub fn widen_topic(name: &str, count: i32, timeout: Duration) -> create_partitions::Request {
    create_partitions::Request {
        topics: vec![create_partitions::Topic {
            name: name.to_owned(),
            count,
            assignments: None,
        }],
        timeout_ms: milliseconds(timeout),
        validate_only: false,
    }
}

/// Reads which topics were widened.
pub fn topics_widened(response: create_partitions::Response) -> Results<()> {
    let result = |topic: create_partitions::TopicResult| {
        let checked = BrokerError::check(topic.error_code, topic.error_message);
        (topic.name, checked)
    };
    response.results.into_iter().map(result).collect()
}

/// Asks for all configurations of topics.
pub fn describe_topic_configs(names: &[&str]) -> describe_configs::Request {
    let resource = |name: &&str| describe_configs::Resource {
        resource_type: RESOURCE_TOPIC,
        resource_name: (*name).to_owned(),
        configuration_keys: None,
    };
    describe_configs::Request {
        resources: names.iter().map(resource).collect(),
        ..Default::default()
    }
}

/// Reads the configurations of topics.
pub fn topic_configs(response: describe_configs::Response) -> Results<Vec<TopicConfig>> {
    let config = |config: describe_configs::ConfigResult| TopicConfig {
        name: config.name,
        value: config.value,
        is_own: config.config_source == describe_configs::SOURCE_TOPIC,
    };
    let result = |resource: describe_configs::ResourceResult| {
        let checked = BrokerError::check(resource.error_code, resource.error_message);
        let configs = resource.configs.into_iter().map(config).collect();
        (resource.resource_name, checked.map(|()| configs))
    };
    response.results.into_iter().map(result).collect()
}

/// Asks for single configurations of a topic to be changed.
pub fn alter_topic_configs(
    name: &str,
    changes: &[ConfigChange],
) -> incremental_alter_configs::Request {
    let change = |change: &ConfigChange| incremental_alter_configs::Change {
        name: change.name.clone(),
        config_operation: match change.value {
            Some(_) => incremental_alter_configs::OPERATION_SET,
            None => incremental_alter_configs::OPERATION_DELETE,
        },
        value: change.value.clone(),
    };
    incremental_alter_configs::Request {
        resources: vec![incremental_alter_configs::Resource {
            resource_type: RESOURCE_TOPIC,
            resource_name: name.to_owned(),
            configs: changes.iter().map(change).collect(),
        }],
        validate_only: false,
    }
}

/// Reads which topics were changed.
pub fn topic_configs_altered(response: incremental_alter_configs::Response) -> Results<()> {
    let result = |resource: incremental_alter_configs::ResourceResult| {
        let checked = BrokerError::check(resource.error_code, resource.error_message);
        (resource.resource_name, checked)
    };
    response.responses.into_iter().map(result).collect()
}

fn milliseconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use wire::Message;

    use super::*;

    pub(super) fn in_all<M: Message>(message: &M) {
        let served = M::KEY.api().served;
        for version in served.min..=served.max {
            message.encode(version).unwrap();
        }
    }

    #[test]
    fn requests_can_be_said_in_every_version_that_is_served() {
        let topic = NewTopic {
            name: "t".into(),
            partitions: None,
            replication: None,
            configs: BTreeMap::from([("retention.ms".into(), "1".into())]),
        };
        let change = ConfigChange {
            name: "retention.ms".into(),
            value: None,
        };
        let second = Duration::from_secs(1);
        in_all(&create_topics(&[topic], second));
        for version in 1..=6 {
            delete_topics(&["t"], second, version)
                .encode(version)
                .unwrap();
        }
        in_all(&widen_topic("t", 3, second));
        in_all(&describe_topic_configs(&["t"]));
        in_all(&alter_topic_configs("t", &[change]));
    }

    #[test]
    fn each_thing_has_its_own_result() {
        let answer = |name: &str, error_code| create_topics::TopicResult {
            name: name.into(),
            error_code,
            error_message: Some("words".into()),
            num_partitions: 3,
            ..Default::default()
        };
        let results = topics_created(create_topics::Response {
            topics: vec![answer("a", 0), answer("b", 36)],
            ..Default::default()
        });
        let [(a, Ok(created)), (b, Err(refusal))] = &results[..] else {
            panic!("one each: {results:?}")
        };
        assert_eq!((a.as_str(), b.as_str()), ("a", "b"));
        assert_eq!((created.partitions, created.replication), (Some(3), None));
        assert_eq!(refusal.to_string(), "TOPIC_ALREADY_EXISTS: words");
    }
}

//! The cluster as a whole: its brokers, the features in force, the directories of logs.

use types::{ByteCount, NodeId};
use wire::messages::{api_versions, describe_cluster, describe_log_dirs, describe_quorum};

use crate::error::BrokerError;

/// The cluster, as one of its brokers describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedCluster {
    /// Its id.
    pub id: String,
    /// The node that takes admin requests: any broker may pass them on, and say that it is it.
    pub controller: Option<NodeId>,
    /// Its brokers, in the order of their ids.
    pub brokers: Vec<DescribedBroker>,
}

/// A broker, as the cluster describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedBroker {
    /// Its id.
    pub node: NodeId,
    /// Its host name or address.
    pub host: String,
    /// Its port.
    pub port: i32,
    /// Its rack, if it has one.
    pub rack: Option<String>,
    /// Whether it is registered and not up; older clusters do not tell of those.
    pub is_fenced: bool,
}

/// Something that brokers agree upon before they do it: its levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// The level in force; `None` if it is not in force.
    pub level: Option<i16>,
    /// The lowest and the highest level that the broker can do; `None` if it can do none.
    pub supported: Option<(i16, i16)>,
}

/// A directory in which a broker keeps logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogDirectory {
    /// Its path.
    pub path: String,
    /// Why it is out of use; `None` if it is in use.
    pub fault: Option<BrokerError>,
    /// How many logs are in it.
    pub log_count: usize,
    /// What they take.
    pub logs_size: ByteCount,
    /// The size of its volume, if it is known.
    pub volume_size: Option<ByteCount>,
    /// What is free of it, if it is known.
    pub free_size: Option<ByteCount>,
}

/// Asks for the cluster; `version` is the one that the request will be written in, since only the
/// last can ask for brokers that are not up.
pub fn describe_cluster(version: i16) -> describe_cluster::Request {
    const FENCED_VERSION_MIN: i16 = 2;
    describe_cluster::Request {
        include_fenced_brokers: version >= FENCED_VERSION_MIN,
        ..Default::default()
    }
}

/// Reads the cluster.
///
/// *Errors*: why it is not told.
pub fn cluster_described(
    response: describe_cluster::Response,
) -> Result<DescribedCluster, BrokerError> {
    BrokerError::check(response.error_code, response.error_message)?;
    let broker = |broker: describe_cluster::Broker| DescribedBroker {
        node: NodeId(broker.broker_id),
        host: broker.host,
        port: broker.port,
        rack: broker.rack,
        is_fenced: broker.is_fenced,
    };
    let mut brokers: Vec<_> = response.brokers.into_iter().map(broker).collect();
    brokers.sort_by_key(|broker| broker.node);
    Ok(DescribedCluster {
        id: response.cluster_id,
        controller: node(response.controller_id),
        brokers,
    })
}

/// Asks for the quorum that keeps the metadata.
pub fn describe_quorum() -> describe_quorum::Request {
    describe_quorum::Request {
        topics: vec![describe_quorum::Topic {
            topic_name: describe_quorum::METADATA_TOPIC.to_owned(),
            partitions: vec![describe_quorum::Partition { partition_index: 0 }],
        }],
    }
}

/// Reads the leader of the quorum: the controller that decides. `None` if there is none now.
///
/// *Errors*: why it is not told.
pub fn quorum_leader(response: describe_quorum::Response) -> Result<Option<NodeId>, BrokerError> {
    BrokerError::check(response.error_code, response.error_message)?;
    let mut partitions = response.topics.into_iter().flat_map(|it| it.partitions);
    let Some(partition) = partitions.next() else {
        return Ok(None);
    };
    BrokerError::check(partition.error_code, partition.error_message)?;
    Ok(node(partition.leader_id))
}

/// Asks a broker what it can do.
pub fn describe_features() -> api_versions::Request {
    api_versions::Request {
        client_software_name: env!("CARGO_PKG_NAME").to_owned(),
        client_software_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// Reads the features, in the order of their names.
///
/// *Errors*: why they are not told.
pub fn features_described(response: api_versions::Response) -> Result<Vec<Feature>, BrokerError> {
    BrokerError::check(response.error_code, None)?;
    let supported = response.supported_features.into_iter();
    let mut features: Vec<_> = supported
        .map(|it| Feature {
            name: it.name,
            level: None,
            supported: Some((it.min_version, it.max_version)),
        })
        .collect();
    for it in response.finalized_features {
        let level = Some(it.max_version_level);
        match features.iter_mut().find(|known| known.name == it.name) {
            Some(known) => known.level = level,
            None => features.push(Feature {
                name: it.name,
                level,
                supported: None,
            }),
        }
    }
    features.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(features)
}

/// Asks a broker for its directories and all logs in them.
pub fn describe_log_directories() -> describe_log_dirs::Request {
    describe_log_dirs::Request { topics: None }
}

/// Reads the directories.
///
/// *Errors*: why the broker does not tell them.
pub fn log_directories_described(
    response: describe_log_dirs::Response,
) -> Result<Vec<LogDirectory>, BrokerError> {
    BrokerError::check(response.error_code, None)?;
    let size = |bytes: i64| u64::try_from(bytes).ok().map(ByteCount);
    let directory = |it: describe_log_dirs::LogDir| {
        let logs = it.topics.iter().flat_map(|topic| &topic.partitions);
        let sizes = logs.clone().filter_map(|log| size(log.partition_size));
        LogDirectory {
            path: it.log_dir,
            fault: BrokerError::of(it.error_code, None),
            log_count: logs.count(),
            logs_size: ByteCount(sizes.map(|size| size.0).sum()),
            volume_size: size(it.total_bytes),
            free_size: size(it.usable_bytes),
        }
    };
    Ok(response.results.into_iter().map(directory).collect())
}

fn node(id: i32) -> Option<NodeId> {
    (id >= 0).then_some(NodeId(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::results::{in_all, in_versions};

    #[test]
    fn requests_can_be_said_in_every_version_that_is_served() {
        for version in 0..=2 {
            in_versions(&describe_cluster(version), version..=version);
        }
        in_all(&describe_quorum());
        in_all(&describe_features());
        in_all(&describe_log_directories());
    }

    #[test]
    fn a_feature_has_the_level_in_force_and_those_that_the_broker_can_do() {
        let supported = |name: &str, min_version, max_version| api_versions::SupportedFeature {
            name: name.into(),
            min_version,
            max_version,
        };
        let finalized = |name: &str, max_version_level| api_versions::FinalizedFeature {
            name: name.into(),
            max_version_level,
            min_version_level: 1,
        };
        let told = features_described(api_versions::Response {
            supported_features: vec![supported("b", 0, 3), supported("a", 1, 2)],
            finalized_features: vec![finalized("b", 2), finalized("c", 9)],
            ..Default::default()
        });
        let rows: Vec<_> = (told.unwrap().into_iter())
            .map(|feature| (feature.name, feature.level, feature.supported))
            .collect();
        assert_eq!(
            rows,
            [
                ("a".to_owned(), None, Some((1, 2))),
                ("b".to_owned(), Some(2), Some((0, 3))),
                ("c".to_owned(), Some(9), None),
            ]
        );
    }

    #[test]
    fn a_directory_out_of_use_says_why() {
        let directory = |error_code, partition_size| describe_log_dirs::LogDir {
            error_code,
            log_dir: "/data".into(),
            topics: vec![describe_log_dirs::TopicResult {
                name: "t".into(),
                partitions: vec![describe_log_dirs::PartitionResult {
                    partition_size,
                    ..Default::default()
                }],
            }],
            total_bytes: 100,
            usable_bytes: -1,
            ..Default::default()
        };
        let told = log_directories_described(describe_log_dirs::Response {
            results: vec![directory(0, 7), directory(56, -1)],
            ..Default::default()
        });
        let told = told.unwrap();
        assert_eq!(told[0].fault, None);
        assert_eq!((told[0].log_count, told[0].logs_size), (1, ByteCount(7)));
        assert_eq!(told[0].volume_size, Some(ByteCount(100)));
        assert_eq!(told[0].free_size, None);
        assert_eq!(told[1].fault.as_ref().unwrap().code, 56);
        assert_eq!(told[1].logs_size, ByteCount(0));
    }
}

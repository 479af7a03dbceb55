//! Reaching a cluster: connections, topics, the ends of their logs, and what to say when it fails.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use client::blocking::{Cluster, ClusterOptions, Peer};
use client::{BrokerError, Error};
use types::{ErrorCode, NodeId, Offset, OffsetRange};
use wire::messages::list_offsets;

use super::args::Bootstrap;
use super::failure::{self, Failure};

/// How long leaders that move are looked for.
const LEADERS_WAIT_MAX: Duration = Duration::from_secs(30);

/// The pause before they are asked again.
const LEADERS_PAUSE: Duration = Duration::from_millis(100);

/// Connects to the first broker that answers.
pub(super) fn connect(bootstrap: &Bootstrap) -> Result<Cluster, Failure> {
    let addresses: Vec<&str> = bootstrap.addresses.iter().map(String::as_str).collect();
    let connected = Cluster::connect(&addresses, ClusterOptions::default());
    connected.map_err(|error| match error {
        Error::Unreachable { .. } => {
            let (trouble, way_out) = (trouble(&error), way_out(&error));
            format!("{trouble}; is a broker running there?{way_out}").into()
        }
        Error::InvalidAddress { .. } => error.into(),
        other => {
            let asked = addresses.join(", ");
            let cause = failure::line(&other);
            format!("no Kafka broker answers at {asked}: {cause}; is it one, without TLS?").into()
        }
    })
}

/// Says in one line what is wrong with the cluster.
pub(super) fn trouble(error: &Error) -> String {
    let Error::Unreachable { address, source } = error else {
        return failure::line(error);
    };
    // The kind reads better than the system's text, where it has one.
    let reason = match source.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::TimedOut => source.kind().to_string(),
        _ => source.to_string(),
    };
    format!("cannot connect to {address}: {reason}")
}

/// Says what starts a broker, if the address that does not answer is one of this machine.
fn way_out(error: &Error) -> &'static str {
    let Error::Unreachable { address, .. } = error else {
        return "";
    };
    let host = address.rsplit_once(':').map_or("", |(host, _)| host);
    match host {
        "localhost" | "127.0.0.1" | "[::1]" => " start one: riverrun dev",
        _ => "",
    }
}

/// Makes sure that a topic is there and that the leaders of its partitions can be reached.
///
/// Without this a cluster that advertises an address which only it can reach looks like one that
/// is slow.
pub(super) fn reach_topic(
    cluster: &mut Cluster,
    name: &str,
    may_create: bool,
) -> Result<(), Failure> {
    cluster
        .await_topic(name, may_create)
        .map_err(|error| missing(name, error))?;
    for node in leaders(cluster, name).into_keys() {
        let reached = cluster.version(Peer::Node(node), wire::api::ApiKey::Produce);
        reached.map_err(|error| match error {
            Error::Unreachable { .. } => {
                let trouble = trouble(&error);
                let text = format!("{trouble}, the address that the cluster tells for node {node}");
                Failure::from(text)
            }
            other => other.into(),
        })?;
    }
    Ok(())
}

/// Says that a topic is not there.
pub(super) fn missing(name: &str, error: Error) -> Failure {
    match &error {
        Error::Refused { refusal, .. }
            if refusal.known() == Some(ErrorCode::UnknownTopicOrPartition) =>
        {
            format!("there is no topic {name}; see: riverrun topic list").into()
        }
        _ => error.into(),
    }
}

/// Tells which partitions of a topic each node leads.
fn leaders(cluster: &Cluster, topic: &str) -> BTreeMap<NodeId, Vec<i32>> {
    let metadata = cluster.metadata();
    let mut leaders: BTreeMap<_, Vec<i32>> = BTreeMap::new();
    let partitions = metadata.topics.get(topic).map(|topic| &topic.partitions);
    for partition in partitions.into_iter().flatten() {
        if let Some(node) = metadata.leader(topic, partition.index) {
            leaders.entry(node).or_default().push(partition.index);
        }
    }
    leaders
}

/// Tells where the logs of a topic's partitions begin and end.
///
/// *Units*: offsets; the end is the high watermark.
pub(super) fn log_ends(
    cluster: &mut Cluster,
    topic: &str,
) -> Result<BTreeMap<i32, OffsetRange>, Failure> {
    // The ends first: what is deleted meanwhile moves the beginning, not the end.
    let ends = offsets(cluster, topic, list_offsets::LATEST)?;
    let starts = offsets(cluster, topic, list_offsets::EARLIEST)?;
    let range = |(index, end): (i32, Offset)| {
        let start = starts.get(&index).copied().unwrap_or(end);
        (index, OffsetRange { start, end })
    };
    Ok(ends.into_iter().map(range).collect())
}

/// Asks all leaders of a topic, until all have answered, for the offset of a special timestamp.
fn offsets(
    cluster: &mut Cluster,
    topic: &str,
    timestamp: i64,
) -> Result<BTreeMap<i32, Offset>, Failure> {
    let give_up = cluster.now().after(LEADERS_WAIT_MAX);
    loop {
        match offsets_once(cluster, topic, timestamp) {
            Ok(found) => return Ok(found),
            Err(Unknown::Refused { refusal, .. })
                if refusal.is_retriable() && cluster.now() < give_up =>
            {
                // Nothing is under way: this only waits.
                let _nothing = cluster.receive(LEADERS_PAUSE);
                cluster
                    .await_topic(topic, false)
                    .map_err(|error| missing(topic, error))?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Why an offset is not known.
#[derive(Debug, thiserror::Error)]
enum Unknown {
    #[error(transparent)]
    Client(#[from] Error),
    #[error("{topic} partition {partition}")]
    Refused {
        topic: String,
        partition: i32,
        #[source]
        refusal: BrokerError,
    },
}

fn offsets_once(
    cluster: &mut Cluster,
    topic: &str,
    timestamp: i64,
) -> Result<BTreeMap<i32, Offset>, Unknown> {
    let mut found = BTreeMap::new();
    for (node, partitions) in leaders(cluster, topic) {
        let partition = |&partition_index: &i32| list_offsets::Partition {
            partition_index,
            timestamp,
            ..Default::default()
        };
        let request = list_offsets::Request {
            replica_id: -1,
            topics: vec![list_offsets::Topic {
                name: topic.to_owned(),
                partitions: partitions.iter().map(partition).collect(),
            }],
            ..Default::default()
        };
        let response = cluster.call(Peer::Node(node), &request)?;
        for answer in response.topics.into_iter().flat_map(|it| it.partitions) {
            let partition = answer.partition_index;
            if let Some(refusal) = BrokerError::of(answer.error_code, None) {
                let topic = topic.to_owned();
                return Err(Unknown::Refused {
                    topic,
                    partition,
                    refusal,
                });
            }
            found.insert(
                partition,
                Offset::new(answer.offset).unwrap_or(Offset::ZERO),
            );
        }
    }
    Ok(found)
}

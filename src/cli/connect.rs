//! Reaching a cluster and its topics, and what to say when it fails.

use std::collections::BTreeSet;
use std::io;

use client::Error;
use client::blocking::{Cluster, ClusterOptions, Peer};
use types::{ErrorCode, NodeId};

use super::args::Bootstrap;
use super::failure::Failure;
use crate::causes::with_causes;

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
            let cause = with_causes(&other);
            format!("no Kafka broker answers at {asked}: {cause}; is it one, without TLS?").into()
        }
    })
}

/// Says in one line what is wrong with the cluster.
pub(super) fn trouble(error: &Error) -> String {
    let Error::Unreachable { address, source } = error else {
        return with_causes(error);
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
    for node in leaders(cluster, name) {
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

/// Tells which nodes lead partitions of a topic.
fn leaders(cluster: &Cluster, topic: &str) -> BTreeSet<NodeId> {
    let metadata = cluster.metadata();
    let partitions = metadata.topics.get(topic).map(|topic| &topic.partitions);
    let partitions = partitions.into_iter().flatten();
    partitions
        .filter_map(|partition| metadata.leader(topic, partition.index))
        .collect()
}

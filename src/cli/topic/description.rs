//! `riverrun topic describe`: a topic's partitions, offsets and configuration.

use std::fmt::Write as _;

use client::blocking::{Admin, Cluster};
use serde_json::{Map, Value, json};
use types::{LeaderEpoch, NodeId};

use super::words::{extent, known_id, size};
use crate::cli::answer::Answer;
use crate::cli::connect::{missing, reach_topic};
use crate::cli::failure::Failure;
use crate::cli::offsets::{log_ends, places_of};
use crate::cli::table::or_dash;

/// Describes one topic.
pub(super) fn describe(cluster: &mut Cluster, name: &str) -> Result<Answer, Failure> {
    reach_topic(cluster, name, false)?;
    let mut places = places_of(cluster, name);
    places.retain(|(topic, index)| cluster.metadata().leader(topic, *index).is_some());
    let ends = log_ends(cluster, &places)?;
    let configs = Admin::new(cluster).topic_configs(name);
    let configs = configs.map_err(|error| missing(name, error))?;
    let topic = cluster.metadata().topics.get(name);
    let topic = topic.ok_or_else(|| format!("there is no topic {name} any more"))?;

    let (partitions, replication) = size(topic);
    let mut text = format!("{name}: {}\n", extent(partitions, replication));
    if let Some(id) = known_id(topic.id) {
        writeln!(text, "id {id}")?;
    }
    writeln!(
        text,
        "\npartition  leader  {:12}  {:12}  {:>14}  {:>14}",
        "replicas", "in sync", "first offset", "next offset"
    )?;
    let mut rows = Vec::new();
    for partition in &topic.partitions {
        let range = ends.get(&partition.index);
        let (start, end) = (range.map(|it| it.start.get()), range.map(|it| it.end.get()));
        writeln!(
            text,
            "{:>9}  {:>6}  {:12}  {:12}  {:>14}  {:>14}",
            partition.index,
            or_dash(partition.leader),
            listed(&partition.replicas),
            listed(&partition.in_sync),
            or_dash(start),
            or_dash(end),
        )?;
        rows.push(json!({
            "partition": partition.index,
            "leader": partition.leader.map(|node| node.0),
            "leader_epoch": partition.leader_epoch.map(LeaderEpoch::get),
            "replicas": numbers(&partition.replicas),
            "in_sync": numbers(&partition.in_sync),
            "first_offset": start,
            "next_offset": end,
        }));
    }

    let own = configs.iter().filter(|config| config.is_own).count();
    match own {
        0 => writeln!(
            text,
            "\nevery configuration has its default (all: --output json)"
        )?,
        _ => writeln!(text, "\nset for this topic (all: --output json)")?,
    }
    let mut all = Map::new();
    for config in &configs {
        if config.is_own {
            let value = config.value.as_deref().unwrap_or("(hidden)");
            writeln!(text, "  {} = {value}", config.name)?;
        }
        let value = json!({ "value": config.value, "own": config.is_own });
        all.insert(config.name.clone(), value);
    }
    let json = json!({
        "name": name,
        "id": known_id(topic.id),
        "internal": topic.internal,
        "partitions": rows,
        "configs": Value::Object(all),
    });
    Ok(Answer { text, json })
}

fn numbers(nodes: &[NodeId]) -> Vec<i32> {
    nodes.iter().map(|node| node.0).collect()
}

fn listed(nodes: &[NodeId]) -> String {
    let names: Vec<String> = nodes.iter().map(ToString::to_string).collect();
    names.join(",")
}

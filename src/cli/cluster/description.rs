//! `riverrun cluster describe`: brokers, controller, features, log directories.

use std::fmt::Write as _;

use client::admin::{DescribedBroker, Feature, LogDirectory};
use client::blocking::{Admin, Cluster};
use indicatif::HumanBytes;
use serde_json::{Value, json};
use types::{ByteCount, NodeId};

use crate::cli::answer::Answer;
use crate::cli::connect::trouble;
use crate::cli::failure::Failure;
use crate::cli::table::{Side, Table, or_dash};

/// The directories of one broker, or why they are not told.
type Directories = (NodeId, Result<Vec<LogDirectory>, client::Error>);

/// Describes the cluster.
pub(super) fn describe(cluster: &mut Cluster) -> Result<Answer, Failure> {
    let described = Admin::new(cluster).describe_cluster()?;
    let controller = match Admin::new(cluster).quorum_leader() {
        Ok(leader) => leader,
        // Without a quorum that is told, the broker that says it is it.
        Err(client::Error::NotServed { .. } | client::Error::Refused { .. }) => {
            described.controller
        }
        Err(error) => return Err(error.into()),
    };
    cluster.refresh(Some(&[]), false)?;
    let up: Vec<NodeId> = cluster.metadata().brokers.keys().copied().collect();
    let features = match up.first() {
        Some(&node) => Admin::new(cluster).features(node)?,
        None => Vec::new(),
    };
    let directories: Vec<Directories> = up
        .into_iter()
        .map(|node| (node, Admin::new(cluster).log_directories(node)))
        .collect();

    let (id, controller) = (&described.id, controller.map(|node| node.0));
    let mut text = format!("cluster {id}, controller {}\n", or_dash(controller));
    write!(text, "\n{}", brokers(&described.brokers))?;
    write!(text, "\n{}", volumes(&directories))?;
    if !features.is_empty() {
        write!(text, "\n{}", levels(&features))?;
    }
    let json = json!({
        "id": id,
        "controller": controller,
        "brokers": described.brokers.iter().map(broker).collect::<Vec<_>>(),
        "log_directories": directories.iter().flat_map(documents).collect::<Vec<_>>(),
        "features": features.iter().map(feature).collect::<Vec<_>>(),
    });
    Ok(Answer { text, json })
}

fn brokers(brokers: &[DescribedBroker]) -> Table<4> {
    let mut table = Table::new([
        ("broker", Side::Right),
        ("address", Side::Left),
        ("rack", Side::Left),
        ("state", Side::Left),
    ]);
    for broker in brokers {
        let state = if broker.is_fenced { "fenced" } else { "up" };
        table.row([
            broker.node.to_string(),
            format!("{}:{}", broker.host, broker.port),
            or_dash(broker.rack.as_ref()),
            state.to_owned(),
        ]);
    }
    table
}

fn volumes(directories: &[Directories]) -> Table<7> {
    let mut table = Table::new([
        ("broker", Side::Right),
        ("log directory", Side::Left),
        ("logs", Side::Right),
        ("size", Side::Right),
        ("free", Side::Right),
        ("volume", Side::Right),
        ("state", Side::Left),
    ]);
    let human = |size: ByteCount| HumanBytes(size.0).to_string();
    for (node, directories) in directories {
        let directories = match directories {
            Ok(directories) => directories,
            Err(error) => {
                let mut row = [const { String::new() }; 7].map(|_| "-".to_owned());
                row[0] = node.to_string();
                row[6] = trouble(error);
                table.row(row);
                continue;
            }
        };
        for directory in directories {
            let fault = directory.fault.as_ref();
            table.row([
                node.to_string(),
                directory.path.clone(),
                directory.log_count.to_string(),
                human(directory.logs_size),
                or_dash(directory.free_size.map(human)),
                or_dash(directory.volume_size.map(human)),
                fault.map_or_else(|| "in use".to_owned(), ToString::to_string),
            ]);
        }
    }
    table
}

fn levels(features: &[Feature]) -> Table<3> {
    let mut table = Table::new([
        ("feature", Side::Left),
        ("in force", Side::Right),
        ("supported", Side::Left),
    ]);
    for feature in features {
        let supported = feature
            .supported
            .map(|(min, max)| format!("{min} to {max}"));
        table.row([
            feature.name.clone(),
            or_dash(feature.level),
            or_dash(supported),
        ]);
    }
    table
}

fn broker(broker: &DescribedBroker) -> Value {
    json!({
        "id": broker.node.0,
        "host": broker.host,
        "port": broker.port,
        "rack": broker.rack,
        "fenced": broker.is_fenced,
    })
}

fn documents((node, directories): &Directories) -> Vec<Value> {
    let directory = |directory: &LogDirectory| {
        json!({
            "broker": node.0,
            "path": directory.path,
            "error": directory.fault.as_ref().map(ToString::to_string),
            "logs": directory.log_count,
            "size_bytes": directory.logs_size.0,
            "free_bytes": directory.free_size.map(|size| size.0),
            "volume_bytes": directory.volume_size.map(|size| size.0),
        })
    };
    match directories {
        Ok(directories) => directories.iter().map(directory).collect(),
        Err(error) => vec![json!({ "broker": node.0, "error": trouble(error) })],
    }
}

fn feature(feature: &Feature) -> Value {
    let (min, max) = feature.supported.unzip();
    json!({ "name": feature.name, "level": feature.level, "min": min, "max": max })
}

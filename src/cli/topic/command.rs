//! `riverrun topic`: what is asked of the cluster, and what is said about the answer.

use std::fmt::Write as _;

use client::admin::{ConfigChange, ConfigResource, NewTopic};
use client::blocking::{Admin, Cluster};
use serde_json::{Value, json};

use super::description::describe;
use super::words::{extent, known_id, size};
use crate::cli::answer::Answer;
use crate::cli::args::{Setting, Topic, TopicAction};
use crate::cli::config_changes::{changes, document, told};
use crate::cli::config_keys::unknown_key;
use crate::cli::connect::{connect, missing};
use crate::cli::failure::Failure;

/// Carries out one action.
pub(in crate::cli) fn run(command: &Topic) -> Result<(), Failure> {
    let mut cluster = connect(&command.bootstrap)?;
    let answer = match &command.action {
        TopicAction::Create {
            name,
            partitions,
            replication,
            configs,
        } => {
            let topic = NewTopic {
                name: name.clone(),
                partitions: *partitions,
                replication: *replication,
                configs: configs.iter().cloned().map(pair).collect(),
            };
            create(&mut cluster, topic)?
        }
        TopicAction::List => list(&mut cluster)?,
        TopicAction::Describe { name } => describe(&mut cluster, name)?,
        TopicAction::Alter {
            name,
            configs,
            unset,
            partitions,
        } => {
            let changes = changes(configs, unset);
            alter(&mut cluster, name, &changes, *partitions)?
        }
        TopicAction::Delete { name } => delete(&mut cluster, name)?,
    };
    Ok(answer.print(command.output)?)
}

fn pair(setting: Setting) -> (String, String) {
    (setting.key, setting.value)
}

fn create(cluster: &mut Cluster, topic: NewTopic) -> Result<Answer, Failure> {
    let name = topic.name.clone();
    let results = Admin::new(cluster).create_topics(&[topic])?;
    let result = results.into_iter().next().map(|(_, result)| result);
    let created = result
        .ok_or_else(|| format!("the broker does not say what became of {name}"))?
        .map_err(|refusal| format!("{name}: {refusal}"))?;
    let size = match (created.partitions, created.replication) {
        (Some(partitions), Some(replication)) => {
            format!(" with {}", extent(partitions, replication))
        }
        // Brokers say so since version 5 of CreateTopics.
        _ => String::new(),
    };
    Ok(Answer {
        text: format!("created {name}{size}\n"),
        json: json!({
            "name": name,
            "id": known_id(created.id),
            "partitions": created.partitions,
            "replication": created.replication,
        }),
    })
}

fn list(cluster: &mut Cluster) -> Result<Answer, Failure> {
    cluster.refresh(None, false)?;
    let topics = &cluster.metadata().topics;
    let width = topics.keys().map(String::len).max().unwrap_or(0).max(5);
    let mut text = if topics.is_empty() {
        "no topics; create one: riverrun topic create NAME\n".to_owned()
    } else {
        format!("{:width$}  partitions  replicas\n", "topic")
    };
    let mut rows = Vec::new();
    for (name, topic) in topics {
        let (partitions, replication) = size(topic);
        writeln!(text, "{name:width$}  {partitions:>10}  {replication:>8}")?;
        rows.push(json!({
            "name": name,
            "id": known_id(topic.id),
            "internal": topic.internal,
            "partitions": partitions,
            "replication": replication,
        }));
    }
    let json = Value::Array(rows);
    Ok(Answer { text, json })
}

fn alter(
    cluster: &mut Cluster,
    name: &str,
    changes: &[ConfigChange],
    partitions: Option<i32>,
) -> Result<Answer, Failure> {
    let resource = ConfigResource::Topic(name.to_owned());
    let unknown = unknown_key(cluster, &resource, changes);
    if let Some(unknown) = unknown.map_err(|error| missing(name, error))? {
        return Err(unknown);
    }
    let mut admin = Admin::new(cluster);
    let mut text = String::new();
    if !changes.is_empty() {
        let altered = admin.alter_topic_configs(name, changes);
        altered.map_err(|error| missing(name, error))?;
        text.push_str(&told(name, changes));
    }
    if let Some(count) = partitions {
        let widened = admin.widen_topic(name, count);
        widened.map_err(|error| missing(name, error))?;
        writeln!(text, "{name}: {count} partitions")?;
    }
    let configs = document(changes);
    let json = json!({ "name": name, "configs": configs, "partitions": partitions });
    Ok(Answer { text, json })
}

fn delete(cluster: &mut Cluster, name: &str) -> Result<Answer, Failure> {
    let results = Admin::new(cluster).delete_topics(&[name])?;
    for (_, result) in results {
        result.map_err(|refusal| missing_or(name, refusal))?;
    }
    Ok(Answer {
        text: format!("deleted {name}\n"),
        json: json!({ "name": name }),
    })
}

fn missing_or(name: &str, refusal: client::BrokerError) -> Failure {
    let subject = name.to_owned();
    missing(name, client::Error::Refused { subject, refusal })
}

//! `riverrun cluster health`: is everything as it should be?

use std::collections::BTreeMap;

use client::blocking::{Admin, Cluster};
use serde_json::json;
use types::NodeId;

use super::problem::{Problem, directory_problem, flaws};
use crate::cli::answer::Answer;
use crate::cli::connect::trouble;
use crate::cli::failure::Failure;

/// The key that says how many replicas must be in sync.
const MIN_IN_SYNC: &str = "min.insync.replicas";

/// How a cluster is.
#[derive(Debug, Default)]
pub(super) struct Health {
    brokers: usize,
    topics: usize,
    partitions: usize,
    log_directories: usize,
    /// What is wrong; nothing, if it is healthy.
    pub(super) problems: Vec<Problem>,
}

impl Health {
    /// Looks at everything.
    pub(super) fn of(cluster: &mut Cluster) -> Result<Self, Failure> {
        cluster.refresh(None, false)?;
        let mut health = Self::default();
        health.look_at_controller(cluster)?;
        health.look_at_brokers(cluster)?;
        health.look_at_partitions(cluster)?;
        Ok(health)
    }

    fn look_at_controller(&mut self, cluster: &mut Cluster) -> Result<(), Failure> {
        let leader = match Admin::new(cluster).quorum_leader() {
            Err(client::Error::NotServed { .. }) => cluster.metadata().controller,
            leader => leader?,
        };
        if leader.is_none() {
            self.problems.push(Problem::NoController);
        }
        Ok(())
    }

    fn look_at_brokers(&mut self, cluster: &mut Cluster) -> Result<(), Failure> {
        let described = Admin::new(cluster).describe_cluster()?;
        self.brokers = described.brokers.len();
        for broker in described.brokers {
            let node = broker.node;
            if broker.is_fenced {
                self.problems.push(Problem::Fenced { node });
            } else {
                self.look_at_directories(cluster, node);
            }
        }
        Ok(())
    }

    fn look_at_directories(&mut self, cluster: &mut Cluster, node: NodeId) {
        let directories = match Admin::new(cluster).log_directories(node) {
            Ok(directories) => directories,
            Err(error) => {
                let reason = trouble(&error);
                self.problems.push(Problem::Unreachable { node, reason });
                return;
            }
        };
        self.log_directories += directories.len();
        let directories = directories.into_iter();
        let found = directories.filter_map(|directory| directory_problem(node, directory));
        self.problems.extend(found);
    }

    fn look_at_partitions(&mut self, cluster: &mut Cluster) -> Result<(), Failure> {
        let names: Vec<String> = cluster.metadata().topics.keys().cloned().collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let values = Admin::new(cluster).topics_config(&names, MIN_IN_SYNC)?;
        // A topic that was deleted meanwhile wants nothing.
        let wanted: BTreeMap<String, usize> = values
            .into_iter()
            .filter_map(|(topic, value)| Some((topic, value.ok()??.parse().ok()?)))
            .collect();
        for (topic, known) in &cluster.metadata().topics {
            self.topics += 1;
            self.partitions += known.partitions.len();
            for partition in &known.partitions {
                let found = flaws(partition, wanted.get(topic).copied());
                let problem = |flaw| Problem::Partition {
                    topic: topic.clone(),
                    partition: partition.index,
                    flaw,
                };
                self.problems.extend(found.into_iter().map(problem));
            }
        }
        Ok(())
    }

    /// Says how it is.
    pub(super) fn answer(&self) -> Answer {
        let extent = format!(
            "{}, {}, {}, {}",
            counted(self.brokers, "broker", "brokers"),
            counted(self.topics, "topic", "topics"),
            counted(self.partitions, "partition", "partitions"),
            counted(self.log_directories, "log directory", "log directories"),
        );
        let lines = self.problems.iter().map(|problem| format!("{problem}\n"));
        let text = match self.problems.len() {
            0 => format!("healthy: {extent}\n"),
            count => {
                let count = counted(count, "problem", "problems");
                format!("{}\n{count} in {extent}\n", lines.collect::<String>())
            }
        };
        let problems: Vec<_> = self.problems.iter().map(Problem::document).collect();
        let json = json!({
            "healthy": self.problems.is_empty(),
            "brokers": self.brokers,
            "topics": self.topics,
            "partitions": self.partitions,
            "log_directories": self.log_directories,
            "problems": problems,
        });
        Answer { text, json }
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

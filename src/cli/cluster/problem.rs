//! What may be wrong with a cluster, and with a partition of it.

use std::fmt;

use client::admin::LogDirectory;
use client::metadata;
use serde_json::{Value, json};
use types::{ByteCount, NodeId};

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// No controller decides.
    NoController,
    /// A broker is registered and not up.
    Fenced {
        /// The broker.
        node: NodeId,
    },
    /// A broker does not answer.
    Unreachable {
        /// The broker.
        node: NodeId,
        /// What it says, or why it says nothing.
        reason: String,
    },
    /// A directory is out of use.
    LogDirectory {
        /// The broker.
        node: NodeId,
        /// The directory.
        path: String,
        /// Why.
        reason: String,
    },
    /// Nearly nothing is free where a directory is.
    DiskFull {
        /// The broker.
        node: NodeId,
        /// The directory.
        path: String,
        /// What is free.
        free: ByteCount,
    },
    /// Something about one partition.
    Partition {
        /// Its topic.
        topic: String,
        /// Its number.
        partition: i32,
        /// What.
        flaw: Flaw,
    },
}

/// What may be wrong with a partition; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It has no leader: nobody can write or read it.
    Leaderless,
    /// Too few replicas are in sync: writes that want all of them are refused.
    UnderMinInSync {
        /// How many are in sync.
        in_sync: usize,
        /// How many the topic wants.
        wanted: usize,
    },
    /// Some replicas are not in sync.
    UnderReplicated {
        /// How many are in sync.
        in_sync: usize,
        /// How many there are.
        replicas: usize,
    },
}

/// A directory with less than this free is full: a riverrun node with its default
/// `disk.reserve.bytes` refuses appends until it can keep so much back.
const FREE_SIZE_MIN: ByteCount = ByteCount::mib(16);

/// Finds what is wrong with a directory of a broker.
pub(super) fn directory_problem(node: NodeId, directory: LogDirectory) -> Option<Problem> {
    let path = directory.path;
    if let Some(fault) = directory.fault {
        let reason = fault.to_string();
        return Some(Problem::LogDirectory { node, path, reason });
    }
    let free = directory.free_size.filter(|free| *free < FREE_SIZE_MIN)?;
    Some(Problem::DiskFull { node, path, free })
}

/// Finds what is wrong with a partition of a topic that wants so many replicas in sync.
pub(super) fn flaws(partition: &metadata::Partition, min_in_sync: Option<usize>) -> Vec<Flaw> {
    if partition.leader.is_none() {
        // Who is in sync with nobody says nothing.
        return vec![Flaw::Leaderless];
    }
    let (in_sync, replicas) = (partition.in_sync.len(), partition.replicas.len());
    let too_few = min_in_sync.filter(|&wanted| in_sync < wanted);
    let too_few = too_few.map(|wanted| Flaw::UnderMinInSync { in_sync, wanted });
    let missing = (in_sync < replicas).then_some(Flaw::UnderReplicated { in_sync, replicas });
    too_few.into_iter().chain(missing).collect()
}

impl Problem {
    /// Writes it for a machine.
    pub(super) fn document(&self) -> Value {
        let kind = self.kind();
        match self {
            Self::NoController => json!({ "kind": kind }),
            Self::Fenced { node } => json!({ "kind": kind, "broker": node.0 }),
            Self::Unreachable { node, reason } => {
                json!({ "kind": kind, "broker": node.0, "reason": reason })
            }
            Self::LogDirectory { node, path, reason } => {
                json!({ "kind": kind, "broker": node.0, "path": path, "reason": reason })
            }
            Self::DiskFull { node, path, free } => {
                json!({ "kind": kind, "broker": node.0, "path": path, "free_bytes": free.0 })
            }
            Self::Partition {
                topic, partition, ..
            } => json!({ "kind": kind, "topic": topic, "partition": partition }),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::NoController => "no_controller",
            Self::Fenced { .. } => "broker_fenced",
            Self::Unreachable { .. } => "broker_unreachable",
            Self::LogDirectory { .. } => "log_directory_offline",
            Self::DiskFull { .. } => "log_directory_full",
            Self::Partition { flaw, .. } => match flaw {
                Flaw::Leaderless => "leaderless",
                Flaw::UnderMinInSync { .. } => "under_min_in_sync",
                Flaw::UnderReplicated { .. } => "under_replicated",
            },
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoController => f.write_str("no controller decides"),
            Self::Fenced { node } => write!(f, "broker {node} is not up"),
            Self::Unreachable { node, reason } => write!(f, "broker {node}: {reason}"),
            Self::LogDirectory { node, path, reason } => {
                write!(
                    f,
                    "broker {node}: log directory {path} is offline: {reason}"
                )
            }
            Self::DiskFull { node, path, free } => {
                write!(f, "broker {node}: log directory {path} has {free} free")
            }
            Self::Partition {
                topic,
                partition,
                flaw,
            } => write!(f, "{topic} partition {partition}: {flaw}"),
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaderless => f.write_str("no leader"),
            Self::UnderMinInSync { in_sync, wanted } => {
                write!(f, "{in_sync} in sync, min.insync.replicas is {wanted}")
            }
            Self::UnderReplicated { in_sync, replicas } => {
                write!(f, "{in_sync} of {replicas} replicas in sync")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(leader: Option<i32>, replicas: i32, in_sync: i32) -> metadata::Partition {
        metadata::Partition {
            index: 0,
            leader: leader.map(NodeId),
            leader_epoch: None,
            replicas: (0..replicas).map(NodeId).collect(),
            in_sync: (0..in_sync).map(NodeId).collect(),
        }
    }

    #[test]
    fn a_partition_is_well_with_a_leader_and_all_replicas_in_sync() {
        let under_replicated = |in_sync, replicas| Flaw::UnderReplicated { in_sync, replicas };
        let under_min = |in_sync, wanted| Flaw::UnderMinInSync { in_sync, wanted };
        for (leader, replicas, in_sync, min, want) in [
            (Some(0), 3, 3, Some(2), vec![]),
            (Some(0), 1, 1, None, vec![]),
            (Some(0), 3, 2, Some(2), vec![under_replicated(2, 3)]),
            (
                Some(0),
                3,
                1,
                Some(2),
                vec![under_min(1, 2), under_replicated(1, 3)],
            ),
            (Some(0), 1, 1, Some(2), vec![under_min(1, 2)]),
            (Some(0), 3, 1, None, vec![under_replicated(1, 3)]),
            (None, 3, 0, Some(2), vec![Flaw::Leaderless]),
        ] {
            assert_eq!(flaws(&partition(leader, replicas, in_sync), min), want);
        }
    }

    #[test]
    fn a_directory_is_well_with_space_and_in_use() {
        let directory = |free: Option<ByteCount>, fault: Option<types::ErrorCode>| LogDirectory {
            path: "/data".into(),
            fault: fault.map(Into::into),
            log_count: 1,
            logs_size: ByteCount(7),
            volume_size: Some(ByteCount::mib(100)),
            free_size: free,
        };
        let kind = |directory| directory_problem(NodeId(1), directory).map(|it| it.kind());
        assert_eq!(kind(directory(None, None)), None, "an older broker");
        assert_eq!(kind(directory(Some(FREE_SIZE_MIN), None)), None);
        let full = directory(Some(ByteCount(0)), None);
        let problem = directory_problem(NodeId(1), full).unwrap();
        assert_eq!(
            problem.document(),
            json!({ "kind": "log_directory_full", "broker": 1, "path": "/data", "free_bytes": 0 })
        );
        let told = problem.to_string();
        assert!(
            told.starts_with("broker 1: log directory /data has 0"),
            "{told}"
        );
        let offline = directory(
            Some(ByteCount(0)),
            Some(types::ErrorCode::KafkaStorageError),
        );
        assert_eq!(kind(offline), Some("log_directory_offline"));
    }

    #[test]
    fn a_problem_reads_as_a_sentence_and_has_a_kind() {
        let problem = Problem::Partition {
            topic: "t".into(),
            partition: 3,
            flaw: Flaw::Leaderless,
        };
        assert_eq!(problem.to_string(), "t partition 3: no leader");
        assert_eq!(
            problem.document(),
            json!({ "kind": "leaderless", "topic": "t", "partition": 3 })
        );
    }
}

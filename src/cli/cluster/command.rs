//! The command: which action.

use super::{description, health};
use crate::cli::args::{Cluster, ClusterAction};
use crate::cli::connect::connect;
use crate::cli::failure::Failure;

/// The cluster has problems; the answer said which.
#[derive(Debug, thiserror::Error)]
#[error("the cluster is not healthy")]
struct Unhealthy;

/// Carries out one action.
pub(in crate::cli) fn run(command: &Cluster) -> Result<(), Failure> {
    let mut cluster = connect(&command.bootstrap)?;
    match command.action {
        ClusterAction::Describe => {
            let answer = description::describe(&mut cluster)?;
            Ok(answer.print(command.output)?)
        }
        ClusterAction::Health => {
            let health = health::Health::of(&mut cluster)?;
            health.answer().print(command.output)?;
            if health.problems.is_empty() {
                Ok(())
            } else {
                Err(Unhealthy.into())
            }
        }
    }
}

//! `riverrun cluster`

use clap::Subcommand;

use super::shared::{Bootstrap, OutputFormat};

/// `riverrun cluster`
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Cluster {
    /// What to find out.
    #[command(subcommand)]
    pub action: ClusterAction,
    /// How to reach the cluster.
    #[command(flatten)]
    pub bootstrap: Bootstrap,
    /// How to print the answer
    #[arg(short, long, value_enum, default_value = "text", global = true)]
    pub output: OutputFormat,
}

/// What may be found out about a cluster.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum ClusterAction {
    /// Show the brokers, the controller, the features and the log directories
    Describe,
    /// Check brokers, partitions and log directories; exit code 1 if something is wrong
    Health,
}

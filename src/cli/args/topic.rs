//! `riverrun topic`

use clap::Subcommand;

use super::shared::{Bootstrap, OutputFormat, Setting};

/// `riverrun topic`
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Topic {
    /// What to do with which topic.
    #[command(subcommand)]
    pub action: TopicAction,
    /// How to reach the cluster.
    #[command(flatten)]
    pub bootstrap: Bootstrap,
    /// How to print the answer
    #[arg(short, long, value_enum, default_value = "text", global = true)]
    pub output: OutputFormat,
}

/// What may be done with topics.
#[derive(Debug, Subcommand)]
pub enum TopicAction {
    /// Create a topic
    Create {
        /// Its name
        name: String,
        /// How many partitions it gets [default: the broker's]
        #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
        partitions: Option<i32>,
        /// On how many brokers each partition is kept [default: the broker's]
        #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i16).range(1..))]
        replication: Option<i16>,
        /// A topic configuration, as often as needed
        #[arg(short, long = "config", value_name = "KEY=VALUE")]
        configs: Vec<Setting>,
    },
    /// List the topics
    List,
    /// Show a topic's partitions, offsets and configuration
    Describe {
        /// Its name
        name: String,
    },
    /// Change a topic's configuration or partition count
    #[command(group = clap::ArgGroup::new("change").required(true).multiple(true))]
    Alter {
        /// Its name
        name: String,
        /// A topic configuration to set, as often as needed
        #[arg(short, long = "config", value_name = "KEY=VALUE", group = "change")]
        configs: Vec<Setting>,
        /// A topic configuration to put back to its default, as often as needed
        #[arg(short, long = "unset", value_name = "KEY", group = "change")]
        unset: Vec<String>,
        /// How many partitions it shall have, more than now
        #[arg(
            short,
            long,
            value_name = "N",
            group = "change",
            value_parser = clap::value_parser!(i32).range(1..)
        )]
        partitions: Option<i32>,
    },
    /// Delete a topic and its records
    Delete {
        /// Its name
        name: String,
    },
}

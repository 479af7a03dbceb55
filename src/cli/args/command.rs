//! The subcommands.

use clap::{Parser, Subcommand};

use super::node::{Config, Dev, Doctor, Serve};
use super::quota::Quota;
use super::records::{Consume, Produce};
use super::topic::Topic;

/// A Kafka-compatible log broker on io_uring: acknowledged means on disk.
#[derive(Debug, Parser)]
#[command(
    name = "riverrun",
    version,
    about,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Begin with:\n  \
        riverrun dev                          run a broker here\n  \
        echo hello | riverrun produce demo    write a record\n  \
        riverrun consume demo                 read it"
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run one node for development: no format step, no configuration file
    Dev(Dev),
    /// Run a node from a configuration file
    Serve(Serve),
    /// Create, list, describe, alter and delete topics of any Kafka broker
    Topic(Topic),
    /// List, describe, set and unset quotas of clients of any Kafka broker
    Quota(Quota),
    /// Write lines or JSON to a topic of any Kafka broker
    Produce(Produce),
    /// Read a topic of any Kafka broker as lines or JSON
    Consume(Consume),
    /// Explain the configuration keys
    #[command(subcommand)]
    Config(Config),
    /// Check whether this machine can run a node, and measure its disk and loopback
    Doctor(Doctor),
}

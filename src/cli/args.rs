//! What may be typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// A Kafka-compatible log broker on io_uring: acknowledged means on disk.
#[derive(Debug, Parser)]
#[command(name = "riverrun", version, about, max_term_width = 100)]
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
    /// Explain the configuration keys
    #[command(subcommand)]
    Config(Config),
    /// Check whether this machine can run a node, and measure its disk and loopback
    Doctor(Doctor),
}

/// `riverrun dev`
#[derive(Debug, clap::Args)]
pub struct Dev {
    /// Where the data is kept
    #[arg(long, value_name = "DIR", default_value = "./riverrun-data")]
    pub data: PathBuf,
    /// Where clients connect to; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9092")]
    pub listen: String,
    /// Where to serve metrics, health and readiness by HTTP
    #[arg(long, value_name = "HOST:PORT")]
    pub admin: Option<String>,
    /// How many shards to run, one a core [default: every core this process may use]
    #[arg(long, value_name = "N")]
    pub cores: Option<u16>,
    /// Keep the data in a temporary folder and remove it at the end
    #[arg(long, conflicts_with = "data")]
    pub ephemeral: bool,
    /// Set any other configuration key
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// `riverrun serve`
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// The configuration file, in TOML
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Set a configuration key, over what the file says
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// `riverrun config`
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Say what a key means, its unit, default and range
    Explain {
        /// The key; all of them when it is left out
        key: Option<String>,
    },
}

/// How to reach a cluster.
#[derive(Debug, clap::Args)]
pub struct Cluster {
    /// A broker of the cluster
    #[arg(
        short,
        long,
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:9092"
    )]
    pub bootstrap: String,
}

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For a person
    Text,
    /// For a machine
    Json,
}

/// `riverrun topic`
#[derive(Debug, Subcommand)]
pub enum Topic {
    /// Create a topic
    Create {
        /// Its name
        name: String,
        /// How many partitions it gets [default: the broker's]
        #[arg(short, long)]
        partitions: Option<i32>,
        /// A topic configuration, as often as needed
        #[arg(short, long = "config", value_name = "KEY=VALUE")]
        configs: Vec<String>,
        #[command(flatten)]
        cluster: Cluster,
        /// How to print the answer
        #[arg(short, long, value_enum, default_value = "text")]
        output: OutputFormat,
    },
    /// List the topics
    List {
        #[command(flatten)]
        cluster: Cluster,
        /// How to print the answer
        #[arg(short, long, value_enum, default_value = "text")]
        output: OutputFormat,
    },
    /// Show a topic's partitions, offsets and configuration
    Describe {
        /// Its name
        name: String,
        #[command(flatten)]
        cluster: Cluster,
        /// How to print the answer
        #[arg(short, long, value_enum, default_value = "text")]
        output: OutputFormat,
    },
    /// Change a topic's configuration or partition count
    Alter {
        /// Its name
        name: String,
        /// A topic configuration to set, as often as needed
        #[arg(short, long = "config", value_name = "KEY=VALUE")]
        configs: Vec<String>,
        /// A topic configuration to put back to its default
        #[arg(short, long = "unset", value_name = "KEY")]
        unset: Vec<String>,
        /// How many partitions it shall have, more than now
        #[arg(short, long)]
        partitions: Option<i32>,
        #[command(flatten)]
        cluster: Cluster,
        /// How to print the answer
        #[arg(short, long, value_enum, default_value = "text")]
        output: OutputFormat,
    },
    /// Delete a topic and its records
    Delete {
        /// Its name
        name: String,
        #[command(flatten)]
        cluster: Cluster,
        /// How to print the answer
        #[arg(short, long, value_enum, default_value = "text")]
        output: OutputFormat,
    },
}

/// How records are written and printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RecordFormat {
    /// One value a line
    Lines,
    /// One JSON object a line: key, value, headers, and where it lies
    Json,
}

/// Compression of what is produced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Codec {
    /// None
    None,
    /// gzip
    Gzip,
    /// snappy
    Snappy,
    /// lz4
    Lz4,
    /// zstd
    Zstd,
}

/// `riverrun produce`
#[derive(Debug, clap::Args)]
pub struct Produce {
    /// The topic
    pub topic: String,
    #[command(flatten)]
    pub cluster: Cluster,
    /// Read from a file instead of standard input
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// What a line holds
    #[arg(short, long, value_enum, default_value = "lines")]
    pub format: RecordFormat,
    /// Split each line at the first of these: the key before it, the value after it
    #[arg(short = 'K', long, value_name = "TEXT")]
    pub key_separator: Option<String>,
    /// Write to this partition only
    #[arg(short, long)]
    pub partition: Option<i32>,
    /// Add a header to every record, as often as needed
    #[arg(short = 'H', long = "header", value_name = "KEY=VALUE")]
    pub headers: Vec<String>,
    /// Compress batches
    #[arg(short = 'z', long, value_enum, default_value = "none")]
    pub compression: Codec,
    /// How the result is printed
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: OutputFormat,
}

/// `riverrun consume`
#[derive(Debug, clap::Args)]
pub struct Consume {
    /// The topic
    pub topic: String,
    #[command(flatten)]
    pub cluster: Cluster,
    /// Where to start: beginning, end, an offset, or a time such as 2026-01-31T12:00:00Z
    #[arg(
        short,
        long,
        default_value = "beginning",
        value_name = "beginning|end|N|TIME"
    )]
    pub offset: String,
    /// Read this partition only
    #[arg(short, long)]
    pub partition: Option<i32>,
    /// Stop after this many records
    #[arg(short = 'n', long, value_name = "N")]
    pub count: Option<u64>,
    /// Stop at the end of what there is now, instead of waiting for more
    #[arg(short, long)]
    pub exit: bool,
    /// How records are printed
    #[arg(short, long, value_enum, default_value = "lines")]
    pub format: RecordFormat,
    /// Print the key and this text before each value
    #[arg(short = 'K', long, value_name = "TEXT")]
    pub key_separator: Option<String>,
}

/// `riverrun doctor`
#[derive(Debug, clap::Args)]
pub struct Doctor {
    /// The data directory to check
    #[arg(long, value_name = "DIR", default_value = "./riverrun-data")]
    pub data: PathBuf,
    /// Where clients will connect to
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9092")]
    pub listen: SocketAddr,
    /// How to print the answer
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: OutputFormat,
}

//! `riverrun dev`, `serve` and `doctor`

use std::path::PathBuf;

use super::shared::OutputFormat;

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

/// `riverrun doctor`
#[derive(Debug, clap::Args)]
pub struct Doctor {
    /// The data directories to check, with commas between them
    #[arg(
        long,
        value_name = "DIR",
        value_delimiter = ',',
        default_value = "./riverrun-data"
    )]
    pub data: Vec<PathBuf>,
    /// How to print the answer
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: OutputFormat,
}

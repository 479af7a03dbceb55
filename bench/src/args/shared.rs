//! Options that several subcommands have.

use std::num::NonZeroU32;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

/// What a run has that loads a topic for a while.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Run {
    /// Whom to load.
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) target: Target,
    /// Which topic.
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) topic: TopicOptions,
    /// How long.
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) length: Length,
}

/// Whom to load, and how to tell.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Target {
    /// Address of the broker
    #[arg(
        short,
        long,
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:9092"
    )]
    pub(crate) broker: String,
    /// The broker's process, to measure what it uses
    #[arg(long)]
    pub(crate) pid: Option<u32>,
    /// Tell the result as one line of JSON
    #[arg(long)]
    #[serde(skip)]
    pub(crate) json: bool,
    /// A word to find the result by
    #[arg(long, value_name = "WORD")]
    pub(crate) label: Option<String>,
}

/// Which topic to use.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct TopicOptions {
    /// Use this topic, made if it does not exist, and keep it [default: a fresh one, deleted at the end]
    #[arg(long)]
    pub(crate) topic: Option<String>,
    /// Partitions of a topic that is made
    #[arg(long, value_name = "COUNT", default_value = "1")]
    pub(crate) partitions: NonZeroU32,
    /// Configuration of a topic that is made; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub(crate) topic_config: Vec<(String, String)>,
}

impl Default for TopicOptions {
    /// A fresh topic of one partition.
    fn default() -> Self {
        Self {
            topic: None,
            partitions: NonZeroU32::MIN,
            topic_config: Vec::new(),
        }
    }
}

fn key_and_value(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("want KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// How long to go on.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Length {
    /// Measure for this long
    #[arg(long, default_value_t = 10)]
    pub(super) seconds: u32,
    /// Load for this long before measuring
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(super) warm_up: u32,
}

impl Length {
    /// Returns how long to measure.
    pub(crate) fn measured(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// Returns how long to load before.
    pub(crate) fn warm_up(&self) -> Duration {
        Duration::from_secs(self.warm_up.into())
    }
}

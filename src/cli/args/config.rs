//! `riverrun config`

use clap::Subcommand;
use client::admin::ConfigResource;
use types::NodeId;

use super::shared::{Bootstrap, OutputFormat, Setting};

/// `riverrun config`
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Say what a key of riverrun's own configuration means, its unit, default and range
    Explain {
        /// The key; all of them when it is left out
        key: Option<String>,
    },
    /// Show configurations of a topic or of brokers, where each comes from, and its default
    Get {
        /// Whose configurations.
        #[command(flatten)]
        place: ConfigPlace,
        /// The keys; when they are left out, those that do not have their default
        #[arg(value_name = "KEY")]
        keys: Vec<String>,
        /// Show those that have their default too
        #[arg(short, long, conflicts_with = "keys")]
        all: bool,
    },
    /// Set configurations of a topic or of brokers
    Set {
        /// Whose configurations.
        #[command(flatten)]
        place: ConfigPlace,
        /// The keys, and what they are set to
        #[arg(value_name = "KEY=VALUE", required = true)]
        settings: Vec<Setting>,
    },
    /// Put configurations of a topic or of brokers back to what they are without being set
    Unset {
        /// Whose configurations.
        #[command(flatten)]
        place: ConfigPlace,
        /// The keys
        #[arg(value_name = "KEY", required = true)]
        keys: Vec<String>,
    },
}

/// Whose configurations are meant, and how to reach them.
#[derive(Debug, clap::Args)]
pub struct ConfigPlace {
    /// Whose configurations.
    #[command(flatten)]
    pub owner: ConfigOwner,
    /// How to reach the cluster.
    #[command(flatten)]
    pub bootstrap: Bootstrap,
    /// How to print the answer
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: OutputFormat,
}

/// Whose configurations are meant.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct ConfigOwner {
    /// A topic
    #[arg(short, long, value_name = "NAME")]
    pub topic: Option<String>,
    /// One broker
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i32).range(0..), allow_negative_numbers = true)]
    pub broker: Option<i32>,
    /// All brokers that have no value of their own
    #[arg(long)]
    pub brokers: bool,
}

impl ConfigOwner {
    /// Returns what was typed as the protocol has it.
    pub fn resource(&self) -> ConfigResource {
        match (&self.topic, self.broker) {
            (Some(name), _) => ConfigResource::Topic(name.clone()),
            (None, Some(id)) => ConfigResource::Broker(NodeId(id)),
            (None, None) => ConfigResource::Brokers,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::args::{Args, Command};

    fn resource(typed: &str) -> Option<ConfigResource> {
        let words = ["riverrun", "config"]
            .into_iter()
            .chain(typed.split_whitespace());
        match Args::try_parse_from(words).ok()?.command {
            Command::Config(
                Config::Get { place, .. } | Config::Set { place, .. } | Config::Unset { place, .. },
            ) => Some(place.owner.resource()),
            _ => None,
        }
    }

    #[test]
    fn configurations_belong_to_a_topic_a_broker_or_all_brokers() {
        let topic = Some(ConfigResource::Topic("t".into()));
        assert_eq!(resource("get --topic t"), topic);
        assert_eq!(resource("get -t t retention.ms segment.ms"), topic);
        assert_eq!(resource("get -t t --all -b h:1 -o json"), topic);
        assert_eq!(resource("set -t t retention.ms=1 segment.ms="), topic);
        let broker = Some(ConfigResource::Broker(NodeId(7)));
        assert_eq!(resource("unset --broker 7 num.io.threads"), broker);
        assert_eq!(resource("get --brokers"), Some(ConfigResource::Brokers));
        for bad in [
            "get",
            "get --topic t --brokers",
            "get --broker -1",
            "get -t t --all retention.ms",
            "set -t t",
            "set -t t retention.ms",
            "unset -t t",
        ] {
            assert_eq!(resource(bad), None, "{bad}");
        }
    }
}

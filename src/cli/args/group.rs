//! `riverrun group`

use std::str::FromStr;
use std::time::Duration;

use clap::Subcommand;
use types::{Offset, TimestampMs};

use super::shared::{Bootstrap, OutputFormat};
use crate::cli::{duration, rfc3339, start_at};

/// `riverrun group`
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Group {
    /// What to do with which group.
    #[command(subcommand)]
    pub action: GroupAction,
    /// How to reach the cluster.
    #[command(flatten)]
    pub bootstrap: Bootstrap,
    /// How to print the answer
    #[arg(short, long, value_enum, default_value = "text", global = true)]
    pub output: OutputFormat,
}

/// What may be done with groups.
#[derive(Debug, Subcommand)]
pub enum GroupAction {
    /// List the groups
    List,
    /// Show a group's state and its members, each with what it reads
    Describe {
        /// Its name
        name: String,
    },
    /// Show how far a group has read, and what is left, in records and in time
    Lag {
        /// Its name
        name: String,
    },
    /// Move what a group has committed; shows what would change unless --execute is given
    Reset(Reset),
    /// Delete a group and what it has committed
    Delete {
        /// Its name
        name: String,
    },
}

const RESET_HELP: &str = "\
A group is reset while nobody is in it: stop its members first. Offsets that a log does not have
are moved to its nearest end.

Examples:
  riverrun group reset g --all-topics --to-earliest
  riverrun group reset g --topic orders:0,3 --shift-by -100 --execute
  riverrun group reset g --topic orders --to-datetime 2026-01-31T12:00:00Z --execute
  riverrun group reset g --topic orders --topic bills --by-duration 1h30m --execute";

/// `riverrun group reset`
#[derive(Debug, clap::Args)]
#[command(after_help = RESET_HELP)]
pub struct Reset {
    /// The group
    pub name: String,
    /// Which partitions.
    #[command(flatten)]
    pub scope: ResetScope,
    /// Where to.
    #[command(flatten)]
    pub target: ResetTarget,
    /// Do it
    #[arg(long)]
    pub execute: bool,
}

/// Which partitions are reset.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct ResetScope {
    /// A topic, or some of its partitions, as often as needed
    #[arg(short, long = "topic", value_name = "TOPIC[:N,N...]")]
    pub topics: Vec<TopicPart>,
    /// Every partition for which the group has committed something
    #[arg(long)]
    pub all_topics: bool,
}

/// Where a group is reset to.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct ResetTarget {
    /// The first record there is
    #[arg(long)]
    pub to_earliest: bool,
    /// Behind the last record there is now
    #[arg(long)]
    pub to_latest: bool,
    /// This offset
    #[arg(long, value_name = "N", value_parser = offset, allow_negative_numbers = true)]
    pub to_offset: Option<Offset>,
    /// The first record of this time (RFC 3339) or later
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub to_datetime: Option<TimestampMs>,
    /// The same, in milliseconds since 1970
    #[arg(long, value_name = "MS", value_parser = milliseconds, allow_negative_numbers = true)]
    pub to_timestamp: Option<TimestampMs>,
    /// The first record that is not older than this
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, allow_hyphen_values = true)]
    pub by_duration: Option<Duration>,
    /// So many records further, or back with a minus
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub shift_by: Option<i64>,
}

/// Something typed that is not what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Unclear {
    #[error("want an offset: a number from 0")]
    Offset,
    #[error("want a time such as 2026-01-31T12:00:00Z")]
    Time,
    #[error("want milliseconds since 1970")]
    Milliseconds,
}

fn offset(text: &str) -> Result<Offset, Unclear> {
    let offset = start_at::digits(text).and_then(Offset::new);
    offset.ok_or(Unclear::Offset)
}

fn time(text: &str) -> Result<TimestampMs, Unclear> {
    rfc3339::parse(text).ok_or(Unclear::Time)
}

fn milliseconds(text: &str) -> Result<TimestampMs, Unclear> {
    let milliseconds = start_at::digits(text).map(TimestampMs);
    milliseconds.ok_or(Unclear::Milliseconds)
}

/// A topic, or some of its partitions, typed as `TOPIC` or `TOPIC:N,N`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicPart {
    /// The topic; not empty.
    pub topic: String,
    /// The partitions; `None` for all of them.
    pub partitions: Option<Vec<i32>>,
}

/// What is neither a topic nor partitions of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("want TOPIC, or TOPIC:N,N with the numbers of partitions")]
pub struct InvalidTopicPart;

impl FromStr for TopicPart {
    type Err = InvalidTopicPart;

    fn from_str(text: &str) -> Result<Self, InvalidTopicPart> {
        let (topic, partitions) = match text.split_once(':') {
            None => (text, None),
            Some((topic, numbers)) => {
                let number = |text| start_at::digits(text).and_then(|it| i32::try_from(it).ok());
                let numbers: Option<Vec<i32>> = numbers.split(',').map(number).collect();
                (topic, Some(numbers.ok_or(InvalidTopicPart)?))
            }
        };
        if topic.is_empty() {
            return Err(InvalidTopicPart);
        }
        Ok(Self {
            topic: topic.to_owned(),
            partitions,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::args::Args;

    #[test]
    fn a_topic_may_be_followed_by_partitions() {
        let part = |text: &str| {
            let part: TopicPart = text.parse().ok()?;
            Some((part.topic, part.partitions))
        };
        let both = |topic: &str, partitions: &[i32]| Some((topic.into(), Some(partitions.into())));
        assert_eq!(part("t"), Some(("t".into(), None)));
        assert_eq!(part("t:0"), both("t", &[0]));
        assert_eq!(part("t.u-v_w:3,1"), both("t.u-v_w", &[3, 1]));
        for bad in [
            "",
            ":0",
            "t:",
            "t:0,",
            "t:-1",
            "t:+1",
            "t:x",
            "t:0:1",
            "t:2147483648",
        ] {
            assert_eq!(part(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_negative_number_is_refused_with_what_is_wanted() {
        for (typed, want) in [
            ("group reset g -t t --to-offset -5", "a number from 0"),
            ("group reset g -t t --to-timestamp -5", "since 1970"),
            ("group reset g -t t --by-duration -5m", "5m"),
            ("consume t -n -1", "-1"),
            ("consume t -p -1", "-1"),
            ("consume t -o -5", "-5"),
            ("config get --broker -1", "-1"),
        ] {
            let words = ["riverrun"].into_iter().chain(typed.split_whitespace());
            let told = Args::try_parse_from(words).unwrap_err().to_string();
            let is_ours = told.starts_with("error: invalid value") && !told.contains("tip:");
            assert!(is_ours && told.contains(want), "{typed}: {told}");
        }
    }

    #[test]
    fn a_reset_has_one_scope_and_one_target() {
        let is_clear = |typed: &str| {
            let words = typed.split_whitespace();
            Args::try_parse_from(["riverrun", "group", "reset", "g"].into_iter().chain(words))
                .is_ok()
        };
        for good in [
            "--all-topics --to-earliest",
            "--topic t --topic u:1 --to-latest --execute",
            "-t t --to-offset 0",
            "-t t --to-datetime 2026-01-31T12:00:00Z",
            "-t t --to-timestamp 1767225600000",
            "-t t --by-duration PT1H",
            "-t t --shift-by 5",
            "-t t --shift-by -5",
            "-t t --shift-by=-5",
        ] {
            assert!(is_clear(good), "{good}");
        }
        for bad in [
            "--to-earliest",
            "--all-topics",
            "--all-topics --topic t --to-earliest",
            "--all-topics --to-earliest --to-latest",
            "-t t --to-offset -1",
            "-t t --to-timestamp -1",
            "-t t --to-datetime yesterday",
            "-t t --by-duration 5",
            "-t t --shift-by x",
        ] {
            assert!(!is_clear(bad), "{bad}");
        }
    }
}

//! `riverrun produce` and `riverrun consume`

use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::NonEmptyStringValueParser;
use client::consumer::Start;

use super::shared::{Bootstrap, OutputFormat, Setting};
use crate::cli::start_at;

/// How records are written and printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RecordFormat {
    /// One value a line
    Lines,
    /// One JSON object a line
    Json,
}

/// Compression of what is produced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Codec {
    /// Not at all
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

const PRODUCE_HELP: &str = "\
Lines: what stands between two newlines is one value, byte for byte; an empty line is an empty
value. A last line without newline is a record too; reading it back adds the newline.

JSON: each line is an object like those that `consume --format json` prints:
  {\"key\":\"k\",\"value\":\"v\",\"headers\":[{\"key\":\"h\",\"value\":\"x\"}],\"timestamp\":1767225600000}
All of it may be missing; a missing value is null (a tombstone). Bytes that are not UTF-8 stand in
base64 under `key_base64` and `value_base64`. `topic`, `partition` and `offset` are ignored.

Examples:
  riverrun produce logs --from access.log -z zstd
  echo 'user7:signed in' | riverrun produce events -K :
  riverrun consume events -f json --exit | riverrun produce copy -f json";

/// `riverrun produce`
#[derive(Debug, clap::Args)]
#[command(after_help = PRODUCE_HELP)]
pub struct Produce {
    /// The topic; created if the broker creates topics by itself
    pub topic: String,
    /// How to reach the cluster.
    #[command(flatten)]
    pub bootstrap: Bootstrap,
    /// Read from a file instead of standard input
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// What a line holds
    #[arg(short, long, value_enum, default_value = "lines")]
    pub format: RecordFormat,
    /// Cut each line at the first TEXT in it: the key before it, the value behind it; a line
    /// without it has no key
    #[arg(short = 'K', long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub key_separator: Option<String>,
    /// Write to this partition only [default: as the key says; without key in turn]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..), allow_negative_numbers = true)]
    pub partition: Option<i32>,
    /// Add a header to every record, as often as needed
    #[arg(short = 'H', long = "header", value_name = "KEY=VALUE")]
    pub headers: Vec<Setting>,
    /// Compress batches
    #[arg(short = 'z', long, value_enum, default_value = "none")]
    pub compression: Codec,
    /// How the result is printed
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: OutputFormat,
}

impl Produce {
    /// Returns whether batches become smaller than their records.
    pub fn is_compressed(&self) -> bool {
        self.compression != Codec::None
    }
}

const CONSUME_HELP: &str = "\
Where to start:
  beginning, end           the first record there is; behind the last
  1000                     this offset
  2026-01-31T12:00:00Z     the first record of this time (RFC 3339) or later
  @1767225600000           the same, in milliseconds since 1970

Lines: each value and a newline; null prints as an empty line. JSON: one object a line,
  {\"topic\":\"t\",\"partition\":0,\"offset\":7,\"timestamp\":1767225600000,\"key\":\"k\",\"value\":\"v\",
   \"headers\":[{\"key\":\"h\",\"value\":\"x\"}]}
Keys and values that are not UTF-8 stand in base64 under `key_base64` and `value_base64` instead.

One partition is printed in order; several are printed as they come. Ctrl-C ends with exit code 0.

With --group, the members of the group share the partitions, and each goes on where the group has
committed; --offset is for partitions of which it has committed nothing. What was printed is
committed every 5 seconds, when the partitions are shared out anew, and at the end, for whatever
reason. --exit stops a member at the end of the partitions that it has then.

Examples:
  riverrun consume logs --exit > access.log
  riverrun consume events -o end -f json | jq .value
  riverrun consume events -p 0 -o 1000 -n 10
  riverrun consume events --group billing";

/// `riverrun consume`
#[derive(Debug, clap::Args)]
#[command(after_help = CONSUME_HELP)]
pub struct Consume {
    /// The topic
    pub topic: String,
    /// How to reach the cluster.
    #[command(flatten)]
    pub bootstrap: Bootstrap,
    /// Where to start
    #[arg(
        short,
        long,
        default_value = "beginning",
        value_name = "beginning|end|N|TIME",
        value_parser = start_at::parse,
        allow_negative_numbers = true
    )]
    pub offset: Start,
    /// Read this partition only
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..), allow_negative_numbers = true)]
    pub partition: Option<i32>,
    /// Share the topic with the other members of this group, and commit what was printed
    #[arg(
        short,
        long,
        value_name = "NAME",
        conflicts_with = "partition",
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub group: Option<String>,
    /// Stop after this many records
    #[arg(short = 'n', long, value_name = "N", allow_negative_numbers = true)]
    pub count: Option<u64>,
    /// Stop at the end of what there is now, instead of waiting for more
    #[arg(short, long)]
    pub exit: bool,
    /// How records are printed
    #[arg(short, long, value_enum, default_value = "lines")]
    pub format: RecordFormat,
    /// Print the key and TEXT before each value
    #[arg(short = 'K', long, value_name = "TEXT")]
    pub key_separator: Option<String>,
}

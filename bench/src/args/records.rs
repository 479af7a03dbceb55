//! Options of the subcommands that move records, and of `idle`.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use types::ByteCount;

use crate::batches::{Acks, Shape};
use crate::units::Size;

use super::shared::{Length, Run, Target, TopicOptions};

/// How long filling a topic with history may take.
const FILL_SECONDS_MAX: u32 = 3600;

/// Options of `produce`.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Produce {
    /// Whom to load, where to, how long.
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) run: Run,
    /// Stop after this many bytes of batches, at the latest after --seconds
    #[arg(long, value_name = "SIZE")]
    pub(crate) bytes: Option<Size>,
    /// Batches are at most this large, but hold at least one record
    #[arg(long, value_name = "SIZE", default_value = "64KiB")]
    pub(crate) batch_size: Size,
    /// Bytes of each record's value
    #[arg(long, value_name = "SIZE", default_value = "1KiB")]
    pub(crate) record_size: Size,
    /// Connections; partitions are divided among them
    #[arg(long, value_name = "COUNT", default_value = "1")]
    pub(crate) connections: NonZeroUsize,
    /// Requests on their way on each connection
    #[arg(long, value_name = "COUNT", default_value = "5")]
    pub(crate) in_flight: NonZeroUsize,
    /// Partitions in each request, one batch for each
    #[arg(long, value_name = "COUNT", default_value = "1")]
    pub(crate) batches_per_request: NonZeroUsize,
    /// Which acknowledgement to wait for
    #[arg(long, value_enum, default_value = "all")]
    pub(crate) acks: Acks,
}

impl Produce {
    /// Returns what fills a topic with history: large batches, as fast as they are taken.
    pub(crate) fn history(target: &Target, size: Size) -> Self {
        Self {
            run: Run {
                target: target.clone(),
                topic: TopicOptions::default(),
                length: Length {
                    seconds: FILL_SECONDS_MAX,
                    warm_up: 0,
                },
            },
            bytes: Some(size),
            batch_size: Size(ByteCount::kib(512)),
            record_size: Size(ByteCount::kib(1)),
            connections: NonZeroUsize::MIN,
            in_flight: NonZeroUsize::MIN.saturating_add(3),
            batches_per_request: NonZeroUsize::MIN,
            acks: Acks::All,
        }
    }

    /// Returns the shape of the batches.
    pub(crate) fn shape(&self) -> Shape {
        Shape {
            batch_size_max: self.batch_size.as_usize(),
            record_size: self.record_size.as_usize(),
        }
    }
}

/// How connections that read divide the partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Reads {
    /// Each connection reads its share of the partitions.
    Share,
    /// Each connection reads every partition.
    Whole,
}

/// What a fetch request asks for.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct FetchSizes {
    /// Bytes asked for from each partition
    #[arg(long, value_name = "SIZE", default_value = "1MiB")]
    pub(crate) partition_max: Size,
    /// Bytes asked for in each answer
    #[arg(long, value_name = "SIZE", default_value = "16MiB")]
    pub(crate) answer_max: Size,
}

impl FetchSizes {
    /// What a consumer at the tail asks for.
    pub(crate) const TAIL: Self = Self {
        partition_max: Size(ByteCount::mib(1)),
        answer_max: Size(ByteCount::mib(16)),
    };
}

/// Options of `fetch`.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Fetch {
    /// Whom to load.
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) target: Target,
    /// The topic to read
    #[arg(long)]
    pub(crate) topic: String,
    /// Read from the beginning again and again for this long [default: once]
    #[arg(long)]
    pub(crate) seconds: Option<u32>,
    /// Connections
    #[arg(long, value_name = "COUNT", default_value = "1")]
    pub(crate) connections: NonZeroUsize,
    /// What each connection reads
    #[arg(long, value_enum, default_value = "share")]
    pub(crate) reads: Reads,
    /// What each request asks for.
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) sizes: FetchSizes,
    /// Compare the checksum of every batch
    #[arg(long)]
    pub(crate) verify: bool,
    /// Put the files below this directory out of the page cache before reading
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) cold: Option<PathBuf>,
}

/// Options of `unbatched`.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Unbatched {
    /// Whom to load, where to, how long.
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) run: Run,
    /// Connections, each with one request on its way
    #[arg(long, value_name = "COUNT", default_value = "64")]
    pub(crate) connections: NonZeroUsize,
    /// Threads that the connections are divided among; a thread serves its connections in turn
    /// [default: one for each core]
    #[arg(long, value_name = "COUNT")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Bytes of each record's value
    #[arg(long, value_name = "SIZE", default_value = "100")]
    pub(crate) record_size: Size,
    /// Which acknowledgement to wait for
    #[arg(long, value_enum, default_value = "all")]
    pub(crate) acks: Acks,
}

/// What an open loop sends.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Pace {
    /// Records in a second, each a request of its own
    #[arg(long, value_name = "PER_SECOND", default_value = "1000")]
    pub(crate) rate: NonZeroU32,
    /// Connections that the records are dealt out to
    #[arg(long, value_name = "COUNT", default_value = "1")]
    pub(crate) connections: NonZeroUsize,
    /// Bytes of each record's value, 8 at least: it carries the time it was due
    #[arg(long, value_name = "SIZE", default_value = "100")]
    pub(crate) record_size: Size,
}

/// Options of `open-loop`.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct OpenLoop {
    /// Whom to load, where to, how long.
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) run: Run,
    /// What is sent.
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) pace: Pace,
    /// Which acknowledgement to wait for, 1 or all
    #[arg(long, value_enum, default_value = "all")]
    pub(crate) acks: Acks,
    /// Also consume at the tail, and tell the latency from due time to arrival
    #[arg(long)]
    pub(crate) end_to_end: bool,
}

/// Options of `idle`.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Idle {
    /// Whom to load.
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) target: Target,
    /// Connections to hold
    #[arg(long, value_name = "COUNT", default_value = "10000")]
    pub(crate) connections: NonZeroUsize,
    /// How long to hold them
    #[arg(long, default_value_t = 10)]
    pub(crate) seconds: u32,
}

/// Options of `cold`.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Cold {
    /// Whom to load.
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) target: Target,
    /// Use this topic as the history and keep it [default: a fresh one, deleted at the end]
    #[arg(long, value_name = "TOPIC")]
    pub(crate) history_topic: Option<String>,
    /// Bytes to produce into a history topic that is empty
    #[arg(long, value_name = "SIZE", default_value = "10GiB")]
    pub(crate) history: Size,
    /// The broker's data directory: its files leave the page cache before each reading
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) data: Option<PathBuf>,
    /// Consumers that read the history at once
    #[arg(long, value_name = "COUNT", default_value = "1")]
    pub(crate) readers: NonZeroUsize,
    /// What the readers ask for.
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) sizes: FetchSizes,
    /// What the producer at the tail sends.
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) pace: Pace,
    /// How long each round measures; the readers read the history again and again meanwhile
    #[arg(long, default_value_t = 20)]
    pub(crate) seconds: u32,
    /// Pairs of rounds, one without and one with the readers, in the order A B B A
    #[arg(long, value_name = "PAIRS", default_value = "3")]
    pub(crate) pairs: NonZeroUsize,
    /// Fail if the ratio of the tail's p99 is above this
    #[arg(long, value_name = "RATIO")]
    pub(crate) ratio_max: Option<f64>,
}

//! The command: opens what is needed, lets a session run, says what came of it.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::Path;
use std::time::Duration;

use client::blocking::{Admin, Cluster, Producer};
use client::producer::ProducerOptions;
use record::Compression;
use serde_json::json;
use types::{ByteCount, ErrorCode, Monotonic};

use super::blocks::Blocks;
use super::session::{Session, Stopped};
use super::written::{Refused, Written};
use crate::causes::with_causes;
use crate::cli::args::{Codec, OutputFormat, Produce};
use crate::cli::connect::{connect, reach_topic};
use crate::cli::failure::Failure;
use crate::cli::interrupt::Interrupt;
use crate::cli::progress::{Progress, Unit};
use crate::cli::stdout::Stdout;

/// Writes what comes in to a topic.
pub(in crate::cli) fn run(args: &Produce) -> Result<(), Failure> {
    let interrupt = Interrupt::listen()?;
    let input = Input::open(args.from.as_deref())?;
    let mut cluster = connect(&args.bootstrap)?;
    reach_topic(&mut cluster, &args.topic, true)?;
    check_partition(&cluster, args)?;
    let batch_size_max = batch_size_max(&mut cluster, &args.topic);
    let started = cluster.now();
    let progress = input.progress(started);
    let defaults = ProducerOptions::default();
    let options = ProducerOptions {
        compression: compression(args.compression),
        batch_size: defaults
            .batch_size
            .min(batch_size_max.unwrap_or(defaults.batch_size)),
        ..defaults
    };
    let producer = Producer::new(cluster, options);
    let mut session = Session::new((args, &interrupt), producer, batch_size_max, progress);

    let blocks = Blocks::read(input.source)?;
    let carried = session.carry(&blocks);
    let settled = session.settle();
    let pushed = session.pushed();
    let (written, bytes, took) = session.finish(started);
    if let Some(refused) = &written.refused {
        let refusal = refusal_text(refused, &args.topic);
        return Err(format!("{refusal}; {}", counted(&written, "written")).into());
    }
    let Err(error) = carried.and(settled) else {
        return report(args, &written, bytes, took);
    };
    let told = format!(
        "{}; {}",
        with_causes(error.as_ref()),
        extent(&written, pushed)
    );
    if error.is::<Stopped>() {
        return Err(interrupt.ended(told).into());
    }
    Err(told.into())
}

/// Where lines come from.
struct Input {
    source: Box<dyn Read + Send>,
    /// Its size, if it is a file.
    size: Option<u64>,
    /// Whether a person types it.
    is_typed: bool,
}

impl Input {
    fn open(from: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = from else {
            let stdin = io::stdin();
            return Ok(Self {
                is_typed: stdin.is_terminal(),
                source: Box::new(stdin),
                size: None,
            });
        };
        let unreadable = |error| format!("cannot read {}: {error}", path.display());
        let file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(format!("cannot read {}: it is a folder", path.display()).into());
        }
        Ok(Self {
            source: Box::new(file),
            size: metadata.is_file().then_some(metadata.len()),
            is_typed: false,
        })
    }

    fn progress(&self, now: Monotonic) -> Progress {
        if self.is_typed {
            Progress::silent(now)
        } else {
            Progress::start(Unit::Bytes, self.size, now)
        }
    }
}

fn check_partition(cluster: &Cluster, args: &Produce) -> Result<(), Failure> {
    let metadata = cluster.metadata();
    match args.partition {
        Some(wanted) if metadata.partition(&args.topic, wanted).is_none() => {
            let (topic, partition) = (args.topic.clone(), wanted);
            Err(client::Error::NoPartition { topic, partition }.into())
        }
        _ => Ok(()),
    }
}

/// Asks how large a batch may be. A broker that does not say will refuse what is too large.
fn batch_size_max(cluster: &mut Cluster, topic: &str) -> Option<ByteCount> {
    let configs = Admin::new(cluster).topic_configs(topic).ok()?;
    let config = configs
        .into_iter()
        .find(|it| it.name == "max.message.bytes")?;
    config.value?.parse().ok().map(ByteCount)
}

fn compression(codec: Codec) -> Compression {
    match codec {
        Codec::None => Compression::None,
        Codec::Gzip => Compression::Gzip,
        Codec::Snappy => Compression::Snappy,
        Codec::Lz4 => Compression::Lz4,
        Codec::Zstd => Compression::Zstd,
    }
}

/// Says which line was refused, and what may help.
fn refusal_text(refused: &Refused, topic: &str) -> String {
    let Refused { record, refusal } = refused;
    let hint = match refusal.known() {
        Some(ErrorCode::MessageTooLarge) => {
            format!("; to allow more: riverrun topic alter {topic} --config max.message.bytes=N")
        }
        Some(ErrorCode::Network) => "; the broker did not answer, it may be written".to_owned(),
        _ => String::new(),
    };
    format!("line {}: {refusal}{hint}", record + 1)
}

/// Says how many of the records that were sent are written, and of how many nobody knows.
fn extent(written: &Written, pushed: u64) -> String {
    let counted = counted(written, "written");
    match pushed.saturating_sub(written.settled) {
        0 => counted,
        unknown => format!("{counted}, {unknown} not acknowledged"),
    }
}

fn counted(written: &Written, verb: &str) -> String {
    match written.records {
        1 => format!("1 record {verb}"),
        count => format!("{count} records {verb}"),
    }
}

fn report(
    args: &Produce,
    written: &Written,
    bytes: ByteCount,
    took: Duration,
) -> Result<(), Failure> {
    let mut stdout = Stdout::open()?;
    match args.output {
        OutputFormat::Text => {
            let place = match (
                written.partitions.len(),
                written.partitions.first_key_value(),
            ) {
                (1, Some((partition, span))) => match (span.first, span.last) {
                    (Some(first), Some(last)) if first == last => {
                        format!(", partition {partition}, offset {first}")
                    }
                    (Some(first), Some(last)) => {
                        format!(", partition {partition}, offsets {first} to {last}")
                    }
                    _ => format!(", partition {partition}"),
                },
                (0, _) => String::new(),
                (count, _) => format!(", {count} partitions"),
            };
            stdout.line(format_args!(
                "{} to {}{place}",
                counted(written, "written"),
                args.topic
            ))?;
        }
        OutputFormat::Json => {
            let partition = |(partition, span): (&i32, &super::written::Span)| {
                json!({
                    "partition": partition,
                    "records": span.records,
                    "first_offset": span.first,
                    "last_offset": span.last,
                })
            };
            stdout.line(json!({
                "topic": args.topic,
                "records": written.records,
                "bytes": bytes.0,
                "milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                "partitions": written.partitions.iter().map(partition).collect::<Vec<_>>(),
            }))?;
        }
    }
    Ok(stdout.flush()?)
}

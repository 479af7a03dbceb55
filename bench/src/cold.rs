//! `cold`: does a reader of cold history move the latency of a consumer at the tail?
//!
//! A producer sends single records at a fixed rate and a consumer reads them at the tail; in every
//! second round others read a large history, again and again, meanwhile. Rounds come in the order
//! A B B A, so that a drift of the machine meets both sides alike. The history is put out of the page
//! cache before each time it is read, and the broker's own disk reads show that it was cold.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::args::{self, TopicOptions};
use crate::batches::{self, Acks};
use crate::cache::{self, Dirty};
use crate::clock;
use crate::connection::Connection;
use crate::error::Error;
use crate::latency::{Latencies, Percentiles};
use crate::open_loop::Plan;
use crate::pacer::Slip;
use crate::produce;
use crate::reader::Reader;
use crate::report::{self, Environment};
use crate::run::with_topic;
use crate::statistics::Ratio;
use crate::tally::Load;
use crate::threads;
use crate::topic::Topic;
use crate::units::mib;
use crate::usage::{Usage, Work};

/// How long a round sends before it measures; readers start when it measures.
const WARM_UP: Duration = Duration::from_secs(2);

#[derive(Debug, Serialize)]
struct Report {
    work: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    options: Value,
    environment: Environment,
    rounds: Vec<Round>,
    /// All rounds without readers together.
    quiet: Percentiles,
    /// All rounds with readers together.
    disturbed: Percentiles,
    /// The tail's p99 with readers by that without, over pairs of rounds.
    p99_ratio: Ratio,
    /// The same of the medians.
    p50_ratio: Ratio,
}

#[derive(Debug, Serialize)]
struct Round {
    side: Side,
    /// From due time to arrival at the tail consumer.
    end_to_end: Percentiles,
    slip: Slip,
    /// Bytes of history read.
    history_bytes: u64,
    #[serde(flatten)]
    usage: Usage,
}

/// Runs the subcommand.
pub(crate) fn run(options: &args::Cold) -> Result<(), Error> {
    let history = TopicOptions {
        topic: options.history_topic.clone(),
        ..TopicOptions::default()
    };
    let target = &options.target;
    let report = with_topic(target, &history, "history", |history| {
        fill(options, history)?;
        with_topic(target, &TopicOptions::default(), "tail", |tail| {
            measure(options, history, tail)
        })
    })?;
    report::print(&report, target.json)?;
    match options.ratio_max {
        Some(bound) if report.p99_ratio.median > bound => Err(Error::Missed {
            ratio: report.p99_ratio.median,
            bound,
        }),
        _ => Ok(()),
    }
}

/// Produces the history, unless there is one.
fn fill(options: &args::Cold, history: &Topic) -> Result<(), Error> {
    let mut connection = Connection::open(&options.target.broker)?;
    let extents = history.extents(&mut connection)?;
    if extents.iter().any(|it| it.start < it.end) {
        return Ok(());
    }
    let filling = args::Produce::history(&options.target, options.history);
    produce::measure(&filling, history).map(|_| ())
}

/// Whether history is read meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Side {
    Quiet,
    Disturbed,
}

impl Side {
    const BOTH: [Self; 2] = [Self::Quiet, Self::Disturbed];
    const REVERSED: [Self; 2] = [Self::Disturbed, Self::Quiet];
}

fn measure(options: &args::Cold, history: &Topic, tail: &Topic) -> Result<Report, Error> {
    let mut rounds = Vec::new();
    let (mut quiet, mut disturbed) = (Latencies::new(), Latencies::new());
    let orders = [Side::BOTH, Side::REVERSED].into_iter().cycle();
    for side in orders.take(options.pairs.get()).flatten() {
        let (round, latencies) = match side {
            Side::Quiet => quiet_round(options, tail)?,
            Side::Disturbed => disturbed_round(options, history, tail)?,
        };
        match side {
            Side::Quiet => quiet.merge(&latencies),
            Side::Disturbed => disturbed.merge(&latencies),
        }
        rounds.push(round);
    }
    Ok(Report {
        work: "cold",
        label: options.target.label.clone(),
        options: serde_json::to_value(options)?,
        environment: Environment::here(),
        quiet: quiet.percentiles(),
        disturbed: disturbed.percentiles(),
        p99_ratio: ratio(&rounds, |latency| latency.p99_us)?,
        p50_ratio: ratio(&rounds, |latency| latency.p50_us)?,
        rounds,
    })
}

/// Compares neighbouring rounds: the n-th disturbed one with the n-th quiet one.
fn ratio(rounds: &[Round], figure: fn(&Percentiles) -> f64) -> Result<Ratio, Error> {
    let figures = |side| {
        let rounds = rounds.iter().filter(move |round| round.side == side);
        rounds.map(|round| figure(&round.end_to_end))
    };
    let pairs: Vec<_> = figures(Side::Disturbed).zip(figures(Side::Quiet)).collect();
    Ratio::of(&pairs).ok_or(Error::NoRatio)
}

fn quiet_round(options: &args::Cold, tail: &Topic) -> Result<(Round, Latencies), Error> {
    let plan = Plan {
        target: &options.target,
        topic: tail,
        pace: &options.pace,
        acks: Acks::All,
        end_to_end: true,
    };
    let round = plan.run(WARM_UP, Duration::from_secs(options.seconds.into()))?;
    let told = Round {
        side: Side::Quiet,
        end_to_end: round.end_to_end.percentiles(),
        slip: round.slips.slip(),
        history_bytes: 0,
        usage: Usage::between(&round.first, &round.last, Work::default()),
    };
    Ok((told, round.end_to_end))
}

fn disturbed_round(
    options: &args::Cold,
    history: &Topic,
    tail: &Topic,
) -> Result<(Round, Latencies), Error> {
    let mut readers = Vec::new();
    for mut connection in batches::connect(&options.target.broker, options.readers.get())? {
        let extents = history.extents(&mut connection)?;
        readers.push(Reader::new(connection, history, &options.sizes, extents)?);
    }
    if let Some(directory) = &options.data {
        cache::drop_pages(directory, Dirty::Write)?;
    }
    let stop = AtomicBool::new(false);
    let (loads, (mut round, latencies)) = threads::run(
        readers,
        |reader| read_until(reader, options.data.as_deref(), &stop),
        || {
            let round = quiet_round(options, tail);
            stop.store(true, Ordering::Relaxed);
            round
        },
    )?;
    round.side = Side::Disturbed;
    round.history_bytes = loads.iter().map(|load| load.bytes).sum();
    Ok((round, latencies))
}

/// Reads from the beginning, again and again, cold every time.
fn read_until(mut reader: Reader, data: Option<&Path>, stop: &AtomicBool) -> Result<Load, Error> {
    let mut load = Load::default();
    clock::sleep(WARM_UP);
    while !stop.load(Ordering::Relaxed) {
        load.add(reader.fetch(|_| Ok(()))?);
        if reader.is_drained() {
            if let Some(directory) = data {
                cache::drop_pages(directory, Dirty::Stay)?;
            }
            reader.rewind();
        }
    }
    Ok(load)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for round in &self.rounds {
            writeln!(
                f,
                "{:9}  {}; history {:.0} MiB{}",
                match round.side {
                    Side::Quiet => "quiet",
                    Side::Disturbed => "disturbed",
                },
                round.end_to_end,
                mib(round.history_bytes),
                if round.slip.valid {
                    ""
                } else {
                    "; the generator slipped: INVALID"
                }
            )?;
            writeln!(f, "{}", round.usage)?;
        }
        writeln!(f, "tail, all quiet rounds      {}", self.quiet)?;
        writeln!(f, "tail, all disturbed rounds  {}", self.disturbed)?;
        let Ratio {
            median,
            low,
            high,
            pairs,
        } = self.p99_ratio;
        write!(
            f,
            "cold: p99 at the tail with readers / without: {median:.2} [{low:.2}, {high:.2}] over \
             {pairs} pairs; p50: {:.2}",
            self.p50_ratio.median
        )
    }
}

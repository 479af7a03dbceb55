//! `open-loop`: single records at a fixed rate, whatever the broker does.
//!
//! ```text
//! schedule ── n-th record due ──► sender of connection n mod C ──► broker ──► receiver: answer - due
//!                                        │                           │
//!                                        └─ slip = sent - due        └──► tail reader: arrival - due
//! ```
//!
//! Each connection has a thread that sends and one that receives, so that a slow answer holds nothing
//! up. A record carries the time at which it was due; the tail reader in this same process reads it
//! with the same clock.

use std::time::Duration;

use types::Monotonic;
use wire::api::ApiKey;

use crate::args::{self, Pace, Target};
use crate::batches::{self, Acks, Stamped};
use crate::clock;
use crate::connection::Connection;
use crate::error::Error;
use crate::lane::{Part, Receiver, Sender, Tail, Timing, Turn};
use crate::latency::Latencies;
use crate::pacer::{Schedule, Slips};
use crate::report::{self, Environment, Moved, Report, Since};
use crate::run::{sample_at, with_topic};
use crate::tally::{Load, Tally, Window};
use crate::threads;
use crate::topic::Topic;
use crate::units;
use crate::usage::{Sample, Usage, Work};

/// Runs the subcommand.
pub(crate) fn run(options: &args::OpenLoop) -> Result<(), Error> {
    if options.acks == Acks::None {
        return Err(Error::Usage("latency needs answers: acks 1 or all"));
    }
    let args::Run { target, topic, .. } = &options.run;
    let report = with_topic(target, topic, "open-loop", |topic| measure(options, topic))?;
    report::print(&report, target.json)
}

fn measure(options: &args::OpenLoop, topic: &Topic) -> Result<Report, Error> {
    let length = &options.run.length;
    let plan = Plan {
        target: &options.run.target,
        topic,
        pace: &options.pace,
        acks: options.acks,
        end_to_end: options.end_to_end,
    };
    let round = plan.run(length.warm_up(), length.measured())?;
    let (tally, elapsed) = Tally::sum(&round.window, &round.tallies);
    let work = Work {
        requests: tally.requests,
        bytes: 0, // a cost by GiB says nothing about single records
    };
    Ok(Report {
        work: "open-loop",
        label: options.run.target.label.clone(),
        options: serde_json::to_value(options)?,
        environment: Environment::here(),
        seconds: elapsed.as_secs_f64(),
        moved: Moved::of(&tally, elapsed),
        latency_since: Since::Due,
        latency: Some(tally.latencies.percentiles()),
        end_to_end: options.end_to_end.then(|| round.end_to_end.percentiles()),
        slip: Some(round.slips.slip()),
        usage: Usage::between(&round.first, &round.last, work),
    })
}

/// An open loop to be run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan<'a> {
    /// The broker.
    pub(crate) target: &'a Target,
    /// The topic.
    pub(crate) topic: &'a Topic,
    /// What is sent.
    pub(crate) pace: &'a Pace,
    /// Leader or all.
    pub(crate) acks: Acks,
    /// Whether to consume at the tail too.
    pub(crate) end_to_end: bool,
}

/// What an open loop measured.
#[derive(Debug)]
pub(crate) struct Round {
    /// When it measured.
    pub(crate) window: Window,
    /// Answers, by connection.
    pub(crate) tallies: Vec<Tally>,
    /// Latencies to the tail reader.
    pub(crate) end_to_end: Latencies,
    /// How late the generator was.
    pub(crate) slips: Slips,
    /// What was used at the start of measuring.
    pub(crate) first: Sample,
    /// And at the end.
    pub(crate) last: Sample,
}

impl Plan<'_> {
    /// Sends for the time given, the warm-up first, and waits for everything sent.
    pub(crate) fn run(&self, warm_up: Duration, measured: Duration) -> Result<Round, Error> {
        let mut parts = self.lanes()?;
        if self.end_to_end {
            let connection = Connection::open(&self.target.broker)?;
            parts.push(Part::Tail(Tail::new(connection, self.topic)?));
        }
        let start = clock::now();
        let window = Window::new(start, warm_up, measured);
        let schedule = Schedule {
            start,
            rate_per_second: self.pace.rate,
        };
        let timing = Timing {
            schedule,
            measured_from: window.start,
            count: schedule.count_within(window.end.since(start)),
        };
        let probe = self.target.probe();
        let (outcomes, first) = threads::run(
            parts,
            |part| part.run(&timing, &window),
            || sample_at(probe, window.start),
        )?;
        let mut round = Round {
            window,
            tallies: Vec::new(),
            end_to_end: Latencies::new(),
            slips: Slips::new(),
            first,
            last: probe.sample()?,
        };
        for outcome in outcomes {
            round.slips.merge(&outcome.slips);
            round.end_to_end.merge(&outcome.end_to_end);
            round.tallies.push(outcome.tally);
        }
        Ok(round)
    }

    /// Opens the connections, and makes a sender and a receiver for each.
    fn lanes(&self) -> Result<Vec<Part>, Error> {
        let count = self.pace.connections.get();
        let record = Stamped::new(self.pace.record_size.as_usize());
        let load = Load {
            batches: 1,
            records: 1,
            bytes: units::count(record.clone().batch(Monotonic::ZERO)?.len()),
        };
        let mut parts = Vec::new();
        let connections = batches::connect(&self.target.broker, count)?;
        for (index, connection) in connections.into_iter().enumerate() {
            let version = connection.version(ApiKey::Produce)?;
            let turn = Turn {
                first: units::count(index),
                step: units::count(count),
            };
            parts.push(Part::Receiver(Receiver {
                incoming: connection.incoming,
                version,
                turn,
                load,
            }));
            parts.push(Part::Sender(Sender {
                outgoing: connection.outgoing,
                version,
                turn,
                topic: self.topic.clone(),
                partitions: batches::share(self.topic.partitions, count, index),
                acks: self.acks,
                record: record.clone(),
            }));
        }
        Ok(parts)
    }
}

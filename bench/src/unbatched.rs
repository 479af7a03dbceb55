//! `unbatched`: one record per request, every connection waiting for its answer: a closed loop.
//!
//! A few threads serve all connections: each goes round its own, takes the answer that is due there
//! and sends the next request at once. So all connections but one per thread have a request at the
//! broker at any time, and the generator costs one read and one write per request. A latency told
//! here includes the wait until its thread comes round.

use types::Monotonic;
use wire::api::ApiKey;

use crate::args;
use crate::batches::{self, Acks, Shape};
use crate::clock;
use crate::connection::{Connection, Outgoing};
use crate::error::Error;
use crate::report::{self, Environment, Moved, Report, Since};
use crate::run::{sample_at, with_topic};
use crate::tally::{Load, Tally, Window};
use crate::threads;
use crate::topic::Topic;
use crate::units;
use crate::usage::{Usage, Work};

/// Runs the subcommand.
pub(crate) fn run(options: &args::Unbatched) -> Result<(), Error> {
    if options.acks == Acks::None {
        return Err(Error::Usage(
            "a closed loop waits for answers: acks 1 or all",
        ));
    }
    let args::Run { target, topic, .. } = &options.run;
    let report = with_topic(target, topic, "unbatched", |topic| measure(options, topic))?;
    report::print(&report, target.json)
}

fn measure(options: &args::Unbatched, topic: &Topic) -> Result<Report, Error> {
    let connection_count = options.connections.get();
    let thread_count = options.threads.map_or_else(threads::cores, usize::from);
    let mut groups: Vec<Vec<Caller>> = Vec::new();
    groups.resize_with(thread_count.min(connection_count), Vec::new);
    let turns = (0..groups.len()).cycle();
    let connections = batches::connect(&options.run.target.broker, connection_count)?;
    for ((index, connection), turn) in connections.into_iter().enumerate().zip(turns) {
        let caller = Caller::new(options, topic, connection, index)?;
        groups
            .get_mut(turn)
            .expect("turns are indexes of groups")
            .push(caller);
    }
    let probe = options.run.target.probe();
    let length = &options.run.length;
    let window = Window::new(clock::now(), length.warm_up(), length.measured());
    let (tallies, first) = threads::run(
        groups,
        |group| go_round(group, &window),
        || sample_at(probe, window.start),
    )?;
    let last = probe.sample()?;
    let (tally, elapsed) = Tally::sum(&window, &tallies);
    let work = Work {
        requests: tally.requests,
        bytes: 0, // a cost by GiB says nothing about single records
    };
    Ok(Report {
        work: "unbatched",
        label: options.run.target.label.clone(),
        options: serde_json::to_value(options)?,
        environment: Environment::here(),
        seconds: elapsed.as_secs_f64(),
        moved: Moved::of(&tally, elapsed),
        latency_since: Since::Sent,
        latency: Some(tally.latencies.percentiles()),
        end_to_end: None,
        slip: None,
        usage: Usage::between(&first, &last, work),
    })
}

/// One connection and the one request it sends again and again.
struct Caller {
    connection: Connection,
    version: i16,
    request: Outgoing,
    load: Load,
    /// Counts the requests, and names the one on its way.
    correlation_id: i32,
    sent_at: Option<Monotonic>,
}

impl Caller {
    fn new(
        options: &args::Unbatched,
        topic: &Topic,
        connection: Connection,
        index: usize,
    ) -> Result<Self, Error> {
        let version = connection.version(ApiKey::Produce)?;
        let shape = Shape {
            batch_size_max: 0, // one record
            record_size: options.record_size.as_usize(),
        };
        let batch = shape.batch()?;
        let shared = batches::share(topic.partitions, options.connections.get(), index);
        let partition = shared.first().map(std::slice::from_ref).unwrap_or_default();
        Ok(Self {
            request: batches::request(topic, partition, &batch.bytes, options.acks, version)?,
            load: Load {
                batches: 1,
                records: batch.records,
                bytes: units::count(batch.bytes.len()),
            },
            connection,
            version,
            correlation_id: 0,
            sent_at: None,
        })
    }

    fn send(&mut self, now: Monotonic) -> Result<(), Error> {
        self.correlation_id = self.correlation_id.wrapping_add(1);
        self.sent_at = Some(now);
        self.request
            .send(&mut self.connection.outgoing, self.correlation_id)
    }
}

fn go_round(mut group: Vec<Caller>, window: &Window) -> Result<Tally, Error> {
    let mut tally = Tally::new(window);
    for caller in &mut group {
        caller.send(clock::now())?;
    }
    let mut waiting = group.len();
    while waiting > 0 {
        for caller in &mut group {
            let Some(sent_at) = caller.sent_at.take() else {
                continue;
            };
            let incoming = &mut caller.connection.incoming;
            batches::acknowledged(incoming, caller.version, caller.correlation_id)?;
            let now = clock::now();
            tally.count(caller.load, sent_at, now);
            if now < window.end {
                caller.send(now)?;
            } else {
                waiting -= 1;
            }
        }
    }
    Ok(tally)
}

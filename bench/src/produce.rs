//! `produce`: batches as fast as they are acknowledged, a window of requests on every connection.
//!
//! Every request is written before the run. A thread fills its connection's window, takes one
//! answer, and fills it again; answers come in the order of the requests.

use std::collections::VecDeque;

use types::Monotonic;
use wire::api::ApiKey;
use wire::messages::metadata;

use crate::args::{self, Target};
use crate::batches::{self, Acks};
use crate::connection::{Connection, Outgoing};
use crate::error::Error;
use crate::report::{self, Environment, Moved, Report, Since};
use crate::run::{sample_at, with_topic};
use crate::tally::{Load, Tally, Window};
use crate::threads;
use crate::topic::Topic;
use crate::usage::{Usage, Work};
use crate::{clock, units};

/// Runs the subcommand.
pub(crate) fn run(options: &args::Produce) -> Result<(), Error> {
    let args::Run { target, topic, .. } = &options.run;
    let report = with_topic(target, topic, "produce", |topic| measure(options, topic))?;
    report::print(&report, target.json)
}

/// Produces into a topic and measures it.
pub(crate) fn measure(options: &args::Produce, topic: &Topic) -> Result<Report, Error> {
    let Target { broker, .. } = &options.run.target;
    let probe = options.run.target.probe();
    let connections = batches::connect(broker, options.connections.get())?;
    let mut producers = Vec::new();
    for (index, connection) in connections.into_iter().enumerate() {
        producers.push(Producer::new(options, topic, connection, index)?);
    }
    let length = &options.run.length;
    let window = Window::new(clock::now(), length.warm_up(), length.measured());
    let (tallies, first) = threads::run(
        producers,
        |producer| producer.run(&window),
        || sample_at(probe, window.start),
    )?;
    let last = probe.sample()?;
    let (tally, elapsed) = Tally::sum(&window, &tallies);
    let work = Work {
        requests: tally.requests,
        bytes: tally.moved.bytes,
    };
    Ok(Report {
        work: "produce",
        label: options.run.target.label.clone(),
        options: serde_json::to_value(options)?,
        environment: Environment::here(),
        seconds: elapsed.as_secs_f64(),
        moved: Moved::of(&tally, elapsed),
        latency_since: Since::Sent,
        latency: (options.acks != Acks::None).then(|| tally.latencies.percentiles()),
        end_to_end: None,
        slip: None,
        usage: Usage::between(&first, &last, work),
    })
}

/// One connection and what it sends.
struct Producer {
    connection: Connection,
    version: i16,
    /// Sent in turns.
    requests: Vec<(Outgoing, Load)>,
    in_flight_max: usize,
    bytes_max: u64,
    acks: Acks,
}

/// A request on its way.
struct Sent {
    correlation_id: i32,
    at: Monotonic,
    load: Load,
}

impl Producer {
    fn new(
        options: &args::Produce,
        topic: &Topic,
        connection: Connection,
        index: usize,
    ) -> Result<Self, Error> {
        let version = connection.version(ApiKey::Produce)?;
        let batch = options.shape().batch()?;
        let connections = options.connections.get();
        let partitions = batches::share(topic.partitions, connections, index);
        let mut requests = Vec::new();
        for some in partitions.chunks(options.batches_per_request.get()) {
            let count = units::count(some.len());
            let load = Load {
                batches: count,
                records: count * batch.records,
                bytes: count * units::count(batch.bytes.len()),
            };
            let request = batches::request(topic, some, &batch.bytes, options.acks, version)?;
            requests.push((request, load));
        }
        let bytes_max = options.bytes.map_or(u64::MAX, |bytes| bytes.0.0);
        Ok(Self {
            connection,
            version,
            requests,
            in_flight_max: options.in_flight.get(),
            bytes_max: bytes_max.div_ceil(units::count(connections)),
            acks: options.acks,
        })
    }

    fn run(mut self, window: &Window) -> Result<Tally, Error> {
        let mut tally = Tally::new(window);
        let mut in_flight = VecDeque::with_capacity(self.in_flight_max);
        let mut correlation_id = 0;
        let mut bytes_left = self.bytes_max;
        let mut turns = (0..self.requests.len()).cycle();
        loop {
            while in_flight.len() < self.in_flight_max && bytes_left > 0 {
                let at = clock::now();
                let next = turns.next().filter(|_| at < window.end);
                let Some((request, load)) = next.and_then(|turn| self.requests.get_mut(turn))
                else {
                    break;
                };
                request.send(&mut self.connection.outgoing, correlation_id)?;
                bytes_left = bytes_left.saturating_sub(load.bytes);
                in_flight.push_back(Sent {
                    correlation_id,
                    at,
                    load: *load,
                });
                correlation_id = correlation_id.wrapping_add(1);
            }
            let Some(oldest) = in_flight.pop_front() else {
                break;
            };
            if self.acks != Acks::None {
                let incoming = &mut self.connection.incoming;
                batches::acknowledged(incoming, self.version, oldest.correlation_id)?;
            }
            tally.count(oldest.load, oldest.at, clock::now());
        }
        if self.acks == Acks::None {
            // Answered behind everything sent before it: then the broker has taken all of it.
            self.connection.call(&metadata::Request {
                topics: Some(Vec::new()),
                ..Default::default()
            })?;
        }
        Ok(tally)
    }
}

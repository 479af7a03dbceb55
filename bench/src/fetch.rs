//! `fetch`: reads a topic from its beginning to its end.

use std::time::Duration;

use types::Monotonic;

use crate::args::{self, Reads};
use crate::batches;
use crate::cache::{self, Dirty};
use crate::clock;
use crate::connection::Connection;
use crate::error::Error;
use crate::reader::Reader;
use crate::report::{self, Environment, Moved, Report, Since};
use crate::tally::{Load, Tally, Window};
use crate::threads;
use crate::topic::{Extent, Topic};
use crate::usage::{Usage, Work};

/// Runs the subcommand.
pub(crate) fn run(options: &args::Fetch) -> Result<(), Error> {
    report::print(&measure(options)?, options.target.json)
}

fn measure(options: &args::Fetch) -> Result<Report, Error> {
    let broker = &options.target.broker;
    let mut control = Connection::open(broker)?;
    let topic = Topic::find(&mut control, &options.topic)?;
    let extents = topic.extents(&mut control)?;
    if extents.iter().all(|it| it.start >= it.end) {
        return Err(Error::Usage("the topic is empty"));
    }
    let count = options.connections.get();
    let mut readers = Vec::new();
    for (index, connection) in batches::connect(broker, count)?.into_iter().enumerate() {
        let read = share(&extents, options.reads, count, index);
        readers.push(Reader::new(connection, &topic, &options.sizes, read)?);
    }
    if let Some(directory) = &options.cold {
        cache::drop_pages(directory, Dirty::Write)?;
    }
    let probe = options.target.probe();
    let first = probe.sample()?;
    let again_for = options
        .seconds
        .map(|seconds| Duration::from_secs(seconds.into()));
    let window = Window::new(first.at, Duration::ZERO, again_for.unwrap_or_default());
    let again_until = again_for.map(|_| window.end);
    let (tallies, ()) = threads::run(
        readers,
        |reader| drain(reader, &window, again_until, options.verify),
        || Ok(()),
    )?;
    let last = probe.sample()?;
    let (tally, elapsed) = Tally::sum(&window, &tallies);
    let work = Work {
        requests: tally.requests,
        bytes: tally.moved.bytes,
    };
    Ok(Report {
        work: "fetch",
        label: options.target.label.clone(),
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

/// Returns what one of the connections reads; with more connections than partitions some read the
/// same.
fn share(extents: &[Extent], reads: Reads, connections: usize, index: usize) -> Vec<Extent> {
    let partitions = i32::try_from(extents.len()).unwrap_or(i32::MAX);
    let mine = match reads {
        Reads::Whole => return extents.to_vec(),
        Reads::Share => batches::share(partitions, connections, index),
    };
    let mut extents = extents.to_vec();
    extents.retain(|it| mine.contains(&it.partition));
    extents
}

/// Reads to the end, and then again until the time given.
fn drain(
    mut reader: Reader,
    window: &Window,
    again_until: Option<Monotonic>,
    verify: bool,
) -> Result<Tally, Error> {
    let mut tally = Tally::new(window);
    loop {
        let sent_at = clock::now();
        let out_of_time = again_until.is_some_and(|end| sent_at >= end);
        if reader.is_drained() && again_until.is_some() {
            reader.rewind();
        }
        if out_of_time || reader.is_drained() {
            return Ok(tally);
        }
        let load = fetch_once(&mut reader, verify)?;
        tally.count(load, sent_at, clock::now());
    }
}

fn fetch_once(reader: &mut Reader, verify: bool) -> Result<Load, Error> {
    reader.fetch(|batch| {
        if verify {
            batch.check_crc()?;
        }
        Ok(())
    })
}

//! What every run begins and ends with: its topic, and the looks at what it uses.

use types::Monotonic;

use crate::args::{Target, TopicOptions};
use crate::clock;
use crate::connection::Connection;
use crate::error::Error;
use crate::topic::{Topic, Wanted};
use crate::usage::{Probe, Sample};

impl Target {
    /// Returns what looks at the broker.
    pub(crate) fn probe(&self) -> Probe {
        Probe { broker: self.pid }
    }
}

/// Looks at what is used when the warm-up ends.
pub(crate) fn sample_at(probe: Probe, start: Monotonic) -> Result<Sample, Error> {
    clock::sleep_until(start);
    probe.sample()
}

/// Makes a topic, or takes the one named, runs with it, and deletes it if it was made for the run.
pub(crate) fn with_topic<T>(
    target: &Target,
    options: &TopicOptions,
    work: &str,
    run: impl FnOnce(&Topic) -> Result<T, Error>,
) -> Result<T, Error> {
    let fresh = format!("bench-{work}-{}", clock::wall().0);
    let wanted = Wanted {
        name: options.topic.as_ref().unwrap_or(&fresh),
        partitions: i32::try_from(options.partitions.get()).unwrap_or(i32::MAX),
        configs: &options.topic_config,
    };
    let topic = Topic::ensure(&mut Connection::open(&target.broker)?, &wanted)?;
    let result = run(&topic)?;
    if options.topic.is_none() {
        // Another connection: the first may have idled for too long.
        topic.delete(&mut Connection::open(&target.broker)?)?;
    }
    Ok(result)
}

//! `groups join`: many groups join at once, as after the restart of a fleet or of its broker.
//!
//! All are due at one time, so latencies count the generator's own sending too: a thread first sends
//! the requests of all of its groups, and only then takes answers. Connections are open before.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::args;
use crate::clock;
use crate::connection::Connection;
use crate::error::Error;
use crate::report::{self, Environment, Since};
use crate::threads;

use super::coordinator;
use super::crowd::{self, Crowd};
use super::phase::{Formed, Phase};

#[derive(Debug, Serialize)]
struct Report {
    work: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    options: Value,
    environment: Environment,
    latency_since: Since,
    #[serde(flatten)]
    phase: Phase,
}

/// Runs the subcommand.
pub(crate) fn run(options: &args::Join) -> Result<(), Error> {
    let broker = &options.target.broker;
    let names = coordinator::names("join", options.groups.get());
    coordinator::wait_until_ready(&mut Connection::open(broker)?, &names)?;
    let crowds = Crowd::gather(broker, &names, options.members.get())?;
    let (crowds, phase) = join(crowds, &options.target)?;
    crowd::disperse(crowds)?;
    coordinator::delete(&mut Connection::open(broker)?, &names)?;
    let report = Report {
        work: "groups-join",
        label: options.target.label.clone(),
        options: serde_json::to_value(options)?,
        environment: Environment::here(),
        latency_since: Since::Due,
        phase,
    };
    report::print(&report, options.target.json)
}

/// Lets all groups join at once, each thread its own.
pub(crate) fn join(
    crowds: Vec<Crowd>,
    target: &args::Target,
) -> Result<(Vec<Crowd>, Phase), Error> {
    let probe = target.probe();
    let first = probe.sample()?;
    let due = clock::now();
    let join = |mut crowd: Crowd| {
        let formed = crowd.join(due)?;
        Ok((crowd, formed))
    };
    let (joined, ()) = threads::run(crowds, join, || Ok(()))?;
    let last = probe.sample()?;
    let (crowds, formed): (Vec<_>, Vec<_>) = joined.into_iter().unzip();
    let mut sum = Formed::new(due);
    for formed in &formed {
        sum.merge(formed);
    }
    Ok((crowds, sum.phase(&first, &last)))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.work, self.phase)
    }
}

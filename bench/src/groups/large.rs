//! `groups large`: one large group joins, then more members, one after another: each makes all of them
//! join again, which is what a large group costs a broker.
//!
//! The old members ask for the new one as soon as it has an id, without the pause between the
//! heartbeats of real consumers.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::args;
use crate::clock;
use crate::connection::Connection;
use crate::error::Error;
use crate::report::{self, Environment, Since};
use crate::usage::{Usage, Work};

use super::coordinator;
use super::crowd::{self, Crowd};
use super::join;
use super::phase::{Formed, Phase};

#[derive(Debug, Serialize)]
struct Report {
    work: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    options: Value,
    environment: Environment,
    /// Of both phases.
    seconds: f64,
    latency_since: Since,
    /// All members at once.
    join: Phase,
    /// The rebalances that more members made, all of them together.
    more: Phase,
    /// Of both phases, and what little was between them.
    #[serde(flatten)]
    usage: Usage,
}

/// Runs the subcommand.
pub(crate) fn run(options: &args::Large) -> Result<(), Error> {
    let broker = &options.target.broker;
    let names = coordinator::names("large", 1);
    coordinator::wait_until_ready(&mut Connection::open(broker)?, &names)?;
    let probe = options.target.probe();
    let crowds = Crowd::gather(broker, &names, options.members.get())?;
    let first = probe.sample()?;
    let (mut crowds, join) = join::join(crowds, &options.target)?;
    let mut more = Vec::new();
    let before = probe.sample()?;
    for crowd in &mut crowds {
        for _ in 0..options.more.get() {
            crowd.admit(0, Connection::open(broker)?)?;
            more.push(crowd.join_one_more(clock::now())?);
        }
    }
    let last = probe.sample()?;
    let more = sum(&more).phase(&before, &last);
    crowd::disperse(crowds)?;
    coordinator::delete(&mut Connection::open(broker)?, &names)?;
    let report = Report {
        work: "groups-large",
        label: options.target.label.clone(),
        options: serde_json::to_value(options)?,
        environment: Environment::here(),
        seconds: last.at.since(first.at).as_secs_f64(),
        latency_since: Since::Due,
        join,
        more,
        usage: Usage::between(&first, &last, Work::default()),
    };
    report::print(&report, options.target.json)
}

/// Adds rebalances up that followed each other.
fn sum(rebalances: &[Formed]) -> Formed {
    let mut rebalances = rebalances.iter();
    let first = rebalances.next().expect("at least one member joins later");
    let mut sum = first.clone();
    rebalances.for_each(|formed| sum.merge(formed));
    sum
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, all at once: {}", self.work, self.join)?;
        write!(f, "{}, one more each time: {}", self.work, self.more)
    }
}

//! The command: finds out what is to be read, then reads it.

use std::io::{self, IsTerminal as _};

use client::admin::Place;
use client::blocking::{Cluster, Consumer};
use client::consumer::ConsumerOptions;

use super::member::Membership;
use super::plan::Plan;
use super::reading::Reading;
use crate::cli::args::Consume;
use crate::cli::connect::{connect, reach_topic};
use crate::cli::failure::Failure;
use crate::cli::interrupt::Interrupt;
use crate::cli::offsets::{log_ends, places_of};
use crate::cli::progress::{Progress, Unit};
use crate::cli::stdout::Stdout;

/// Prints the records of a topic.
pub(in crate::cli) fn run(args: &Consume) -> Result<(), Failure> {
    let interrupt = Interrupt::listen()?;
    let stdout = Stdout::open()?;
    let mut cluster = connect(&args.bootstrap)?;
    reach_topic(&mut cluster, &args.topic, false)?;
    let places = asked(args, &cluster);
    let logs = log_ends(&mut cluster, &places)?;
    if let Some(group) = &args.group {
        return Membership::join((args, group), cluster, logs, stdout)?.run(&interrupt);
    }
    let plan = Plan::new(args, &logs)?;
    // A bar and records on one screen would disturb each other; reading for ever gets nowhere.
    let progress = if plan.span.is_none() || io::stdout().is_terminal() {
        Progress::silent(cluster.now())
    } else {
        Progress::start(Unit::Records, plan.span, cluster.now())
    };
    let consumer = Consumer::new(cluster, ConsumerOptions::default());
    Reading::new(args, consumer, stdout, progress).run(&plan, &interrupt)
}

/// The one partition that is asked for, if the topic has it, or all.
fn asked(args: &Consume, cluster: &Cluster) -> Vec<Place> {
    let all = places_of(cluster, &args.topic);
    let one = all.iter().find(|(_, index)| args.partition == Some(*index));
    match one {
        Some(place) => vec![place.clone()],
        None => all,
    }
}

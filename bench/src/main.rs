//! `riverrun-bench`: puts load on a Kafka-compatible broker and measures it.
//!
//! The generator is made to cost next to nothing, so that two shared cores suffice for it and the
//! broker: what is sent was built before, sockets block, threads sleep. It speaks the protocol through
//! `wire` alone. What it tells first is the broker's processor time by unit of work, read from /proc:
//! that repeats from run to run, where throughput is bounded by the client and p99 does not repeat.
//!
//! ```text
//! args ──► produce, unbatched, open_loop (+ lane), fetch, idle, cold, groups ──► report
//!               │ batches, reader, topic ──► connection ──► wire                  ▲
//!               └ threads, pacer, clock      usage ──► procfs ────────────────────┘
//! compare ──► statistics: medians and ratios of runs taken in turns
//! ```

mod args;
mod batches;
mod cache;
mod clock;
mod cold;
mod compare;
mod connection;
mod error;
mod fetch;
mod groups;
mod idle;
mod lane;
mod latency;
mod open_loop;
mod pacer;
mod procfs;
mod produce;
mod reader;
mod report;
mod run;
mod statistics;
mod tally;
mod threads;
mod topic;
mod unbatched;
mod units;
mod usage;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Arguments, Command, Groups};

fn main() -> ExitCode {
    // Refused, the slip will say so.
    clock::sharpen();
    let outcome = match &Arguments::parse().command {
        Command::Produce(options) => produce::run(options),
        Command::Fetch(options) => fetch::run(options),
        Command::Unbatched(options) => unbatched::run(options),
        Command::OpenLoop(options) => open_loop::run(options),
        Command::Idle(options) => idle::run(options),
        Command::Cold(options) => cold::run(options),
        Command::Groups(Groups::Join(options)) => groups::join::run(options),
        Command::Groups(Groups::Large(options)) => groups::large::run(options),
        Command::Groups(Groups::Commit(options)) => groups::commit::run(options),
        Command::Compare(options) => compare::run(options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("riverrun-bench: {}", error.line());
            ExitCode::FAILURE
        }
    }
}

//! The command: from arguments to an exit code.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use crate::arguments::{self, Lot, Task, USAGE};
use crate::campaign::{self, Sum};
use crate::life::{Life, Telling, keep_panics};
use crate::mutant::{self, Chosen};

/// Everything held.
const HELD: u8 = 0;
/// A promise was broken, or a mutant went unnoticed.
const BROKEN: u8 = 1;
/// The command could not be carried out.
const MISUSED: u8 = 2;

/// Does what the arguments ask for; the code is 0 if every promise was kept.
pub fn run() -> ExitCode {
    let code = match arguments::parse(std::env::args().skip(1)) {
        Ok(task) => carry_out(task).unwrap_or_else(|error| {
            eprintln!("{error}");
            MISUSED
        }),
        Err(misuse) => {
            eprintln!("{misuse}\n\n{USAGE}");
            MISUSED
        }
    };
    code.into()
}

fn carry_out(task: Task) -> io::Result<u8> {
    match task {
        Task::Help => {
            println!("{USAGE}");
            Ok(HELD)
        }
        Task::One {
            lives,
            history,
            log,
        } => Ok(live_one_seed(&lives, history, log)),
        Task::Campaign { lot, jobs } => live_many(&lot, jobs),
        Task::Mutants { mutants, lot, jobs } => try_mutants(&mutants, &lot, jobs),
        Task::Share { lot, share } => {
            keep_panics();
            campaign::live_share(&lot, share)?;
            Ok(HELD)
        }
        Task::Hunt { mutant, lot } => {
            keep_panics();
            campaign::hunt(mutant, &lot)?;
            Ok(HELD)
        }
    }
}

fn live_one_seed(lives: &[Life], history: bool, log: bool) -> u8 {
    if log {
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
            .with_writer(io::stderr)
            .without_time()
            .init();
    }
    keep_panics();
    let telling = if history {
        Telling::History
    } else {
        Telling::Outcome
    };
    let mut code = HELD;
    for life in lives {
        let outcome = life.live_twice(telling);
        println!("{life}: {outcome}");
        if !outcome.violations.is_empty() {
            code = BROKEN;
        }
    }
    code
}

fn live_many(lot: &Lot, jobs: usize) -> io::Result<u8> {
    let (sum, taken) = timed(|| campaign::share_out(lot, jobs))?;
    let Sum {
        lives,
        tally,
        failed,
    } = &sum;
    for (life, violations) in failed {
        println!("{life} failed");
        for violation in violations {
            println!("  {violation}");
        }
    }
    println!(
        "{lives} lives, each twice, {} a second; {} s of virtual time, {} failures, {} batches \
         acknowledged, {} records read; {} lives broke a promise",
        campaign::rate(*lives, taken),
        tally.virtual_ms / 1000,
        tally.failures,
        tally.acknowledged,
        tally.read,
        failed.len(),
    );
    Ok(if failed.is_empty() { HELD } else { BROKEN })
}

fn try_mutants(mutants: &[Chosen], lot: &Lot, jobs: usize) -> io::Result<u8> {
    if mutants.iter().any(|&mutant| !mutant::choose(mutant)) {
        eprintln!("this build has no mutants\n\n{USAGE}");
        return Ok(MISUSED);
    }
    let (sums, taken) = timed(|| campaign::hunt_all(mutants, lot, jobs))?;
    let mut caught = 0;
    for (mutant, sum) in &sums {
        let name = mutant::name(*mutant);
        match sum.failed.first() {
            Some((life, violations)) => {
                caught += 1;
                let first = violations.first().map_or("", String::as_str);
                println!(
                    "{name}: caught after {} lives, by {life}: {first}",
                    sum.lives
                );
            }
            None => println!("{name}: not caught in {} lives", sum.lives),
        }
    }
    println!(
        "{caught} of {} mutants caught in {} s",
        sums.len(),
        taken.as_secs()
    );
    Ok(if caught == sums.len() { HELD } else { BROKEN })
}

/// Measures how long something takes, for the report alone.
#[expect(
    clippy::disallowed_methods,
    reason = "lives know virtual time alone; how many there are in a second is told to people"
)]
fn timed<T>(work: impl FnOnce() -> io::Result<T>) -> io::Result<(T, Duration)> {
    let start = std::time::Instant::now();
    let result = work()?;
    Ok((result, start.elapsed()))
}

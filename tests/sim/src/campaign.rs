//! Many lives, shared among processes, and their sum.
//!
//! A worker writes lines to standard output, which its parent reads to the end:
//!
//! ```text
//!   begin node 17           before each life: the last one names what killed the worker
//!   lived 1200 3 410 9022   virtual ms, failures, batches acknowledged, records read
//!   failed                  violations follow, one a line behind `| `
//!   end                     the worker is through
//! ```

use std::io::{self, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::arguments::Lot;
use crate::life::Telling;
use crate::mutant::{self, Chosen};
use crate::outcome::Tally;
use crate::seeds;

/// What came of many lives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    /// How many there were.
    pub(crate) lives: u64,
    /// What was done in all of them.
    pub(crate) tally: Tally,
    /// Those that broke a promise, and which.
    pub(crate) failed: Vec<(String, Vec<String>)>,
}

/// Lives one share of a lot, and tells its parent. Seeds are dealt, not lives: those of one kind take
/// longer than those of the other.
pub(crate) fn live_share(lot: &Lot, (index, count): (u64, u64)) -> io::Result<()> {
    let lives = seeds::failed_once().into_iter().chain(lot.lives());
    for life in lives.filter(|life| life.seed % count == index) {
        tell(&format!("begin {life}"))?;
        let outcome = life.live_twice(Telling::Outcome);
        let Tally {
            virtual_ms,
            failures,
            acknowledged,
            read,
        } = outcome.tally;
        tell(&format!(
            "lived {virtual_ms} {failures} {acknowledged} {read}"
        ))?;
        if !outcome.violations.is_empty() {
            tell("failed")?;
        }
        for violation in outcome.violations {
            tell(&format!("| {}", violation.to_string().replace('\n', " ")))?;
        }
    }
    tell("end")
}

/// Lives with a broken rule until a checker notices, and tells its parent.
pub(crate) fn hunt(mutant: Chosen, lot: &Lot) -> io::Result<()> {
    assert!(mutant::choose(mutant), "the parent was built with mutants");
    for life in lot.lives() {
        tell(&format!("begin {life}"))?;
        let outcome = life.live(Telling::Outcome);
        tell("lived 0 0 0 0")?;
        if let Some(violation) = outcome.violations.first() {
            tell("failed")?;
            tell(&format!("| {}", violation.to_string().replace('\n', " ")))?;
            break;
        }
    }
    tell("end")
}

fn tell(line: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()
}

/// Has a lot lived by several processes.
pub(crate) fn share_out(lot: &Lot, jobs: usize) -> io::Result<Sum> {
    let mut workers = Vec::new();
    for index in 0..jobs {
        workers.push(worker(lot, &["--share", &format!("{index}/{jobs}")])?);
    }
    let mut sum = Sum::default();
    for worker in workers {
        sum.take(&worker_output(worker)?);
    }
    Ok(sum)
}

/// Has every rule broken by a process of its own, `jobs` at a time; returns what each came to.
pub(crate) fn hunt_all(
    mutants: &[Chosen],
    lot: &Lot,
    jobs: usize,
) -> io::Result<Vec<(Chosen, Sum)>> {
    let mut sums = Vec::new();
    for wave in mutants.chunks(jobs) {
        let start = |&mutant| worker(lot, &["--hunt", "--mutant", mutant::name(mutant)]);
        let workers: Vec<_> = wave.iter().map(start).collect::<io::Result<_>>()?;
        for (mutant, worker) in wave.iter().zip(workers) {
            let mut sum = Sum::default();
            sum.take(&worker_output(worker)?);
            sums.push((*mutant, sum));
        }
    }
    Ok(sums)
}

/// Starts this program again for a part of the work.
fn worker(lot: &Lot, extra: &[&str]) -> io::Result<Child> {
    let seeds = format!("{}..{}", lot.seeds.start, lot.seeds.end);
    let kinds = lot.kinds.iter().map(|kind| format!("--{kind}"));
    Command::new(std::env::current_exe()?)
        .args(["--seeds", &seeds])
        .args(kinds)
        .args(extra)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
}

fn worker_output(worker: Child) -> io::Result<String> {
    let output = worker.wait_with_output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

impl Sum {
    /// Adds what a worker told.
    fn take(&mut self, told: &str) {
        let mut life = String::new();
        let mut is_through = false;
        for line in told.lines() {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "begin" => rest.clone_into(&mut life),
                "lived" => {
                    self.lives += 1;
                    self.tally.add(rest);
                }
                "failed" => self.failed.push((life.clone(), Vec::new())),
                "|" => {
                    if let Some((_, violations)) = self.failed.last_mut() {
                        violations.push(rest.to_owned());
                    }
                }
                "end" => is_through = true,
                _ => {}
            }
        }
        if !is_through {
            let what = "the process that lived it died".to_owned();
            self.failed.push((life, vec![what]));
        }
    }
}

impl Tally {
    /// Adds a worker's numbers.
    fn add(&mut self, numbers: &str) {
        let fields = [
            &mut self.virtual_ms,
            &mut self.failures,
            &mut self.acknowledged,
            &mut self.read,
        ];
        for (field, number) in fields.into_iter().zip(numbers.split(' ')) {
            *field += number.parse::<u64>().unwrap_or(0);
        }
    }
}

/// Returns how many there are in a second, to one decimal place.
pub(crate) fn rate(count: u64, taken: Duration) -> String {
    let tenths = u128::from(count) * 10_000 / taken.as_millis().max(1);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workers_lines_are_summed_up() {
        let mut sum = Sum::default();
        sum.take(
            "begin node 1\nlived 10 1 2 3\nbegin node 2\nlived 5 0 1 1\nfailed\n| a: b\nend\n",
        );
        assert_eq!(sum.lives, 2);
        assert_eq!((sum.tally.virtual_ms, sum.tally.read), (15, 4));
        assert_eq!(sum.failed, [("node 2".to_owned(), vec!["a: b".to_owned()])]);
    }

    #[test]
    fn a_worker_that_died_is_a_failure_of_its_last_life() {
        let mut sum = Sum::default();
        sum.take("begin node 1\nlived 10 1 2 3\nbegin storage 1\n");
        assert_eq!(sum.failed.len(), 1);
        assert_eq!(sum.failed[0].0, "storage 1");
    }

    #[test]
    fn rates_have_one_decimal_place() {
        assert_eq!(rate(500, Duration::from_secs(40)), "12.5");
        assert_eq!(rate(0, Duration::ZERO), "0.0");
    }
}

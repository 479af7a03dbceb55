//! Runs seeds against two brokers, and tells what differs.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::thread;

use crate::allowed;
use crate::arguments::{self, Asked, Task, USAGE, Wanted};
use crate::broker::{Failure, Outcome, Run};
use crate::compare::{Comparison, Difference, Recording, compare};
use crate::coverage::Coverage;
use crate::generator::{self, Theme};
use crate::messages::Form;
use crate::script::{Script, Step};
use crate::shrink::shrink;

/// Does what the command line asks for.
pub fn run() -> ExitCode {
    let task = match arguments::parse(std::env::args().skip(1)) {
        Ok(Asked::Compare(task)) => task,
        Ok(Asked::Help) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Ok(Asked::Allowed) => {
            print!("{}", allowed::table());
            return ExitCode::SUCCESS;
        }
        Err(misuse) => {
            eprintln!("differential: {misuse}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match campaign(&task) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("differential: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// What all seeds together gave.
#[derive(Default)]
struct Total {
    seeds: u64,
    compared: usize,
    unserved: usize,
    differences: usize,
    kinds: BTreeMap<String, usize>,
    coverage: Coverage,
}

impl Total {
    fn add(&mut self, script: &Script, recordings: &[Recording; 2], comparison: &Comparison) {
        self.seeds += 1;
        self.compared += comparison.compared;
        self.unserved += comparison.unserved;
        for difference in &comparison.differences {
            self.differences += 1;
            for kind in difference.kinds() {
                *self.kinds.entry(kind).or_default() += 1;
            }
        }
        for step in &script.steps {
            let outcomes = recordings.each_ref().map(|it| it.outcomes.get(&step.id));
            if let [Some(Outcome::Answered(left)), Some(Outcome::Answered(_))] = outcomes {
                self.coverage.add(step.form, left);
            }
        }
    }

    fn print(&self) {
        println!("{}\n", self.coverage);
        println!(
            "{} seeds, {} answers compared, {} not served by both, {} different",
            self.seeds, self.compared, self.unserved, self.differences
        );
        for (kind, count) in &self.kinds {
            println!("  {count:6} {kind}");
        }
    }
}

/// Runs all seeds; returns whether no answer differed, and none is missing.
fn campaign(task: &Task) -> Result<bool, Failure> {
    let until = task.seconds.map(stopwatch);
    let mut total = Total::default();
    for seed in task.seeds.clone() {
        if until.as_ref().is_some_and(|is_over| is_over()) {
            break;
        }
        let script = generator::script(seed, task.steps, &task.themes);
        let (comparison, recordings) = play(task, &script, &|step| task.keeps(step))?;
        if task.show {
            show(&script, &recordings);
        }
        total.add(&script, &recordings, &comparison);
        if !comparison.differences.is_empty() {
            report(task, &script, &comparison)?;
        }
    }
    total.print();
    let missing = match task.wanted {
        Wanted::Anything => Vec::new(),
        Wanted::EveryVersion => total.coverage.missing(),
    };
    for Form { key, version } in &missing {
        println!("never compared: {key} {version}");
    }
    Ok(total.kinds.is_empty() && missing.is_empty())
}

/// Returns a question whether the seconds are over.
fn stopwatch(seconds: u64) -> impl Fn() -> bool {
    let start = now();
    move || now().saturating_sub(start) >= seconds
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long to go on is all that a clock decides here"
)]
fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Plays some steps of a script against both brokers at once, and compares.
fn play(
    task: &Task,
    script: &Script,
    keep: &(dyn Fn(&Step) -> bool + Sync),
) -> Result<(Comparison, [Recording; 2]), Failure> {
    let record = |address| -> Result<Recording, Failure> {
        let mut run = Run::start(address)?;
        let outcomes = run.play(script, keep);
        Ok(Recording {
            run: run.name().to_owned(),
            outcomes,
        })
    };
    let [left, right] = task.brokers;
    let (left, right) = thread::scope(|scope| {
        let left = scope.spawn(|| record(left));
        let right = record(right);
        (left.join().expect("a run does not panic"), right)
    });
    let recordings = [left?, right?];
    let [left, right] = &recordings;
    Ok((
        compare(script, [left, right], task.skip_unserved),
        recordings,
    ))
}

fn show(script: &Script, recordings: &[Recording; 2]) {
    for step in &script.steps {
        println!("{step}");
        for recording in recordings {
            match recording.outcomes.get(&step.id) {
                Some(Outcome::Answered(answer)) => println!("    {answer}"),
                Some(other) => println!("    {other:?}"),
                None => println!("    not sent"),
            }
        }
    }
}

/// Prints the first differences of a seed, and how to see them again.
fn report(task: &Task, script: &Script, comparison: &Comparison) -> Result<(), Failure> {
    let seed = script.seed;
    println!(
        "seed {seed}: {} answers differ",
        comparison.differences.len()
    );
    for difference in comparison.differences.iter().take(task.differences) {
        println!("{difference}");
    }
    let Some(first) = comparison.differences.first() else {
        return Ok(());
    };
    let again = |keep: &str| println!("again: {} {keep}\n", repeated(task, seed));
    again(&format!("--upto {}", first.step.id));
    if task.shrink {
        let steps: Vec<String> = shortest(task, script, first)?
            .iter()
            .map(usize::to_string)
            .collect();
        again(&format!("--show --keep {}", steps.join(",")));
    }
    Ok(())
}

/// The command that plays a seed again.
fn repeated(task: &Task, seed: u64) -> String {
    let [left, right] = task.brokers;
    let themes = Theme::ALL.iter();
    let themes = themes.filter(|(_, theme)| task.themes.contains(theme));
    let themes: Vec<&str> = themes.map(|(name, _)| *name).collect();
    let (steps, themes) = (task.steps, themes.join(","));
    let mut command = format!(
        "differential --left {left} --right {right} --seed {seed} --steps {steps} --only {themes}"
    );
    if !task.without.is_empty() {
        let without: Vec<String> = task.without.iter().map(ToString::to_string).collect();
        command.push_str(" --without ");
        command.push_str(&without.join(","));
    }
    command
}

/// Looks for fewer steps in which the last one still differs as it did.
fn shortest(task: &Task, script: &Script, difference: &Difference) -> Result<Vec<usize>, Failure> {
    let last = difference.step.id;
    let before = script
        .steps
        .iter()
        .filter(|step| step.id < last && task.keeps(step));
    let before = before.map(|step| step.id).collect();
    let mut kept = shrink(before, |steps: &BTreeSet<usize>| {
        let (comparison, _) = play(task, script, &|step| {
            step.id == last || steps.contains(&step.id)
        })?;
        let same =
            |found: &Difference| found.step.id == last && found.kinds() == difference.kinds();
        Ok(comparison.differences.iter().any(same))
    })?;
    kept.push(last);
    Ok(kept)
}

//! What the command line asks for.

use std::ops::Range;

use crate::life::{Kind, Life};
use crate::mutant::{self, Chosen};

/// How to call it.
pub(crate) const USAGE: &str = "\
cargo sim SEED                  lives one node and one store, twice each, and compares
cargo sim --seeds A..B          the same for many seeds, after those of seeds.txt
cargo sim --mutant NAME|all     lives with a rule broken, until a checker notices

  --node, --storage    only that kind of life
  --jobs N             how many processes share the seeds (default: one per core)
  --history            prints everything that happened in one life
  --log                prints what the product logs, to standard error

Mutants need a build with them:
cargo run --profile sim --package sim --features mutants -- --mutant all";

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Tell how to call it.
    Help,
    /// Live one seed.
    One {
        /// The lives of that seed.
        lives: Vec<Life>,
        /// Whether to print what happened.
        history: bool,
        /// Whether to print what the product logs.
        log: bool,
    },
    /// Live many seeds in several processes.
    Campaign {
        /// The seeds and their sharing.
        lot: Lot,
        /// How many processes.
        jobs: usize,
    },
    /// Be one of the processes of a campaign.
    Share {
        /// The seeds and their sharing.
        lot: Lot,
        /// Which share, and of how many.
        share: (u64, u64),
    },
    /// Look whether broken rules are noticed.
    Mutants {
        /// Which rules.
        mutants: Vec<Chosen>,
        /// Where the seeds end that each may take.
        lot: Lot,
        /// How many processes.
        jobs: usize,
    },
    /// Live with a broken rule until it is noticed.
    Hunt {
        /// The rule.
        mutant: Chosen,
        /// The seeds.
        lot: Lot,
    },
}

/// Many lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lot {
    /// The seeds.
    pub(crate) seeds: Range<u64>,
    /// The kinds of life for each.
    pub(crate) kinds: Vec<Kind>,
}

impl Lot {
    /// Returns the lives seed by seed.
    pub(crate) fn lives(&self) -> impl Iterator<Item = Life> {
        let seeds = self.seeds.clone();
        seeds.flat_map(|seed| self.kinds.iter().map(move |&kind| Life { kind, seed }))
    }
}

/// The command line makes no sense.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Misuse {
    #[error("{0} is not an argument")]
    Unknown(String),
    #[error("{0} needs a value")]
    ValueMissing(String),
    #[error("{0:?} is not a value of {1}")]
    BadValue(String, String),
    #[error("there is nothing to do")]
    Nothing,
}

/// How many seeds a mutant may take if nobody says.
const MUTANT_SEEDS: Range<u64> = 0..400;

#[derive(Debug, Default)]
struct Given {
    seed: Option<u64>,
    seeds: Option<Range<u64>>,
    kinds: Vec<Kind>,
    jobs: Option<usize>,
    share: Option<(u64, u64)>,
    mutants: Vec<Chosen>,
    flags: Vec<Flag>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flag {
    Help,
    History,
    Log,
    Hunt,
}

/// Reads the arguments behind the program's name.
pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Task, Misuse> {
    let mut given = Given::default();
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .ok_or_else(|| Misuse::ValueMissing(argument.clone()))
        };
        match argument.as_str() {
            "--help" | "-h" => given.flags.push(Flag::Help),
            "--node" => given.kinds.push(Kind::Node),
            "--storage" => given.kinds.push(Kind::Storage),
            "--history" => given.flags.push(Flag::History),
            "--log" => given.flags.push(Flag::Log),
            "--seeds" => given.seeds = Some(read(&argument, &value()?, range)?),
            "--jobs" => given.jobs = Some(read(&argument, &value()?, number)?),
            "--share" => given.share = Some(read(&argument, &value()?, share)?),
            "--mutant" => given.mutants = read(&argument, &value()?, mutant::named)?,
            "--hunt" => given.flags.push(Flag::Hunt),
            seed => match seed.parse() {
                Ok(seed) => given.seed = Some(seed),
                Err(_) => return Err(Misuse::Unknown(argument)),
            },
        }
    }
    task(&given)
}

fn task(given: &Given) -> Result<Task, Misuse> {
    let kinds = if given.kinds.is_empty() {
        Kind::ALL.to_vec()
    } else {
        given.kinds.clone()
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = given.jobs.unwrap_or(cores).max(1);
    let is_set = |flag| given.flags.contains(&flag);
    if is_set(Flag::Help) {
        return Ok(Task::Help);
    }
    if let Some(&mutant) = given.mutants.first() {
        let seeds = given.seeds.clone().unwrap_or(MUTANT_SEEDS);
        let lot = Lot { seeds, kinds };
        return Ok(if is_set(Flag::Hunt) {
            Task::Hunt { mutant, lot }
        } else {
            Task::Mutants {
                mutants: given.mutants.clone(),
                lot,
                jobs,
            }
        });
    }
    match (given.seeds.clone(), given.seed) {
        (Some(seeds), None) => {
            let lot = Lot { seeds, kinds };
            Ok(match given.share {
                Some(share) => Task::Share { lot, share },
                None => Task::Campaign { lot, jobs },
            })
        }
        (None, Some(seed)) => Ok(Task::One {
            lives: kinds.into_iter().map(|kind| Life { kind, seed }).collect(),
            history: is_set(Flag::History),
            log: is_set(Flag::Log),
        }),
        _ => Err(Misuse::Nothing),
    }
}

fn read<T>(name: &str, text: &str, parse: fn(&str) -> Option<T>) -> Result<T, Misuse> {
    parse(text).ok_or_else(|| Misuse::BadValue(text.to_owned(), name.to_owned()))
}

fn number(text: &str) -> Option<usize> {
    text.parse().ok()
}

fn range(text: &str) -> Option<Range<u64>> {
    let (start, end) = text.split_once("..")?;
    let range = start.parse().ok()?..end.parse().ok()?;
    (!range.is_empty()).then_some(range)
}

/// `1/4` is the second of four shares.
fn share(text: &str) -> Option<(u64, u64)> {
    let (index, count) = text.split_once('/')?;
    let (index, count) = (index.parse().ok()?, count.parse().ok()?);
    (index < count).then_some((index, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task, Misuse> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_seed_is_a_life_of_each_kind() {
        let Ok(Task::One { lives, .. }) = parsed("7") else {
            panic!("one seed")
        };
        let lives: Vec<String> = lives.iter().map(Life::to_string).collect();
        assert_eq!(lives, ["node 7", "storage 7"]);
        let Ok(Task::One { lives, .. }) = parsed("7 --storage") else {
            panic!("one seed")
        };
        assert_eq!(lives.len(), 1);
    }

    #[test]
    fn a_range_is_a_campaign_and_a_share_of_one() {
        let lot = Lot {
            seeds: 3..5,
            kinds: vec![Kind::Node],
        };
        let task = parsed("--seeds 3..5 --node --jobs 4");
        assert_eq!(
            task,
            Ok(Task::Campaign {
                lot: lot.clone(),
                jobs: 4
            })
        );
        let task = parsed("--seeds 3..5 --node --share 1/2");
        assert_eq!(task, Ok(Task::Share { lot, share: (1, 2) }));
    }

    #[test]
    fn nonsense_is_refused_with_its_name() {
        let bad = |value: &str, of: &str| Err(Misuse::BadValue(value.into(), of.into()));
        assert_eq!(parsed("--seeds 5..5"), bad("5..5", "--seeds"));
        assert_eq!(parsed("--seeds 1..2 --share 2/2"), bad("2/2", "--share"));
        assert_eq!(parsed("--mutant nobody"), bad("nobody", "--mutant"));
        assert_eq!(parsed("--jobs"), Err(Misuse::ValueMissing("--jobs".into())));
        assert_eq!(parsed("--fast"), Err(Misuse::Unknown("--fast".into())));
        assert_eq!(parsed(""), Err(Misuse::Nothing));
    }
}

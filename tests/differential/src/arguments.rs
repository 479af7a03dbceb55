//! What the command line asks for.

use std::net::SocketAddr;
use std::ops::Range;

use wire::api::{self, ApiKey};

use crate::generator::Theme;
use crate::script::Step;

/// How to call it.
pub(crate) const USAGE: &str = "\
differential --left HOST:PORT --right HOST:PORT    compares two brokers, by seeds 0..10

  --seed S             one seed alone
  --seeds A..B         these seeds
  --seconds N          seeds from A on, until so many seconds have passed
  --steps N            how many steps a script has at least (default 400)
  --only THEME,...     of groups, offsets, topics, records, cluster
  --without API,...    leaves out these APIs
  --upto K             only the steps up to number K
  --keep K,K,...       only these steps
  --every-version      fails if a served version of an API was never compared
  --skip-unserved      leaves out what one of the brokers does not say it serves; otherwise that is a difference
  --shrink             looks for fewer steps with the first difference
  --show               prints every step and what became of it
  --allowed            prints the allowed differences, and does nothing else
  --differences N      prints so many differences of a seed (default 5); all are counted

Both brokers: group.initial.rebalance.delay.ms=0, auto.create.topics.enable=false.";

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To tell how to call it.
    Help,
    /// To tell what may differ.
    Allowed,
    /// To compare two brokers.
    Compare(Task),
}

/// How to compare two brokers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    /// The two brokers.
    pub(crate) brokers: [SocketAddr; 2],
    /// The seeds.
    pub(crate) seeds: Range<u64>,
    /// For how long, if not for all seeds.
    pub(crate) seconds: Option<u64>,
    /// How long a script is.
    pub(crate) steps: usize,
    /// What it is about.
    pub(crate) themes: Vec<Theme>,
    /// What is left out.
    pub(crate) without: Vec<ApiKey>,
    /// Which steps are sent.
    pub(crate) keep: Keep,
    /// How many differences of a seed are printed.
    pub(crate) differences: usize,
    /// What must be among what is compared.
    pub(crate) wanted: Wanted,
    /// Whether what one broker does not serve is left out.
    pub(crate) skip_unserved: bool,
    /// Whether a script with a difference is made shorter.
    pub(crate) shrink: bool,
    /// Whether everything is printed.
    pub(crate) show: bool,
}

/// Which steps are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// All of them.
    All,
    /// Those up to a number.
    UpTo(usize),
    /// Those with these numbers.
    These(Vec<usize>),
}

/// What must be among what is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Whatever the scripts ask.
    Anything,
    /// Every version of every API that riverrun serves.
    EveryVersion,
}

impl Task {
    /// Returns whether a step is sent.
    pub(crate) fn keeps(&self, step: &Step) -> bool {
        self.keep.keeps(step.id) && !self.without.contains(&step.form.key)
    }
}

impl Keep {
    fn keeps(&self, step: usize) -> bool {
        match self {
            Self::All => true,
            Self::UpTo(last) => step <= *last,
            Self::These(steps) => steps.contains(&step),
        }
    }
}

/// The command line makes no sense.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Misuse {
    #[error("{0} is not an argument")]
    Unknown(String),
    #[error("{0} needs a value")]
    ValueMissing(String),
    #[error("{1:?} is not a value of {0}")]
    BadValue(String, String),
    #[error("--left and --right say which brokers")]
    NoBrokers,
}

/// Reads the arguments behind the program's name.
pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Asked, Misuse> {
    let mut brokers = [None, None];
    let mut task = Task {
        brokers: [SocketAddr::from(([127, 0, 0, 1], 0)); 2],
        seeds: 0..10,
        seconds: None,
        steps: 400,
        themes: Theme::ALL.iter().map(|(_, theme)| *theme).collect(),
        without: Vec::new(),
        keep: Keep::All,
        differences: 5,
        wanted: Wanted::Anything,
        skip_unserved: false,
        shrink: false,
        show: false,
    };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .ok_or_else(|| Misuse::ValueMissing(argument.clone()))
        };
        match argument.as_str() {
            "--help" | "-h" => return Ok(Asked::Help),
            "--allowed" => return Ok(Asked::Allowed),
            "--left" => brokers[0] = Some(read(&argument, &value()?, number)?),
            "--right" => brokers[1] = Some(read(&argument, &value()?, number)?),
            "--seed" => task.seeds = read(&argument, &value()?, |text| one(number(text)?))?,
            "--seeds" => task.seeds = read(&argument, &value()?, range)?,
            "--seconds" => task.seconds = Some(read(&argument, &value()?, number)?),
            "--steps" => task.steps = read(&argument, &value()?, number)?,
            "--only" => task.themes = read(&argument, &value()?, themes)?,
            "--without" => task.without = read(&argument, &value()?, apis)?,
            "--upto" => task.keep = Keep::UpTo(read(&argument, &value()?, number)?),
            "--keep" => task.keep = Keep::These(read(&argument, &value()?, numbers)?),
            "--differences" => task.differences = read(&argument, &value()?, number)?,
            "--every-version" => task.wanted = Wanted::EveryVersion,
            "--skip-unserved" => task.skip_unserved = true,
            "--shrink" => task.shrink = true,
            "--show" => task.show = true,
            _ => return Err(Misuse::Unknown(argument)),
        }
    }
    let [Some(left), Some(right)] = brokers else {
        return Err(Misuse::NoBrokers);
    };
    task.brokers = [left, right];
    if task.seconds.is_some() {
        task.seeds.end = u64::MAX;
    }
    Ok(Asked::Compare(task))
}

fn read<T>(argument: &str, value: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, Misuse> {
    read(value).ok_or_else(|| Misuse::BadValue(argument.to_owned(), value.to_owned()))
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn numbers(text: &str) -> Option<Vec<usize>> {
    text.split(',').map(number).collect()
}

fn one(seed: u64) -> Option<Range<u64>> {
    Some(seed..seed.checked_add(1)?)
}

fn range(text: &str) -> Option<Range<u64>> {
    let (start, end) = text.split_once("..")?;
    Some(number(start)?..number(end)?)
}

fn apis(text: &str) -> Option<Vec<ApiKey>> {
    let api = |word: &str| api::table().iter().find(|api| api.name == word);
    let apis = text.split(',').map(|word| api(word).map(|api| api.key));
    apis.collect()
}

fn themes(text: &str) -> Option<Vec<Theme>> {
    let theme = |word: &str| {
        Theme::ALL
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, theme)| *theme)
    };
    text.split(',').map(theme).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Asked, Misuse> {
        parse(text.split_whitespace().map(str::to_owned))
    }

    fn compared(text: &str) -> Task {
        match parsed(text) {
            Ok(Asked::Compare(task)) => task,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn two_brokers_are_enough_and_needed() {
        let task = compared("--left 127.0.0.1:1 --right 127.0.0.1:2");
        assert_eq!((task.seeds, task.keep), (0..10, Keep::All));
        assert_eq!(parsed("--left 127.0.0.1:1"), Err(Misuse::NoBrokers));
        assert_eq!(parsed("--help"), Ok(Asked::Help));
    }

    #[test]
    fn a_run_is_named_by_its_seed_and_its_steps() {
        let line =
            "--left 127.0.0.1:1 --right 127.0.0.1:2 --seed 7 --keep 1,5 --only groups,offsets";
        let task = compared(line);
        assert_eq!(
            (task.seeds, task.themes),
            (7..8, vec![Theme::Groups, Theme::Offsets])
        );
        assert!(task.keep.keeps(5) && !task.keep.keeps(4));
    }

    #[test]
    fn every_version_is_wanted_when_it_is_said() {
        let brokers = "--left 127.0.0.1:1 --right 127.0.0.1:2";
        assert_eq!(compared(brokers).wanted, Wanted::Anything);
        let task = compared(&format!("{brokers} --every-version"));
        assert_eq!(task.wanted, Wanted::EveryVersion);
    }

    #[test]
    fn nonsense_is_refused() {
        for (line, what) in [
            ("--loud", "--loud"),
            ("--steps", "--steps"),
            ("--seeds 5", "--seeds"),
        ] {
            let refused = parsed(line).unwrap_err().to_string();
            assert!(refused.contains(what), "{refused}");
        }
    }
}

//! A broken promise, and the list of those who look for one.

use std::fmt;

use super::{
    acknowledged, agreement, duplicates, expected, gaps, generations, invented, log_start,
    metadata, offsets, order, ownership, settled, watermark,
};
use crate::history::History;

/// How many violations of one kind are told: the first ones say the most.
const VIOLATIONS_MAX: usize = 5;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Who found it.
    pub(crate) checker: &'static str,
    /// What it is.
    pub(crate) what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.checker, self.what)
    }
}

type Checker = fn(&History) -> Vec<String>;

const CHECKERS: &[(&str, Checker)] = &[
    ("acknowledged", acknowledged::check),
    ("agreement", agreement::check),
    ("duplicates", duplicates::check),
    ("expected", expected::check),
    ("gaps", gaps::check),
    ("generations", generations::check),
    ("invented", invented::check),
    ("log start", log_start::check),
    ("metadata", metadata::check),
    ("offsets", offsets::check),
    ("order", order::check),
    ("ownership", ownership::check),
    ("settled", settled::check),
    ("watermark", watermark::check),
];

/// Lets every checker look at a history.
pub(crate) fn check(history: &History) -> Vec<Violation> {
    let mut violations = Vec::new();
    for &(checker, find) in CHECKERS {
        let found = find(history).into_iter().take(VIOLATIONS_MAX);
        violations.extend(found.map(|what| Violation { checker, what }));
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn a_history_without_fault_passes_every_checker() {
        assert_eq!(check(&samples::sound().into()), []);
        assert_eq!(check(&samples::sound_group().into()), []);
    }
}

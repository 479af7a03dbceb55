//! What came of one life.

use std::fmt;

use types::Monotonic;

use crate::checkers::{self, Violation};
use crate::history::{Event, History};

/// What came of one life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The broken promises.
    pub(crate) violations: Vec<Violation>,
    /// The hash over every step of the machine: equal for equal lives.
    pub(crate) hash: u64,
    /// How much was done.
    pub(crate) tally: Tally,
}

/// How much was done in a life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// The virtual time it took, in milliseconds.
    pub(crate) virtual_ms: u64,
    /// Power failures and kills.
    pub(crate) failures: u64,
    /// Batches that were acknowledged.
    pub(crate) acknowledged: u64,
    /// Records that were read.
    pub(crate) read: u64,
}

impl Outcome {
    /// Lets the checkers look at the history of a life.
    pub(crate) fn judge(history: &History, hash: u64, end: Monotonic) -> Self {
        let mut tally = Tally {
            virtual_ms: u64::try_from(end.since_start().as_millis()).unwrap_or(u64::MAX),
            ..Tally::default()
        };
        for (_, event) in history.events() {
            match event {
                Event::Acknowledged { .. } => tally.acknowledged += 1,
                Event::Read { records, .. } => {
                    tally.read += u64::try_from(records.len()).unwrap_or(0);
                }
                Event::Failed(_) => tally.failures += 1,
                _ => {}
            }
        }
        Self {
            violations: checkers::check(history),
            hash,
            tally,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally {
            virtual_ms,
            failures,
            acknowledged,
            read,
        } = self.tally;
        write!(
            f,
            "{virtual_ms} ms, {failures} failures, {acknowledged} batches acknowledged, {read} \
             records read, {} violations, trace {:016x}",
            self.violations.len(),
            self.hash
        )?;
        for violation in &self.violations {
            write!(f, "\n  {violation}")?;
        }
        Ok(())
    }
}

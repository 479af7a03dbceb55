//! One life, whatever its kind, and what came of it, panics included.

use std::cell::RefCell;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::str::FromStr;

use crate::checkers::Violation;
use crate::outcome::{Outcome, Tally};
use crate::{node, store};

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// What lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A whole node with clients.
    Node,
    /// The store of one shard.
    Storage,
}

impl Kind {
    /// Every kind.
    pub(crate) const ALL: [Self; 2] = [Self::Node, Self::Storage];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Node => "node",
            Self::Storage => "storage",
        })
    }
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.to_string() == text)
            .ok_or(())
    }
}

/// A life that can be lived again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Life {
    /// What lives.
    pub(crate) kind: Kind,
    /// From what everything follows.
    pub(crate) seed: u64,
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.seed)
    }
}

impl Life {
    /// Lives it. A panic of the product, a broken invariant, is a violation like any other.
    pub(crate) fn live(self, telling: Telling) -> Outcome {
        let lived = panic::catch_unwind(AssertUnwindSafe(|| match self.kind {
            Kind::Node => node::live(self.seed, telling),
            Kind::Storage => store::live(self.seed, telling),
        }));
        lived.unwrap_or_else(|_| Outcome {
            violations: vec![Violation {
                checker: "panic",
                what: PANIC.take().unwrap_or_default(),
            }],
            hash: 0,
            tally: Tally::default(),
        })
    }

    /// Lives it twice: the second life must be the first one again.
    pub(crate) fn live_twice(self, telling: Telling) -> Outcome {
        let mut outcome = self.live(telling);
        let again = self.live(Telling::Outcome);
        if again != outcome {
            let what = format!("trace {:016x}, then {:016x}", outcome.hash, again.hash);
            outcome.violations.push(Violation {
                checker: "replay",
                what,
            });
        }
        outcome
    }
}

/// How much a life tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    /// What came of it.
    Outcome,
    /// Everything that happened, on standard output.
    History,
}

/// Keeps the message of a panic for the outcome, in place of printing it.
pub(crate) fn keep_panics() {
    panic::set_hook(Box::new(|info| {
        PANIC.set(Some(info.to_string().replace('\n', " ")));
    }));
}

//! What is sent, in which order, and when its answers are due.

use std::fmt;

use crate::messages::Form;
use crate::tree::Tree;

/// Stands for the name of the run in every text of a script: two runs against one broker must not
/// meet. As long as the name that takes its place, so that lengths are what they seem.
pub(crate) const RUN: &str = "~run~~";

/// An id that no topic has; others like it differ in the first two bytes.
pub(crate) const NOBODYS_ID: [u8; 16] = [7; 16];

/// Returns an id that no topic has; another for another number below 2^16.
pub(crate) fn nobodys_id(number: usize) -> [u8; 16] {
    let mut id = NOBODYS_ID;
    [id[0], id[1], ..] = number.to_le_bytes();
    id
}

/// How many connections a script uses.
pub(crate) const LINES: usize = 7;

/// A line that no member of a group sits on.
pub(crate) const ADMIN_LINE: usize = LINES - 1;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Its number, by which other steps know it; kept when steps before it are dropped.
    pub(crate) id: usize,
    /// The connection that it goes out on.
    pub(crate) line: usize,
    /// The API and the version.
    pub(crate) form: Form,
    /// The request.
    pub(crate) body: Tree,
    /// When its answer is due.
    pub(crate) due: Due,
    /// The steps whose answers are due once this one is answered.
    pub(crate) releases: Vec<usize>,
}

/// When the answer to a request is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Before the next request goes out.
    Now,
    /// When another step releases it; until then it is parked.
    Released,
    /// As above, and the next request goes out when the group shows that it rebalances, with this
    /// many members.
    ReleasedOnceRebalancing {
        /// The group.
        group: String,
        /// How many members it then has.
        members: usize,
    },
}

/// All steps of one seed, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Script {
    /// The seed that it is made from.
    pub(crate) seed: u64,
    /// The steps.
    pub(crate) steps: Vec<Step>,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Form { key, version } = self.form;
        write!(
            f,
            "step {}, line {}: {key} {version} {}",
            self.id, self.line, self.body
        )
    }
}

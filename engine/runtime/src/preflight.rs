//! What the machine must offer before a shard can start, each lack with its remedy.

use std::path::Path;

/// One requirement and whether the machine meets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, in a few words.
    pub name: &'static str,
    /// What was found.
    pub outcome: Outcome,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is met.
    Ok {
        /// What was found, for a table.
        detail: String,
    },
    /// It is not met: the node cannot start.
    Failed {
        /// What is missing.
        what: String,
        /// What to do about it, in one line.
        fix: String,
    },
}

impl Check {
    /// Returns whether the requirement is met.
    pub fn is_ok(&self) -> bool {
        matches!(self.outcome, Outcome::Ok { .. })
    }
}

/// Checks kernel version, io_uring, locked memory and open files. Never panics; needs no shard.
pub fn preflight() -> Vec<Check> {
    #[cfg(feature = "uring")]
    return crate::uring::preflight();
    #[cfg(not(feature = "uring"))]
    vec![Check {
        name: "io_uring",
        outcome: without_uring("start a shard"),
    }]
}

/// Checks direct I/O with fdatasync in a data directory, which must exist. Never panics; needs no
/// shard.
pub fn check_data_dir(path: &Path) -> Check {
    #[cfg(feature = "uring")]
    let outcome = crate::uring::direct_io(path);
    #[cfg(not(feature = "uring"))]
    let outcome = without_uring(&format!("serve {}", path.display()));
    Check {
        name: "direct I/O",
        outcome,
    }
}

#[cfg(not(feature = "uring"))]
fn without_uring(undone: &str) -> Outcome {
    Outcome::Failed {
        what: format!("this build cannot {undone}"),
        fix: String::from("build with the feature `uring`"),
    }
}

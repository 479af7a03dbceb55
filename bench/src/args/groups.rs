//! Options of `groups`.

use std::num::{NonZeroU32, NonZeroUsize};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::shared::{Run, Target};

/// What to do with groups.
#[derive(Debug, Subcommand)]
pub(crate) enum Groups {
    /// Let many groups join at once, until each is stable
    Join(Join),
    /// Let one large group join, then some more members, one after another
    Large(Large),
    /// Commit offsets at a fixed rate; latency counts from when each commit was due
    Commit(Commit),
}

/// Options of `groups join`.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Join {
    /// Whom to load.
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) target: Target,
    /// Groups that join at once
    #[arg(long, value_name = "COUNT", default_value = "1000")]
    pub(crate) groups: NonZeroUsize,
    /// Members of each group, each on a connection of its own
    #[arg(long, value_name = "COUNT", default_value = "3")]
    pub(crate) members: NonZeroUsize,
}

/// Options of `groups large`.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Large {
    /// Whom to load.
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) target: Target,
    /// Members that join at once, each on a connection of its own
    #[arg(long, value_name = "COUNT", default_value = "500")]
    pub(crate) members: NonZeroUsize,
    /// Members that join afterwards, one after another; each makes the whole group rebalance
    #[arg(long, value_name = "COUNT", default_value = "10")]
    pub(crate) more: NonZeroUsize,
}

/// Options of `groups commit`.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Commit {
    /// Whom to load, how long, and of what: each commit names every partition of the topic.
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) run: Run,
    /// Commits in a second, of all groups together
    #[arg(long, value_name = "PER_SECOND", default_value = "5000")]
    pub(crate) rate: NonZeroU32,
    /// Groups of one member each that commit in turns, each on a connection of its own
    #[arg(long, value_name = "COUNT", default_value = "100")]
    pub(crate) groups: NonZeroUsize,
}

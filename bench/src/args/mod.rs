//! The command line: what each subcommand can be told.
//!
//! ```text
//! command ──► records, groups ──► shared
//!        └──► compare
//! ```

mod command;
mod compare;
mod groups;
mod records;
mod shared;

pub(crate) use command::{Arguments, Command};
pub(crate) use compare::Compare;
pub(crate) use groups::{Commit, Groups, Join, Large};
pub(crate) use records::{
    Cold, Fetch, FetchSizes, Idle, OpenLoop, Pace, Produce, Reads, Unbatched,
};
pub(crate) use shared::{Run, Target, TopicOptions};

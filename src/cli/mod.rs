//! The command line: one binary, one subcommand a task, a clear message and exit code on failure.
//!
//! Exit codes: 0 done, 1 it failed, 2 the command line was wrong. A reader of standard output that
//! goes away has what it wanted: the command ends with 0.
//!
//! ```text
//! run ─► start, doctor                       this machine
//!    ├─► topic, group, config, cluster, quota ─► connect, offsets, table, answer ─► client
//!    └─► produce, consume ─► connect, stdout, progress, interrupt ─► client
//! ```

mod answer;
pub mod args;
mod base64;
mod cluster;
mod config;
mod config_changes;
mod config_keys;
mod connect;
mod consume;
mod doctor;
mod duration;
mod failure;
mod greeting;
mod group;
mod interrupt;
mod json_record;
mod logging;
mod offsets;
mod port_owner;
mod produce;
mod progress;
mod quota;
mod ready;
mod rfc3339;
mod run;
mod start;
mod start_at;
mod stdout;
mod table;
mod topic;
mod visit;

pub use args::Args;
pub use run::run;

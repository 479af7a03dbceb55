//! The command line: one binary, one subcommand a task, a clear message and exit code on failure.
//!
//! Exit codes: 0 done, 1 it failed, 2 the command line was wrong.

pub mod args;
mod config;
mod doctor;
mod logging;
mod port_owner;
mod ready;
mod run;
mod start;

pub use args::Args;
pub use run::run;

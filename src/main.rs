//! The `riverrun` binary: parse, run, exit code.

use std::process::ExitCode;

use clap::Parser as _;
use riverrun::cli::{Args, run};

fn main() -> ExitCode {
    run(Args::parse())
}

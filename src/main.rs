//! The `riverrun` binary: parse, run, exit code.

use std::process::ExitCode;

use clap::Parser as _;
use riverrun::cli::{Args, run};

/// A request is some sixteen small allocations: see docs/decisions/0017-allocator.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    run(Args::parse())
}

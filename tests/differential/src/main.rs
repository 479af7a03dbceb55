//! `differential`: see the crate's documentation, or `differential --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    differential::run()
}

//! `cargo sim`: see `docs/TESTING.md`, or `cargo sim --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    sim::run()
}

//! `riverrun config`: what the keys mean.

use std::error::Error;

use crate::config::{explain, explain_all};

use super::args::Config;

/// Explains one key, or all of them.
#[expect(
    clippy::print_stdout,
    reason = "the explanation is this command's output"
)]
pub(super) fn run(command: &Config) -> Result<(), Box<dyn Error>> {
    let Config::Explain { key } = command;
    match key {
        Some(key) => print!("{}", explain(key)?),
        None => print!("{}", explain_all()),
    }
    Ok(())
}

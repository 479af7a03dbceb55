//! `riverrun config`: what the keys mean.

use crate::config::{explain, explain_all};

use super::args::Config;
use super::failure::Failure;
use super::stdout::Stdout;

/// Explains one key, or all of them.
pub(super) fn run(command: &Config) -> Result<(), Failure> {
    let Config::Explain { key } = command;
    let text = match key {
        Some(key) => explain(key)?,
        None => explain_all(),
    };
    let mut stdout = Stdout::open()?;
    stdout.write(text.as_bytes())?;
    Ok(stdout.flush()?)
}

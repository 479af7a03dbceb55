//! From a subcommand to an exit code.

use std::error::Error;
use std::process::ExitCode;

use super::args::{Args, Command};
use super::{config, doctor, start};

/// Runs what was typed.
pub fn run(args: Args) -> ExitCode {
    let done = match args.command {
        Command::Dev(dev) => start::dev(&dev),
        Command::Serve(serve) => start::serve(&serve),
        Command::Config(command) => config::run(&command),
        Command::Doctor(command) => doctor::run(&command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("riverrun: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

//! From a subcommand to an exit code.

use std::process::ExitCode;

use crate::causes::with_causes;

use super::args::{Args, Command};
use super::interrupt::Interrupted;
use super::{cluster, config, consume, doctor, failure, group, produce, quota, start, topic};

/// Runs what was typed.
pub fn run(args: Args) -> ExitCode {
    let done = match args.command {
        Command::Dev(dev) => start::dev(&dev),
        Command::Serve(serve) => start::serve(&serve),
        Command::Topic(command) => topic::run(&command),
        Command::Quota(command) => quota::run(&command),
        Command::Produce(command) => produce::run(&command),
        Command::Consume(command) => consume::run(&command),
        Command::Group(command) => group::run(&command),
        Command::Cluster(command) => cluster::run(&command),
        Command::Config(command) => config::run(&command),
        Command::Doctor(command) => doctor::run(&command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if failure::is_output_unwanted(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            failure::complain(&with_causes(error.as_ref()));
            let interrupted = error.downcast_ref::<Interrupted>();
            interrupted.map_or(ExitCode::FAILURE, |it| it.exit_code().into())
        }
    }
}

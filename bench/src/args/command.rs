//! The command line as a whole.

use clap::{Parser, Subcommand};

use super::compare::Compare;
use super::groups::Groups;
use super::records::{Cold, Fetch, Idle, OpenLoop, Produce, Unbatched};

/// Puts load on a Kafka-compatible broker and measures it.
///
/// Broker costs need the broker's process id (--pid) and a broker on this machine.
#[derive(Debug, Parser)]
#[command(name = "riverrun-bench", version)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Produce batches as fast as they are acknowledged
    Produce(Produce),
    /// Read a topic from its beginning to its end
    Fetch(Fetch),
    /// Produce one record per request, each connection waiting for its answer (a closed loop)
    Unbatched(Unbatched),
    /// Produce single records at a fixed rate; latency counts from when each was due
    OpenLoop(OpenLoop),
    /// Hold connections that do nothing: memory per connection
    Idle(Idle),
    /// Compare a tail consumer's latency with and without a reader of cold history
    Cold(Cold),
    /// Join consumer groups, and commit offsets
    #[command(subcommand)]
    Groups(Groups),
    /// Compare the JSON results of runs taken in turns: the ratio of one figure
    Compare(Compare),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_result_tells_the_options_it_was_made_with() {
        let text = "riverrun-bench produce --batch-size 1KiB --acks 1 --topic-config a=b=c";
        let arguments = Arguments::parse_from(text.split(' '));
        let Command::Produce(produce) = arguments.command else {
            panic!("produce");
        };
        let options = serde_json::to_value(&produce).unwrap();
        assert_eq!(options["batch_size"], 1024);
        assert_eq!(options["acks"], "leader");
        assert_eq!(options["in_flight"], 5);
        assert_eq!(options["topic_config"][0][1], "b=c");
    }
}

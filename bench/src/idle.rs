//! `idle`: connections that do nothing, and the memory a broker holds for each.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use wire::messages::api_versions;

use crate::args;
use crate::batches;
use crate::clock;
use crate::error::Error;
use crate::report::{self, Environment};
use crate::units::{self, real};
use crate::usage::{Usage, Work};

/// How long the broker may rest after the last connection before its memory is read.
const SETTLE: Duration = Duration::from_secs(1);

#[derive(Debug, Serialize)]
struct Report {
    work: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    options: Value,
    environment: Environment,
    connections: u64,
    /// How long it took to open them, each with its first question answered.
    open_seconds: f64,
    /// What resident memory grew by, divided by the connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    resident_bytes_per_connection: Option<f64>,
    /// What was used while nothing happened.
    #[serde(flatten)]
    usage: Usage,
}

/// Runs the subcommand.
pub(crate) fn run(options: &args::Idle) -> Result<(), Error> {
    let probe = options.target.probe();
    let count = options.connections.get();
    let before = probe.sample()?;
    let mut connections = batches::connect(&options.target.broker, count)?;
    let opened_at = clock::now();
    clock::sleep(SETTLE);
    let first = probe.sample()?;
    clock::sleep(Duration::from_secs(options.seconds.into()));
    let last = probe.sample()?;
    // Memory counts only if the connections are still there.
    for connection in &mut connections {
        connection.call(&api_versions::Request::default())?;
    }
    let opening = Usage::between(&before, &last, Work::default());
    let grown = opening.broker.map(|broker| {
        let after = real(broker.resident_bytes_after);
        (after - real(broker.resident_bytes_before)) / real(units::count(count))
    });
    let report = Report {
        work: "idle",
        label: options.target.label.clone(),
        options: serde_json::to_value(options)?,
        environment: Environment::here(),
        connections: units::count(count),
        open_seconds: opened_at.since(before.at).as_secs_f64(),
        resident_bytes_per_connection: grown,
        usage: Usage::between(&first, &last, Work::default()),
    };
    report::print(&report, options.target.json)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "idle: {} connections, opened in {:.2} s",
            self.connections, self.open_seconds
        )?;
        if let Some(bytes) = self.resident_bytes_per_connection {
            write!(f, "; {:.1} KiB resident each", bytes / 1024.0)?;
        }
        write!(f, "\n{}", self.usage)
    }
}

//! Results: a few lines for people, one line of JSON for machines.

use std::fmt;
use std::fs;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::error::Error;
use crate::latency::Percentiles;
use crate::pacer::Slip;
use crate::procfs;
use crate::tally::Tally;
use crate::threads;
use crate::units::{mib, real};
use crate::usage::Usage;

/// Tells a result.
pub(crate) fn print<R: Serialize + fmt::Display>(result: &R, json: bool) -> Result<(), Error> {
    if json {
        println!("{}", serde_json::to_string(result)?);
    } else {
        println!("{result}");
    }
    Ok(())
}

/// What a result depends on beside its options.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Environment {
    /// The kernel's release.
    kernel: Option<String>,
    /// The processor's name.
    processor: Option<String>,
    /// Cores that the generator may use.
    cores: usize,
}

impl Environment {
    /// Looks around.
    pub(crate) fn here() -> Self {
        let text = |path| fs::read_to_string(path).ok();
        let cpuinfo = text("/proc/cpuinfo");
        Self {
            kernel: text("/proc/sys/kernel/osrelease").map(|release| release.trim().to_owned()),
            processor: cpuinfo.and_then(|text| procfs::processor(&text).map(str::to_owned)),
            cores: threads::cores(),
        }
    }
}

/// From when a latency counts.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Since {
    /// From the sending: a slow answer delays the next request, which then looks fast.
    Sent,
    /// From when the schedule had it.
    Due,
}

/// The result of a run that moves records.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// The subcommand.
    pub(crate) work: &'static str,
    /// The label given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<String>,
    /// The options, defaults included.
    pub(crate) options: Value,
    /// Where it ran.
    pub(crate) environment: Environment,
    /// From the start of measuring to the last answer.
    pub(crate) seconds: f64,
    /// What was moved.
    #[serde(flatten)]
    pub(crate) moved: Moved,
    /// From when latencies count.
    pub(crate) latency_since: Since,
    /// Latencies of the requests; absent if there are none (acks 0).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency: Option<Percentiles>,
    /// Latencies from due time to arrival at a consumer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end_to_end: Option<Percentiles>,
    /// How late the generator was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) slip: Option<Slip>,
    /// What it cost.
    #[serde(flatten)]
    pub(crate) usage: Usage,
}

/// What a run moved, and how fast.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Moved {
    requests: u64,
    requests_per_second: f64,
    batches: u64,
    batches_per_second: f64,
    records: u64,
    records_per_second: f64,
    /// Bytes of record batches, without the requests around them.
    bytes: u64,
    mib_per_second: f64,
}

impl Moved {
    /// Divides what was counted by the time it took.
    pub(crate) fn of(tally: &Tally, elapsed: Duration) -> Self {
        let seconds = elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
        Self {
            requests: tally.requests,
            requests_per_second: real(tally.requests) / seconds,
            batches: tally.moved.batches,
            batches_per_second: real(tally.moved.batches) / seconds,
            records: tally.moved.records,
            records_per_second: real(tally.moved.records) / seconds,
            bytes: tally.moved.bytes,
            mib_per_second: mib(tally.moved.bytes) / seconds,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moved = &self.moved;
        write!(f, "{}", self.work)?;
        if let Some(label) = &self.label {
            write!(f, " [{label}]")?;
        }
        writeln!(
            f,
            ": {:.1} MiB/s, {:.0} requests/s, {:.0} batches/s, {:.0} records/s; {:.1} MiB in {:.2} s",
            moved.mib_per_second,
            moved.requests_per_second,
            moved.batches_per_second,
            moved.records_per_second,
            mib(moved.bytes),
            self.seconds
        )?;
        if let Some(latency) = &self.latency {
            let since = match self.latency_since {
                Since::Sent => "since sent",
                Since::Due => "since due",
            };
            writeln!(f, "  answers    {latency} ({since})")?;
        }
        if let Some(end_to_end) = &self.end_to_end {
            writeln!(f, "  end to end {end_to_end} (since due)")?;
        }
        if let Some(slip) = &self.slip {
            writeln!(f, "  slip       {slip}")?;
        }
        write!(f, "{}", self.usage)
    }
}

//! What a run cost: the broker's processor time and memory, the generator's, and the rest of the
//! machine's.

use std::fmt;
use std::fs;
use std::time::Duration;

use serde::Serialize;
use types::Monotonic;

use crate::clock;
use crate::error::Error;
use crate::procfs::{self, Machine, Memory, Process, Storage};
use crate::units::{gib, mib, real};

/// Looks at the machine, and at a broker if its process is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe {
    /// The broker's process.
    pub(crate) broker: Option<u32>,
}

/// What one look saw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// When.
    pub(crate) at: Monotonic,
    broker: Option<BrokerSample>,
    generator: Process,
    machine: Machine,
}

#[derive(Clone, Copy, Debug)]
struct BrokerSample {
    process: Process,
    memory: Memory,
    /// Absent if the process belongs to somebody else.
    storage: Option<Storage>,
}

impl Probe {
    /// Looks once.
    ///
    /// *Errors*: [`Error::Process`], above all if there is no such process.
    pub(crate) fn sample(self) -> Result<Sample, Error> {
        let broker = self.broker.map(BrokerSample::of).transpose()?;
        Ok(Sample {
            at: clock::now(),
            broker,
            generator: parsed("/proc/self/stat", procfs::process)?,
            machine: parsed("/proc/stat", procfs::machine)?,
        })
    }
}

impl BrokerSample {
    fn of(pid: u32) -> Result<Self, Error> {
        Ok(Self {
            process: parsed(&format!("/proc/{pid}/stat"), procfs::process)?,
            memory: parsed(&format!("/proc/{pid}/status"), procfs::memory)?,
            storage: parsed(&format!("/proc/{pid}/io"), procfs::storage).ok(),
        })
    }
}

fn parsed<T>(path: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Error> {
    let error = |source| Error::Process {
        path: path.to_owned(),
        source,
    };
    let text = fs::read_to_string(path).map_err(|source| error(Some(source)))?;
    parse(&text).ok_or_else(|| error(None))
}

/// What was done between two looks, for costs by unit of work.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Work {
    /// Requests answered.
    pub(crate) requests: u64,
    /// Bytes of record batches.
    pub(crate) bytes: u64,
}

/// What was used between two looks.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Usage {
    /// The broker's part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) broker: Option<BrokerUsage>,
    /// This program's processor time, in seconds.
    pub(crate) generator_cpu_s: f64,
    /// What else happened on the machine.
    pub(crate) machine: MachineUsage,
}

/// What a broker used.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct BrokerUsage {
    /// Processor time in seconds, user and kernel, all threads.
    pub(crate) cpu_s: f64,
    /// The same by GiB of record batches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_s_per_gib: Option<f64>,
    /// The same by request, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_us_per_request: Option<f64>,
    /// Cores kept busy on average.
    pub(crate) cores_busy: f64,
    /// Resident memory at the start.
    pub(crate) resident_bytes_before: u64,
    /// Resident memory at the end.
    pub(crate) resident_bytes_after: u64,
    /// The most ever resident, since the broker's start.
    pub(crate) resident_bytes_peak: u64,
    /// Threads at the end.
    pub(crate) threads: u64,
    /// Bytes that came from its disks; absent if the kernel does not tell us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) storage_read_bytes: Option<u64>,
    /// Bytes that went to its disks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) storage_write_bytes: Option<u64>,
}

/// What happened on the machine beside broker and generator.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct MachineUsage {
    /// Processor time of everybody else, the kernel's own threads included, in seconds.
    pub(crate) other_cpu_s: f64,
    /// Time the host ran somebody else though a core here had work, in seconds.
    pub(crate) steal_s: f64,
    /// The load of the last minute at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) load_1_minute: Option<f64>,
}

impl Usage {
    /// Subtracts an earlier look from a later one.
    pub(crate) fn between(first: &Sample, last: &Sample, work: Work) -> Self {
        let elapsed = last.at.since(first.at);
        let generator = last.generator.cpu.saturating_sub(first.generator.cpu);
        let brokers = first.broker.zip(last.broker);
        let broker_cpu = brokers.map_or(Duration::ZERO, |(first, last)| cpu(&first, &last));
        let busy = last.machine.busy.saturating_sub(first.machine.busy);
        let other = busy.saturating_sub(broker_cpu + generator);
        let steal = last.machine.steal.saturating_sub(first.machine.steal);
        Self {
            broker: brokers.map(|(first, last)| BrokerUsage::of(&first, &last, elapsed, work)),
            generator_cpu_s: generator.as_secs_f64(),
            machine: MachineUsage {
                other_cpu_s: other.as_secs_f64(),
                steal_s: steal.as_secs_f64(),
                load_1_minute: parsed("/proc/loadavg", procfs::load).ok(),
            },
        }
    }
}

impl BrokerUsage {
    fn of(first: &BrokerSample, last: &BrokerSample, elapsed: Duration, work: Work) -> Self {
        let cpu_s = cpu(first, last).as_secs_f64();
        let storage = first.storage.zip(last.storage);
        let moved = |count: fn(Storage) -> u64| {
            storage.map(|(first, last)| count(last).saturating_sub(count(first)))
        };
        Self {
            cpu_s,
            cpu_s_per_gib: (work.bytes > 0).then(|| cpu_s / gib(work.bytes)),
            cpu_us_per_request: (work.requests > 0).then(|| cpu_s * 1e6 / real(work.requests)),
            cores_busy: cpu_s / elapsed.as_secs_f64().max(f64::MIN_POSITIVE),
            resident_bytes_before: first.memory.resident_bytes,
            resident_bytes_after: last.memory.resident_bytes,
            resident_bytes_peak: last.memory.resident_bytes_peak,
            threads: last.process.threads,
            storage_read_bytes: moved(|storage| storage.read_bytes),
            storage_write_bytes: moved(|storage| storage.write_bytes),
        }
    }
}

fn cpu(first: &BrokerSample, last: &BrokerSample) -> Duration {
    last.process.cpu.saturating_sub(first.process.cpu)
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(broker) = &self.broker {
            writeln!(f, "  broker     {broker}")?;
        }
        write!(
            f,
            "  machine    generator {:.2} CPU-s, others {:.2} CPU-s, steal {:.2} s",
            self.generator_cpu_s, self.machine.other_cpu_s, self.machine.steal_s
        )?;
        match self.machine.load_1_minute {
            Some(load) => write!(f, ", load {load:.2}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for BrokerUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} CPU-s ({:.2} cores)", self.cpu_s, self.cores_busy)?;
        if let Some(cpu_s_per_gib) = self.cpu_s_per_gib {
            write!(f, ", {cpu_s_per_gib:.3} CPU-s/GiB")?;
        }
        if let Some(cpu_us) = self.cpu_us_per_request {
            write!(f, ", {cpu_us:.1} us/request")?;
        }
        write!(
            f,
            ", resident {:.1} -> {:.1} MiB (peak {:.1})",
            mib(self.resident_bytes_before),
            mib(self.resident_bytes_after),
            mib(self.resident_bytes_peak)
        )?;
        if let Some((read, written)) = self.storage_read_bytes.zip(self.storage_write_bytes) {
            write!(
                f,
                ", disk {:.0} MiB in, {:.0} MiB out",
                mib(read),
                mib(written)
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broker(cpu_s: u64, resident_bytes: u64) -> BrokerSample {
        BrokerSample {
            process: Process {
                cpu: Duration::from_secs(cpu_s),
                threads: 3,
            },
            memory: Memory {
                resident_bytes,
                resident_bytes_peak: 900,
            },
            storage: None,
        }
    }

    fn sample(at_s: u64, broker: Option<BrokerSample>, busy_s: u64) -> Sample {
        Sample {
            at: Monotonic::from_start(Duration::from_secs(at_s)),
            broker,
            generator: Process {
                cpu: Duration::from_secs(at_s / 10),
                threads: 1,
            },
            machine: Machine {
                busy: Duration::from_secs(busy_s),
                steal: Duration::from_secs(at_s),
            },
        }
    }

    fn near(got: f64, want: f64) -> bool {
        (got - want).abs() < 1e-9
    }

    #[test]
    fn costs_are_those_of_the_time_between_two_looks() {
        let first = sample(10, Some(broker(100, 500)), 1000);
        let last = sample(30, Some(broker(108, 700)), 1015);
        let work = Work {
            requests: 1_000_000,
            bytes: 4 << 30,
        };
        let usage = Usage::between(&first, &last, work);
        let broker = usage.broker.unwrap();
        assert!(near(broker.cpu_s, 8.0) && near(broker.cores_busy, 0.4));
        assert!(near(broker.cpu_s_per_gib.unwrap(), 2.0));
        assert!(near(broker.cpu_us_per_request.unwrap(), 8.0));
        assert_eq!(
            (broker.resident_bytes_before, broker.resident_bytes_after),
            (500, 700)
        );
        // 15 s busy, less 8 of the broker and 2 of the generator.
        assert!(near(usage.machine.other_cpu_s, 5.0) && near(usage.machine.steal_s, 20.0));
    }

    #[test]
    fn without_work_there_is_no_cost_by_unit() {
        let first = sample(0, Some(broker(0, 0)), 0);
        let usage = Usage::between(&first, &first, Work::default());
        let broker = usage.broker.unwrap();
        assert_eq!(
            (broker.cpu_s_per_gib, broker.cpu_us_per_request),
            (None, None)
        );
    }

    #[test]
    fn a_process_that_does_not_exist_is_an_error() {
        let probe = Probe {
            broker: Some(u32::MAX),
        };
        assert!(matches!(probe.sample(), Err(Error::Process { .. })));
        assert!(Probe { broker: None }.sample().is_ok());
    }
}

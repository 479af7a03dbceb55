//! What the kernel tells about a process and about the machine, as text from /proc.
//!
//! Every function takes the text of one file and returns `None` for a text of another form.
//!
//! *Source*: proc(5): proc_pid_stat, proc_pid_status, proc_pid_io, proc_stat, proc_loadavg.

use std::time::Duration;

use serde::Serialize;

/// The unit of processor times in /proc is 1/100 s on every architecture we run on (USER_HZ), whatever
/// the kernel's own tick is.
const TICK: Duration = Duration::from_millis(10);

/// Processor time and threads of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    /// Time on a core, in user and kernel mode, of all threads, also of those that have ended.
    pub(crate) cpu: Duration,
    /// Threads alive.
    pub(crate) threads: u64,
}

/// Reads /proc/PID/stat.
pub(crate) fn process(stat: &str) -> Option<Process> {
    // The second field is the program's name in parentheses, and may itself hold any character.
    let (_, behind_name) = stat.rsplit_once(')')?;
    let field = |number: usize| -> Option<u64> {
        behind_name.split_whitespace().nth(number - 3)?.parse().ok()
    };
    let (user, kernel) = (field(14)?, field(15)?);
    Some(Process {
        cpu: ticks(user.checked_add(kernel)?)?,
        threads: field(20)?,
    })
}

/// Resident memory of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Memory {
    /// Bytes resident now.
    pub(crate) resident_bytes: u64,
    /// The most bytes ever resident since the process started.
    pub(crate) resident_bytes_peak: u64,
}

/// Reads /proc/PID/status.
pub(crate) fn memory(status: &str) -> Option<Memory> {
    Some(Memory {
        resident_bytes: kib_field(status, "VmRSS:")?,
        resident_bytes_peak: kib_field(status, "VmHWM:")?,
    })
}

fn kib_field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let count = line.trim().strip_suffix("kB")?;
    count.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Bytes that a process moved between memory and disks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Storage {
    /// Bytes that came from a disk.
    pub(crate) read_bytes: u64,
    /// Bytes that go to a disk.
    pub(crate) write_bytes: u64,
}

/// Reads /proc/PID/io.
pub(crate) fn storage(io: &str) -> Option<Storage> {
    let field = |name: &str| -> Option<u64> {
        let line = io.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse().ok()
    };
    Some(Storage {
        read_bytes: field("read_bytes:")?,
        write_bytes: field("write_bytes:")?,
    })
}

/// Processor time of the whole machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    /// Time in which a core worked: user, kernel and interrupts, without steal.
    pub(crate) busy: Duration,
    /// Time in which a core wanted to run and the host ran somebody else.
    pub(crate) steal: Duration,
}

/// Reads /proc/stat.
pub(crate) fn machine(stat: &str) -> Option<Machine> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let mut fields = line.split_whitespace().map(str::parse::<u64>);
    let mut next = || fields.next()?.ok();
    let (user, nice, system) = (next()?, next()?, next()?);
    let (_idle, _io_wait) = (next()?, next()?);
    let (interrupts, soft_interrupts, steal) = (next()?, next()?, next()?);
    Some(Machine {
        busy: ticks(user + nice + system + interrupts + soft_interrupts)?,
        steal: ticks(steal)?,
    })
}

/// Reads the load of the last minute from /proc/loadavg.
pub(crate) fn load(loadavg: &str) -> Option<f64> {
    loadavg.split_whitespace().next()?.parse().ok()
}

/// Reads the processor's name from /proc/cpuinfo.
pub(crate) fn processor(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim())
}

fn ticks(count: u64) -> Option<Duration> {
    TICK.checked_mul(u32::try_from(count).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_times_are_found_behind_any_program_name() {
        let stat = |name: &str| {
            format!(
                "4242 ({name}) S 1 4242 4242 0 -1 4194560 90210 0 12 0 1234 66 0 0 20 0 37 0 5511 \
                 3957276672 101922 18446744073709551615 1 1 0 0 0 0 0 4096 81920 0 0 0 17 1 0 0 0 0 0"
            )
        };
        for name in ["java", "a b", "x) R 1 2 (y", ""] {
            let process = process(&stat(name)).unwrap();
            assert_eq!(process.cpu, Duration::from_secs(13), "{name}");
            assert_eq!(process.threads, 37, "{name}");
        }
        assert_eq!(process(""), None);
        assert_eq!(process("1 (short) S 1 2 3"), None);
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let status =
            "Name:\triverrun\nVmPeak:\t  999 kB\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\n";
        let want = Memory {
            resident_bytes: 10 << 20,
            resident_bytes_peak: 20 << 20,
        };
        assert_eq!(memory(status), Some(want));
        // A kernel thread and a process that has just ended have no such lines.
        assert_eq!(memory("Name:\tkworker\n"), None);
    }

    #[test]
    fn disk_bytes_are_not_mistaken_for_system_calls() {
        let io = "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 4096\nwrite_bytes: 8192\n\
                  cancelled_write_bytes: 5\n";
        let want = Storage {
            read_bytes: 4096,
            write_bytes: 8192,
        };
        assert_eq!(storage(io), Some(want));
        assert_eq!(storage("rchar: 1\n"), None);
    }

    #[test]
    fn machine_time_counts_work_and_steal_apart() {
        let stat = "cpu  100 20 300 9000 50 6 7 800 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\nintr 5\n";
        let machine = machine(stat).unwrap();
        assert_eq!(machine.busy, Duration::from_millis(4330));
        assert_eq!(machine.steal, Duration::from_secs(8));
    }

    #[test]
    fn load_and_processor_are_read() {
        assert_eq!(load("1.25 0.50 0.10 2/345 6789\n"), Some(1.25));
        let cpuinfo = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nmodel\t\t: 1\n";
        assert_eq!(processor(cpuinfo), Some("Some CPU @ 2 GHz"));
    }

    #[test]
    fn the_running_kernel_writes_the_forms_read_here() {
        let text = |path: &str| std::fs::read_to_string(path).unwrap();
        assert!(process(&text("/proc/self/stat")).unwrap().threads > 0);
        assert!(memory(&text("/proc/self/status")).unwrap().resident_bytes > 0);
        assert!(machine(&text("/proc/stat")).unwrap().busy > Duration::ZERO);
        assert!(load(&text("/proc/loadavg")).is_some());
    }
}

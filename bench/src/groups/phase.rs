//! What groups did until they were stable, and how it is told.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use types::Monotonic;

use crate::latency::{Latencies, Percentiles};
use crate::usage::{Sample, Usage, Work};

use super::group::Request;

/// Requests that groups sent on their way to a stable generation, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Asked {
    /// JoinGroup, those without an id included.
    pub(crate) joins: u64,
    /// SyncGroup.
    pub(crate) syncs: u64,
    /// Heartbeat.
    pub(crate) heartbeats: u64,
}

impl Asked {
    /// Counts a request.
    pub(crate) fn count(&mut self, request: &Request) {
        match request {
            Request::Join(_) => self.joins += 1,
            Request::Sync(_) => self.syncs += 1,
            Request::Heartbeat(_) => self.heartbeats += 1,
            Request::Leave(_) => {}
        }
    }

    fn add(&mut self, other: Self) {
        self.joins += other.joins;
        self.syncs += other.syncs;
        self.heartbeats += other.heartbeats;
    }

    fn total(self) -> u64 {
        self.joins + self.syncs + self.heartbeats
    }
}

/// What one thread's groups did until they were stable.
#[derive(Clone, Debug)]
pub(crate) struct Formed {
    due: Monotonic,
    last: Monotonic,
    groups: Latencies,
    members: Latencies,
    /// What was sent for it.
    pub(crate) asked: Asked,
}

impl Formed {
    /// Begins when the groups are due to join.
    pub(crate) fn new(due: Monotonic) -> Self {
        Self {
            due,
            last: due,
            groups: Latencies::new(),
            members: Latencies::new(),
            asked: Asked::default(),
        }
    }

    /// Counts a member that has its part in a generation of all, `is_last` if its group has now.
    pub(crate) fn settled(&mut self, now: Monotonic, is_last: bool) {
        let latency = now.since(self.due);
        self.members.record(latency);
        if is_last {
            self.groups.record(latency);
        }
        self.last = now;
    }

    /// Adds what other groups did at the same time or later.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.groups.merge(&other.groups);
        self.members.merge(&other.members);
        self.asked.add(other.asked);
        self.last = self.last.max(other.last);
    }

    /// Sums up, with what was used meanwhile.
    pub(crate) fn phase(&self, first: &Sample, last: &Sample) -> Phase {
        let work = Work {
            requests: self.asked.total(),
            bytes: 0, // groups move none
        };
        Phase {
            seconds: self.elapsed().as_secs_f64(),
            asked: self.asked,
            latency: self.groups.percentiles(),
            member_latency: self.members.percentiles(),
            usage: Usage::between(first, last, work),
        }
    }

    fn elapsed(&self) -> Duration {
        self.last.since(self.due)
    }
}

/// What groups did until they were stable, and what it cost.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Phase {
    /// From the time the first group was due to the last member's part.
    pub(crate) seconds: f64,
    /// What was sent for it.
    asked: Asked,
    /// By group: from when it was due until its last member had its part.
    latency: Percentiles,
    /// By member: from when its group was due until it had its part.
    member_latency: Percentiles,
    /// What it cost; requests are those of `asked`.
    #[serde(flatten)]
    usage: Usage,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Asked {
            joins,
            syncs,
            heartbeats,
        } = self.asked;
        writeln!(
            f,
            "stable in {:.3} s; {joins} JoinGroup, {syncs} SyncGroup, {heartbeats} Heartbeat",
            self.seconds
        )?;
        writeln!(f, "  groups     {} (since due)", self.latency)?;
        writeln!(f, "  members    {} (since due)", self.member_latency)?;
        write!(f, "{}", self.usage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_as_late_as_its_last_member_and_all_count_from_when_they_were_due() {
        let at = |millis| Monotonic::from_start(Duration::from_millis(millis));
        let (mut one, mut other) = (Formed::new(at(100)), Formed::new(at(100)));
        one.settled(at(110), false);
        one.settled(at(150), true);
        other.settled(at(120), true);
        other.asked.joins = 2;
        one.merge(&other);
        assert_eq!((one.members.count(), one.groups.count()), (3, 2));
        assert!((one.groups.percentiles().max_us - 50_000.0).abs() <= 50.0);
        assert_eq!(one.elapsed(), Duration::from_millis(50));
        assert_eq!(one.asked.total(), 2);
    }
}

//! `groups commit`: offsets committed at a fixed rate, whatever the broker does, by members of stable
//! groups.
//!
//! The commits are dealt out to the threads, and by each of them to its groups, in turns. A thread
//! sends what is due, and sleeps until something is due or an answer has come: a slow answer holds
//! nothing up, for a connection may have several commits on their way.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use types::Monotonic;
use wire::api::ApiKey;
use wire::messages::offset_commit;

use crate::args;
use crate::clock;
use crate::connection::{Connection, Outgoing};
use crate::error::Error;
use crate::lane::{Timing, Turn};
use crate::latency::Percentiles;
use crate::pacer::{Schedule, Slip, Slips};
use crate::report::{self, Environment, Since};
use crate::run::{sample_at, with_topic};
use crate::tally::{Load, Tally, Window};
use crate::threads;
use crate::topic::Topic;
use crate::units::{self, real};
use crate::usage::{Usage, Work};

use super::coordinator;
use super::crowd::{self, Circle, Crowd};
use super::group::SESSION_TIMEOUT;
use super::join;
use super::poller::Poller;

/// How long the broker may take for an answer once nothing more is to be sent.
const ANSWER_WAIT: Duration = Duration::from_mins(1);

#[derive(Debug, Serialize)]
struct Report {
    work: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    options: Value,
    environment: Environment,
    /// From the start of measuring to the last answer.
    seconds: f64,
    commits: u64,
    commits_per_second: f64,
    latency_since: Since,
    latency: Percentiles,
    slip: Slip,
    /// What it cost; a request is a commit.
    #[serde(flatten)]
    usage: Usage,
}

/// Runs the subcommand.
pub(crate) fn run(options: &args::Commit) -> Result<(), Error> {
    let args::Run {
        target,
        topic,
        length,
    } = &options.run;
    if length.warm_up() + length.measured() + ANSWER_WAIT >= SESSION_TIMEOUT {
        return Err(Error::Usage(
            "members send no heartbeats: a run of commits ends within nine minutes",
        ));
    }
    let report = with_topic(target, topic, "commit", |topic| {
        let broker = &target.broker;
        let names = coordinator::names("commit", options.groups.get());
        coordinator::wait_until_ready(&mut Connection::open(broker)?, &names)?;
        let crowds = Crowd::gather(broker, &names, 1)?;
        let (crowds, _) = join::join(crowds, target)?;
        let (crowds, report) = measure(options, topic, crowds)?;
        crowd::disperse(crowds)?;
        coordinator::delete(&mut Connection::open(broker)?, &names)?;
        Ok(report)
    })?;
    report::print(&report, target.json)
}

fn measure(
    options: &args::Commit,
    topic: &Topic,
    crowds: Vec<Crowd>,
) -> Result<(Vec<Crowd>, Report), Error> {
    let step = units::count(crowds.len());
    let turns = (0..).map(|first| Turn { first, step });
    let (start, length) = (clock::now(), &options.run.length);
    let window = Window::new(start, length.warm_up(), length.measured());
    let schedule = Schedule {
        start,
        rate_per_second: options.rate,
    };
    let timing = Timing {
        schedule,
        measured_from: window.start,
        count: schedule.count_within(window.end.since(start)),
    };
    let commit = |(mut crowd, turn): (Crowd, Turn)| {
        let mut tally = Tally::new(&window);
        let slips = Thread::new(&mut crowd, topic)?.run(turn, &timing, &mut tally)?;
        Ok((crowd, tally, slips))
    };
    let probe = options.run.target.probe();
    let (outcomes, first) = threads::run(crowds.into_iter().zip(turns), commit, || {
        sample_at(probe, window.start)
    })?;
    let last = probe.sample()?;
    let (mut crowds, mut tallies, mut slips) = (Vec::new(), Vec::new(), Slips::new());
    for (crowd, tally, slipped) in outcomes {
        crowds.push(crowd);
        tallies.push(tally);
        slips.merge(&slipped);
    }
    let (tally, elapsed) = Tally::sum(&window, &tallies);
    let work = Work {
        requests: tally.requests,
        bytes: 0, // commits move none
    };
    let seconds = elapsed.as_secs_f64();
    let report = Report {
        work: "groups-commit",
        label: options.run.target.label.clone(),
        options: serde_json::to_value(options)?,
        environment: Environment::here(),
        seconds,
        commits: tally.requests,
        commits_per_second: real(tally.requests) / seconds.max(f64::MIN_POSITIVE),
        latency_since: Since::Due,
        latency: tally.latencies.percentiles(),
        slip: slips.slip(),
        usage: Usage::between(&first, &last, work),
    };
    Ok((crowds, report))
}

/// One thread, and the members that it commits for.
struct Thread<'a> {
    poller: &'a Poller,
    committers: Vec<Committer<'a>>,
}

/// A member that commits.
struct Committer<'a> {
    connection: &'a mut Connection,
    version: i16,
    request: offset_commit::Request,
    /// When those on their way were due and the ids they were sent under, the oldest first.
    in_flight: VecDeque<(Monotonic, i32)>,
}

/// A commit to be sent when it is due.
struct Next {
    due: Monotonic,
    correlation_id: i32,
    committer: usize,
    request: Outgoing,
}

impl<'a> Thread<'a> {
    /// Takes the one member of each of a crowd's groups.
    fn new(crowd: &'a mut Crowd, topic: &Topic) -> Result<Self, Error> {
        let Crowd {
            poller, circles, ..
        } = crowd;
        let committers = circles
            .iter_mut()
            .map(|circle| Committer::new(circle, topic));
        Ok(Self {
            poller,
            committers: committers.collect::<Result<_, _>>()?,
        })
    }

    fn run(mut self, turn: Turn, timing: &Timing, tally: &mut Tally) -> Result<Slips, Error> {
        let mut slips = Slips::new();
        let mut ready = Vec::new();
        let mut dues = turn.dues(timing).zip((0..self.committers.len()).cycle());
        let mut next = self.next(&mut dues)?;
        loop {
            let now = clock::now();
            if let Some(commit) = next.take_if(|commit| commit.due <= now) {
                if commit.due >= timing.measured_from {
                    slips.record(commit.due, now);
                }
                self.committer(commit.committer).send(commit)?;
                next = self.next(&mut dues)?;
                continue;
            }
            let in_flight = self.committers.iter().map(|it| it.in_flight.len()).sum();
            if next.is_none() && in_flight == 0 {
                return Ok(slips);
            }
            let until = next
                .as_ref()
                .map_or_else(|| now.after(ANSWER_WAIT), |it| it.due);
            self.poller.wait(until, &mut ready)?;
            if next.is_none() && ready.is_empty() {
                return Err(Error::Unanswered {
                    requests: in_flight,
                    seconds: ANSWER_WAIT.as_secs(),
                });
            }
            for index in ready.drain(..) {
                self.committer(index).take(timing, tally)?;
            }
        }
    }

    /// Writes the next commit before it is due.
    fn next(
        &mut self,
        dues: &mut impl Iterator<Item = ((Monotonic, i32), usize)>,
    ) -> Result<Option<Next>, Error> {
        let Some(((due, correlation_id), committer)) = dues.next() else {
            return Ok(None);
        };
        Ok(Some(Next {
            due,
            correlation_id,
            committer,
            request: self.committer(committer).request()?,
        }))
    }

    fn committer(&mut self, index: usize) -> &mut Committer<'a> {
        let committer = self.committers.get_mut(index);
        committer.expect("with one member each, connections count as groups do")
    }
}

impl<'a> Committer<'a> {
    fn new(circle: &'a mut Circle, topic: &Topic) -> Result<Self, Error> {
        let Circle { group, callers } = circle;
        let caller = callers.first_mut().zip(group.membership(0));
        let (caller, (member_id, generation)) = caller.expect("a group has a member");
        let partition = |partition_index| offset_commit::Partition {
            partition_index,
            ..Default::default()
        };
        Ok(Self {
            version: caller.connection.version(ApiKey::OffsetCommit)?,
            connection: &mut caller.connection,
            request: offset_commit::Request {
                group_id: group.id().to_owned(),
                generation_id_or_member_epoch: generation,
                member_id: member_id.to_owned(),
                topics: vec![offset_commit::Topic {
                    name: topic.name.clone(),
                    topic_id: topic.id,
                    partitions: (0..topic.partitions).map(partition).collect(),
                }],
                ..Default::default()
            },
            in_flight: VecDeque::new(),
        })
    }

    /// Writes a commit of offsets beyond those of the one before.
    fn request(&mut self) -> Result<Outgoing, Error> {
        let topics = &mut self.request.topics;
        for partition in topics.iter_mut().flat_map(|it| &mut it.partitions) {
            partition.committed_offset += 1;
        }
        Outgoing::of(&self.request, self.version)
    }

    fn send(&mut self, mut commit: Next) -> Result<(), Error> {
        self.in_flight
            .push_back((commit.due, commit.correlation_id));
        let outgoing = &mut self.connection.outgoing;
        commit.request.send(outgoing, commit.correlation_id)
    }

    /// Takes the answers that are there.
    fn take(&mut self, timing: &Timing, tally: &mut Tally) -> Result<(), Error> {
        let incoming = &mut self.connection.incoming;
        loop {
            let oldest = self.in_flight.pop_front();
            let (due, correlation_id) = oldest.ok_or(Error::Disconnected)?;
            incoming.answer::<offset_commit::Request, _>(
                self.version,
                correlation_id,
                |answer| {
                    let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
                    for partition in partitions {
                        Error::check(ApiKey::OffsetCommit, partition.error_code)?;
                    }
                    Ok(())
                },
            )?;
            if due >= timing.measured_from {
                tally.count(Load::default(), due, clock::now());
            }
            if !incoming.holds_more() {
                return Ok(());
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} commits in {:.2} s, {:.0}/s",
            self.work, self.commits, self.seconds, self.commits_per_second
        )?;
        writeln!(f, "  answers    {} (since due)", self.latency)?;
        writeln!(f, "  slip       {}", self.slip)?;
        write!(f, "{}", self.usage)
    }
}

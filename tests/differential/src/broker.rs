//! One run of a script against one broker: sends the steps, and keeps what was answered.
//!
//! A run has a name of its own, which stands in every name that it gives to a topic, a group or a
//! user, so that it meets nothing that runs before it left behind. (Two at once would meet in the
//! group that has no name.)
//!
//! No clock decides what is compared. A request that changes metadata is followed by a *fence*
//! ([`Fence`]); a parked one by the condition that its step names. Answers that come before they
//! are due are recorded as such.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use wire::api::{ApiKey, VersionRange};

use crate::fence::{self, Fence};
use crate::line::{Line, Unanswered};
use crate::messages::Form;
use crate::script::{Due, LINES, RUN, Script, Step, nobodys_id};
use crate::tree::{Earlier, Tree, body, replace_bytes};

/// What became of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was answered when it was due.
    Answered(Tree),
    /// It was answered while it should have been parked.
    Early(Tree),
    /// It was not answered, and why.
    Unanswered(String),
    /// The broker does not say that it serves this.
    Unserved,
}

/// What became of all steps, by their numbers.
pub(crate) type Outcomes = BTreeMap<usize, Outcome>;

/// Why there is no run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The broker is not there.
    #[error("{address}: {source}")]
    Unreachable {
        /// Its address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The broker does not answer what every run begins with.
    #[error("{address} does not get ready: {reason}")]
    NotReady {
        /// Its address.
        address: SocketAddr,
        /// What it did not do.
        reason: String,
    },
}

/// A broker, and one run against it.
pub(crate) struct Run {
    address: SocketAddr,
    name: String,
    served: BTreeMap<i16, VersionRange>,
    lines: Vec<Line>,
    probe: Line,
    fence: Fence,
    answers: BTreeMap<usize, Tree>,
    parked: BTreeMap<usize, (usize, Form)>,
    outcomes: Outcomes,
}

impl Run {
    /// Connects, and waits until the broker is ready for all that a script may ask.
    pub(crate) fn start(address: SocketAddr) -> Result<Self, Failure> {
        let unreachable = |source| Failure::Unreachable { address, source };
        let name = fresh_name();
        let open = |id: String| Line::open(address, id).map_err(unreachable);
        let lines = (0..LINES).map(|line| open(format!("client-{line}")));
        let lines = lines.collect::<Result<Vec<_>, _>>()?;
        let mut probe = open("probe".to_owned())?;
        let not_ready = |reason| Failure::NotReady { address, reason };
        let served = served(&mut probe).map_err(|error| not_ready(error.to_string()))?;
        if served.contains_key(&ApiKey::JoinGroup.wire()) {
            fence::await_coordinators(&mut probe, &name).map_err(not_ready)?;
            fence::forget_nameless_group(&mut probe).map_err(not_ready)?;
        }
        fence::await_producer_ids(&mut probe).map_err(not_ready)?;
        if served.contains_key(&ApiKey::DescribeTransactions.wire()) {
            fence::await_transactions(&mut probe, &name).map_err(not_ready)?;
        }
        let fence = Fence::set_up(&mut probe, &name).map_err(not_ready)?;
        Ok(Self {
            address,
            name,
            served,
            lines,
            probe,
            fence,
            answers: BTreeMap::new(),
            parked: BTreeMap::new(),
            outcomes: BTreeMap::new(),
        })
    }

    /// Returns whether the broker says that it serves this.
    pub(crate) fn serves(&self, form: Form) -> bool {
        let range = self.served.get(&form.key.wire());
        range.is_some_and(|range| range.contains(form.version))
    }

    /// Returns the name that stands in the place of [`RUN`].
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Sends all steps; `keep` says which.
    pub(crate) fn play(&mut self, script: &Script, keep: impl Fn(&Step) -> bool) -> Outcomes {
        for step in script.steps.iter().filter(|step| keep(step)) {
            self.take(step);
        }
        let left: Vec<usize> = self.parked.keys().copied().collect();
        for id in left {
            self.outcomes
                .insert(id, Outcome::Unanswered("never released".to_owned()));
        }
        std::mem::take(&mut self.outcomes)
    }

    fn take(&mut self, step: &Step) {
        if !self.serves(step.form) {
            self.outcomes.insert(step.id, Outcome::Unserved);
            return;
        }
        self.note_early();
        self.abandon(step.line);
        let body = self.bind(&step.body);
        if let Err(unanswered) = self.lines[step.line].send(step.form, &body) {
            self.give_up(step.id, step.line, &unanswered);
            return;
        }
        self.parked.insert(step.id, (step.line, step.form));
        match &step.due {
            Due::Now => self.collect(step.id),
            Due::Released => {}
            Due::ReleasedOnceRebalancing { group, members } => {
                self.await_rebalance(step.id, group, *members);
            }
        }
        for &id in &step.releases {
            self.collect(id);
        }
        if fence::is_needed_after(step.form.key)
            && self.answers.get(&step.id).is_some_and(fence::tells_success)
            && let Err(reason) = self.fence.pass(&mut self.probe)
        {
            let reason = format!("changes stay invisible: {reason}");
            self.outcomes.insert(step.id, Outcome::Unanswered(reason));
        }
    }

    /// Whatever came in for a parked request by now came before its time; but an error may.
    fn note_early(&mut self) {
        let parked: Vec<usize> = self.parked.keys().copied().collect();
        for id in parked {
            let line = self.parked[&id].0;
            if self.lines[line].has_answer() {
                self.collect(id);
                if let Some(Outcome::Answered(tree)) = self.outcomes.get(&id)
                    && tree.int_at("error_code") == Some(0)
                {
                    let early = Outcome::Early(tree.clone());
                    self.outcomes.insert(id, early);
                }
            }
        }
    }

    /// A line whose request will not be answered any more is replaced by a fresh one.
    fn abandon(&mut self, line: usize) {
        let parked = self.parked.iter().find(|(_, (at, _))| *at == line);
        if let Some((&id, _)) = parked {
            self.give_up(id, line, &Unanswered::Missing);
        }
    }

    fn give_up(&mut self, id: usize, line: usize, why: &Unanswered) {
        self.parked.remove(&id);
        self.outcomes
            .insert(id, Outcome::Unanswered(why.to_string()));
        if let Ok(fresh) = Line::open(self.address, format!("client-{line}")) {
            self.lines[line] = fresh;
        }
    }

    fn collect(&mut self, id: usize) {
        let Some((line, form)) = self.parked.remove(&id) else {
            return;
        };
        match self.lines[line].answer(form) {
            Ok(tree) => {
                self.answers.insert(id, tree.clone());
                self.outcomes.insert(id, Outcome::Answered(tree));
            }
            Err(unanswered) => self.give_up(id, line, &unanswered),
        }
    }

    /// Waits until a group rebalances with so many members: the parked request has been taken in.
    fn await_rebalance(&mut self, id: usize, group: &str, members: usize) {
        let group = group.replace(RUN, &self.name);
        if let Err(reason) = fence::await_rebalance(&mut self.probe, &group, members) {
            self.outcomes.insert(id, Outcome::Unanswered(reason));
        }
    }

    /// Puts this run's name and what this broker answered into a request.
    fn bind(&self, body: &Tree) -> Tree {
        body.map(&mut |leaf| match leaf {
            Tree::Text(text) => Tree::Text(text.replace(RUN, &self.name)),
            Tree::Bytes(bytes) => Tree::Bytes(replace_bytes(bytes, RUN, &self.name)),
            Tree::Earlier(Earlier { step, path }) => {
                let answer = self.answers.get(step);
                match answer.and_then(|answer| answer.at(path)) {
                    // A topic that was not created: zeros would not be an id at all.
                    Some(Tree::Uuid(id)) if *id == [0; 16] => Tree::Uuid(nobodys_id(*step)),
                    found => found.cloned().unwrap_or(Tree::Null),
                }
            }
            other => other.clone(),
        })
    }
}

/// A name that no other run of this process has, and hardly any of another; it is as long as
/// [`RUN`].
fn fresh_name() -> String {
    static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| {
        let first = RandomState::new().build_hasher().finish();
        AtomicU64::new(first)
    });
    format!("r{:05x}", NEXT.fetch_add(1, Ordering::Relaxed) & 0xf_ffff)
}

fn served(probe: &mut Line) -> Result<BTreeMap<i16, VersionRange>, Unanswered> {
    let form = Form {
        key: ApiKey::ApiVersions,
        version: 0,
    };
    let answer = probe.call(form, &body! {})?;
    let Some(Tree::List(rows)) = answer.at("api_keys") else {
        return Ok(BTreeMap::new());
    };
    let number = |row: &Tree, name| row.int_at(name).and_then(|n| i16::try_from(n).ok());
    let ranges = rows.iter().filter_map(|row| {
        let (min, max) = (number(row, "min_version")?, number(row, "max_version")?);
        Some((number(row, "api_key")?, VersionRange { min, max }))
    });
    Ok(ranges.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_runs_share_a_name() {
        let names: std::collections::BTreeSet<_> = (0..10_000).map(|_| fresh_name()).collect();
        assert_eq!(names.len(), 10_000);
        assert!(names.iter().all(|name| name.len() == RUN.len()));
    }
}

//! The order of things within one group: what waits for the log, and what waits for that.
//!
//! A lane exists while something of its group is on its way to the log or waits. Tasks wait in the
//! order in which they came; none overtakes another.
//!
//! | on its way | a request or timer | a task that must see every offset |
//! |---|---|---|
//! | nothing | runs | runs |
//! | commits | runs | waits |
//! | a record of the group, or a deletion | waits | waits |

use std::collections::{BTreeMap, VecDeque};

use crate::deleted::TopicsDeleted;
use crate::request::{OffsetFetch, Request, Stability, Token};
use crate::text::GroupId;
use crate::timers::TimerKey;

/// What waits while a write is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// All else that concerns the group.
    Group,
    /// Only what must see every offset.
    Offsets,
}

/// Something to be done with one group.
#[derive(Debug)]
pub(crate) enum Task {
    /// A request is to be answered.
    Request(Token, Request),
    /// A timer of the group went off.
    Timer(TimerKey),
    /// Offsets that nobody uses are looked for.
    Expire,
    /// Topics are gone.
    Forget(TopicsDeleted),
}

impl Task {
    /// Returns whether the task must see every offset that is on its way.
    fn needs_every_offset(&self) -> bool {
        match self {
            Self::Request(_, request) => matches!(
                request,
                Request::OffsetDelete(_)
                    | Request::DeleteGroup(_)
                    | Request::OffsetFetch(OffsetFetch {
                        stability: Stability::Required,
                        ..
                    })
            ),
            Self::Timer(_) => false,
            Self::Expire | Self::Forget(_) => true,
        }
    }
}

/// One group's lane.
#[derive(Debug, Default)]
struct Lane {
    commits: usize,
    is_held: bool,
    waiting: VecDeque<Task>,
}

impl Lane {
    fn is_open_for(&self, task: &Task) -> bool {
        !self.is_held && (self.commits == 0 || !task.needs_every_offset())
    }

    fn is_idle(&self) -> bool {
        self.commits == 0 && !self.is_held && self.waiting.is_empty()
    }
}

/// The lanes of all groups.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    lanes: BTreeMap<GroupId, Lane>,
}

impl Lanes {
    /// Returns whether a task may run now.
    pub(crate) fn is_open_for(&self, group: &GroupId, task: &Task) -> bool {
        let lane = self.lanes.get(group);
        lane.is_none_or(|lane| lane.waiting.is_empty() && lane.is_open_for(task))
    }

    /// Returns the groups that have a lane.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &GroupId> {
        self.lanes.keys()
    }

    /// Returns how many tasks wait in a lane.
    pub(crate) fn waiting_count(&self, group: &GroupId) -> usize {
        self.lanes.get(group).map_or(0, |lane| lane.waiting.len())
    }

    /// Lets a task wait behind the others.
    pub(crate) fn wait(&mut self, group: &GroupId, task: Task) {
        let lane = self.lanes.entry(group.clone()).or_default();
        lane.waiting.push_back(task);
    }

    /// Lets a task run before the others.
    pub(crate) fn put_first(&mut self, group: &GroupId, task: Task) {
        let lane = self.lanes.entry(group.clone()).or_default();
        lane.waiting.push_front(task);
    }

    /// Takes the next task if it may run now; a lane that nobody needs is gone.
    pub(crate) fn next(&mut self, group: &GroupId) -> Option<Task> {
        let lane = self.lanes.get_mut(group)?;
        if lane.is_idle() {
            self.lanes.remove(group);
            return None;
        }
        if !lane.is_open_for(lane.waiting.front()?) {
            return None;
        }
        lane.waiting.pop_front()
    }

    /// Says that a write is on its way.
    pub(crate) fn enter(&mut self, group: &GroupId, hold: Hold) {
        let lane = self.lanes.entry(group.clone()).or_default();
        assert!(!lane.is_held, "nothing runs while a group is held");
        match hold {
            Hold::Group => lane.is_held = true,
            Hold::Offsets => lane.commits += 1,
        }
    }

    /// Says that a write has arrived, or failed.
    pub(crate) fn leave(&mut self, group: &GroupId, hold: Hold) {
        let lane = self.lanes.get_mut(group);
        let lane = lane.expect("a write holds its group's lane");
        match hold {
            Hold::Group => lane.is_held = false,
            Hold::Offsets => lane.commits -= 1,
        }
    }

    /// Takes everything that waits.
    pub(crate) fn take_all(&mut self) -> Vec<Task> {
        let lanes = std::mem::take(&mut self.lanes);
        lanes.into_values().flat_map(|lane| lane.waiting).collect()
    }
}

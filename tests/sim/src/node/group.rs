//! A consumer group of one topic: its members, who come and go, and what must become of them once
//! everything is healthy.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use runtime::{Queue, TaskGroup};

use super::committer;
use super::desk::Desk;
use super::member::Seat;
use super::tenant::Topic;
use crate::chance::Chance;
use crate::history::{Event, GroupEvent, GroupNumber};

/// What a group may take to settle beyond its timeouts: answers that are slow, pauses before a request
/// is made again, the wait for the first members.
const SLACK: Duration = Duration::from_millis(500);

/// How long a group that does not settle is watched.
const WATCH_MAX: Duration = Duration::from_secs(20);

/// How often it is looked at whether a group has settled.
const WATCH_STEP: Duration = Duration::from_millis(2);

/// What a member has, and in which generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) generation: i32,
    pub(super) partitions: Vec<i32>,
}

/// A group, shared by its members.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) number: GroupNumber,
    pub(super) topic: Rc<Topic>,
    /// After which silence a member is taken for dead.
    pub(super) session: Duration,
    /// How long members may take to join again.
    pub(super) rebalance: Duration,
    /// How many seats are kept.
    seats: Cell<usize>,
    parts: RefCell<BTreeMap<usize, Part>>,
    over: Cell<bool>,
}

impl Group {
    fn new(number: GroupNumber, topic: &Rc<Topic>, chance: &mut Chance) -> Self {
        Self {
            number,
            topic: Rc::clone(topic),
            session: Duration::from_millis(chance.pick(&[60, 150, 400])),
            rebalance: Duration::from_millis(chance.pick(&[60, 150, 400])),
            seats: Cell::new(0),
            parts: RefCell::default(),
            over: Cell::new(false),
        }
    }

    /// Returns its name: each life of a topic has groups of its own.
    pub(super) fn name(&self) -> String {
        format!("{} of {}", self.number, self.topic.name)
    }

    /// Returns whether members are to go for good.
    pub(super) fn is_over(&self) -> bool {
        self.over.get() || self.topic.is_doomed()
    }

    /// Returns the last partition that the topic had from the beginning.
    pub(super) fn partition_last(&self) -> u64 {
        u64::try_from(self.topic.partitions_first - 1).unwrap_or(0)
    }

    /// Notes that a seat will stay empty.
    pub(super) fn vacate(&self) {
        self.seats.set(self.seats.get() - 1);
    }

    /// Notes what the member in a seat has now; `None`: it is in no generation.
    pub(super) fn place(&self, seat: usize, part: Option<Part>) {
        let mut parts = self.parts.borrow_mut();
        match part {
            Some(part) => parts.insert(seat, part),
            None => parts.remove(&seat),
        };
    }

    /// Puts something that happened into the history.
    pub(super) fn note(&self, desk: &Desk, event: GroupEvent) {
        desk.note(Event::Group(self.number, event));
    }

    /// Returns whether all members are in one generation and have all partitions among them.
    fn has_settled(&self) -> bool {
        let parts = self.parts.borrow();
        let generations: BTreeSet<i32> = parts.values().map(|part| part.generation).collect();
        let owned: BTreeSet<i32> = parts
            .values()
            .flat_map(|it| &it.partitions)
            .copied()
            .collect();
        let all = 0..self.topic.partitions_first;
        parts.len() == self.seats.get()
            && generations.len() == 1
            && all.into_iter().all(|it| owned.contains(&it))
    }
}

/// Keeps a group until the life ends or the topic goes.
pub(super) async fn keep(desk: Rc<Desk>, topic: Rc<Topic>, mut chance: Chance) {
    let group = desk.open_group(|number| Group::new(number, &topic, &mut chance));
    let users = TaskGroup::new();
    if chance.percent(20) {
        for _ in 0..chance.between(1, 2) {
            let committing = committer::run(Rc::clone(&desk), Rc::clone(&group), chance.fork());
            users.spawn(Queue::Latency, committing);
        }
    } else {
        let seats = chance.pick(&[1, 2, 2, 3, 4]);
        group.seats.set(seats);
        for number in 0..seats {
            let seat = Seat::new(&desk, &group, number, chance.fork());
            users.spawn(Queue::Latency, seat.keep());
        }
        watch(&desk, &group).await;
    }
    users.join_all().await;
}

/// Waits for the end, and until the group has settled.
async fn watch(desk: &Desk, group: &Group) {
    while !desk.is_finishing() && !group.is_over() {
        runtime::sleep(10 * WATCH_STEP).await;
    }
    let began = runtime::now();
    let watched = runtime::timeout(WATCH_MAX, async {
        while !group.has_settled() && !group.is_over() {
            runtime::sleep(WATCH_STEP).await;
        }
    });
    let settled = watched.await;
    if !group.topic.is_doomed() {
        let took = runtime::now().since(began);
        // Whoever vanished has its session, and a rebalance waits for who is slow; twice, since the
        // last member may come in the middle of that.
        let allowed = 2 * (group.session + group.rebalance) + SLACK;
        let took = settled.map_or(WATCH_MAX, |()| took);
        group.note(desk, GroupEvent::Settled { took, allowed });
    }
    group.over.set(true);
}

//! One life: events in the order of their time, each drawn from the seed.

use std::collections::BTreeMap;
use std::time::Duration;

use coordinator::{
    Action, AppendFailure, Claim, Coordinator, GroupId, GroupState, Now, OffsetDelete, Record,
    RecordBytes, Request, Response, Settings, Ticket, Token,
};
use types::{Monotonic, Offset, TimestampMs};

use crate::simulation::chance::Chance;
use crate::simulation::member::{Member, PARTITIONS, REBALANCE_MS, SESSION_MS, Stage};
use crate::simulation::promises::Promises;
use crate::support::{nobody, partition, replay, topic};

pub(crate) const RETENTION_MS: u64 = 60_000;
const GROUPS: usize = 2;
/// How long things go wrong.
const TROUBLE_MS: u64 = 300_000;
/// How long the healed members have to share all partitions.
const HEALING_MS: u64 = 3 * (SESSION_MS + REBALANCE_MS);

/// Something that will happen.
enum Event {
    /// A request arrives at the coordinator.
    Arrive(Box<Sent>),
    /// An answer arrives at a member.
    Answer {
        member: usize,
        process: u64,
        asked: u64,
        response: Response,
    },
    /// A member does something of its own accord.
    Wake { member: usize, process: u64 },
    /// A member's client has waited for long enough, and asks again.
    GiveUp {
        member: usize,
        process: u64,
        asked: u64,
    },
    /// The log has an answer for an append.
    Log { reign: u64, ticket: Ticket },
    /// A process starts.
    Start { member: usize },
    /// The coordinator has replayed its log.
    Load,
    /// Something goes wrong.
    Trouble,
}

/// A request on its way.
#[derive(Clone)]
struct Sent {
    /// Who waits for the answer; nobody waits for that to a duplicate.
    from: Option<(usize, u64, u64)>,
    group: usize,
    claim: Claim,
    at: u64,
    commit: Option<usize>,
    request: Request,
}

pub(crate) struct Life {
    seed: u64,
    chance: Chance,
    now_ms: u64,
    is_troubled: bool,
    events: BTreeMap<(u64, u64), Event>,
    event_count: u64,
    settings: Settings,
    /// `None` while it is down.
    coordinator: Option<Coordinator>,
    /// Counts the coordinators.
    reign: u64,
    log: Vec<RecordBytes>,
    snapshot: Option<Vec<u8>>,
    appends: BTreeMap<Ticket, Vec<RecordBytes>>,
    log_free_at: u64,
    waiting: BTreeMap<Token, Sent>,
    token_count: u64,
    stamp: u64,
    members: Vec<Member>,
    pub(crate) promises: Promises,
    trace: u64,
}

impl Life {
    pub(crate) fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let mut members = Vec::new();
        for group in 0..GROUPS {
            for index in 0..chance.between(1, 4) {
                let is_static = chance.permille(400);
                let instance = is_static.then(|| format!("static-{group}-{index}"));
                members.push(Member::new(group, instance));
            }
        }
        let settings = Settings {
            offsets_retention: Duration::from_millis(RETENTION_MS),
            offsets_retention_check_interval: Duration::from_secs(7),
            ..Settings::default()
        };
        Self {
            seed,
            chance,
            now_ms: 0,
            is_troubled: true,
            events: BTreeMap::new(),
            event_count: 0,
            settings,
            coordinator: None,
            reign: 0,
            log: Vec::new(),
            snapshot: None,
            appends: BTreeMap::new(),
            log_free_at: 0,
            waiting: BTreeMap::new(),
            token_count: 0,
            stamp: 0,
            members,
            promises: Promises::new(GROUPS),
            trace: 0,
        }
    }

    /// Returns a number that stands for everything that happened.
    pub(crate) fn trace(&self) -> u64 {
        self.trace
    }

    /// Lives: trouble, then healing, then silence.
    pub(crate) fn live(&mut self) {
        let seed = self.seed;
        let mut guard = Guard { seed, done: false };
        self.load();
        for member in 0..self.members.len() {
            let delay = self.chance.between(0, 5_000);
            self.later(delay, Event::Start { member });
        }
        self.later(1_000, Event::Trouble);
        self.run_until(TROUBLE_MS);
        self.heal();
        self.run_until(TROUBLE_MS + HEALING_MS);
        self.check_that_all_is_shared();
        self.fall_silent();
        self.run_until(self.now_ms + HEALING_MS);
        self.check_that_all_is_empty();
        guard.done = true;
    }

    fn now(&self) -> Now {
        let elapsed = Duration::from_millis(self.now_ms);
        Now {
            monotonic: Monotonic::from_start(elapsed),
            wall: TimestampMs(1_000_000 + i64::try_from(self.now_ms).unwrap()),
        }
    }

    fn later(&mut self, delay: u64, event: Event) {
        self.event_count += 1;
        self.events
            .insert((self.now_ms + delay, self.event_count), event);
    }

    /// Events and deadlines, in the order of their time.
    fn run_until(&mut self, end_ms: u64) {
        loop {
            let next_event = self.events.keys().next().map_or(u64::MAX, |(at, _)| *at);
            let deadline = self.coordinator.as_ref().and_then(Coordinator::deadline);
            let deadline = deadline.map_or(u64::MAX, |at| {
                u64::try_from(at.since_start().as_millis()).unwrap()
            });
            let next = next_event.min(deadline);
            if next > end_ms {
                self.now_ms = end_ms;
                return;
            }
            self.now_ms = self.now_ms.max(next);
            if deadline <= next_event {
                let now = self.now();
                let actions = self.coordinator.as_mut().unwrap().expire(now);
                self.carry_out(actions);
            } else {
                let (_, event) = self.events.pop_first().unwrap();
                self.happen(event);
            }
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive(sent) => self.arrive(*sent),
            Event::Answer {
                member,
                process,
                asked,
                response,
            } => {
                let there = &mut self.members[member];
                if there.process == process && there.asked == asked && there.is_waiting {
                    there.take(response);
                    if there.stage == Stage::Fenced && !there.is_zombie {
                        // By a late request of its own: whoever runs it starts it anew.
                        self.later(1_000, Event::Start { member });
                    }
                    self.wake_soon(member);
                }
            }
            Event::Wake { member, process } => self.wake(member, process),
            Event::GiveUp {
                member,
                process,
                asked,
            } => {
                let there = &mut self.members[member];
                if there.process == process && there.asked == asked && there.is_waiting {
                    there.is_waiting = false;
                    self.wake_soon(member);
                }
            }
            Event::Log { reign, ticket } => self.answer_append(reign, ticket),
            Event::Start { member } => {
                let there = &self.members[member];
                let is_gone = matches!(there.stage, Stage::Down | Stage::Fenced);
                if is_gone && !there.is_zombie {
                    self.members[member].start();
                    self.wake_soon(member);
                }
            }
            Event::Load => self.load(),
            Event::Trouble => self.trouble(),
        }
    }

    fn wake_soon(&mut self, member: usize) {
        let process = self.members[member].process;
        let delay = match self.members[member].stage {
            Stage::Reading => self.chance.between(100, 2_500),
            _ => self.chance.between(1, 300),
        };
        // A process may stand still for longer than its session, and know nothing of it.
        let pause = if self.is_troubled && self.chance.permille(10) {
            self.chance.between(1_000, 2 * SESSION_MS)
        } else {
            0
        };
        self.later(delay + pause, Event::Wake { member, process });
    }

    fn wake(&mut self, member: usize, process: u64) {
        if self.members[member].process != process || self.members[member].is_waiting {
            return;
        }
        self.stamp += 1;
        let stamp = self.stamp;
        let there = &mut self.members[member];
        let Some(request) = there.next_request(&mut self.chance, stamp) else {
            return;
        };
        let claim = match &request {
            Request::OffsetCommit(commit) => commit.claim.clone(),
            _ => there.claim(),
        };
        there.asked += 1;
        there.is_waiting = true;
        let (group, asked) = (there.group, there.asked);
        let sent = Sent {
            from: Some((member, process, asked)),
            group,
            claim,
            at: self.now_ms,
            commit: None,
            request,
        };
        if self.is_troubled && self.chance.permille(30) {
            let copy = Sent {
                from: None,
                ..sent.clone()
            };
            self.send(copy, stamp);
        }
        self.send(sent, stamp);
        let patience = REBALANCE_MS + 5_000;
        let give_up = Event::GiveUp {
            member,
            process,
            asked,
        };
        self.later(patience, give_up);
    }

    fn send(&mut self, mut sent: Sent, stamp: u64) {
        if let Request::OffsetCommit(commit) = &sent.request {
            let partition = commit.offsets[0].partition.get();
            let number = self
                .promises
                .committing(self.now_ms, sent.group, partition, stamp);
            sent.commit = Some(number);
        }
        let is_late = self.is_troubled && self.chance.permille(20);
        let delay = if is_late {
            self.chance.between(500, 2 * SESSION_MS)
        } else {
            self.chance.between(0, 10)
        };
        self.later(delay, Event::Arrive(Box::new(sent)));
    }

    fn arrive(&mut self, sent: Sent) {
        let now = self.now();
        let Some(coordinator) = &mut self.coordinator else {
            return; // nobody listens
        };
        self.token_count += 1;
        let token = Token(self.token_count);
        let mut request = sent.request.clone();
        if let Request::Join(join) = &mut request {
            join.random = self.chance.bytes(); // drawn by whoever receives it
        }
        if matches!(request, Request::DeleteGroup(_) | Request::OffsetDelete(_)) {
            self.promises.deletion_begins(sent.group);
        }
        self.waiting.insert(token, sent);
        let actions = coordinator.request(now, token, request);
        self.carry_out(actions);
    }

    fn carry_out(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Append { ticket, records } => self.append(ticket, records),
                Action::Reply { token, response } => self.reply(token, response),
            }
        }
    }

    /// The log answers appends in order, now and then slowly.
    fn append(&mut self, ticket: Ticket, records: Vec<RecordBytes>) {
        self.appends.insert(ticket, records);
        let is_slow = self.is_troubled && self.chance.permille(50);
        let delay = if is_slow {
            self.chance.between(100, 3_000)
        } else {
            self.chance.between(1, 20)
        };
        self.log_free_at = self.log_free_at.max(self.now_ms + delay);
        let reign = self.reign;
        self.later(self.log_free_at - self.now_ms, Event::Log { reign, ticket });
    }

    fn answer_append(&mut self, reign: u64, ticket: Ticket) {
        if reign != self.reign || self.coordinator.is_none() {
            return;
        }
        let now = self.now();
        let records = self.appends.remove(&ticket).unwrap();
        let fails = self.is_troubled && self.chance.permille(10);
        if !fails {
            self.make_durable(records);
        }
        let coordinator = self.coordinator.as_mut().unwrap();
        let actions = if fails {
            coordinator.failed(now, ticket, AppendFailure::Unavailable)
        } else {
            coordinator.committed(now, ticket)
        };
        self.carry_out(actions);
        if self.chance.permille(5) {
            let end = Offset::new(i64::try_from(self.log.len()).unwrap()).unwrap();
            self.snapshot = Some(self.coordinator.as_ref().unwrap().snapshot(end));
        }
    }

    fn make_durable(&mut self, records: Vec<RecordBytes>) {
        for bytes in records {
            let record = Record::decode(Some(&bytes.key), bytes.value.as_deref());
            let record = record.unwrap().unwrap();
            let group: usize = record.group().as_str()[1..].parse().unwrap();
            self.promises.logged(self.now_ms, group, &record);
            self.log.push(bytes);
        }
    }

    fn reply(&mut self, token: Token, response: Response) {
        let sent = self.waiting.remove(&token);
        let sent = sent.unwrap_or_else(|| panic!("{token:?} was answered twice")); // promise 1
        self.trace = self.trace.rotate_left(7) ^ self.now_ms ^ token.0;
        self.look_at(&sent, &response);
        if let Some((member, process, asked)) = sent.from {
            let answer = Event::Answer {
                member,
                process,
                asked,
                response,
            };
            let delay = self.chance.between(0, 10);
            self.later(delay, answer);
        }
    }

    fn look_at(&mut self, sent: &Sent, response: &Response) {
        let (now, group) = (self.now_ms, sent.group);
        match response {
            Response::OffsetCommit(result) => {
                let number = sent.commit.unwrap();
                let result = result
                    .as_ref()
                    .map_err(|error| *error)
                    .and_then(|each| each[0]);
                self.promises.committed(now, number, &sent.claim, result);
            }
            Response::Heartbeat(Ok(())) => {
                self.promises.well(now, group, &sent.claim, sent.at);
            }
            Response::Sync(Ok(synced)) => {
                self.promises
                    .synced(now, group, &sent.claim, sent.at, synced);
            }
            Response::OffsetFetch(Ok(topics)) => {
                for (partition, committed) in &topics[0].partitions {
                    let stamp = committed
                        .as_ref()
                        .map(|c| c.metadata.as_str().parse().unwrap());
                    self.promises
                        .fetched(sent.at, group, partition.get(), stamp);
                }
            }
            Response::DeleteGroup(_) | Response::OffsetDelete(_) => {
                self.promises.deletion_ends(group);
            }
            _ => {}
        }
    }

    fn trouble(&mut self) {
        if !self.is_troubled {
            return;
        }
        match self.chance.between(0, 9) {
            0..=1 => self.crash_coordinator(),
            2..=4 => {
                let member = self.chance.index(self.members.len());
                self.members[member].crash();
                let delay = if self.chance.permille(500) {
                    self.chance.between(10, 2_000)
                } else {
                    self.chance.between(2_000, 80_000)
                };
                self.later(delay, Event::Start { member });
            }
            5 => {
                // A static member's name is taken by a process beside the present one.
                let member = self.chance.index(self.members.len());
                let there = &self.members[member];
                if there.instance.is_some() && !there.is_zombie {
                    let zombie = self.members[member].zombie();
                    self.members.push(zombie);
                    let process = self.members[member].process;
                    self.members[member].start();
                    assert_ne!(self.members[member].process, process);
                    self.wake_soon(member);
                    self.wake_soon(self.members.len() - 1);
                }
            }
            6..=7 => self.administer(),
            _ => {}
        }
        let delay = self.chance.between(500, 8_000);
        self.later(delay, Event::Trouble);
    }

    /// Somebody deletes a group or its offsets, which is refused while members are there.
    fn administer(&mut self) {
        let group = self.chance.index(GROUPS);
        let id: GroupId = format!("g{group}").parse().unwrap();
        let request = if self.chance.permille(500) {
            Request::DeleteGroup(id)
        } else {
            let index = self.chance.index(usize::try_from(PARTITIONS).unwrap());
            Request::OffsetDelete(OffsetDelete {
                group: id,
                partitions: vec![(topic("t"), partition(i32::try_from(index).unwrap()))],
            })
        };
        let sent = Sent {
            from: None,
            group,
            claim: nobody(),
            at: self.now_ms,
            commit: None,
            request,
        };
        self.later(0, Event::Arrive(Box::new(sent)));
    }

    /// Of what is on its way to the log a part survives, in order.
    fn crash_coordinator(&mut self) {
        if self.coordinator.take().is_none() {
            return;
        }
        let appends = std::mem::take(&mut self.appends);
        let survivors = self.chance.index(appends.len() + 1);
        for (_, records) in appends.into_iter().take(survivors) {
            self.make_durable(records);
        }
        self.promises.deletions_end();
        for (_, sent) in std::mem::take(&mut self.waiting) {
            if let Some((member, process, asked)) = sent.from {
                let lost = Event::GiveUp {
                    member,
                    process,
                    asked,
                };
                let delay = self.chance.between(1, 1_000);
                self.later(delay, lost);
            }
        }
        let delay = self.chance.between(10, 6_000);
        self.later(delay, Event::Load);
    }

    /// Starts a coordinator of the newest snapshot and the rest of the log.
    fn load(&mut self) {
        if self.coordinator.is_some() {
            return;
        }
        let settings = self.settings.clone();
        let (mut coordinator, from) = match &self.snapshot {
            Some(bytes) => Coordinator::from_snapshot(settings.clone(), bytes).unwrap(),
            None => (Coordinator::new(settings.clone()), Offset::ZERO),
        };
        let from = usize::try_from(from.get()).unwrap();
        replay(&mut coordinator, &self.log[from..]);
        let mut whole = Coordinator::new(settings);
        replay(&mut whole, &self.log);
        assert_eq!(coordinator.logged(), whole.logged());
        self.reign += 1;
        self.log_free_at = self.now_ms;
        let actions = coordinator.loaded(self.now());
        self.coordinator = Some(coordinator);
        self.carry_out(actions);
    }

    /// From now on nothing goes wrong, and whoever is not there comes back.
    fn heal(&mut self) {
        self.is_troubled = false;
        self.load();
        for member in 0..self.members.len() {
            let there = &self.members[member];
            if there.stage == Stage::Down && !there.is_zombie {
                self.members[member].start();
                self.wake_soon(member);
            }
        }
    }

    fn states(&mut self) -> Vec<GroupState> {
        let mut states = Vec::new();
        for group in 0..GROUPS {
            let id = format!("g{group}").parse().unwrap();
            let coordinator = self.coordinator.as_mut().unwrap();
            let now = Now {
                monotonic: Monotonic::ZERO,
                wall: TimestampMs(0),
            };
            let actions = coordinator.request(now, Token(u64::MAX), Request::Describe(id));
            let Some(Action::Reply { response, .. }) = actions.into_iter().next() else {
                panic!("a description waits for nothing")
            };
            match response {
                Response::Describe(described) => {
                    states.push(described.map_or(GroupState::Empty, |d| d.state));
                }
                other => panic!("{other:?}"),
            }
        }
        states
    }

    /// Every partition has one owner who is there. Members still come and go of their own accord, so
    /// the group is looked at until it is between two rebalances.
    fn check_that_all_is_shared(&mut self) {
        for group in 0..GROUPS {
            let end = self.now_ms + HEALING_MS;
            while !self.is_shared(group) {
                assert!(
                    self.now_ms < end,
                    "group {group} is stuck: {:?}",
                    self.members
                );
                self.run_until(self.now_ms + 100);
            }
        }
    }

    fn is_shared(&self, group: usize) -> bool {
        let there = |member: &&Member| member.group == group && !member.is_zombie;
        let members: Vec<&Member> = self.members.iter().filter(there).collect();
        let generation = members.iter().map(|member| member.generation).max();
        let mut owned: Vec<u8> = Vec::new();
        for member in members {
            let is_settled = matches!(member.stage, Stage::Reading | Stage::Fetching);
            if !is_settled || Some(member.generation) != generation {
                return false;
            }
            owned.extend(&member.assignment);
        }
        owned.sort_unstable();
        let all = 0..u8::try_from(PARTITIONS).unwrap();
        owned == all.collect::<Vec<u8>>()
    }

    /// All members are gone at once, and say nothing; the coordinator may restart meanwhile.
    fn fall_silent(&mut self) {
        for member in &mut self.members {
            member.crash();
        }
        if self.chance.permille(700) {
            self.crash_coordinator();
        }
    }

    fn check_that_all_is_empty(&mut self) {
        let states = self.states();
        assert!(
            states.iter().all(|&state| state == GroupState::Empty),
            "{states:?}"
        );
        let waiting: Vec<&Request> = self.waiting.values().map(|sent| &sent.request).collect();
        assert!(waiting.is_empty(), "answered never: {waiting:?}"); // promise 1
        let mut whole = Coordinator::new(self.settings.clone());
        replay(&mut whole, &self.log);
        assert_eq!(self.coordinator.as_ref().unwrap().logged(), whole.logged());
    }
}

/// Names the seed of a life that ends before its time.
struct Guard {
    seed: u64,
    done: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.done {
            eprintln!("seed {}", self.seed);
        }
    }
}

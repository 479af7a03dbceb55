//! The machine: one group at a time comes under its rules, and what they write comes back in order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use types::Offset;

use crate::action::{Action, Now, Ticket};
use crate::deleted::TopicsDeleted;
use crate::error::{AppendFailure, GroupError};
use crate::group::{Group, milliseconds};
use crate::lanes::{Lanes, Task};
use crate::logged::Logged;
use crate::mutants::{self, Mutant};
use crate::record::Record;
use crate::request::{OffsetFetch, Request, Stability, Token};
use crate::response::Response;
use crate::rules::{self, Absence, Effect, Outbox, Room, Scope, Takes, Write};
use crate::settings::Settings;
use crate::snapshot::{self, SnapshotError};
use crate::text::GroupId;
use crate::timers::{TimerKey, Timers};

/// The coordinator of the groups whose records lie in one partition of `__consumer_offsets`.
///
/// Invariants:
/// 1. Once loaded, the groups that run are those of the logged state.
/// 2. Writes arrive, or fail, in the order in which they were given out.
/// 3. Every token is answered once.
/// 4. `members_bytes` is what the members of all groups take, `taken` what the writes on their way do.
pub struct Coordinator {
    settings: Settings,
    logged: Logged,
    is_loaded: bool,
    groups: BTreeMap<GroupId, Group>,
    members_bytes: usize,
    taken: Takes,
    timers: Timers,
    lanes: Lanes,
    writes: VecDeque<(Ticket, GroupId, Write)>,
    next_ticket: u64,
}

impl Coordinator {
    /// Makes a coordinator whose log is empty, as far as it knows.
    pub fn new(settings: Settings) -> Self {
        Self::with_logged(settings, Logged::default())
    }

    /// Makes a coordinator of a snapshot; the log from the returned offset on is to be applied.
    ///
    /// *Errors*: an unknown version asks for a newer riverrun; every other means damage.
    pub fn from_snapshot(
        settings: Settings,
        snapshot: &[u8],
    ) -> Result<(Self, Offset), SnapshotError> {
        let (logged, end) = snapshot::decode(snapshot)?;
        Ok((Self::with_logged(settings, logged), end))
    }

    fn with_logged(settings: Settings, logged: Logged) -> Self {
        Self {
            settings,
            logged,
            is_loaded: false,
            groups: BTreeMap::new(),
            members_bytes: 0,
            taken: Takes::default(),
            timers: Timers::default(),
            lanes: Lanes::default(),
            writes: VecDeque::new(),
            next_ticket: 0,
        }
    }

    /// Returns the logged state as bytes; `end` is the first offset of the log that is not in it:
    /// every record before it was applied, or [`Self::committed`] was called for it.
    pub fn snapshot(&self, end: Offset) -> Vec<u8> {
        snapshot::encode(&self.logged, end)
    }

    /// Returns what the log says of all groups.
    pub fn logged(&self) -> &Logged {
        &self.logged
    }

    /// Replays a record of the log.
    ///
    /// *Panics*: after [`Self::loaded`]; from then on the log is written here, and `committed`
    /// applies it.
    pub fn apply(&mut self, record: Record) {
        assert!(!self.is_loaded, "replay comes before service");
        self.logged.apply(record);
    }

    /// Says that the log has been replayed: groups run from now on, and members of the last
    /// generation have their sessions' time to be heard of.
    pub fn loaded(&mut self, now: Now) -> Vec<Action> {
        assert!(!self.is_loaded, "a log is loaded once");
        self.is_loaded = true;
        let mut actions = Vec::new();
        let ids: Vec<GroupId> = self.logged.groups().map(|(id, _)| id.clone()).collect();
        for id in ids {
            self.wake(&id);
            self.in_scope(now, &id, &mut actions, |scope| {
                for member in scope.group.member_ids() {
                    if !mutants::is_on(Mutant::SessionsForgottenAtLoad) {
                        scope.arm_session(&member);
                    }
                }
                if scope.group.len() > scope.settings.group_max_size {
                    scope.prepare_rebalance();
                }
            });
        }
        self.arm_retention(now);
        actions
    }

    /// Takes a request. `token` comes back with its answer, now or later.
    ///
    /// *Cost*: logarithmic in the number of groups and members; a rebalance is linear in its group.
    pub fn request(&mut self, now: Now, token: Token, request: Request) -> Vec<Action> {
        let mut actions = Vec::new();
        if let Some(response) = self.answer_at_once(&request) {
            actions.push(Action::Reply { token, response });
            return actions;
        }
        if let Request::TopicsDeleted(deleted) = &request {
            self.forget_topics(now, deleted, &mut actions);
            let response = Response::TopicsDeleted(Ok(()));
            actions.push(Action::Reply { token, response });
        } else {
            let group = request.group().expect("it is about one group").clone();
            self.admit(now, &group, Task::Request(token, request), &mut actions);
        }
        actions
    }

    /// Says that the records of a ticket are durable.
    ///
    /// *Panics*: unless tickets come in the order in which they were given out (invariant 2).
    pub fn committed(&mut self, now: Now, ticket: Ticket) -> Vec<Action> {
        let (group, write) = self.take_write(ticket);
        let mut actions = Vec::new();
        for record in write.records {
            if !self.mutant_skips(&record) {
                self.logged.apply(record);
            }
        }
        self.wake(&group);
        match write.effect {
            Effect::None => {}
            Effect::Resume(task) => self.lanes.put_first(&group, task),
            Effect::Stabilise(assignments) => {
                self.in_scope(now, &group, &mut actions, |scope| {
                    scope.stabilise(&assignments);
                });
            }
            Effect::Replace(replacement) => {
                self.in_scope(now, &group, &mut actions, |scope| {
                    scope.finish_replacement(&replacement);
                });
            }
        }
        actions.extend(
            write
                .reply
                .map(|(token, response)| Action::Reply { token, response }),
        );
        self.lanes.leave(&group, write.hold);
        self.proceed(now, &group, &mut actions);
        actions
    }

    /// Says that the records of a ticket are not durable, and never will be.
    ///
    /// *Panics*: unless tickets come in the order in which they were given out (invariant 2).
    pub fn failed(&mut self, now: Now, ticket: Ticket, failure: AppendFailure) -> Vec<Action> {
        let (group, write) = self.take_write(ticket);
        let error = GroupError::from(failure);
        let mut actions = Vec::new();
        self.lanes.leave(&group, write.hold);
        match write.effect {
            Effect::Resume(Task::Request(token, request)) => {
                let response = Response::refusal(&request, error);
                actions.push(Action::Reply { token, response });
            }
            Effect::Resume(_) | Effect::None => {}
            Effect::Stabilise(_) => {
                self.in_scope(now, &group, &mut actions, |scope| {
                    scope.refuse_assignments(error);
                });
            }
            Effect::Replace(replacement) => {
                let response = Response::refused_join(replacement.join.member, error);
                let token = replacement.token;
                actions.push(Action::Reply { token, response });
            }
        }
        if let Some((token, response)) = write.reply {
            let response = response.failed(error);
            actions.push(Action::Reply { token, response });
        }
        self.proceed(now, &group, &mut actions);
        actions
    }

    /// Returns when [`Self::expire`] has something to do.
    pub fn deadline(&self) -> Option<types::Monotonic> {
        self.timers.next()
    }

    /// Does what is due.
    pub fn expire(&mut self, now: Now) -> Vec<Action> {
        let mut actions = Vec::new();
        // What is due at once again waits for the next call: no rule keeps this from coming back.
        let mut due = Vec::new();
        while let Some(key) = self.timers.take_due(now.monotonic) {
            due.push(key);
        }
        for key in due {
            match &key {
                TimerKey::Retention => self.expire_offsets(now, &mut actions),
                TimerKey::Join(group) | TimerKey::Sync(group) | TimerKey::Session(group, _) => {
                    let group = group.clone();
                    self.admit(now, &group, Task::Timer(key), &mut actions);
                }
            }
        }
        actions
    }

    /// Ends the service, because the log is another's now: everything that waits is sent away.
    ///
    /// What is on its way may become durable all the same; whoever serves next will find it.
    pub fn resign(mut self) -> Vec<Action> {
        let error = GroupError::NotCoordinator;
        let mut outbox = Outbox::default();
        for (_, _, write) in std::mem::take(&mut self.writes) {
            match write.effect {
                Effect::Resume(Task::Request(token, request)) => {
                    outbox.reply(token, Response::refusal(&request, error));
                }
                Effect::Replace(replaced) => {
                    let response = Response::refused_join(replaced.join.member, error);
                    outbox.reply(replaced.token, response);
                }
                Effect::Resume(_) | Effect::None | Effect::Stabilise(_) => {}
            }
            if let Some((token, response)) = write.reply {
                outbox.reply(token, response.failed(error));
            }
        }
        for task in self.lanes.take_all() {
            if let Task::Request(token, request) = task {
                outbox.reply(token, Response::refusal(&request, error));
            }
        }
        for group in self.groups.values_mut() {
            for id in group.member_ids() {
                if let Some(token) = group.take_joining(&id) {
                    outbox.reply(token, Response::refused_join(id.clone(), error));
                }
                if let Some(token) = group.take_syncing(&id) {
                    outbox.reply(token, Response::Sync(Err(error)));
                }
            }
        }
        let replies = outbox.replies.into_iter();
        let actions = replies.map(|(token, response)| Action::Reply { token, response });
        actions.collect()
    }

    /// Answers what needs no rule: nothing is served before the log has been read, and what is
    /// durable is read without waiting.
    fn answer_at_once(&self, request: &Request) -> Option<Response> {
        if !self.is_loaded {
            return Some(Response::refusal(request, GroupError::Loading));
        }
        match request {
            Request::OffsetFetch(fetch) if fetch.stability == Stability::Optional => {
                Some(self.fetch(fetch))
            }
            Request::Describe(id) => {
                let group = self.groups.get(id).ok_or(GroupError::GroupNotFound);
                Some(Response::Describe(group.map(rules::describe)))
            }
            Request::List(list) => Some(Response::List(Ok(rules::list(self.groups.iter(), list)))),
            Request::Join(_)
            | Request::Sync(_)
            | Request::Heartbeat(_)
            | Request::Leave(_)
            | Request::OffsetDelete(_) => {
                let error = self.judge(request)?;
                Some(Response::refusal(request, error))
            }
            Request::OffsetCommit(_)
            | Request::OffsetFetch(_)
            | Request::DeleteGroup(_)
            | Request::TopicsDeleted(_) => None,
        }
    }

    /// Judges what concerns no group: whoever names one, named it; and sessions are within bounds.
    fn judge(&self, request: &Request) -> Option<GroupError> {
        // Offsets may have a group without a name, members may not.
        if request.group().is_some_and(GroupId::is_empty) {
            return Some(GroupError::InvalidGroupId);
        }
        let Request::Join(join) = request else {
            return None;
        };
        let shortest = self.settings.group_min_session_timeout;
        let longest = self.settings.group_max_session_timeout;
        let session = milliseconds(join.session_timeout_ms);
        let is_allowed = (shortest..=longest).contains(&session);
        (!is_allowed).then_some(GroupError::InvalidSessionTimeout)
    }

    fn fetch(&self, fetch: &OffsetFetch) -> Response {
        let logged = self.logged.group(&fetch.group);
        Response::OffsetFetch(Ok(rules::fetch(logged, &fetch.wanted)))
    }

    fn forget_topics(&mut self, now: Now, deleted: &TopicsDeleted, actions: &mut Vec<Action>) {
        let groups = self.logged.groups();
        let concerned = groups.filter(|(_, group)| deleted.concerns(&group.offsets));
        // What is on its way, or waits, may be for them too.
        let busy = self.lanes.groups();
        let ids: BTreeSet<GroupId> = concerned.map(|(id, _)| id).chain(busy).cloned().collect();
        for id in ids {
            self.admit(now, &id, Task::Forget(deleted.clone()), actions);
        }
    }

    fn expire_offsets(&mut self, now: Now, actions: &mut Vec<Action>) {
        let ids: Vec<GroupId> = self.groups.keys().cloned().collect();
        for id in ids {
            self.admit(now, &id, Task::Expire, actions);
        }
        self.arm_retention(now);
    }

    fn arm_retention(&mut self, now: Now) {
        let interval = self.settings.offsets_retention_check_interval;
        let deadline = now.monotonic.after(interval);
        self.timers.set(TimerKey::Retention, deadline);
    }

    /// Runs a task, or lets it wait for its turn.
    fn admit(&mut self, now: Now, group: &GroupId, task: Task, actions: &mut Vec<Action>) {
        if self.lanes.is_open_for(group, &task) {
            return self.run(now, group, task, actions);
        }
        // Timers and the like are bounded by what they are about.
        let is_full = self.lanes.waiting_count(group) >= self.settings.group_waiting_max;
        match task {
            Task::Request(token, request) if is_full => {
                let response = Response::refusal(&request, GroupError::NotAvailable);
                actions.push(Action::Reply { token, response });
            }
            task => self.lanes.wait(group, task),
        }
    }

    /// Runs what has waited for a write, as far as it can.
    fn proceed(&mut self, now: Now, group: &GroupId, actions: &mut Vec<Action>) {
        while let Some(task) = self.lanes.next(group) {
            self.run(now, group, task, actions);
        }
    }

    fn run(&mut self, now: Now, group: &GroupId, task: Task, actions: &mut Vec<Action>) {
        match task {
            Task::Request(token, Request::OffsetFetch(fetch)) => {
                let response = self.fetch(&fetch);
                actions.push(Action::Reply { token, response });
            }
            Task::Request(token, request) if !self.groups.contains_key(group) => {
                let mut outbox = Outbox::default();
                let mut absence = Absence {
                    now,
                    settings: &self.settings,
                    room: self.room(),
                    outbox: &mut outbox,
                };
                absence.request(token, request);
                self.carry_out(group, outbox, actions);
            }
            Task::Request(token, request) => {
                self.in_scope(now, group, actions, |scope| scope.request(token, request));
            }
            // A timer that was set anew while this waited goes off later.
            Task::Timer(key) if self.timers.is_set(&key) => {}
            Task::Timer(key) => self.in_scope(now, group, actions, |scope| scope.timer(&key)),
            Task::Expire => self.in_scope(now, group, actions, |scope| {
                scope.expire_offsets();
            }),
            Task::Forget(deleted) => {
                self.in_scope(now, group, actions, |scope| scope.forget_topics(&deleted));
            }
        }
    }

    fn room(&self) -> Room {
        let left = usize::saturating_sub;
        Room {
            groups: left(
                self.settings.groups_max,
                self.logged.group_count() + self.taken.groups,
            ),
            offsets: left(
                self.settings.offsets_max,
                self.logged.places() + self.taken.offsets,
            ),
            members_bytes: left(
                self.settings.members_bytes_max.as_usize(),
                self.members_bytes,
            ),
        }
    }

    /// Lets a rule work on a group, and carries out what it leaves. A group that is gone has none.
    fn in_scope(
        &mut self,
        now: Now,
        id: &GroupId,
        actions: &mut Vec<Action>,
        rule: impl FnOnce(&mut Scope<'_>),
    ) {
        let room = self.room();
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        let logged = self.logged.group(id).expect("what runs is logged"); // invariant 1
        let mut outbox = Outbox::default();
        let size_before = group.size_bytes();
        rule(&mut Scope {
            now,
            settings: &self.settings,
            room,
            id,
            group,
            logged,
            timers: &mut self.timers,
            outbox: &mut outbox,
        });
        // invariant 4
        self.members_bytes = self.members_bytes - size_before + group.size_bytes();
        self.carry_out(id, outbox, actions);
    }

    fn carry_out(&mut self, group: &GroupId, outbox: Outbox, actions: &mut Vec<Action>) {
        let replies = outbox.replies.into_iter();
        actions.extend(replies.map(|(token, response)| Action::Reply { token, response }));
        if let Some(write) = outbox.write {
            let ticket = Ticket(self.next_ticket);
            self.next_ticket += 1;
            let records = write.records.iter().map(Record::encode).collect();
            actions.push(Action::Append { ticket, records });
            self.lanes.enter(group, write.hold);
            self.taken.groups += write.takes.groups;
            self.taken.offsets += write.takes.offsets;
            self.writes.push_back((ticket, group.clone(), write));
        }
    }

    fn take_write(&mut self, ticket: Ticket) -> (GroupId, Write) {
        let (first, group, write) = self.writes.pop_front().expect("a ticket was given out");
        assert_eq!(first, ticket); // invariant 2
        self.taken.groups -= write.takes.groups;
        self.taken.offsets -= write.takes.offsets;
        (group, write)
    }

    /// Lets a group run that the log has, and none that it does not have.
    fn wake(&mut self, id: &GroupId) {
        if let Some(logged) = self.logged.group(id) {
            if !self.groups.contains_key(id) {
                let group = Group::from_logged(logged);
                self.members_bytes += group.size_bytes();
                self.groups.insert(id.clone(), group);
            }
        } else if let Some(group) = self.groups.remove(id) {
            self.members_bytes -= group.size_bytes();
            self.timers.cancel_group(id);
        }
    }

    fn mutant_skips(&self, record: &Record) -> bool {
        let Record::Offset {
            group,
            topic,
            partition,
            value: Some(_),
        } = record
        else {
            return false;
        };
        let known = self.logged.group(group);
        let stands = known.is_some_and(|group| group.offset(topic, *partition).is_some());
        mutants::is_on(Mutant::FirstCommitStays) && stands
    }
}

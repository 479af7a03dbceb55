//! A seat in a group: the members that sit in it one after the other, each from its first join until
//! it leaves or vanishes.
//!
//! ```text
//!   keep: sit ─► leave, vanish ─► pause ─► sit ...
//!          └─► poll ─► carry ─► hear ─► poll ...       commits, or sleeps beyond its session, between
//! ```

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use client::admin::{self, Committed, Place};
use client::connection::Answer;
use client::group::{GroupEvent as Told, Member, MemberOptions, Order, OrderRequest};
use client::metadata::{self, Metadata};
use types::{ErrorCode, Monotonic};
use wire::consumer_protocol::Assignment;
use wire::messages::{heartbeat, join_group, leave_group, offset_commit, offset_fetch, sync_group};

use super::desk::{Desk, is_passing, name};
use super::group::{Group, Part};
use super::link::{Link, Lost, pause};
use super::offsets;
use crate::chance::Chance;
use crate::history::{GroupEvent, Mark};

/// Versions that members restrict themselves to: the newest, the last ones without tagged fields,
/// and the last with which members need no id to join.
const MEMBER_VERSIONS_MAX: &[i16] = &[i16::MAX, i16::MAX, 5, 3];

/// The same for static members: older ones do not tell their names.
const STATIC_VERSIONS_MAX: &[i16] = &[i16::MAX, 8, 7];

/// By how much a member reads on before it commits, at most.
const STEP_MAX: u64 = 20;

/// What a member does when nothing is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whim {
    Commit,
    /// Leaves in order.
    Leave,
    /// Goes without a word.
    Vanish,
    /// Is silent for longer than its session, and goes on as if nothing had been.
    Oversleep,
    Nothing,
}

/// A seat, and the member that sits in it.
pub(super) struct Seat {
    desk: Rc<Desk>,
    group: Rc<Group>,
    number: usize,
    instance_id: Option<String>,
    chance: Chance,
    link: Option<Link>,
    metadata: Metadata,
    /// Where to read on in what the member has.
    positions: BTreeMap<Place, i64>,
    /// Whether the coordinator has told over this connection that it has read its log.
    is_read: bool,
    /// When the last heartbeat was sent over this connection that went well since then. Nothing else
    /// prolongs a member's session for certain.
    well: Option<Monotonic>,
}

impl Seat {
    pub(super) fn new(
        desk: &Rc<Desk>,
        group: &Rc<Group>,
        number: usize,
        mut chance: Chance,
    ) -> Self {
        let instance_id = chance.percent(30).then(|| format!("instance {number}"));
        Self {
            desk: Rc::clone(desk),
            group: Rc::clone(group),
            number,
            instance_id,
            chance,
            link: None,
            metadata: Metadata::default(),
            positions: BTreeMap::new(),
            is_read: false,
            well: None,
        }
    }

    /// Keeps the seat until the group is over.
    pub(super) async fn keep(mut self) {
        while !self.group.is_over() {
            self.sit().await;
            self.stand_up();
            let absence_ms = self.chance.pick(&[5, 50, 500]);
            let until = runtime::now().after(Duration::from_millis(absence_ms));
            while runtime::now() < until && !self.goes_on() && !self.group.is_over() {
                pause(&mut self.chance, 1, 10).await;
            }
            // Some never come back: then it is for their sessions to end.
            if self.goes_on() && self.number > 0 && self.chance.percent(70) {
                self.group.vacate();
                return;
            }
        }
    }

    /// Returns whether nobody leaves any more.
    fn goes_on(&self) -> bool {
        self.desk.is_finishing()
    }

    fn stand_up(&mut self) {
        self.group.place(self.number, None);
        self.positions.clear();
        self.link = None;
        (self.is_read, self.well) = (false, None);
    }

    /// Lives as one member.
    async fn sit(&mut self) {
        let mut member = Member::new(self.options());
        let versions = match self.instance_id {
            Some(_) => STATIC_VERSIONS_MAX,
            None => MEMBER_VERSIONS_MAX,
        };
        let version_max = self.chance.pick(versions);
        while !member.is_out() {
            self.take_events(&mut member);
            if self.group.is_over() {
                member.leave();
                self.take_events(&mut member);
            }
            if !self.learn(&member).await {
                continue;
            }
            if let Some(mut order) = member.poll(runtime::now(), &self.metadata) {
                order.version_max = order.version_max.min(version_max);
                self.carry(&mut member, &order).await;
                continue;
            }
            match self.whim() {
                Whim::Commit => self.commit(&mut member),
                Whim::Leave => member.leave(),
                Whim::Vanish => return,
                Whim::Oversleep => runtime::sleep(self.group.session * 3 / 2).await,
                Whim::Nothing => pause(&mut self.chance, 2, 12).await,
            }
        }
    }

    fn options(&self) -> MemberOptions {
        let (session, rebalance) = (self.group.session, self.group.rebalance);
        MemberOptions {
            instance_id: self.instance_id.clone(),
            session_timeout: session,
            rebalance_timeout: rebalance,
            heartbeat_interval: session.min(rebalance) / 5,
            retry_pause: Duration::from_millis(10),
            ..MemberOptions::new(&self.group.name(), &[&self.group.topic.name])
        }
    }

    fn whim(&mut self) -> Whim {
        if self.group.is_over() {
            return Whim::Nothing;
        }
        let drawn = self.chance.between(1, 200);
        match drawn {
            1..=60 => Whim::Commit,
            61..=63 if !self.goes_on() => Whim::Leave,
            64..=66 if !self.goes_on() => Whim::Vanish,
            67..=68 if !self.goes_on() => Whim::Oversleep,
            _ => Whim::Nothing,
        }
    }

    fn take_events(&mut self, member: &mut Member) {
        while let Some(event) = member.next_event() {
            match event {
                Told::Assigned(places) => {
                    let position = |committed: Option<Committed>| {
                        committed.map_or(0, |committed| committed.offset.get())
                    };
                    let places = places.into_iter();
                    self.positions = places.map(|(it, at)| (it, position(at))).collect();
                }
                Told::Revoked(_) => {
                    if self.chance.percent(50) {
                        self.commit(member);
                    }
                    self.let_go();
                }
                Told::Lost(_) | Told::Failed(_) => self.let_go(),
                Told::Committed(_) => {}
            }
        }
    }

    fn let_go(&mut self) {
        self.positions.clear();
        self.group.place(self.number, None);
    }

    /// Reads on, and has that committed.
    fn commit(&mut self, member: &mut Member) {
        let mut reached = BTreeMap::new();
        let commit = self.desk.next_commit();
        for (place, position) in &mut self.positions {
            *position += self.chance.between(0, STEP_MAX).cast_signed();
            reached.insert(place.clone(), offsets::committed(*position, commit));
        }
        if !reached.is_empty() {
            member.commit(reached);
        }
    }

    /// Looks at the topics that a leader must know; returns whether it does.
    async fn learn(&mut self, member: &Member) -> bool {
        let topics = member.topics_wanted();
        if topics.is_empty() {
            return true;
        }
        let request = metadata::request(Some(&topics), false);
        let Ok(mut link) = self.take_link().await else {
            return false;
        };
        match link.call(&self.desk, &request).await {
            Ok(response) => {
                self.metadata.update(response);
                self.link = Some(link);
                true
            }
            Err(_) => false,
        }
    }

    /// Takes the connection out, which whoever loses it does not put back.
    async fn take_link(&mut self) -> Result<Link, Lost> {
        if let Some(link) = self.link.take() {
            return Ok(link);
        }
        (self.is_read, self.well) = (false, None);
        let dialled = Link::dial(&self.desk, i16::MAX).await;
        if dialled.is_err() {
            pause(&mut self.chance, 2, 30).await;
        }
        dialled
    }

    async fn carry(&mut self, member: &mut Member, order: &Order) {
        let Ok(mut link) = self.take_link().await else {
            member.failed(runtime::now(), order.id);
            return;
        };
        let (asked, sent) = (self.desk.mark(), runtime::now());
        if let OrderRequest::Commit(request) = &order.request
            && let Some((_, sent)) = offsets::sent(request)
        {
            self.group.note(&self.desk, sent);
        }
        let Ok(answer) = link.carry(&self.desk, order).await else {
            member.failed(runtime::now(), order.id);
            return;
        };
        self.link = Some(link);
        let heard = self.hear(order, &answer, asked, sent);
        let heard = heard.and_then(|()| member.answered(runtime::now(), order.id, &answer));
        if let Err(error) = heard {
            self.desk
                .unexpected(format!("an answer that makes no sense: {error}"));
        }
    }

    /// Puts what an answer says into the history.
    fn hear(
        &mut self,
        order: &Order,
        answer: &Answer,
        asked: Mark,
        sent: Monotonic,
    ) -> Result<(), client::Error> {
        match &order.request {
            OrderRequest::Coordinator(_) => {}
            OrderRequest::Join(_) => {
                let response = answer.decode::<join_group::Request>()?;
                self.judge("JoinGroup", response.error_code);
                if response.error_code == 0 {
                    let generation = response.generation_id;
                    let joined = GroupEvent::Joined { asked, generation };
                    self.group.note(&self.desk, joined);
                }
            }
            OrderRequest::Sync(request) => {
                let response = answer.decode::<sync_group::Request>()?;
                self.judge("SyncGroup", response.error_code);
                if response.error_code == 0 {
                    self.take_part(request, &response, asked);
                }
            }
            OrderRequest::Offsets(request) => {
                let response = answer.decode::<offset_fetch::Request>()?;
                self.see_offsets(request, response, asked);
            }
            OrderRequest::Commit(request) => {
                let response = answer.decode::<offset_commit::Request>()?;
                self.see_commit(request, response);
            }
            OrderRequest::Heartbeat(_) => {
                let response = answer.decode::<heartbeat::Request>()?;
                if response.error_code != 0 {
                    self.judge("Heartbeat", response.error_code);
                } else if self.is_read {
                    // Before, it takes every member to be alive.
                    self.well = Some(sent);
                }
            }
            OrderRequest::Leave(_) => {
                let response = answer.decode::<leave_group::Request>()?;
                self.judge("LeaveGroup", response.error_code);
            }
        }
        Ok(())
    }

    fn take_part(
        &mut self,
        request: &sync_group::Request,
        response: &sync_group::Response,
        asked: Mark,
    ) {
        let assignment = Assignment::decode(&response.assignment).unwrap_or_default();
        let topics = assignment.assigned_partitions.into_iter();
        let partitions: Vec<i32> = topics.flat_map(|topic| topic.partitions).collect();
        let generation = request.generation_id;
        let owner = self.instance_id.as_ref().unwrap_or(&request.member_id);
        let synced = GroupEvent::Synced {
            asked,
            generation,
            owner: owner.clone(),
            partitions: partitions.clone(),
        };
        self.group.note(&self.desk, synced);
        let part = Part {
            generation,
            partitions,
        };
        self.group.place(self.number, Some(part));
    }

    fn see_offsets(
        &self,
        request: &offset_fetch::Request,
        response: offset_fetch::Response,
        asked: Mark,
    ) {
        let told = match offsets::told(response) {
            Ok(told) => told,
            Err(code) => return self.refused("OffsetFetch", code),
        };
        let wanted = request.topics.iter().flatten();
        let wanted = wanted.flat_map(|topic| &topic.partition_indexes);
        let seen = wanted.map(|partition| (*partition, told.get(partition).copied()));
        let offsets = seen.collect();
        let seen = GroupEvent::OffsetsSeen { asked, offsets };
        self.group.note(&self.desk, seen);
    }

    fn see_commit(&mut self, request: &offset_commit::Request, response: offset_commit::Response) {
        let Some((commit, _)) = offsets::sent(request) else {
            return;
        };
        for ((_, partition), result) in admin::offsets_committed(response) {
            let code = result.map_or_else(|refusal| refusal.code, |()| 0);
            self.judge("OffsetCommit", code);
            if code == 0 {
                let acknowledged = GroupEvent::CommitAcknowledged { commit, partition };
                self.group.note(&self.desk, acknowledged);
            }
        }
    }

    /// Looks whether a code is explained by what happened to the member.
    fn judge(&mut self, what: &str, code: i16) {
        let known = ErrorCode::from_wire(code);
        match known {
            Some(ErrorCode::None) => self.is_read = true,
            Some(ErrorCode::MemberIdRequired | ErrorCode::RebalanceInProgress) => {}
            // The session may be over, others may have gone on, and a join whose connection broke may
            // have taken the place of a static member after all.
            Some(
                ErrorCode::UnknownMemberId
                | ErrorCode::IllegalGeneration
                | ErrorCode::FencedInstanceId,
            ) if !self.is_well() => {}
            _ => self.refused(what, code),
        }
    }

    /// Returns whether the member cannot have been dropped: over one connection, a heartbeat of it was
    /// taken in less than the time that it has.
    fn is_well(&self) -> bool {
        let patience = self.group.session.min(self.group.rebalance);
        let well = self.well;
        well.is_some_and(|well| runtime::now() < well.after(patience))
    }

    fn refused(&self, what: &str, code: i16) {
        if !is_passing(code) && !self.group.topic.is_doomed() {
            let (group, seat, code) = (self.group.name(), self.number, name(code));
            let heard = self.well.map(|well| runtime::now().since(well));
            let times = (self.group.session, self.group.rebalance);
            self.desk.unexpected(format!(
                "{what} of {group}, seat {seat}: {code}; heard of {heard:?} ago, allowed {times:?}"
            ));
        }
    }
}

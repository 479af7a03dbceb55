//! The machine itself: see the module above.

use std::collections::{BTreeMap, VecDeque};

use types::{Monotonic, NodeId};
use wire::consumer_protocol::{Assignment, PROTOCOL_TYPE, Subscription};
use wire::messages::offset_commit::GENERATION_NONE;
use wire::messages::{heartbeat, join_group, leave_group, offset_commit, offset_fetch, sync_group};

use super::assignor;
use super::options::MemberOptions;
use super::order::{Asked, Order, OrderId, OrderRequest};
use crate::admin::{self, Committed, Place, PlaceResults};
use crate::error::{BrokerError, Error};
use crate::metadata::Metadata;

/// The version of the consumer protocol that is written: the first with owned partitions, which
/// every client reads.
const CONSUMER_PROTOCOL_VERSION: i16 = 1;

/// What a member is told.
#[derive(Debug)]
pub enum GroupEvent {
    /// These partitions are the member's from now on, each with what the group has committed.
    Assigned(Vec<(Place, Option<Committed>)>),
    /// These are to be given up; what was read of them can be committed now.
    Revoked(Vec<Place>),
    /// These are the member's no more, and nothing of them can be committed.
    Lost(Vec<Place>),
    /// A commit is answered.
    Committed(PlaceResults<()>),
    /// The member is out for good, and why.
    Failed(BrokerError),
}

/// Where a member stands.
#[derive(Debug)]
pub(super) enum Phase {
    /// In no generation, or in one that ends.
    Joining,
    /// The leader; the members, each with its topics.
    Assigning(BTreeMap<String, Vec<String>>),
    /// Its part is to come.
    Syncing,
    /// Its part is known, but not how far the group has read.
    Locating(Vec<Place>),
    /// It has its part.
    Reading,
    /// It is to leave.
    Leaving,
    /// It is out.
    Out,
}

/// A member of a group without sockets and clocks.
#[derive(Debug)]
pub struct Member {
    pub(super) options: MemberOptions,
    pub(super) phase: Phase,
    pub(super) coordinator: Option<NodeId>,
    /// The id that the coordinator gave; empty before.
    pub(super) id: String,
    pub(super) generation: i32,
    pub(super) protocol: Option<String>,
    /// What was assigned, and neither revoked nor lost since.
    pub(super) places: Vec<Place>,
    pub(super) commit: Option<BTreeMap<Place, Committed>>,
    pub(super) events: VecDeque<GroupEvent>,
    pub(super) under_way: Option<(OrderId, Asked)>,
    pub(super) paused_until: Monotonic,
    pub(super) heartbeat_next: Monotonic,
    order_next: u64,
}

impl Member {
    /// Makes a member that has not joined yet.
    pub fn new(options: MemberOptions) -> Self {
        Self {
            options,
            phase: Phase::Joining,
            coordinator: None,
            id: String::new(),
            generation: GENERATION_NONE,
            protocol: None,
            places: Vec::new(),
            commit: None,
            events: VecDeque::new(),
            under_way: None,
            paused_until: Monotonic::ZERO,
            heartbeat_next: Monotonic::ZERO,
            order_next: 0,
        }
    }

    /// Takes the next event.
    pub fn next_event(&mut self) -> Option<GroupEvent> {
        self.events.pop_front()
    }

    /// Returns the partitions that are the member's.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Returns whether the member has its part of this generation, be it empty, and the event that
    /// tells it was taken.
    pub fn has_part(&self) -> bool {
        matches!(self.phase, Phase::Reading) && self.events.is_empty()
    }

    /// Returns the topics whose partitions [`Self::poll`] must find in the metadata: those of all
    /// members, if this one is to share them out.
    pub fn topics_wanted(&self) -> Vec<&str> {
        let Phase::Assigning(members) = &self.phase else {
            return Vec::new();
        };
        let mut topics: Vec<&str> = members.values().flatten().map(String::as_str).collect();
        topics.sort_unstable();
        topics.dedup();
        topics
    }

    /// Takes offsets to be committed, in place of those that were not sent yet.
    pub fn commit(&mut self, offsets: BTreeMap<Place, Committed>) {
        self.commit = (self.generation != GENERATION_NONE).then_some(offsets); // invariant 3
    }

    /// Returns whether a commit is neither answered nor given up.
    pub fn is_committing(&self) -> bool {
        let under_way = self.under_way.map(|(_, asked)| asked);
        self.commit.is_some() || under_way == Some(Asked::Commit)
    }

    /// Gives up everything and leaves; a static member goes without a word, to come back.
    pub fn leave(&mut self) {
        self.revoke();
        self.phase = Phase::Leaving;
    }

    /// Returns whether the member is out, and nothing more will be ordered.
    pub fn is_out(&self) -> bool {
        matches!(self.phase, Phase::Out)
    }

    /// Returns the next request to be carried.
    pub fn poll(&mut self, now: Monotonic, metadata: &Metadata) -> Option<Order> {
        let waits = self.under_way.is_some() || !self.events.is_empty(); // invariants 1, 2
        if waits || now < self.paused_until || self.is_out() {
            return None;
        }
        if matches!(self.phase, Phase::Leaving) && self.has_nothing_to_say() {
            self.phase = Phase::Out;
            return None;
        }
        if self.coordinator.is_none() {
            let request = admin::find_coordinator(&self.options.group, 0);
            return Some(self.order(OrderRequest::Coordinator(request)));
        }
        let request = match self.commit.take() {
            Some(offsets) => Some(OrderRequest::Commit(self.commit_request(&offsets))),
            None => self.request(now, metadata),
        };
        request.map(|request| self.order(request))
    }

    /// Returns whether a member that leaves can go at once.
    fn has_nothing_to_say(&self) -> bool {
        let is_unknown = self.id.is_empty() || self.options.instance_id.is_some();
        self.commit.is_none() && is_unknown
    }

    fn request(&self, now: Monotonic, metadata: &Metadata) -> Option<OrderRequest> {
        Some(match &self.phase {
            Phase::Joining => OrderRequest::Join(self.join_request()),
            Phase::Assigning(members) => {
                OrderRequest::Sync(self.sync_request(assignor::assign(members, metadata)))
            }
            Phase::Syncing => OrderRequest::Sync(self.sync_request(BTreeMap::new())),
            Phase::Locating(places) => OrderRequest::Offsets(self.offsets_request(places)),
            Phase::Reading if now >= self.heartbeat_next => {
                OrderRequest::Heartbeat(heartbeat::Request {
                    group_id: self.options.group.clone(),
                    generation_id: self.generation,
                    member_id: self.id.clone(),
                    group_instance_id: self.options.instance_id.clone(),
                })
            }
            Phase::Leaving => OrderRequest::Leave(leave_group::Request {
                group_id: self.options.group.clone(),
                member_id: self.id.clone(),
                ..Default::default()
            }),
            Phase::Reading | Phase::Out => return None,
        })
    }

    fn order(&mut self, request: OrderRequest) -> Order {
        let id = OrderId(self.order_next);
        self.order_next += 1;
        self.under_way = Some((id, request.kind()));
        Order {
            id,
            node: self.coordinator,
            version_max: request.version_max(),
            request,
        }
    }

    fn join_request(&self) -> join_group::Request {
        let subscription = Subscription {
            topics: self.options.topics.clone(),
            ..Default::default()
        };
        let metadata = subscription
            .encode(CONSUMER_PROTOCOL_VERSION)
            .expect("topics have names of at most 249 bytes");
        join_group::Request {
            group_id: self.options.group.clone(),
            session_timeout_ms: admin::milliseconds(self.options.session_timeout),
            rebalance_timeout_ms: admin::milliseconds(self.options.rebalance_timeout),
            member_id: self.id.clone(),
            group_instance_id: self.options.instance_id.clone(),
            protocol_type: PROTOCOL_TYPE.to_owned(),
            protocols: vec![join_group::Protocol {
                name: assignor::NAME.to_owned(),
                metadata,
            }],
            reason: None,
        }
    }

    fn sync_request(&self, parts: BTreeMap<String, Assignment>) -> sync_group::Request {
        let assignment = |(member_id, part): (String, Assignment)| sync_group::Assignment {
            member_id,
            assignment: part
                .encode(CONSUMER_PROTOCOL_VERSION)
                .expect("topics have names of at most 249 bytes"),
        };
        sync_group::Request {
            group_id: self.options.group.clone(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            group_instance_id: self.options.instance_id.clone(),
            protocol_type: Some(PROTOCOL_TYPE.to_owned()),
            protocol_name: self.protocol.clone(),
            assignments: parts.into_iter().map(assignment).collect(),
        }
    }

    fn offsets_request(&self, places: &[Place]) -> offset_fetch::Request {
        let topic = |(name, partition_indexes): (&str, Vec<i32>)| offset_fetch::Topic {
            name: name.to_owned(),
            partition_indexes,
        };
        let topics = admin::by_topic(places).into_iter().map(topic);
        offset_fetch::Request {
            group_id: self.options.group.clone(),
            topics: Some(topics.collect()),
            ..Default::default()
        }
    }

    fn commit_request(&self, offsets: &BTreeMap<Place, Committed>) -> offset_commit::Request {
        offset_commit::Request {
            generation_id_or_member_epoch: self.generation,
            member_id: self.id.clone(),
            group_instance_id: self.options.instance_id.clone(),
            ..admin::commit_offsets(&self.options.group, offsets)
        }
    }

    /// Lets go of what the member has, while it can still be committed.
    pub(super) fn revoke(&mut self) {
        let places = std::mem::take(&mut self.places);
        if !places.is_empty() {
            self.events.push_back(GroupEvent::Revoked(places));
        }
    }

    /// Reports that an order was not carried, or its answer cannot be read.
    pub fn failed(&mut self, now: Monotonic, id: OrderId) {
        if self.take(id).is_some() {
            self.look_for_coordinator(now);
        }
    }

    /// Takes an order that is answered; `None` if it is not the one under way.
    pub(super) fn take(&mut self, id: OrderId) -> Option<Asked> {
        let (_, asked) = self.under_way.take_if(|(under_way, _)| *under_way == id)?;
        Some(asked)
    }

    pub(super) fn look_for_coordinator(&mut self, now: Monotonic) {
        self.coordinator = None;
        self.pause(now);
    }

    pub(super) fn pause(&mut self, now: Monotonic) {
        self.paused_until = now.after(self.options.retry_pause);
    }

    /// Returns what a refusal is about.
    pub fn refused(&self, refusal: BrokerError) -> Error {
        Error::refused(&self.options.group, refusal)
    }
}

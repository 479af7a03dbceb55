//! A consumer that shares its topics with the other members of its group, with sockets.

use std::collections::BTreeMap;
use std::time::Duration;

use types::Monotonic;

use super::cluster::{Cluster, Peer};
use super::consumer::Consumer;
use super::exchange::{Event, RequestId};
use super::options::ClusterOptions;
use crate::admin::{Committed, Place};
use crate::consumer::{ConsumedRecord, ConsumerOptions, Start};
use crate::error::{BrokerError, Error};
use crate::group::{GroupEvent, Member, MemberOptions, Order, OrderId, OrderRequest};

/// How long records are waited for before the coordinator is looked after again.
const TURN_INTERVAL: Duration = Duration::from_millis(10);

/// How long the last commit and the leaving may take.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(10);

/// A member of a group on the caller's thread: the group is looked after while records are taken,
/// so that a caller who takes none for the session timeout is taken for dead.
///
/// What was taken is committed when the group rebalances, every `commit_interval`, and on closing;
/// a record counts as taken once the next one is asked for.
#[derive(Debug)]
pub struct GroupConsumer {
    consumer: Consumer,
    /// Connections of their own: an answer to JoinGroup may take its time.
    cluster: Cluster,
    member: Member,
    carried: Option<(RequestId, OrderId)>,
    /// Where a partition begins for which the group has committed nothing.
    start: Start,
    /// The offset behind what was taken of each partition, since the last commit.
    taken: BTreeMap<Place, Committed>,
    /// The record that was given out last, which is not taken yet.
    given: Option<(Place, Committed)>,
    commit_interval: Option<Duration>,
    commit_next: Monotonic,
    /// Why the last commit was refused. What it was about is read again, here or elsewhere.
    commit_refusal: Option<BrokerError>,
}

impl GroupConsumer {
    /// Connects, and begins to join; records come once the group has rebalanced.
    ///
    /// *Errors*: as [`Cluster::connect`].
    pub fn connect(
        bootstrap: &[&str],
        options: &ClusterOptions,
        member: MemberOptions,
        consumer: ConsumerOptions,
        start: Start,
    ) -> Result<Self, Error> {
        let patient = ClusterOptions {
            request_timeout: options.request_timeout + member.rebalance_timeout,
            ..options.clone()
        };
        Ok(Self {
            consumer: Consumer::new(Cluster::connect(bootstrap, options.clone())?, consumer),
            cluster: Cluster::connect(bootstrap, patient)?,
            member: Member::new(member),
            carried: None,
            start,
            taken: BTreeMap::new(),
            given: None,
            commit_interval: Some(Duration::from_secs(5)),
            commit_next: Monotonic::ZERO,
            commit_refusal: None,
        })
    }

    /// Sets how often what was taken is committed; `None` for not by itself.
    #[must_use]
    pub fn commit_every(mut self, interval: Option<Duration>) -> Self {
        self.commit_interval = interval;
        self
    }

    /// Waits up to `wait` for the next record; `None` if there is none.
    ///
    /// *Errors*: a partition failed for good, or the group refuses this member.
    pub fn next_record(&mut self, wait: Duration) -> Result<Option<ConsumedRecord>, Error> {
        self.take_given();
        let until = self.cluster.now().after(wait);
        loop {
            self.turn(Duration::ZERO)?;
            let left = until.since(self.cluster.now());
            let slice = left.min(TURN_INTERVAL);
            if let Some(record) = self.consumer.next_record(slice)? {
                let place = (record.topic.to_string(), record.partition);
                self.given = Some((place, Committed::at(record.offset.advance(1))));
                return Ok(Some(record));
            }
            if left.is_zero() {
                return Ok(None);
            }
            if self.consumer.is_at_end() {
                self.turn(slice)?;
            }
        }
    }

    /// Commits what was taken, the last record too, and waits for the answer.
    ///
    /// *Errors*: [`Error::Refused`] with the first refusal; as [`Self::next_record`] besides.
    pub fn commit(&mut self) -> Result<(), Error> {
        self.take_given();
        self.commit_refusal = None;
        self.commit_taken();
        let limit = self.cluster.options().request_timeout;
        let until = self.cluster.now().after(limit);
        while self.member.is_committing() {
            let left = until.since(self.cluster.now());
            if left.is_zero() {
                let what = "a commit";
                return Err(Error::TimedOut { what, limit });
            }
            self.turn(left.min(TURN_INTERVAL))?;
        }
        let refusal = self.commit_refusal.take();
        refusal.map_or(Ok(()), |refusal| Err(self.member.refused(refusal)))
    }

    /// Commits what was taken, the last record too, and leaves the group.
    ///
    /// *Errors*: as [`Self::commit`].
    pub fn close(mut self) -> Result<(), Error> {
        self.take_given();
        self.commit_refusal = None;
        self.member.leave();
        let until = self.cluster.now().after(LEAVE_TIMEOUT);
        while !self.member.is_out() && self.cluster.now() < until {
            self.turn(TURN_INTERVAL)?;
        }
        let refusal = self.commit_refusal.take();
        refusal.map_or(Ok(()), |refusal| Err(self.member.refused(refusal)))
    }

    /// Takes back the record that was given out last: it is not taken, nor committed.
    pub fn give_back(&mut self) {
        self.given = None;
    }

    /// Returns whether the member has its part, and has given out everything up to the end, as the
    /// leaders told it last.
    pub fn is_at_end(&self) -> bool {
        self.member.has_part() && self.consumer.is_at_end()
    }

    /// Returns the cluster that the records come from.
    pub fn cluster(&mut self) -> &mut Cluster {
        self.consumer.cluster()
    }

    /// Returns the partitions that are this member's now.
    pub fn places(&self) -> &[Place] {
        self.member.places()
    }

    fn take_given(&mut self) {
        self.taken.extend(self.given.take());
    }

    fn commit_taken(&mut self) {
        let taken = std::mem::take(&mut self.taken);
        if !taken.is_empty() {
            self.member.commit(taken);
        }
        if let Some(interval) = self.commit_interval {
            self.commit_next = self.cluster.now().after(interval);
        }
    }

    /// Looks after the group, waiting up to `wait` for an answer of the coordinator.
    fn turn(&mut self, wait: Duration) -> Result<(), Error> {
        let is_due = self.commit_interval.is_some() && self.cluster.now() >= self.commit_next;
        if is_due && !self.member.is_committing() {
            self.commit_taken();
        }
        self.carry_orders()?;
        let mut wait = wait;
        while let Some(event) = self.cluster.receive(wait) {
            wait = Duration::ZERO;
            self.take(event);
            self.take_events()?;
            self.carry_orders()?;
        }
        self.take_events()
    }

    fn carry_orders(&mut self) -> Result<(), Error> {
        let topics = self.member.topics_wanted();
        if !topics.is_empty() {
            self.cluster.refresh(Some(&topics), false)?;
        }
        let now = self.cluster.now();
        while let Some(order) = self.member.poll(now, self.cluster.metadata()) {
            match self.carry(&order) {
                Ok(request) => self.carried = Some((request, order.id)),
                Err(_) => self.member.failed(now, order.id),
            }
        }
        Ok(())
    }

    fn carry(&mut self, order: &Order) -> Result<RequestId, Error> {
        let peer = order.node.map_or(Peer::Any, Peer::Node);
        let (cluster, version_max) = (&mut self.cluster, order.version_max);
        match &order.request {
            OrderRequest::Coordinator(request) => cluster.send(peer, request, version_max),
            OrderRequest::Join(request) => cluster.send(peer, request, version_max),
            OrderRequest::Sync(request) => cluster.send(peer, request, version_max),
            OrderRequest::Offsets(request) => cluster.send(peer, request, version_max),
            OrderRequest::Commit(request) => cluster.send(peer, request, version_max),
            OrderRequest::Heartbeat(request) => cluster.send(peer, request, version_max),
            OrderRequest::Leave(request) => cluster.send(peer, request, version_max),
        }
    }

    fn take(&mut self, event: Event) {
        let now = self.cluster.now();
        let of = |request: RequestId| self.carried.filter(|(carried, _)| *carried == request);
        match event {
            Event::Answered(request, answer) => {
                if let Some((_, order)) = of(request) {
                    // A member whose answer cannot be read looks for its coordinator anew.
                    let _looks_anew = self.member.answered(now, order, &answer);
                }
            }
            Event::Lost(request, _) => {
                if let Some((_, order)) = of(request) {
                    self.member.failed(now, order);
                }
            }
        }
    }

    fn take_events(&mut self) -> Result<(), Error> {
        while let Some(event) = self.member.next_event() {
            match event {
                GroupEvent::Assigned(places) => self.assign(places)?,
                GroupEvent::Revoked(places) => {
                    self.commit_taken();
                    self.unassign(&places);
                }
                GroupEvent::Lost(places) => self.unassign(&places),
                GroupEvent::Committed(results) => {
                    self.commit_refusal = results.into_values().find_map(Result::err);
                }
                GroupEvent::Failed(refusal) => return Err(self.member.refused(refusal)),
            }
        }
        Ok(())
    }

    fn assign(&mut self, places: Vec<(Place, Option<Committed>)>) -> Result<(), Error> {
        for ((topic, partition), committed) in places {
            let start = committed.map_or(self.start, |it| Start::At(it.offset));
            self.consumer.assign(&topic, partition, start)?;
        }
        Ok(())
    }

    fn unassign(&mut self, places: &[Place]) {
        for place in places {
            self.consumer.unassign(&place.0, place.1);
            self.taken.remove(place);
        }
    }
}

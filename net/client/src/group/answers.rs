//! What the coordinator answered.

use types::{ErrorCode, Monotonic};
use wire::consumer_protocol::Subscription;
use wire::messages::offset_commit::GENERATION_NONE;
use wire::messages::{
    find_coordinator, heartbeat, join_group, leave_group, offset_commit, offset_fetch, sync_group,
};

use super::machine::{GroupEvent, Member, Phase};
use super::order::{Asked, OrderId};
use crate::admin::{self, Place};
use crate::connection::Answer;
use crate::error::{BrokerError, Error};

impl Member {
    /// Takes the answer to an order.
    ///
    /// *Errors*: it cannot be read; the order has failed then.
    pub fn answered(&mut self, now: Monotonic, id: OrderId, answer: &Answer) -> Result<(), Error> {
        let Some(asked) = self.take(id) else {
            return Ok(());
        };
        let taken = self.take_answer(now, asked, answer);
        if taken.is_err() {
            self.look_for_coordinator(now);
        }
        taken
    }

    fn take_answer(&mut self, now: Monotonic, asked: Asked, answer: &Answer) -> Result<(), Error> {
        match asked {
            Asked::Coordinator => {
                let response = answer.decode::<find_coordinator::Request>()?;
                match admin::coordinator_found(response) {
                    Ok(node) => self.coordinator = Some(node),
                    Err(refusal) => self.refuse(now, refusal),
                }
            }
            Asked::Join => self.joined(now, answer.decode::<join_group::Request>()?),
            Asked::Sync => self.synced(now, &answer.decode::<sync_group::Request>()?),
            Asked::Offsets => self.located(now, answer.decode::<offset_fetch::Request>()?),
            Asked::Commit => self.committed(now, answer.decode::<offset_commit::Request>()?),
            Asked::Heartbeat => {
                let response = answer.decode::<heartbeat::Request>()?;
                self.heartbeat_next = now.after(self.options.heartbeat_interval);
                self.check(now, response.error_code);
            }
            Asked::Leave => {
                answer.decode::<leave_group::Request>()?;
                self.phase = Phase::Out;
            }
        }
        Ok(())
    }

    fn joined(&mut self, now: Monotonic, response: join_group::Response) {
        if response.error_code == ErrorCode::MemberIdRequired.code() {
            self.id = response.member_id;
            return;
        }
        if !self.check(now, response.error_code) {
            return;
        }
        let leads = response.leader == response.member_id;
        self.id = response.member_id;
        self.generation = response.generation_id;
        self.commit = None; // invariant 3
        self.protocol = response.protocol_name;
        if matches!(self.phase, Phase::Joining) {
            // A member whose subscription cannot be read gets nothing.
            let member = |member: join_group::Member| {
                let subscription = Subscription::decode(&member.metadata).unwrap_or_default();
                (member.member_id, subscription.topics)
            };
            let assigns = leads && !response.skip_assignment;
            self.phase = if assigns {
                Phase::Assigning(response.members.into_iter().map(member).collect())
            } else {
                Phase::Syncing
            };
        }
    }

    fn synced(&mut self, now: Monotonic, response: &sync_group::Response) {
        let may_go_on = matches!(self.phase, Phase::Assigning(_) | Phase::Syncing);
        if !self.check(now, response.error_code) || !may_go_on {
            return;
        }
        self.heartbeat_next = now.after(self.options.heartbeat_interval);
        let places = admin::places(&response.assignment);
        if places.is_empty() {
            self.phase = Phase::Reading;
        } else {
            self.phase = Phase::Locating(places);
        }
    }

    fn located(&mut self, now: Monotonic, response: offset_fetch::Response) {
        let Phase::Locating(places) = &self.phase else {
            return;
        };
        let told = admin::committed_offsets(response);
        let refusal = match &told {
            Ok(results) => results.values().find_map(|result| result.as_ref().err()),
            Err(refusal) => Some(refusal),
        };
        if let Some(refusal) = refusal.cloned() {
            self.refuse(now, refusal);
            return;
        }
        let mut told = told.unwrap_or_default();
        let located = |place: &Place| {
            let committed = told.remove(place).and_then(Result::ok);
            (place.clone(), committed)
        };
        let assigned = places.iter().map(located).collect();
        self.places.clone_from(places);
        self.phase = Phase::Reading;
        self.events.push_back(GroupEvent::Assigned(assigned));
    }

    fn committed(&mut self, now: Monotonic, response: offset_commit::Response) {
        let results = admin::offsets_committed(response);
        let refusals = results.values().filter_map(|result| result.as_ref().err());
        let of_the_member = |refusal: &&BrokerError| refusal.known().is_some_and(is_of_the_member);
        let refusal = refusals.clone().find(of_the_member).cloned();
        self.events.push_back(GroupEvent::Committed(results));
        if let Some(refusal) = refusal {
            self.refuse(now, refusal);
        }
    }

    /// Returns whether an answer is one; otherwise does what its error code asks for.
    fn check(&mut self, now: Monotonic, code: i16) -> bool {
        match BrokerError::check(code, None) {
            Ok(()) => true,
            Err(refusal) => {
                self.refuse(now, refusal);
                false
            }
        }
    }

    fn refuse(&mut self, now: Monotonic, refusal: BrokerError) {
        use ErrorCode as Code;
        match refusal.known() {
            Some(Code::CoordinatorNotAvailable | Code::NotCoordinator) => {
                self.look_for_coordinator(now);
            }
            Some(Code::RebalanceInProgress) => {
                self.revoke();
                self.join_again();
            }
            Some(Code::IllegalGeneration) => self.lose(),
            Some(Code::UnknownMemberId) => {
                self.id.clear();
                self.lose();
            }
            _ if refusal.is_retriable() => self.pause(now),
            _ => {
                self.lose();
                self.phase = Phase::Out;
                self.events.push_back(GroupEvent::Failed(refusal));
            }
        }
    }

    /// Is in no generation any more: what it had may be another's by now.
    fn lose(&mut self) {
        let places = std::mem::take(&mut self.places);
        if !places.is_empty() {
            self.events.push_back(GroupEvent::Lost(places));
        }
        self.generation = GENERATION_NONE;
        self.commit = None; // invariant 3
        self.join_again();
    }

    fn join_again(&mut self) {
        // One that leaves has been forgotten, which is all it wants.
        if !matches!(self.phase, Phase::Leaving) {
            self.phase = Phase::Joining;
        } else if self.generation == GENERATION_NONE {
            self.phase = Phase::Out;
        }
    }
}

/// Returns whether a commit is refused because of who commits.
fn is_of_the_member(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::IllegalGeneration
            | ErrorCode::UnknownMemberId
            | ErrorCode::RebalanceInProgress
            | ErrorCode::CoordinatorNotAvailable
            | ErrorCode::NotCoordinator
    )
}

//! SyncGroup.

use std::collections::BTreeMap;

use crate::error::GroupError;
use crate::group::Phase;
use crate::lanes::Hold;
use crate::mutants::{self, Mutant};
use crate::record::Record;
use crate::request::{Sync, Token};
use crate::response::{Response, Synced};
use crate::rules::scope::{Effect, Scope};
use crate::text::{Blob, MemberId, Text};

impl Scope<'_> {
    /// A member asks for its assignment, and waits for the leader's if it has to.
    pub(crate) fn sync(&mut self, token: Token, sync: Sync) {
        if let Err(error) = self.check_sync(&sync) {
            return self.reply(token, Response::Sync(Err(error)));
        }
        let id = &sync.claim.member;
        self.group.unsynced.remove(id);
        if self.group.unsynced.is_empty() {
            self.timers.cancel(&self.sync_timer());
        }
        if self.group.phase == Phase::Stable {
            return self.reply_assignment(token, id);
        }
        let earlier = self.group.park_syncing(id, token);
        let response = Response::Sync(Err(GroupError::RebalanceInProgress));
        self.reply_to_earlier(earlier, response);
        if self.group.is_leader(id) {
            self.assign(sync.assignments);
        }
    }

    fn check_sync(&self, sync: &Sync) -> Result<(), GroupError> {
        if self.group.phase == Phase::Empty {
            return Err(GroupError::UnknownMember);
        }
        self.group.check_claim(&sync.claim)?;
        let differs = |said: &Option<Text>, known: &Option<Text>| {
            said.is_some() && known.is_some() && said != known
        };
        if differs(&sync.protocol_type, &self.group.protocol_type)
            || differs(&sync.protocol, &self.group.protocol)
        {
            return Err(GroupError::InconsistentProtocol);
        }
        match self.group.phase {
            Phase::Preparing(_) | Phase::Empty => Err(GroupError::RebalanceInProgress),
            Phase::Completing | Phase::Stable => Ok(()),
        }
    }

    /// Writes the generation with the leader's assignments. Members that the leader left out have
    /// an empty one.
    fn assign(&mut self, assignments: Vec<(MemberId, Blob)>) {
        let mut assignments: BTreeMap<MemberId, Blob> = assignments.into_iter().collect();
        assignments.retain(|id, _| self.group.member(id).is_some());
        let assigned_bytes: usize = assignments.values().map(|it| it.len()).sum();
        if assigned_bytes > self.group.assigned_bytes() + self.room.members_bytes {
            return self.refuse_assignments(GroupError::CoordinatorFull);
        }
        let assigned = |id: &MemberId| assignments.get(id).cloned().unwrap_or_default();
        let record = Record::Group {
            group: self.id.clone(),
            value: Some(self.group.as_metadata(|id, _| assigned(id))),
        };
        let effect = if mutants::is_on(Mutant::SyncBeforeDurable) {
            self.stabilise(&assignments);
            Effect::None
        } else {
            Effect::Stabilise(assignments)
        };
        self.outbox.write(vec![record], Hold::Group, effect);
    }

    /// The generation is durable: members get their assignments.
    pub(crate) fn stabilise(&mut self, assignments: &BTreeMap<MemberId, Blob>) {
        assert_eq!(self.group.phase, Phase::Completing, "the group was held");
        self.group.enter(Phase::Stable, self.now.wall);
        for id in self.group.member_ids() {
            let assignment = assignments.get(&id).cloned().unwrap_or_default();
            self.group.set_assignment(&id, assignment);
            if let Some(token) = self.group.take_syncing(&id) {
                self.reply_assignment(token, &id);
                self.arm_session(&id);
            }
        }
    }

    /// The generation did not become durable: members join again.
    pub(crate) fn refuse_assignments(&mut self, error: GroupError) {
        self.refuse_syncs(error);
        self.rebalance_or_complete();
    }

    fn reply_assignment(&mut self, token: Token, id: &MemberId) {
        let member = self.group.member(id);
        let assignment = member.map(|member| member.assignment.clone());
        let synced = Synced {
            protocol_type: self.group.protocol_type.clone(),
            protocol: self.group.protocol.clone(),
            assignment: assignment.unwrap_or_default(),
        };
        self.reply(token, Response::Sync(Ok(synced)));
    }
}

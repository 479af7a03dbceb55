//! The members of a group, and the phase that they are in.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use types::TimestampMs;

use crate::error::GroupError;
use crate::group::member::{self, Member};
use crate::group::protocols::Support;
use crate::mutants::{self, Mutant};
use crate::request::{Claim, Join, Token};
use crate::response::GroupState;
use crate::text::{Blob, InstanceId, MemberId, Text};

/// What a group is doing.
///
/// ```text
///            first join                all have joined, or time is up
///   Empty ───────────────► Preparing ──────────────────────────────► Completing
///     ▲                     │  ▲  ▲                                   │     │
///     └─────────────────────┘  │  └───────── join, leave, silence ────┘     │ the leader's
///        nobody has joined     │                                            │ assignments
///                              └──────────── join, leave, silence ─ Stable ◄┘ are durable
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// There are no members.
    Empty,
    /// Members join, those that were in the last generation too.
    Preparing(Gathering),
    /// Members wait for the leader to assign.
    Completing,
    /// Members have their assignments.
    Stable,
}

/// Until when members may join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gathering {
    /// The group was empty: others that start at the same time are waited for.
    Initial {
        /// Whether somebody has joined since the present delay began.
        has_new_member: bool,
        /// How long the present delay is.
        delay: Duration,
        /// How much longer it may be extended.
        remaining: Duration,
    },
    /// The group was not empty, or its delay is over: it is complete when all its members have
    /// joined, and those that were given an id.
    Again,
}

/// A group as it runs.
///
/// Invariants:
/// 1. `instances` are the names of `members`, `support` counts their protocols, `joining_count`
///    their parked joins, `said_bytes` what they and the pending ones take, `assigned_bytes` their assignments.
/// 2. `leader` is a member; there is one if there are members.
/// 3. No member is pending.
/// 4. There are no members in [`Phase::Empty`].
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) phase: Phase,
    pub(crate) since: Option<TimestampMs>,
    pub(crate) protocol_type: Option<Text>,
    pub(crate) protocol: Option<Text>,
    pub(crate) generation: i32,
    pub(crate) leader: Option<MemberId>,
    /// Members of this generation that have not asked for their assignment yet.
    pub(crate) unsynced: BTreeSet<MemberId>,
    pub(super) members: BTreeMap<MemberId, Member>,
    /// Members that were given an id and have not joined with it yet.
    pending: BTreeSet<MemberId>,
    instances: BTreeMap<InstanceId, MemberId>,
    pub(super) support: Support,
    joining_count: usize,
    said_bytes: usize,
    assigned_bytes: usize,
    /// What the members read; `None` if that is not known.
    pub(super) topics: Option<BTreeSet<String>>,
}

impl Group {
    /// Makes a group that has never had a member.
    pub(super) fn unused() -> Self {
        Self {
            phase: Phase::Empty,
            since: None,
            protocol_type: None,
            protocol: None,
            generation: 0,
            leader: None,
            pending: BTreeSet::new(),
            unsynced: BTreeSet::new(),
            members: BTreeMap::new(),
            instances: BTreeMap::new(),
            support: Support::default(),
            joining_count: 0,
            said_bytes: 0,
            assigned_bytes: 0,
            topics: None,
        }
    }

    pub(crate) fn state(&self) -> GroupState {
        match self.phase {
            Phase::Empty => GroupState::Empty,
            Phase::Preparing(_) => GroupState::PreparingRebalance,
            Phase::Completing => GroupState::CompletingRebalance,
            Phase::Stable => GroupState::Stable,
        }
    }

    /// Moves on to another phase.
    pub(crate) fn enter(&mut self, phase: Phase, now: TimestampMs) {
        self.phase = phase;
        self.since = Some(now);
    }

    pub(crate) fn member(&self, id: &MemberId) -> Option<&Member> {
        self.members.get(id)
    }

    pub(crate) fn members(&self) -> impl ExactSizeIterator<Item = (&MemberId, &Member)> {
        self.members.iter()
    }

    pub(crate) fn member_ids(&self) -> Vec<MemberId> {
        self.members.keys().cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(crate) fn is_leader(&self, id: &MemberId) -> bool {
        self.leader.as_ref() == Some(id)
    }

    pub(crate) fn member_named(&self, instance: &InstanceId) -> Option<&MemberId> {
        self.instances.get(instance)
    }

    pub(crate) fn joining_count(&self) -> usize {
        self.joining_count
    }

    /// Returns how much memory members and pending ones take, roughly, but for assignments.
    pub(crate) fn said_bytes(&self) -> usize {
        self.said_bytes
    }

    /// Returns how much memory assignments take.
    pub(crate) fn assigned_bytes(&self) -> usize {
        self.assigned_bytes
    }

    /// Returns how much memory all of these take.
    pub(crate) fn size_bytes(&self) -> usize {
        self.said_bytes + self.assigned_bytes
    }

    /// Checks who a request comes from.
    ///
    /// *Source*: `ClassicGroup.validateMember`.
    pub(crate) fn check_member(
        &self,
        id: &MemberId,
        instance: Option<&InstanceId>,
    ) -> Result<(), GroupError> {
        if let Some(instance) = instance {
            let Some(holder) = self.instances.get(instance) else {
                return Err(GroupError::UnknownMember);
            };
            if mutants::is_on(Mutant::StaticMemberNotFenced) {
                return Ok(());
            }
            if holder != id {
                return Err(GroupError::FencedInstance);
            }
        }
        if self.members.contains_key(id) {
            Ok(())
        } else {
            Err(GroupError::UnknownMember)
        }
    }

    /// Checks who a request comes from, and which generation it belongs to.
    pub(crate) fn check_claim(&self, claim: &Claim) -> Result<(), GroupError> {
        self.check_member(&claim.member, claim.instance.as_ref())?;
        if claim.generation == self.generation {
            Ok(())
        } else {
            Err(GroupError::IllegalGeneration)
        }
    }

    /// Adds somebody who has not been a member.
    pub(crate) fn add(&mut self, id: MemberId, member: Member, protocol_type: &Text) {
        if self.members.is_empty() {
            self.protocol_type = Some(protocol_type.clone());
        }
        self.remove_pending(&id);
        self.leader.get_or_insert_with(|| id.clone());
        self.insert(id, member);
    }

    pub(super) fn insert(&mut self, id: MemberId, member: Member) {
        if let Some(instance) = &member.instance {
            let earlier = self.instances.insert(instance.clone(), id.clone());
            assert!(earlier.is_none(), "a name has one holder"); // invariant 1
        }
        self.support.add(&member);
        self.said_bytes += member.size_bytes(&id);
        self.assigned_bytes += member.assignment.len();
        self.joining_count += usize::from(member.joining.is_some());
        let earlier = self.members.insert(id, member);
        assert!(earlier.is_none(), "member ids are not used twice");
    }

    fn take(&mut self, id: &MemberId) -> Option<Member> {
        let member = self.members.remove(id)?;
        if let Some(instance) = &member.instance {
            self.instances.remove(instance);
        }
        self.support.remove(&member);
        self.said_bytes -= member.size_bytes(id);
        self.assigned_bytes -= member.assignment.len();
        self.joining_count -= usize::from(member.joining.is_some());
        Some(member)
    }

    /// Removes a member or a pending one; the next member leads if the leader is gone.
    pub(crate) fn remove(&mut self, id: &MemberId) -> Option<Member> {
        self.remove_pending(id);
        self.unsynced.remove(id);
        let member = self.take(id)?;
        if self.is_leader(id) {
            self.leader = self.members.keys().next().cloned(); // invariant 2
        }
        Some(member)
    }

    pub(crate) fn is_pending(&self, id: &MemberId) -> bool {
        self.pending.contains(id)
    }

    pub(crate) fn pending_count(&self) -> usize {
        self.pending.len()
    }

    /// Expects somebody to join with the id that it was given.
    pub(crate) fn add_pending(&mut self, id: MemberId) {
        self.said_bytes += member::pending_size_bytes(&id);
        let is_new = self.pending.insert(id);
        assert!(is_new, "member ids are not used twice");
    }

    fn remove_pending(&mut self, id: &MemberId) {
        if self.pending.remove(id) {
            self.said_bytes -= member::pending_size_bytes(id);
        }
    }

    /// Changes a member, and counts it anew.
    pub(crate) fn change(&mut self, id: &MemberId, change: impl FnOnce(&mut Member)) {
        if let Some(mut member) = self.take(id) {
            change(&mut member);
            self.insert(id.clone(), member);
        }
    }

    /// Gives a static member's place to its successor; returns the one who had it.
    pub(crate) fn replace(
        &mut self,
        old: &MemberId,
        new: &MemberId,
        join: &Join,
    ) -> Option<Member> {
        let replaced = self.take(old)?;
        let mut successor = replaced.clone();
        successor.update(join);
        (successor.joining, successor.syncing) = (None, None);
        successor.is_new = false;
        self.insert(new.clone(), successor);
        if self.is_leader(old) {
            self.leader = Some(new.clone());
        }
        Some(replaced)
    }

    /// Takes the request of a member that waits for the others to join.
    pub(crate) fn take_joining(&mut self, id: &MemberId) -> Option<Token> {
        let token = self.members.get_mut(id)?.joining.take()?;
        self.joining_count -= 1;
        Some(token)
    }

    /// Lets a member wait for the others; returns an earlier request of it.
    pub(crate) fn park_joining(&mut self, id: &MemberId, token: Token) -> Option<Token> {
        let earlier = self.take_joining(id);
        if let Some(member) = self.members.get_mut(id) {
            member.joining = Some(token);
            self.joining_count += 1;
        }
        earlier
    }

    /// Takes the request of a member that waits for its assignment.
    pub(crate) fn take_syncing(&mut self, id: &MemberId) -> Option<Token> {
        self.members.get_mut(id)?.syncing.take()
    }

    /// Lets a member wait for its assignment; returns an earlier request of it.
    pub(crate) fn park_syncing(&mut self, id: &MemberId, token: Token) -> Option<Token> {
        self.members.get_mut(id)?.syncing.replace(token)
    }

    pub(crate) fn set_assignment(&mut self, id: &MemberId, assignment: Blob) {
        if let Some(member) = self.members.get_mut(id) {
            self.assigned_bytes -= member.assignment.len();
            self.assigned_bytes += assignment.len();
            member.assignment = assignment;
        }
    }

    /// Marks a member as part of a generation.
    pub(crate) fn settle(&mut self, id: &MemberId) {
        if let Some(member) = self.members.get_mut(id) {
            member.is_new = false;
            self.unsynced.insert(id.clone());
        }
    }

    pub(crate) fn have_all_joined(&self) -> bool {
        self.members.len() == self.joining_count && self.pending.is_empty()
    }

    /// Returns the members that did not join and have no name for which they are waited for.
    pub(crate) fn silent_members(&self) -> Vec<MemberId> {
        let silent = |member: &Member| member.joining.is_none() && member.instance.is_none();
        let members = self.members.iter();
        let silent = members.filter(|(_, member)| silent(member));
        silent.map(|(id, _)| id.clone()).collect()
    }
}

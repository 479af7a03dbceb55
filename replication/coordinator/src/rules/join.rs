//! JoinGroup.

use std::time::Duration;

use crate::error::GroupError;
use crate::group::{Gathering, Member, Phase, milliseconds};
use crate::lanes::Hold;
use crate::record::Record;
use crate::request::{Join, KnownMember, SkipAssignment, Token};
use crate::response::Response;
use crate::rules::scope::{Effect, Replacement, Scope};
use crate::text::{InstanceId, MemberId};

/// How long a member may wait for its first generation. It sends no heartbeats before, as it does
/// not know its id, so nothing else tells that it has gone.
///
/// *Source*: Kafka's `CLASSIC_GROUP_NEW_MEMBER_JOIN_TIMEOUT_MS`.
const NEW_MEMBER_JOIN_TIMEOUT: Duration = Duration::from_mins(5);

impl Scope<'_> {
    /// A member joins; its answer waits until the others have.
    pub(crate) fn join(&mut self, token: Token, join: Box<Join>) {
        if !self.has_seat_for(&join.member) {
            self.drop_member(&join.member, GroupError::GroupFull);
            return self.refuse_join(token, MemberId::default(), GroupError::GroupFull);
        }
        if let Some(error) = self.overflow(&join) {
            return self.refuse_join(token, MemberId::default(), error);
        }
        if !self.group.supports(&join.protocol_type, &join.protocols) {
            return self.refuse_join(token, join.member, GroupError::InconsistentProtocol);
        }
        if join.member.is_empty() {
            self.join_unnamed(token, join);
        } else if self.group.is_pending(&join.member) && join.instance.is_none() {
            let id = join.member.clone();
            self.add_member(token, &id, &join);
        } else {
            self.join_again(token, &join);
        }
    }

    fn refuse_join(&mut self, token: Token, member: MemberId, error: GroupError) {
        self.reply(token, Response::refused_join(member, error));
    }

    /// Returns whether the group is small enough for a member.
    ///
    /// *Source*: `acceptJoiningMember`; while members gather, those that have joined already count,
    /// so that the last ones are left out of a group that is too large.
    fn has_seat_for(&self, id: &MemberId) -> bool {
        let max = self.settings.group_max_size;
        let member = self.group.member(id);
        match self.group.phase {
            Phase::Empty => true,
            Phase::Preparing(_) => {
                let waits = member.is_some_and(|member| member.joining.is_some());
                waits || self.group.joining_count() < max
            }
            Phase::Completing | Phase::Stable => member.is_some() || self.group.len() < max,
        }
    }

    /// Returns which bound is in the way of remembering what a member says.
    fn overflow(&self, join: &Join) -> Option<GroupError> {
        let member = self.group.member(&join.member);
        let earlier = member.map_or(0, |member| member.size_bytes(&join.member));
        let said = Member::new(join).size_bytes(&join.member);
        let said_bytes = self.group.said_bytes() - earlier + said;
        if said_bytes > self.settings.group_members_bytes_max.as_usize() {
            Some(GroupError::GroupFull)
        } else if said > earlier + self.room.members_bytes {
            Some(GroupError::CoordinatorFull)
        } else {
            None
        }
    }

    /// Somebody joins who was given no id yet.
    fn join_unnamed(&mut self, token: Token, join: Box<Join>) {
        let prefix = join
            .instance
            .as_ref()
            .map_or(join.client_id.as_str(), InstanceId::as_str);
        let id = MemberId::generate(prefix, join.random);
        if let Some(instance) = &join.instance {
            match self.group.member_named(instance).cloned() {
                Some(old) => {
                    let replacement = Replacement {
                        old,
                        new: id,
                        join,
                        token,
                    };
                    self.replace_static_member(replacement);
                }
                None => self.add_member(token, &id, &join),
            }
        } else if join.known_member == KnownMember::Required {
            if self.group.pending_count() >= self.settings.group_pending_max {
                return self.refuse_join(token, MemberId::default(), GroupError::GroupFull);
            }
            self.group.add_pending(id.clone());
            self.arm_session_for(&id, milliseconds(join.session_timeout_ms));
            self.refuse_join(token, id, GroupError::MemberIdRequired);
        } else {
            self.add_member(token, &id, &join);
        }
    }

    fn add_member(&mut self, token: Token, id: &MemberId, join: &Join) {
        if let Phase::Preparing(Gathering::Initial { has_new_member, .. }) = &mut self.group.phase {
            *has_new_member = true;
        }
        let member = Member::new(join);
        self.group.add(id.clone(), member, &join.protocol_type);
        self.group.park_joining(id, token);
        self.arm_session_for(id, NEW_MEMBER_JOIN_TIMEOUT);
        self.rebalance_or_complete();
    }

    /// Somebody joins who says that it is a member.
    fn join_again(&mut self, token: Token, join: &Join) {
        let id = &join.member;
        if let Err(error) = self.group.check_member(id, join.instance.as_ref()) {
            return self.refuse_join(token, id.clone(), error);
        }
        let Some(member) = self.group.member(id) else {
            return self.refuse_join(token, id.clone(), GroupError::UnknownMember);
        };
        let says_the_same = member.says_the_same(join);
        let is_leader = self.group.is_leader(id);
        let changes_nothing = match self.group.phase {
            // The group has been left by everybody: the member starts over.
            Phase::Empty => return self.refuse_join(token, id.clone(), GroupError::UnknownMember),
            Phase::Preparing(_) => false,
            // The member may have missed the answer.
            Phase::Completing => says_the_same,
            // A leader that joins wants a rebalance: there may be more partitions to assign.
            Phase::Stable => says_the_same && !is_leader,
        };
        if changes_nothing {
            let joined = self.group.as_joined(id);
            return self.reply(token, Response::Join(Ok(joined)));
        }
        self.group.change(id, |member| member.update(join));
        self.park_join(token, id);
        self.rebalance_or_complete();
    }

    /// Lets a member wait for the others. An earlier request of it is told to join again: its client
    /// has given that one up.
    fn park_join(&mut self, token: Token, id: &MemberId) {
        let earlier = self.group.park_joining(id, token);
        let response = Response::refused_join(id.clone(), GroupError::RebalanceInProgress);
        self.reply_to_earlier(earlier, response);
    }

    /// A static member's process was started anew: it takes the place, and the old one is fenced.
    ///
    /// In a stable group whose protocol stays the same nobody else need know.
    /// *Source*: `updateStaticMemberThenRebalanceOrCompleteJoin`.
    fn replace_static_member(&mut self, replacement: Replacement) {
        if self.group.phase == Phase::Stable {
            let mut then = self.group.clone();
            then.replace(&replacement.old, &replacement.new, &replacement.join);
            if Some(then.elect_protocol()) == self.group.protocol {
                let metadata = then.as_metadata(|_, member| member.assignment.clone());
                let record = Record::Group {
                    group: self.id.clone(),
                    value: Some(metadata),
                };
                let effect = Effect::Replace(Box::new(replacement));
                return self.outbox.write(vec![record], Hold::Group, effect);
            }
        }
        self.install(&replacement);
        self.park_join(replacement.token, &replacement.new);
        match self.group.phase {
            Phase::Stable | Phase::Completing => self.prepare_rebalance(),
            Phase::Preparing(_) | Phase::Empty => self.complete_if_all_joined(),
        }
    }

    /// Puts the successor into the place of a static member, whose requests are fenced.
    fn install(&mut self, replacement: &Replacement) {
        let Replacement { old, new, join, .. } = replacement;
        let replaced = self.group.replace(old, new, join);
        self.cancel_session(old);
        self.arm_session(new);
        if let Some(replaced) = replaced {
            let fenced = GroupError::FencedInstance;
            let response = Response::refused_join(old.clone(), fenced);
            self.reply_to_earlier(replaced.joining, response);
            self.reply_to_earlier(replaced.syncing, Response::Sync(Err(fenced)));
        }
    }

    /// The successor's place is durable.
    pub(crate) fn finish_replacement(&mut self, replacement: &Replacement) {
        let led_before = self.group.leader.clone();
        self.install(replacement);
        let mut joined = self.group.as_joined(&replacement.new);
        match replacement.join.skip_assignment {
            SkipAssignment::Supported => {
                joined.skip_assignment = self.group.is_leader(&replacement.new);
            }
            // Such a client would assign if it were told that it leads, and nobody would ask for it.
            SkipAssignment::Unsupported => {
                joined.leader = led_before;
                joined.members.clear();
            }
        }
        self.reply(replacement.token, Response::Join(Ok(joined)));
    }
}

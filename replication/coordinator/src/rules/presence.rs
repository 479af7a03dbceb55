//! Who is there: Heartbeat, LeaveGroup, and members that are silent for too long.

use crate::error::GroupError;
use crate::group::Phase;
use crate::request::{Claim, Leave, LeavingMember, Token};
use crate::response::Response;
use crate::rules::scope::Scope;
use crate::text::MemberId;

impl Scope<'_> {
    /// A member says that it is alive, and learns whether it has to join again.
    pub(crate) fn heartbeat(&mut self, claim: &Claim) -> Result<(), GroupError> {
        self.group.check_claim(claim)?;
        match self.group.phase {
            Phase::Empty => Err(GroupError::UnknownMember),
            Phase::Preparing(_) => {
                self.arm_session(&claim.member);
                Err(GroupError::RebalanceInProgress)
            }
            Phase::Completing | Phase::Stable => {
                self.arm_session(&claim.member);
                Ok(())
            }
        }
    }

    /// Members leave; the answer waits if the group is empty then, until that is durable.
    pub(crate) fn leave(&mut self, token: Token, leave: &Leave) {
        let members = leave.members.iter();
        let left: Vec<_> = members.map(|member| self.leave_one(member)).collect();
        if left.iter().any(Result::is_ok) {
            self.somebody_left();
        }
        self.outbox
            .reply_when_durable(token, Response::Leave(Ok(left)));
    }

    fn leave_one(&mut self, leaving: &LeavingMember) -> Result<(), GroupError> {
        let id = if leaving.member.is_empty() {
            // An administrator removes whoever has the name.
            let instance = leaving.instance.as_ref();
            let holder = instance.and_then(|instance| self.group.member_named(instance));
            holder.cloned().ok_or(GroupError::UnknownMember)?
        } else {
            if !self.group.is_pending(&leaving.member) {
                self.group
                    .check_member(&leaving.member, leaving.instance.as_ref())?;
            }
            leaving.member.clone()
        };
        self.drop_member(&id, GroupError::UnknownMember);
        Ok(())
    }

    fn somebody_left(&mut self) {
        match self.group.phase {
            Phase::Completing | Phase::Stable => self.prepare_rebalance(),
            Phase::Preparing(_) => self.complete_if_all_joined(),
            Phase::Empty => {}
        }
    }

    /// A member has been silent for its session, or has not joined with the id that it was given.
    ///
    /// A member whose request waits here is not silent; it is given time again with the answer.
    pub(crate) fn session_is_over(&mut self, id: &MemberId) {
        if self.group.is_pending(id) {
            self.drop_member(id, GroupError::UnknownMember);
            return self.nobody_else_is_missing();
        }
        let member = self.group.member(id);
        if member.is_some_and(|member| !member.is_parked()) {
            self.drop_member(id, GroupError::UnknownMember);
            match self.group.phase {
                Phase::Completing | Phase::Stable => self.prepare_rebalance(),
                Phase::Preparing(_) | Phase::Empty => self.nobody_else_is_missing(),
            }
        }
    }

    /// Ends the gathering, even a group's first, if the others waited for the one that has gone.
    fn nobody_else_is_missing(&mut self) {
        if matches!(self.group.phase, Phase::Preparing(_)) && self.group.have_all_joined() {
            self.complete_join();
        }
    }
}

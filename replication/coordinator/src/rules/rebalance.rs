//! Rebalances: members gather, a generation begins, and those that are silent are left behind.

use std::time::Duration;

use crate::error::GroupError;
use crate::group::{Gathering, Phase};
use crate::lanes::Hold;
use crate::record::Record;
use crate::response::Response;
use crate::rules::scope::{Effect, Scope};
use crate::text::{Blob, MemberId};
use crate::timers::TimerKey;

/// How long the first generation waits, after its delay, for those that were given an id and are on
/// their way back with it: without them it would end as soon as it began.
const PENDING_GRACE: Duration = Duration::from_millis(100);

impl Scope<'_> {
    fn join_timer(&self) -> TimerKey {
        TimerKey::Join(self.id.clone())
    }

    pub(crate) fn sync_timer(&self) -> TimerKey {
        TimerKey::Sync(self.id.clone())
    }

    /// Begins a rebalance, or ends the one that is going on if everybody is there.
    pub(crate) fn rebalance_or_complete(&mut self) {
        match self.group.phase {
            Phase::Empty | Phase::Completing | Phase::Stable => self.prepare_rebalance(),
            Phase::Preparing(_) => self.complete_if_all_joined(),
        }
    }

    /// Begins a rebalance: all members have to join again.
    pub(crate) fn prepare_rebalance(&mut self) {
        if self.group.phase == Phase::Completing {
            self.refuse_syncs(GroupError::RebalanceInProgress);
        }
        self.group.unsynced.clear();
        self.timers.cancel(&self.sync_timer());
        let now = self.now.wall;
        if self.group.phase == Phase::Empty {
            let delay = self.settings.group_initial_rebalance_delay;
            let remaining = self.group.rebalance_timeout().saturating_sub(delay);
            let gathering = Gathering::Initial {
                has_new_member: false,
                delay,
                remaining,
            };
            self.group.enter(Phase::Preparing(gathering), now);
            let deadline = self.now.monotonic.after(delay);
            self.timers.set(self.join_timer(), deadline);
        } else {
            self.group.enter(Phase::Preparing(Gathering::Again), now);
            if self.group.have_all_joined() {
                self.complete_join();
            } else {
                self.arm_join_timer();
            }
        }
    }

    fn arm_join_timer(&mut self) {
        let timeout = self.group.rebalance_timeout();
        let deadline = self.now.monotonic.after(timeout);
        self.timers.set(self.join_timer(), deadline);
    }

    /// Ends a rebalance if everybody is there. The first one of a group takes its time instead.
    pub(crate) fn complete_if_all_joined(&mut self) {
        let gathers_again = self.group.phase == Phase::Preparing(Gathering::Again);
        if gathers_again && self.group.have_all_joined() {
            self.complete_join();
        }
    }

    /// Members have had their time to join.
    pub(crate) fn join_time_is_up(&mut self) {
        let initial_delay = self.settings.group_initial_rebalance_delay;
        let has_pending = self.group.pending_count() > 0;
        match &mut self.group.phase {
            Phase::Preparing(Gathering::Initial {
                has_new_member,
                delay,
                remaining,
            }) if *has_new_member && !remaining.is_zero() => {
                let next_delay = initial_delay.min(*remaining);
                *has_new_member = false;
                *remaining = remaining.saturating_sub(*delay);
                *delay = next_delay;
                let deadline = self.now.monotonic.after(next_delay);
                self.timers.set(self.join_timer(), deadline);
            }
            Phase::Preparing(gathering @ Gathering::Initial { .. }) if has_pending => {
                *gathering = Gathering::Again;
                let deadline = self.now.monotonic.after(PENDING_GRACE);
                self.timers.set(self.join_timer(), deadline);
            }
            Phase::Preparing(_) => self.complete_join(),
            // While the timer waited for the log, somebody before it was the last to join.
            Phase::Empty | Phase::Completing | Phase::Stable => {}
        }
    }

    /// Begins the next generation with those that have joined.
    ///
    /// Static members stay even if they have not: they are waited for until their session ends. If
    /// none but those is left, the rebalance goes on.
    pub(crate) fn complete_join(&mut self) {
        self.timers.cancel(&self.join_timer());
        for silent in self.group.silent_members() {
            self.group.remove(&silent);
            self.cancel_session(&silent);
        }
        if !self.group.elect_joined_leader() && !self.group.is_empty() {
            return self.arm_join_timer();
        }
        self.group.begin_generation(self.now.wall);
        if self.group.is_empty() {
            let record = Record::Group {
                group: self.id.clone(),
                value: Some(self.group.as_metadata(|_, _| Blob::default())),
            };
            return self.outbox.write(vec![record], Hold::Group, Effect::None);
        }
        for id in self.group.member_ids() {
            if let Some(token) = self.group.take_joining(&id) {
                let joined = self.group.as_joined(&id);
                self.reply(token, Response::Join(Ok(joined)));
            }
            self.arm_session(&id);
            self.group.settle(&id);
        }
        let deadline = self.now.monotonic.after(self.group.rebalance_timeout());
        self.timers.set(self.sync_timer(), deadline);
    }

    /// Members have had their time to ask for their assignments: those that did not are removed.
    pub(crate) fn sync_time_is_up(&mut self) {
        let silent: Vec<MemberId> = self.group.unsynced.iter().cloned().collect();
        if silent.is_empty() {
            return;
        }
        for id in &silent {
            self.group.remove(id);
            self.cancel_session(id);
        }
        self.prepare_rebalance();
    }

    /// Sends members away that wait for an assignment, and forgets all assignments.
    pub(crate) fn refuse_syncs(&mut self, error: GroupError) {
        for id in self.group.member_ids() {
            self.group.set_assignment(&id, Blob::default());
            if let Some(token) = self.group.take_syncing(&id) {
                self.reply(token, Response::Sync(Err(error)));
                self.arm_session(&id);
            }
        }
    }

    /// Removes a member, pending or not, and sends its waiting requests away.
    pub(crate) fn drop_member(&mut self, id: &MemberId, error: GroupError) {
        self.cancel_session(id);
        if let Some(member) = self.group.remove(id) {
            let response = Response::refused_join(MemberId::default(), error);
            self.reply_to_earlier(member.joining, response);
            self.reply_to_earlier(member.syncing, Response::Sync(Err(error)));
        }
    }
}

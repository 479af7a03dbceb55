//! What a rule works on, and what it leaves.

use std::collections::BTreeMap;

use crate::action::Now;
use crate::group::{Group, milliseconds};
use crate::lanes::{Hold, Task};
use crate::logged::LoggedGroup;
use crate::record::Record;
use crate::request::{Join, Request, Token};
use crate::response::Response;
use crate::settings::Settings;
use crate::text::{Blob, GroupId, MemberId};
use crate::timers::{TimerKey, Timers};

/// One group, and all that a rule may touch.
pub(crate) struct Scope<'a> {
    pub(crate) now: Now,
    pub(crate) settings: &'a Settings,
    pub(crate) room: Room,
    pub(crate) id: &'a GroupId,
    pub(crate) group: &'a mut Group,
    pub(crate) logged: &'a LoggedGroup,
    pub(crate) timers: &'a mut Timers,
    pub(crate) outbox: &'a mut Outbox,
}

/// How much more the coordinator holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) groups: usize,
    pub(crate) offsets: usize,
    pub(crate) members_bytes: usize,
}

/// How much of the room a write takes once it is durable.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Takes {
    pub(crate) groups: usize,
    pub(crate) offsets: usize,
}

/// What a rule leaves: answers, and at most one write.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) replies: Vec<(Token, Response)>,
    pub(crate) write: Option<Write>,
}

/// Records on their way to the log.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) records: Vec<Record>,
    pub(crate) hold: Hold,
    pub(crate) effect: Effect,
    /// The answer that waits for the records.
    pub(crate) reply: Option<(Token, Response)>,
    pub(crate) takes: Takes,
}

/// What happens when a write is durable, besides that its records are applied.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Nothing.
    None,
    /// The task that wrote it goes on, before any other of the group.
    Resume(Task),
    /// The generation has its assignments.
    Stabilise(BTreeMap<MemberId, Blob>),
    /// A static member's place goes to its successor.
    Replace(Box<Replacement>),
}

/// A static member whose process was started anew.
#[derive(Debug)]
pub(crate) struct Replacement {
    pub(crate) old: MemberId,
    pub(crate) new: MemberId,
    pub(crate) join: Box<Join>,
    pub(crate) token: Token,
}

impl Outbox {
    pub(crate) fn reply(&mut self, token: Token, response: Response) {
        self.replies.push((token, response));
    }

    /// Answers when what has just been written is durable; at once if nothing was.
    pub(crate) fn reply_when_durable(&mut self, token: Token, response: Response) {
        match &mut self.write {
            Some(write) => {
                let earlier = write.reply.replace((token, response));
                assert!(earlier.is_none(), "one answer waits for a write");
            }
            None => self.reply(token, response),
        }
    }

    pub(crate) fn write(&mut self, records: Vec<Record>, hold: Hold, effect: Effect) {
        assert!(!records.is_empty() && self.write.is_none());
        self.write = Some(Write {
            records,
            hold,
            effect,
            reply: None,
            takes: Takes::default(),
        });
    }

    /// Says that what has just been written takes room.
    pub(crate) fn take_room(&mut self, groups: usize, offsets: usize) {
        if let Some(write) = &mut self.write {
            write.takes.groups += groups;
            write.takes.offsets += offsets;
        }
    }
}

impl Scope<'_> {
    /// Brings a request under its rule.
    pub(crate) fn request(&mut self, token: Token, request: Request) {
        match request {
            Request::Join(join) => self.join(token, join),
            Request::Sync(sync) => self.sync(token, sync),
            Request::Heartbeat(heartbeat) => {
                let alive = self.heartbeat(&heartbeat.claim);
                self.reply(token, Response::Heartbeat(alive));
            }
            Request::Leave(leave) => self.leave(token, &leave),
            Request::OffsetCommit(commit) => self.commit(token, &commit),
            Request::OffsetDelete(delete) => self.delete_offsets(token, &delete),
            Request::DeleteGroup(_) => self.delete_group(token),
            Request::OffsetFetch(_)
            | Request::Describe(_)
            | Request::List(_)
            | Request::TopicsDeleted(_) => unreachable!("these change no group"),
        }
    }

    /// Does what a deadline of the group was set for.
    pub(crate) fn timer(&mut self, key: &TimerKey) {
        match key {
            TimerKey::Join(_) => self.join_time_is_up(),
            TimerKey::Sync(_) => self.sync_time_is_up(),
            TimerKey::Session(_, member) => self.session_is_over(member),
            TimerKey::Retention => unreachable!("this is about no single group"),
        }
    }

    pub(crate) fn reply(&mut self, token: Token, response: Response) {
        self.outbox.reply(token, response);
    }

    /// Answers a request that another of the same member has taken the place of.
    pub(crate) fn reply_to_earlier(&mut self, token: Option<Token>, response: Response) {
        if let Some(token) = token {
            self.outbox.reply(token, response);
        }
    }

    fn session(&self, member: &MemberId) -> TimerKey {
        TimerKey::Session(self.id.clone(), member.clone())
    }

    /// Gives a member its session's time, from now on.
    pub(crate) fn arm_session(&mut self, member: &MemberId) {
        if let Some(found) = self.group.member(member) {
            let timeout = milliseconds(found.session_timeout_ms);
            self.arm_session_for(member, timeout);
        }
    }

    /// Gives a member some time, from now on.
    pub(crate) fn arm_session_for(&mut self, member: &MemberId, timeout: std::time::Duration) {
        let deadline = self.now.monotonic.after(timeout);
        self.timers.set(self.session(member), deadline);
    }

    pub(crate) fn cancel_session(&mut self, member: &MemberId) {
        self.timers.cancel(&self.session(member));
    }
}

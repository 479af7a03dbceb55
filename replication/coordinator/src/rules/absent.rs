//! What a request gets whose group does not exist.

use crate::action::Now;
use crate::error::GroupError;
use crate::lanes::{Hold, Task};
use crate::logged::LoggedGroup;
use crate::record::{GroupMetadata, Record};
use crate::request::{Join, MissingGroup, OffsetCommit, Request, Token};
use crate::response::Response;
use crate::rules::offsets::Desk;
use crate::rules::scope::{Effect, Outbox, Room};
use crate::settings::Settings;
use crate::text::MemberId;

/// The place where a group would be.
pub(crate) struct Absence<'a> {
    pub(crate) now: Now,
    pub(crate) settings: &'a Settings,
    pub(crate) room: Room,
    pub(crate) outbox: &'a mut Outbox,
}

impl Absence<'_> {
    pub(crate) fn request(&mut self, token: Token, request: Request) {
        let response = match request {
            Request::Join(join) => return self.join(token, join),
            Request::OffsetCommit(commit) => return self.commit(token, &commit),
            Request::Leave(leave) => {
                let unknown = |_| Err(GroupError::UnknownMember);
                Response::Leave(Ok(leave.members.iter().map(unknown).collect()))
            }
            Request::Sync(_) => Response::Sync(Err(GroupError::UnknownMember)),
            Request::Heartbeat(_) => Response::Heartbeat(Err(GroupError::UnknownMember)),
            Request::OffsetDelete(_) => Response::OffsetDelete(Err(GroupError::GroupNotFound)),
            Request::DeleteGroup(_) => Response::DeleteGroup(Err(GroupError::GroupNotFound)),
            Request::Describe(_)
            | Request::List(_)
            | Request::OffsetFetch(_)
            | Request::TopicsDeleted(_) => unreachable!("these do not look for a running group"),
        };
        self.outbox.reply(token, response);
    }

    /// A member without an id makes the group; its record goes to the log before anybody joins.
    fn join(&mut self, token: Token, join: Box<Join>) {
        if !join.member.is_empty() {
            let response = Response::refused_join(join.member, GroupError::UnknownMember);
            return self.outbox.reply(token, response);
        }
        if self.room.groups == 0 {
            let error = GroupError::CoordinatorFull;
            let response = Response::refused_join(MemberId::default(), error);
            return self.outbox.reply(token, response);
        }
        let record = Record::Group {
            group: join.group.clone(),
            value: Some(GroupMetadata::unused(self.now.wall)),
        };
        let effect = Effect::Resume(Task::Request(token, Request::Join(join)));
        self.outbox.write(vec![record], Hold::Group, effect);
        self.outbox.take_room(1, 0);
    }

    /// A consumer that is no member makes a simple group, which has offsets alone.
    fn commit(&mut self, token: Token, commit: &OffsetCommit) {
        let refusal = if commit.claim.generation >= 0 {
            Some(match commit.missing_group {
                MissingGroup::NotFound => GroupError::GroupNotFound,
                MissingGroup::IllegalGeneration => GroupError::IllegalGeneration,
            })
        } else {
            (self.room.groups == 0).then_some(GroupError::CoordinatorFull)
        };
        if let Some(error) = refusal {
            return self.outbox.reply(token, Response::OffsetCommit(Err(error)));
        }
        let desk = Desk {
            now: self.now.wall,
            settings: self.settings,
            room: self.room,
        };
        desk.commit(&LoggedGroup::default(), token, commit, self.outbox);
        self.outbox.take_room(1, 0);
    }
}

//! A simple committer: keeps offsets in a group without being a member of it.

use std::collections::BTreeMap;
use std::rc::Rc;

use client::admin;
use types::ErrorCode;

use super::desk::{Desk, is_passing, name};
use super::group::Group;
use super::link::{COMMIT_VERSIONS_MAX, Link, Lost, pause};
use super::offsets;
use crate::chance::Chance;
use crate::history::GroupEvent;

/// Commits until the life ends or the topic goes.
pub(super) async fn run(desk: Rc<Desk>, group: Rc<Group>, chance: Chance) {
    let mut committer = Committer {
        desk,
        group,
        chance,
        next: 0,
    };
    while !committer.is_done() {
        let version_max = committer.chance.pick(COMMIT_VERSIONS_MAX);
        let Ok(mut link) = Link::dial(&committer.desk, version_max).await else {
            pause(&mut committer.chance, 2, 50).await;
            continue;
        };
        // A connection that is lost is replaced by the next turn.
        let _lost = committer.serve(&mut link).await.err();
    }
}

struct Committer {
    desk: Rc<Desk>,
    group: Rc<Group>,
    chance: Chance,
    /// The offset of the next commit.
    next: i64,
}

impl Committer {
    fn is_done(&self) -> bool {
        self.desk.is_finishing() || self.group.is_over()
    }

    async fn serve(&mut self, link: &mut Link) -> Result<(), Lost> {
        let mut is_there = false;
        while !self.is_done() {
            if is_there {
                is_there = self.commit(link).await?;
            } else {
                is_there = self.find_coordinator(link).await?;
            }
            pause(&mut self.chance, 1, 30).await;
        }
        Ok(())
    }

    /// Asks for the coordinator, so that there is one; returns whether it was found.
    async fn find_coordinator(&mut self, link: &mut Link) -> Result<bool, Lost> {
        let request = admin::find_coordinator(&self.group.name(), link.version_max());
        let response = link.call(&self.desk, &request).await?;
        let found = admin::coordinator_found(response);
        let code = found.map_or_else(|refusal| refusal.code, |_| 0);
        self.judge("FindCoordinator", code);
        Ok(code == 0)
    }

    /// Commits an offset of one partition or of two; returns whether the coordinator is there.
    async fn commit(&mut self, link: &mut Link) -> Result<bool, Lost> {
        let commit = self.desk.next_commit();
        let mut reached = BTreeMap::new();
        for _ in 0..self.chance.between(1, 2) {
            let partition = self.chance.between(0, self.group.partition_last());
            let partition = i32::try_from(partition).unwrap_or(0);
            let place = (self.group.topic.name.clone(), partition);
            reached.insert(place, offsets::committed(self.next, commit));
        }
        self.next += 1;
        let request = admin::commit_offsets(&self.group.name(), &reached);
        if let Some((_, sent)) = offsets::sent(&request) {
            self.group.note(&self.desk, sent);
        }
        let response = link.call(&self.desk, &request).await?;
        let mut is_there = true;
        for ((_, partition), result) in admin::offsets_committed(response) {
            let code = result.map_or_else(|refusal| refusal.code, |()| 0);
            self.judge("OffsetCommit", code);
            is_there &= code != ErrorCode::NotCoordinator.code();
            if code == 0 {
                let acknowledged = GroupEvent::CommitAcknowledged { commit, partition };
                self.group.note(&self.desk, acknowledged);
            }
        }
        Ok(is_there)
    }

    fn judge(&self, what: &str, code: i16) {
        if code != 0 && !is_passing(code) && !self.group.topic.is_doomed() {
            let (group, code) = (self.group.name(), name(code));
            self.desk.unexpected(format!("{what} of {group}: {code}"));
        }
    }
}

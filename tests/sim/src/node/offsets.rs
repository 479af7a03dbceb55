//! Offsets that groups commit: each carries the number of its commit as the text beside it.

use std::collections::BTreeMap;
use std::rc::Rc;

use client::admin::{self, Committed, NAMES_VERSION_MAX};
use types::Offset;
use wire::messages::{find_coordinator, offset_commit, offset_fetch};

use super::admin::Admin;
use super::desk::{is_passing, name};
use super::group::Group;
use super::link::pause;
use super::tinkerer::PARTITIONS_MAX;
use crate::history::{CommitNumber, FoundOffset, GroupEvent};

/// The last version in which one group is asked for, and the first that knows what is stable.
const SINGLE_VERSION: i16 = 7;

/// Makes an offset as commits carry it.
///
/// *Panics*: on a negative offset, which nobody reads.
pub(super) fn committed(offset: i64, commit: CommitNumber) -> Committed {
    Committed {
        metadata: commit.0.to_string(),
        ..Committed::at(Offset::new(offset).expect("nobody reads before the first offset"))
    }
}

/// Reads the offsets of a group by partition: a group has one topic.
///
/// *Errors*: the code for which they are not told.
pub(super) fn told(response: offset_fetch::Response) -> Result<BTreeMap<i32, FoundOffset>, i16> {
    let places = admin::committed_offsets(response).map_err(|refusal| refusal.code)?;
    let found = |committed: Committed| FoundOffset {
        offset: committed.offset.get(),
        commit: committed.metadata.parse().ok().map(CommitNumber),
    };
    let places = places.into_iter();
    let offsets = places.map(|((_, partition), result)| match result {
        Ok(committed) => Ok((partition, found(committed))),
        Err(refusal) => Err(refusal.code),
    });
    offsets.collect()
}

/// Returns which commit a request is, and the event that it is sent.
pub(super) fn sent(request: &offset_commit::Request) -> Option<(CommitNumber, GroupEvent)> {
    let partitions = || request.topics.iter().flat_map(|topic| &topic.partitions);
    let metadata = partitions().next()?.committed_metadata.as_deref()?;
    let commit = CommitNumber(metadata.parse().ok()?);
    let offsets = partitions().map(|it| (it.partition_index, it.committed_offset));
    let offsets = offsets.collect();
    Some((commit, GroupEvent::CommitSent { commit, offsets }))
}

/// Reads the offsets of every group, while nobody commits.
pub(super) async fn see_all(admin: &mut Admin) {
    for group in admin.desk.groups() {
        if !group.topic.is_doomed() {
            see(admin, &group).await;
        }
    }
}

async fn see(admin: &mut Admin, group: &Rc<Group>) {
    let version_max = admin.chance.pick(&[SINGLE_VERSION, NAMES_VERSION_MAX]);
    let mut request = admin::offsets_of_group(&group.name(), version_max);
    request.require_stable = true;
    loop {
        let asked = admin.desk.mark();
        let response = admin.ask_at_most(&request, version_max).await;
        match told(response) {
            Ok(told) => {
                let seen = (0..PARTITIONS_MAX).map(|it| (it, told.get(&it).copied()));
                let offsets = seen.collect();
                let seen = GroupEvent::OffsetsSeen { asked, offsets };
                group.note(&admin.desk, seen);
                return;
            }
            Err(code) if is_passing(code) => {
                // Nobody may ever have looked for a coordinator: then there is none yet.
                admin.ask(&find_coordinator_of(group)).await;
                pause(&mut admin.chance, 5, 20).await;
            }
            Err(code) => {
                let what = format!("OffsetFetch of {}: {}", group.name(), name(code));
                admin.desk.unexpected(what);
                return;
            }
        }
    }
}

fn find_coordinator_of(group: &Group) -> find_coordinator::Request {
    find_coordinator::Request {
        coordinator_keys: vec![group.name()],
        ..find_coordinator::Request::default()
    }
}

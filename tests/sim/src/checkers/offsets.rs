//! What a group committed is there, until a later commit takes its place.

use std::collections::BTreeMap;

use crate::history::{CommitNumber, FoundOffset, GroupEvent, GroupNumber, History, Mark};

/// A partition, as a group reads it.
type Place = (GroupNumber, i32);

/// One offset that was sent.
#[derive(Clone, Copy, Debug)]
struct Commit {
    offset: i64,
    sent: Mark,
    /// When it was known first to have been carried out.
    known: Option<Mark>,
}

#[derive(Debug, Default)]
struct Commits(BTreeMap<CommitNumber, Commit>);

impl Commits {
    fn know(&mut self, commit: CommitNumber, now: Mark) {
        if let Some(commit) = self.0.get_mut(&commit) {
            commit.known.get_or_insert(now);
        }
    }

    /// Returns what is wrong with an answer to a question that was asked at a time.
    fn fault(&self, asked: Mark, found: Option<FoundOffset>) -> Option<String> {
        let mut known = self
            .0
            .iter()
            .filter(|(_, it)| it.known < Some(asked) && it.known.is_some());
        let Some(found) = found else {
            let (lost, _) = known.next_back()?;
            return Some(format!("has no offset, after {lost:?}"));
        };
        let commit = found.commit.and_then(|number| self.0.get(&number));
        let Some(commit) = commit.filter(|commit| commit.offset == found.offset) else {
            return Some(format!("has {found:?}, which nobody committed"));
        };
        // One whose outcome is not known may have been carried out at any time.
        let end = commit.known?;
        let (later, _) = known.find(|(_, it)| end < it.sent)?;
        Some(format!("has {found:?}, which was there before {later:?}"))
    }
}

pub(super) fn check(history: &History) -> Vec<String> {
    let mut places: BTreeMap<Place, Commits> = BTreeMap::new();
    let mut violations = Vec::new();
    for (now, group, event) in history.groups() {
        match event {
            GroupEvent::CommitSent { commit, offsets } => {
                for &(partition, offset) in offsets {
                    let sent = Commit {
                        offset,
                        sent: now,
                        known: None,
                    };
                    let commits = places.entry((group, partition)).or_default();
                    commits.0.insert(*commit, sent);
                }
            }
            GroupEvent::CommitAcknowledged { commit, partition } => {
                let commits = places.entry((group, *partition)).or_default();
                commits.know(*commit, now);
            }
            GroupEvent::OffsetsSeen { asked, offsets } => {
                for &(partition, found) in offsets {
                    let commits = places.entry((group, partition)).or_default();
                    if let Some(fault) = commits.fault(*asked, found) {
                        violations.push(format!("{group}, partition {partition} {fault}"));
                    }
                    if let Some(commit) = found.and_then(|found| found.commit) {
                        commits.know(commit, now);
                    }
                }
            }
            _ => {}
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;
    use crate::history::Event;

    fn found(offset: i64, commit: u32) -> FoundOffset {
        FoundOffset {
            offset,
            commit: Some(CommitNumber(commit)),
        }
    }

    /// Two commits, of which the second may be without answer, and a look at what is there.
    fn faults(second_is_answered: bool, seen: Option<FoundOffset>) -> usize {
        let mut events = vec![
            group_opened(),
            commit_sent(1, 10),
            commit_acknowledged(1),
            commit_sent(2, 20),
        ];
        if second_is_answered {
            events.push(commit_acknowledged(2));
        }
        events.push(offsets_seen(events.len(), seen));
        check(&events.into()).len()
    }

    #[test]
    fn the_last_acknowledged_commit_or_a_later_one_is_there() {
        assert_eq!(faults(true, Some(found(20, 2))), 0);
        assert_eq!(faults(false, Some(found(20, 2))), 0);
        assert_eq!(faults(false, Some(found(10, 1))), 0);
    }

    #[test]
    fn an_acknowledged_commit_that_is_lost_is_found() {
        assert_eq!(faults(true, Some(found(10, 1))), 1);
        assert_eq!(faults(false, None), 1);
    }

    #[test]
    fn an_offset_that_nobody_committed_is_found() {
        assert_eq!(faults(true, Some(found(21, 2))), 1);
        assert_eq!(faults(true, Some(found(20, 3))), 1);
    }

    #[test]
    fn an_offset_that_was_seen_does_not_move_back() {
        let events: Vec<Event> = vec![
            group_opened(),
            commit_sent(1, 10),
            commit_acknowledged(1),
            commit_sent(2, 20),
            offsets_seen(4, Some(found(20, 2))),
            offsets_seen(5, Some(found(10, 1))),
        ];
        assert_eq!(check(&events.into()).len(), 1);
    }
}

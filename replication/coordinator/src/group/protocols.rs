//! Which protocol a group uses: of those that all members support, the one with the most votes.

use std::collections::BTreeMap;

use crate::group::member::Member;
use crate::request::Protocol;
use crate::text::Text;

/// How many members support each protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Support {
    counts: BTreeMap<Text, usize>,
}

impl Support {
    pub(crate) fn add(&mut self, member: &Member) {
        for protocol in &member.protocols {
            *self.counts.entry(protocol.name.clone()).or_default() += 1;
        }
    }

    pub(crate) fn remove(&mut self, member: &Member) {
        for protocol in &member.protocols {
            let count = self.counts.get_mut(&protocol.name);
            let count = count.expect("what a member supports was counted");
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&protocol.name);
            }
        }
    }

    /// Returns whether all `members` support a protocol.
    fn is_common(&self, name: &Text, members: usize) -> bool {
        self.counts.get(name).copied().unwrap_or(0) == members
    }

    /// Returns whether one of some protocols is supported by all `members`.
    pub(crate) fn has_common(&self, protocols: &[Protocol], members: usize) -> bool {
        let mut names = protocols.iter().map(|protocol| &protocol.name);
        names.any(|name| self.is_common(name, members))
    }

    /// Lets each member vote for the first of its protocols that all support.
    ///
    /// Of equally many votes the first name wins, so that the choice repeats.
    /// *Panics*: without members, or if they have nothing in common: joining rules that out.
    pub(crate) fn elect<'a>(&self, members: impl ExactSizeIterator<Item = &'a Member>) -> Text {
        let count = members.len();
        let mut votes: BTreeMap<&Text, usize> = BTreeMap::new();
        for member in members {
            let mut names = member.protocols.iter().map(|protocol| &protocol.name);
            let vote = names.find(|name| self.is_common(name, count));
            *votes
                .entry(vote.expect("members have a protocol in common"))
                .or_default() += 1;
        }
        let most = votes.values().max().copied();
        let mut ranked = votes.into_iter();
        let (winner, _) = ranked
            .find(|(_, count)| Some(*count) == most)
            .expect("there are members");
        winner.clone()
    }
}

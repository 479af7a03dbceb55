//! Generations of a group: as the log has them, how the next one begins, and what members and the log
//! are told of it.

use std::collections::BTreeSet;
use std::time::Duration;

use types::{TimestampMs, TopicName};

use crate::group::live::{Group, Phase};
use crate::group::member::{Member, milliseconds};
use crate::logged::LoggedGroup;
use crate::mutants::{self, Mutant};
use crate::record::{GroupMetadata, MemberMetadata};
use crate::request::Protocol;
use crate::response::Joined;
use crate::subscription;
use crate::text::{Blob, MemberId, Text};

/// The protocol type whose subscriptions the coordinator can read.
const CONSUMER: &str = "consumer";

/// A rebalance takes this long at least, whatever members say: one that nobody joins begins anew when
/// its time is up.
const REBALANCE_TIMEOUT_MIN: Duration = Duration::from_millis(100);

impl Group {
    /// Makes the group that the log describes.
    pub(crate) fn from_logged(logged: &LoggedGroup) -> Self {
        let mut group = Self::unused();
        if let Some(metadata) = &logged.metadata {
            group.since = metadata.since;
            group.protocol_type.clone_from(&metadata.protocol_type);
            group.protocol.clone_from(&metadata.protocol);
            group.generation = metadata.generation;
            let protocol = metadata.protocol.clone().unwrap_or_default();
            for stored in &metadata.members {
                group.insert(stored.member.clone(), Member::logged(stored, &protocol));
            }
            let is_member = |leader: &&MemberId| group.members.contains_key(*leader);
            let leader = metadata.leader.as_ref().filter(is_member).cloned();
            group.leader = leader.or_else(|| group.members.keys().next().cloned());
            if !group.members.is_empty() {
                group.phase = Phase::Stable;
            }
        }
        group.topics = group.subscribed_topics();
        group
    }

    /// Returns whether somebody who joins has a protocol in common with all members.
    pub(crate) fn supports(&self, protocol_type: &Text, protocols: &[Protocol]) -> bool {
        if self.phase == Phase::Empty {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        self.protocol_type.as_ref() == Some(protocol_type)
            && self.support.has_common(protocols, self.members.len())
    }

    /// Makes somebody who has joined lead if the leader has not; `false` if nobody has.
    pub(crate) fn elect_joined_leader(&mut self) -> bool {
        let has_joined = |id: &MemberId| self.members.get(id).is_some_and(|m| m.joining.is_some());
        if self.leader.as_ref().is_some_and(has_joined) {
            return true;
        }
        let joined = self.members.keys().find(|id| has_joined(id)).cloned();
        if joined.is_some() {
            self.leader = joined;
            return true;
        }
        false
    }

    /// Returns how long members may take to join: as long as the most patient one says.
    pub(crate) fn rebalance_timeout(&self) -> Duration {
        let timeouts = self.members.values().map(|m| m.rebalance_timeout_ms);
        milliseconds(timeouts.max().unwrap_or(0)).max(REBALANCE_TIMEOUT_MIN)
    }

    /// Returns the protocol that the members would choose now.
    pub(crate) fn elect_protocol(&self) -> Text {
        self.support.elect(self.members.values())
    }

    /// Begins the next generation with the members that there are.
    pub(crate) fn begin_generation(&mut self, now: TimestampMs) {
        if !mutants::is_on(Mutant::GenerationStays) {
            self.generation = self.generation.checked_add(1).unwrap_or(0);
        }
        self.unsynced.clear();
        if self.members.is_empty() {
            self.protocol = None;
            self.enter(Phase::Empty, now);
        } else {
            self.protocol = Some(self.elect_protocol());
            self.enter(Phase::Completing, now);
        }
        self.topics = self.subscribed_topics();
    }

    /// Returns what one member is told of this generation.
    pub(crate) fn as_joined(&self, id: &MemberId) -> Joined {
        let mut members = Vec::new();
        if self.is_leader(id) {
            let protocol = self.protocol.clone().unwrap_or_default();
            members.extend(self.members().map(|(id, m)| m.as_joined(id, &protocol)));
        }
        Joined {
            member: id.clone(),
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            skip_assignment: false,
            members,
        }
    }

    /// Returns this generation as a record, each member with what `assignment` gives it.
    pub(crate) fn as_metadata(
        &self,
        mut assignment: impl FnMut(&MemberId, &Member) -> Blob,
    ) -> GroupMetadata {
        let protocol = self.protocol.clone().unwrap_or_default();
        let members = self.members.iter().map(|(id, member)| MemberMetadata {
            member: id.clone(),
            instance: member.instance.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            session_timeout_ms: member.session_timeout_ms,
            subscription: member.metadata(&protocol),
            assignment: assignment(id, member),
        });
        GroupMetadata {
            protocol_type: self.protocol_type.clone(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            since: self.since,
            members: members.collect(),
        }
    }

    /// Returns whether members without a name for it may read the group's offsets only.
    pub(crate) fn uses_consumer_protocol(&self) -> bool {
        let name = self.protocol_type.as_ref().map(Text::as_str);
        name == Some(CONSUMER)
    }

    /// Returns whether it is known which topics the members read.
    pub(crate) fn knows_its_topics(&self) -> bool {
        self.topics.is_some()
    }

    /// Returns whether members read a topic; a group of consumers that cannot be understood reads
    /// all.
    pub(crate) fn reads(&self, topic: &TopicName) -> bool {
        match &self.topics {
            Some(topics) => topics.contains(topic.as_str()),
            None => self.uses_consumer_protocol(),
        }
    }

    fn subscribed_topics(&self) -> Option<BTreeSet<String>> {
        if !self.uses_consumer_protocol() {
            return None;
        }
        let mut topics = BTreeSet::new();
        if self.members.is_empty() {
            return Some(topics);
        }
        let protocol = self.protocol.as_ref()?;
        for member in self.members.values() {
            subscription::collect_topics(&member.metadata(protocol), &mut topics).ok()?;
        }
        Some(topics)
    }
}

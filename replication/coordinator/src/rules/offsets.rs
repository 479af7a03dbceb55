//! OffsetCommit, OffsetFetch and OffsetDelete.

use std::collections::BTreeSet;

use types::limits::BATCH_SIZE_MAX;
use types::{TimestampMs, TopicId, TopicName};

use crate::error::GroupError;
use crate::group::{Group, Phase};
use crate::lanes::Hold;
use crate::logged::LoggedGroup;
use crate::mutants::{self, Mutant};
use crate::record::{CommittedOffset, Record, places_with, written_bytes};
use crate::request::{Claim, NewOffset, OffsetCommit, OffsetDelete, Token, Wanted, WantedTopic};
use crate::response::{FetchedTopic, Response};
use crate::rules::scope::{Effect, Outbox, Room, Scope};
use crate::settings::Settings;
use crate::text::Text;

impl Scope<'_> {
    /// A member, or a consumer of an empty group, commits. The answer waits for the log.
    pub(crate) fn commit(&mut self, token: Token, commit: &OffsetCommit) {
        if let Err(error) = check_commit(self.group, &commit.claim) {
            return self.reply(token, Response::OffsetCommit(Err(error)));
        }
        if matches!(self.group.phase, Phase::Stable | Phase::Preparing(_)) {
            self.arm_session(&commit.claim.member);
        }
        let desk = Desk {
            now: self.now.wall,
            settings: self.settings,
            room: self.room,
        };
        desk.commit(self.logged, token, commit, self.outbox);
    }

    /// Deletes offsets that no member reads any more.
    pub(crate) fn delete_offsets(&mut self, token: Token, delete: &OffsetDelete) {
        let has_members = self.group.phase != Phase::Empty;
        if has_members && !self.group.uses_consumer_protocol() {
            let error = GroupError::GroupNotEmpty;
            return self.reply(token, Response::OffsetDelete(Err(error)));
        }
        let mut going = BTreeSet::new();
        let mut results = Vec::with_capacity(delete.partitions.len());
        for (topic, partition) in &delete.partitions {
            if self.group.reads(topic) {
                results.push(Err(GroupError::SubscribedToTopic));
                continue;
            }
            results.push(Ok(()));
            if self.logged.offset(topic, *partition).is_some() {
                going.insert((topic, *partition));
            }
        }
        if !fits_a_batch(
            going
                .iter()
                .map(|(topic, _)| written_bytes(self.id, topic, "")),
        ) {
            let error = GroupError::RecordTooLarge;
            return self.reply(token, Response::OffsetDelete(Err(error)));
        }
        let record = |(topic, partition): (&TopicName, _)| Record::Offset {
            group: self.id.clone(),
            topic: topic.clone(),
            partition,
            value: None,
        };
        let records: Vec<_> = going.into_iter().map(record).collect();
        if !records.is_empty() {
            self.outbox.write(records, Hold::Group, Effect::None);
        }
        self.outbox
            .reply_when_durable(token, Response::OffsetDelete(Ok(results)));
    }
}

/// Returns whether the log may take records of these sizes in one batch, as a request is written whole. Seen before
/// they are made: each repeats its group's name.
fn fits_a_batch(sizes: impl Iterator<Item = usize>) -> bool {
    sizes.sum::<usize>() <= BATCH_SIZE_MAX.as_usize()
}

/// *Source*: `ClassicGroup.validateOffsetCommit`.
fn check_commit(group: &Group, claim: &Claim) -> Result<(), GroupError> {
    let is_empty = group.phase == Phase::Empty;
    if claim.generation < 0 && is_empty {
        // An administrator, or a consumer that is no member.
        return Ok(());
    }
    if claim.generation >= 0 || !claim.member.is_empty() || claim.instance.is_some() {
        match group.check_claim(claim) {
            Err(GroupError::IllegalGeneration) if mutants::is_on(Mutant::OldGenerationCommits) => {}
            checked => checked?,
        }
    } else if !is_empty {
        return Err(GroupError::UnknownMember);
    }
    if group.phase == Phase::Completing {
        // The member knows the generation, but does not have its assignment yet.
        return Err(GroupError::RebalanceInProgress);
    }
    Ok(())
}

/// Where offsets are turned into records, whether or not their group exists.
pub(crate) struct Desk<'a> {
    pub(crate) now: TimestampMs,
    pub(crate) settings: &'a Settings,
    pub(crate) room: Room,
}

impl Desk<'_> {
    /// Writes the offsets whose notes are not too long.
    pub(crate) fn commit(
        &self,
        logged: &LoggedGroup,
        token: Token,
        commit: &OffsetCommit,
        outbox: &mut Outbox,
    ) {
        let places = self.places_taken(logged, &commit.offsets);
        if places > self.room.offsets {
            let error = GroupError::CoordinatorFull;
            return outbox.reply(token, Response::OffsetCommit(Err(error)));
        }
        let kept = commit
            .offsets
            .iter()
            .filter(|new| !self.is_too_long(&new.metadata));
        let sizes = kept.map(|new| written_bytes(&commit.group, &new.topic, new.metadata.as_str()));
        if !fits_a_batch(sizes) {
            let error = GroupError::RecordTooLarge;
            return outbox.reply(token, Response::OffsetCommit(Err(error)));
        }
        let mut records = Vec::with_capacity(commit.offsets.len());
        let mut results = Vec::with_capacity(commit.offsets.len());
        for new in &commit.offsets {
            if self.is_too_long(&new.metadata) {
                results.push(Err(GroupError::MetadataTooLarge));
                continue;
            }
            results.push(Ok(()));
            records.push(Record::Offset {
                group: commit.group.clone(),
                topic: new.topic.clone(),
                partition: new.partition,
                value: Some(self.committed(new, commit.retention_ms)),
            });
        }
        let response = Response::OffsetCommit(Ok(results));
        if records.is_empty() {
            return outbox.reply(token, response);
        }
        outbox.write(records, Hold::Offsets, Effect::None);
        outbox.take_room(0, places);
        if mutants::is_on(Mutant::AcknowledgeBeforeDurable) {
            return outbox.reply(token, response);
        }
        outbox.reply_when_durable(token, response);
    }

    /// Returns how many more places these offsets take than what is known of their partitions.
    fn places_taken(&self, logged: &LoggedGroup, offsets: &[NewOffset]) -> usize {
        let taken = |new: &NewOffset| {
            let known = logged.offset(&new.topic, new.partition);
            let known = known.map_or(0, CommittedOffset::places);
            places_with(&new.metadata).saturating_sub(known)
        };
        let kept = |new: &&NewOffset| !self.is_too_long(&new.metadata);
        offsets.iter().filter(kept).map(taken).sum()
    }

    fn is_too_long(&self, note: &Text) -> bool {
        // Kafka counts as Java does: UTF-16 units, of which there are no more than bytes.
        let (note, max) = (note.as_str(), self.settings.offset_metadata_max_bytes);
        note.len() > max && note.encode_utf16().count() > max
    }

    fn committed(&self, new: &NewOffset, retention_ms: Option<i64>) -> CommittedOffset {
        let expire_at = retention_ms.map(|ms| TimestampMs(self.now.0.saturating_add(ms)));
        // A record with an expiry has no place for these two.
        let (leader_epoch, topic_id) = match expire_at {
            Some(_) => (None, TopicId::ZERO),
            None => (new.leader_epoch, new.topic_id),
        };
        CommittedOffset {
            offset: new.offset,
            leader_epoch,
            metadata: new.metadata.clone(),
            committed_at: self.now,
            expire_at,
            topic_id,
        }
    }
}

/// Reads what is durable of a group's offsets; a group that does not exist has none.
pub(crate) fn fetch(logged: Option<&LoggedGroup>, wanted: &Wanted) -> Vec<FetchedTopic> {
    match wanted {
        Wanted::All => {
            let topics = logged.into_iter().flat_map(|group| &group.offsets);
            let fetched = topics.map(|(topic, partitions)| FetchedTopic {
                topic: topic.clone(),
                partitions: partitions
                    .iter()
                    .map(|(partition, committed)| (*partition, Some(committed.clone())))
                    .collect(),
            });
            fetched.collect()
        }
        Wanted::Topics(topics) => {
            let fetched = topics.iter().map(|wanted| fetch_topic(logged, wanted));
            fetched.collect()
        }
    }
}

fn fetch_topic(logged: Option<&LoggedGroup>, wanted: &WantedTopic) -> FetchedTopic {
    let known = logged.and_then(|group| group.offsets.get(&wanted.topic));
    let is_same_topic = |committed: &&CommittedOffset| {
        let known = committed.topic_id;
        known.is_zero() || wanted.topic_id.is_zero() || known == wanted.topic_id
    };
    let partitions = wanted.partitions.iter().map(|partition| {
        let committed = known.and_then(|partitions| partitions.get(partition));
        (*partition, committed.filter(is_same_topic).cloned())
    });
    FetchedTopic {
        topic: wanted.topic.clone(),
        partitions: partitions.collect(),
    }
}

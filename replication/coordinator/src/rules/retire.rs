//! How offsets and groups end: asked for, or because nobody uses them.

use types::{PartitionIndex, TimestampMs, TopicName};

use crate::error::GroupError;
use crate::group::Phase;
use crate::mutants::{self, Mutant};
use crate::record::{CommittedOffset, Record};
use crate::request::{Token, TopicDeleted};
use crate::response::Response;
use crate::rules::scope::{Effect, Hold, Scope};

/// From when on an offset's retention counts.
#[derive(Clone, Copy, Debug)]
enum Retention {
    /// From its commit.
    SinceCommit,
    /// From this time, when the group lost its last member.
    Since(TimestampMs),
}

impl Scope<'_> {
    /// DeleteGroups: only a group without members goes, its offsets with it.
    pub(crate) fn delete_group(&mut self, token: Token) {
        if self.group.phase != Phase::Empty {
            let error = GroupError::GroupNotEmpty;
            return self.reply(token, Response::DeleteGroup(Err(error)));
        }
        let mut records = self.tombstones(|_, _, _| true);
        records.push(self.group_tombstone());
        self.outbox.write(records, Hold::Group, Effect::None);
        self.outbox
            .reply_when_durable(token, Response::DeleteGroup(Ok(())));
    }

    /// A topic is gone: offsets that were committed for it, or for an unknown topic of its name, go.
    pub(crate) fn forget_topic(&mut self, deleted: &TopicDeleted) {
        let records = self.tombstones(|topic, _, committed| {
            let id = committed.topic_id;
            *topic == deleted.topic && (id.is_zero() || id == deleted.topic_id)
        });
        if !records.is_empty() {
            self.outbox.write(records, Hold::Group, Effect::None);
        }
    }

    /// Offsets that nobody uses go, and then the group if it has no members.
    ///
    /// *Source*: KIP-211; `cleanupExpiredOffsets` and `maybeDeleteGroup`.
    pub(crate) fn expire_offsets(&mut self) {
        let mut records = Vec::new();
        if let Some(retention) = self.retention() {
            records = self.tombstones(|topic, _, committed| {
                let in_use =
                    self.group.reads(topic) && !mutants::is_on(Mutant::ActiveOffsetsExpire);
                !in_use && self.is_expired(committed, retention)
            });
        }
        let none_left = records.len() == self.logged.offset_count();
        if none_left && self.group.phase == Phase::Empty {
            records.push(self.group_tombstone());
        }
        if !records.is_empty() {
            self.outbox.write(records, Hold::Group, Effect::None);
        }
    }

    /// Returns how the retention of the group's offsets counts; `None`: they do not expire now.
    ///
    /// *Source*: `ClassicGroup.offsetExpirationCondition`.
    fn retention(&self) -> Option<Retention> {
        if self.group.protocol_type.is_none() {
            return Some(Retention::SinceCommit);
        }
        match self.group.phase {
            Phase::Empty => {
                let since = self.group.since.map(Retention::Since);
                Some(since.unwrap_or(Retention::SinceCommit))
            }
            Phase::Stable if self.group.knows_its_topics() => Some(Retention::SinceCommit),
            Phase::Stable | Phase::Preparing(_) | Phase::Completing => None,
        }
    }

    fn is_expired(&self, committed: &CommittedOffset, retention: Retention) -> bool {
        let now = self.now.wall.0;
        if let Some(expire_at) = committed.expire_at {
            return now >= expire_at.0;
        }
        let since = match retention {
            Retention::SinceCommit => committed.committed_at,
            Retention::Since(since) => since,
        };
        let kept = self.settings.offsets_retention.as_millis();
        i128::from(now) - i128::from(since.0) >= i128::try_from(kept).unwrap_or(i128::MAX)
    }

    fn group_tombstone(&self) -> Record {
        let group = self.id.clone();
        Record::Group { group, value: None }
    }

    fn tombstones(
        &self,
        goes: impl Fn(&TopicName, PartitionIndex, &CommittedOffset) -> bool,
    ) -> Vec<Record> {
        let mut records = Vec::new();
        for (topic, partitions) in &self.logged.offsets {
            for (&partition, committed) in partitions {
                if goes(topic, partition, committed) {
                    records.push(Record::Offset {
                        group: self.id.clone(),
                        topic: topic.clone(),
                        partition,
                        value: None,
                    });
                }
            }
        }
        records
    }
}

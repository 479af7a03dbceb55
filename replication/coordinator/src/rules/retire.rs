//! How offsets and groups end: asked for, or because nobody uses them.

use std::collections::BTreeMap;

use types::{PartitionIndex, TimestampMs, TopicName};

use crate::deleted::TopicsDeleted;
use crate::error::GroupError;
use crate::group::Phase;
use crate::lanes::{Hold, Task};
use crate::mutants::{self, Mutant};
use crate::record::{CommittedOffset, Record, written_bytes};
use crate::request::{Request, Token};
use crate::response::Response;
use crate::rules::scope::{Effect, Scope};

/// Tombstones are written in pieces of this size, roughly: a batch of the log holds them.
const WRITE_BYTES_MAX: usize = 512 * 1024;

/// Whether more is to be deleted than one write holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    /// There is more.
    Some,
    /// That was all.
    None,
}

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
        let (mut records, rest) = self.tombstones(self.all_offsets());
        if rest == Rest::Some {
            let task = Task::Request(token, Request::DeleteGroup(self.id.clone()));
            return self
                .outbox
                .write(records, Hold::Group, Effect::Resume(task));
        }
        records.push(self.group_tombstone());
        self.outbox.write(records, Hold::Group, Effect::None);
        self.outbox
            .reply_when_durable(token, Response::DeleteGroup(Ok(())));
    }

    /// Topics are gone: offsets that were committed for them go, and those for an unknown topic of one's
    /// name unless there is another one.
    pub(crate) fn forget_topics(&mut self, deleted: &TopicsDeleted) {
        let concerned = deleted.concerned(&self.logged.offsets);
        let gone = each_offset(concerned).filter(|it| deleted.takes(it.topic, it.committed));
        let (records, rest) = self.tombstones(gone);
        if !records.is_empty() {
            let effect = match rest {
                Rest::Some => Effect::Resume(Task::Forget(deleted.clone())),
                Rest::None => Effect::None,
            };
            self.outbox.write(records, Hold::Group, effect);
        }
    }

    /// Offsets that nobody uses go, and then the group if it has no members.
    ///
    /// *Source*: KIP-211; `cleanupExpiredOffsets` and `maybeDeleteGroup`.
    pub(crate) fn expire_offsets(&mut self) {
        let (mut records, mut rest) = (Vec::new(), Rest::None);
        if let Some(retention) = self.retention() {
            let expired = self.all_offsets().filter(|it| {
                let in_use =
                    self.group.reads(it.topic) && !mutants::is_on(Mutant::ActiveOffsetsExpire);
                !in_use && self.is_expired(it.committed, retention)
            });
            (records, rest) = self.tombstones(expired);
        }
        let none_left = records.len() == self.logged.offset_count();
        if none_left && self.group.phase == Phase::Empty {
            records.push(self.group_tombstone());
        }
        if !records.is_empty() {
            let effect = match rest {
                Rest::Some => Effect::Resume(Task::Expire),
                Rest::None => Effect::None,
            };
            self.outbox.write(records, Hold::Group, effect);
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

    fn all_offsets(&self) -> impl Iterator<Item = Place<'_>> {
        each_offset(&self.logged.offsets)
    }

    /// Returns tombstones of the offsets that go: as many as one write holds, and whether that was all.
    fn tombstones<'a>(&self, going: impl Iterator<Item = Place<'a>>) -> (Vec<Record>, Rest) {
        let mut records = Vec::new();
        let mut size_bytes = 0;
        for Place {
            topic, partition, ..
        } in going
        {
            if size_bytes > WRITE_BYTES_MAX {
                return (records, Rest::Some);
            }
            size_bytes += written_bytes(self.id, topic, "");
            records.push(Record::Offset {
                group: self.id.clone(),
                topic: topic.clone(),
                partition,
                value: None,
            });
        }
        (records, Rest::None)
    }
}

/// One offset of a group.
struct Place<'a> {
    topic: &'a TopicName,
    partition: PartitionIndex,
    committed: &'a CommittedOffset,
}

fn each_offset<'a>(
    topics: impl IntoIterator<Item = (&'a TopicName, &'a BTreeMap<PartitionIndex, CommittedOffset>)>,
) -> impl Iterator<Item = Place<'a>> {
    topics.into_iter().flat_map(|(topic, partitions)| {
        partitions.iter().map(move |(&partition, committed)| Place {
            topic,
            partition,
            committed,
        })
    })
}

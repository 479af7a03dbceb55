//! A committed offset as a record's value.

use types::{LeaderEpoch, TimestampMs, TopicId, TopicName};

use crate::record::bytes::{Malformed, Reader, Writer};
use crate::text::{GroupId, Text};

/// How far a group has read one partition, and what it noted beside it.
///
/// Invariant: with `expire_at` there is neither leader epoch nor topic id. The record's version 1
/// is the only one that holds it, and the requests that ask for it know neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The next offset to read, as the client sent it: it may be anything.
    pub offset: i64,
    /// The leader epoch of the last record read, if the client knew it.
    pub leader_epoch: Option<LeaderEpoch>,
    /// What the client noted.
    pub metadata: Text,
    /// When it was committed.
    pub committed_at: TimestampMs,
    /// When it expires, if the client said so (OffsetCommit 2 to 4).
    pub expire_at: Option<TimestampMs>,
    /// The topic it is meant for; [`TopicId::ZERO`] if that was not known.
    pub topic_id: TopicId,
}

/// The tag of the topic id in version 4.
const TOPIC_ID_TAG: u32 = 0;

/// How many bytes of a note count as one more offset.
const NOTE_PIECE_SIZE: usize = 256;

/// Returns for how many offsets one with this note counts where their number is bounded: their memory
/// and their snapshot are bounded by that.
pub(crate) fn places_with(note: &Text) -> usize {
    1 + note.as_str().len() / NOTE_PIECE_SIZE
}

/// What a record takes in a batch beside its names and its note, at most.
const OVERHEAD: usize = 64;

/// Returns how much of a batch an offset takes, or its deletion, roughly.
pub(crate) fn written_bytes(group: &GroupId, topic: &TopicName, note: &str) -> usize {
    OVERHEAD + group.as_str().len() + topic.as_str().len() + note.len()
}

impl CommittedOffset {
    /// Returns for how many offsets it counts.
    pub(crate) fn places(&self) -> usize {
        places_with(&self.metadata)
    }

    /// Writes version 4, or 1 if the offset has an expiry of its own, as Kafka 4.3 does.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        if let Some(expire_at) = self.expire_at {
            assert_eq!(self.check(), Ok(()));
            writer.i16(1);
            writer.i64(self.offset);
            writer.string(self.metadata.as_str());
            writer.i64(self.committed_at.0);
            writer.i64(expire_at.0);
            return writer.finish();
        }
        writer.i16(4);
        writer.i64(self.offset);
        writer.i32(self.leader_epoch.map_or(-1, LeaderEpoch::get));
        writer.compact_string(self.metadata.as_str());
        writer.i64(self.committed_at.0);
        if self.topic_id.is_zero() {
            writer.unsigned_varint(0);
        } else {
            writer.unsigned_varint(1);
            writer.unsigned_varint(TOPIC_ID_TAG);
            writer.unsigned_varint(16);
            writer.raw(&self.topic_id.0);
        }
        writer.finish()
    }

    /// Holds an offset that was read to its invariant.
    pub(crate) fn check(&self) -> Result<(), Malformed> {
        let bare = self.leader_epoch.is_none() && self.topic_id.is_zero();
        if self.expire_at.is_none() || bare {
            Ok(())
        } else {
            Err(Malformed { what: "expiry" })
        }
    }

    /// Reads versions 0 to 4; the version has been read.
    pub(crate) fn decode(version: i16, reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let offset = reader.i64()?;
        let leader_epoch = match version {
            3.. => LeaderEpoch::new(reader.i32()?),
            _ => None,
        };
        let metadata = match version {
            4.. => reader.compact_string()?,
            _ => reader.string()?,
        };
        let committed_at = TimestampMs(reader.i64()?);
        let expire_at = match version {
            1 => Some(TimestampMs(reader.i64()?)).filter(|&at| at != TimestampMs::NONE),
            _ => None,
        };
        let topic_id = match version {
            4.. => match reader.tagged_fields(TOPIC_ID_TAG)? {
                Some(field) => {
                    let mut field = Reader::new(field);
                    let id = TopicId(field.uuid()?);
                    field.finish()?;
                    id
                }
                None => TopicId::ZERO,
            },
            _ => TopicId::ZERO,
        };
        Ok(Self {
            offset,
            leader_epoch,
            metadata: metadata
                .parse()
                .map_err(|_| Malformed { what: "metadata" })?,
            committed_at,
            expire_at,
            topic_id,
        })
    }
}

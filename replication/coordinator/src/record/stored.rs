//! A record as key and value.

use types::{PartitionIndex, TopicName};

use crate::record::bytes::{Malformed, Reader, Writer};
use crate::record::group::GroupMetadata;
use crate::record::offset::CommittedOffset;
use crate::text::GroupId;

/// One change of the state; of all records with one key the last one counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// How far a group has read one partition.
    Offset {
        /// The group.
        group: GroupId,
        /// The topic.
        topic: TopicName,
        /// Its partition.
        partition: PartitionIndex,
        /// The offset; `None`: it is gone.
        value: Option<CommittedOffset>,
    },
    /// A generation of a group.
    Group {
        /// The group.
        group: GroupId,
        /// The generation; `None`: the group is gone.
        value: Option<GroupMetadata>,
    },
}

/// A record as the log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordBytes {
    /// The key.
    pub key: Vec<u8>,
    /// The value; `None`: the log's null, a tombstone.
    pub value: Option<Vec<u8>>,
}

/// Why bytes are not a record that this code reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A record without a key does not belong into this log.
    #[error("a coordinator record without a key")]
    KeyMissing,
    /// A key that does not hold together.
    #[error("the key of a coordinator record of kind {kind} is damaged")]
    Key {
        /// The kind.
        kind: i16,
        /// What was wrong.
        #[source]
        source: Malformed,
    },
    /// A version of a value that is not known: a newer program wrote it.
    #[error("version {version} of coordinator record kind {kind} is not known to this version")]
    UnknownVersion {
        /// The kind.
        kind: i16,
        /// The version.
        version: i16,
    },
    /// A value that does not hold together.
    #[error("the value of a coordinator record of kind {kind} version {version} is damaged")]
    Value {
        /// The kind.
        kind: i16,
        /// The version.
        version: i16,
        /// What was wrong.
        #[source]
        source: Malformed,
    },
}

/// Kafka's numbers of the kinds, the first field of every key.
mod kind {
    /// Offsets as Kafka before 0.9 wrote them; the key's fields are the same.
    pub(super) const LEGACY_OFFSET: i16 = 0;
    pub(super) const OFFSET: i16 = 1;
    pub(super) const GROUP: i16 = 2;
}

/// The newest version of the values of both kinds.
const VALUE_VERSION_NEWEST: i16 = 4;

impl Record {
    /// Returns the group that the record is about.
    pub fn group(&self) -> &GroupId {
        match self {
            Self::Offset { group, .. } | Self::Group { group, .. } => group,
        }
    }

    /// Returns the record as bytes for the log.
    pub fn encode(&self) -> RecordBytes {
        let mut key = Writer::default();
        let value = match self {
            Self::Offset {
                group,
                topic,
                partition,
                value,
            } => {
                key.i16(kind::OFFSET);
                key.string(group.as_str());
                key.string(topic.as_str());
                key.i32(partition.get());
                value.as_ref().map(CommittedOffset::encode)
            }
            Self::Group { group, value } => {
                key.i16(kind::GROUP);
                key.string(group.as_str());
                value.as_ref().map(GroupMetadata::encode)
            }
        };
        let key = key.finish();
        RecordBytes { key, value }
    }

    /// Reads a record from bytes that nobody vouches for.
    ///
    /// `None` is a record of a kind that this code does not know: other kinds of groups, or a newer
    /// program. It is skipped, as Kafka skips it.
    /// *Errors*: [`DecodeError::UnknownVersion`] asks for a newer riverrun; every other means damage.
    pub fn decode(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Option<Self>, DecodeError> {
        let mut reader = Reader::new(key.ok_or(DecodeError::KeyMissing)?);
        let kind = reader
            .i16()
            .map_err(|source| DecodeError::Key { kind: -1, source })?;
        let damaged = |source| DecodeError::Key { kind, source };
        let record = match kind {
            kind::LEGACY_OFFSET | kind::OFFSET => {
                let (group, topic, partition) = offset_key(&mut reader).map_err(damaged)?;
                Self::Offset {
                    group,
                    topic,
                    partition,
                    value: decode_value(kind, value, CommittedOffset::decode)?,
                }
            }
            kind::GROUP => Self::Group {
                group: group_id(&mut reader).map_err(damaged)?,
                value: decode_value(kind, value, GroupMetadata::decode)?,
            },
            _ => return Ok(None),
        };
        reader.finish().map_err(damaged)?;
        Ok(Some(record))
    }
}

fn group_id(reader: &mut Reader<'_>) -> Result<GroupId, Malformed> {
    let text = reader.string()?;
    text.parse().map_err(|_| Malformed { what: "group" })
}

fn offset_key(reader: &mut Reader<'_>) -> Result<(GroupId, TopicName, PartitionIndex), Malformed> {
    let group = group_id(reader)?;
    let topic = reader.string()?;
    let topic = topic.parse().map_err(|_| Malformed { what: "topic" })?;
    let partition = PartitionIndex::new(reader.i32()?);
    let partition = partition.ok_or(Malformed { what: "partition" })?;
    Ok((group, topic, partition))
}

fn decode_value<T>(
    kind: i16,
    value: Option<&[u8]>,
    decode: fn(i16, &mut Reader<'_>) -> Result<T, Malformed>,
) -> Result<Option<T>, DecodeError> {
    let Some(bytes) = value else {
        return Ok(None);
    };
    let mut reader = Reader::new(bytes);
    let version = reader.i16().map_err(|source| DecodeError::Value {
        kind,
        version: -1,
        source,
    })?;
    if !(0..=VALUE_VERSION_NEWEST).contains(&version) {
        return Err(DecodeError::UnknownVersion { kind, version });
    }
    let decoded = decode(version, &mut reader);
    let whole = decoded.and_then(|value| reader.finish().map(|()| value));
    whole.map(Some).map_err(|source| DecodeError::Value {
        kind,
        version,
        source,
    })
}

//! A record as bytes: kind, version, archive.

use types::TopicId;
use types::limits::METADATA_RECORD_SIZE_MAX;

use crate::archive::{self, FieldError};
use crate::record::change::Record;
use crate::record::stored;

/// Bytes before the archive.
const ENVELOPE_SIZE: usize = 4;

/// Why bytes are not a record that this code reads.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Shorter than the envelope, or longer than any record.
    #[error("a metadata record of {length} bytes")]
    Length {
        /// How many bytes there are.
        length: usize,
    },
    /// A kind that this version of riverrun does not know: a newer one wrote it.
    #[error("metadata record kind {kind} version {version} is not known to this version")]
    UnknownKind {
        /// The kind.
        kind: u16,
        /// Its version.
        version: u16,
    },
    /// The archive does not hold together.
    #[error("metadata record kind {kind} version {version} is damaged")]
    Damaged {
        /// The kind.
        kind: u16,
        /// Its version.
        version: u16,
        /// What the check of the archive found.
        #[source]
        source: rkyv::rancor::Error,
    },
    /// A field has a value that it cannot have.
    #[error("metadata record kind {kind} version {version}")]
    Field {
        /// The kind.
        kind: u16,
        /// Its version.
        version: u16,
        /// Which field.
        #[source]
        source: FieldError,
    },
}

/// Numbers of kinds on disk: never reused, never renumbered.
mod kind {
    pub(super) const LEVEL_RAISED: u16 = 1;
    pub(super) const BROKER_REGISTERED: u16 = 2;
    pub(super) const TOPIC_CREATED: u16 = 3;
    pub(super) const TOPIC_DELETED: u16 = 4;
    pub(super) const PARTITIONS_ADDED: u16 = 5;
    pub(super) const CONFIGS_CHANGED: u16 = 6;
    pub(super) const PRODUCER_IDS_ALLOCATED: u16 = 7;
    pub(super) const QUOTAS_CHANGED: u16 = 8;
}

impl Record {
    /// Returns the record as bytes for the log.
    ///
    /// *Panics*: beyond [`METADATA_RECORD_SIZE_MAX`], which the bounds of every request rule out.
    pub fn encode(&self) -> Vec<u8> {
        let (kind, archive) = match self {
            Self::LevelRaised { level } => (
                kind::LEVEL_RAISED,
                archive::write(&stored::LevelRaisedV1 { level: *level }),
            ),
            Self::BrokerRegistered(record) => (
                kind::BROKER_REGISTERED,
                archive::write(&stored::BrokerRegisteredV1::from(record)),
            ),
            Self::TopicCreated(record) => (
                kind::TOPIC_CREATED,
                archive::write(&stored::TopicCreatedV1::from(record)),
            ),
            Self::TopicDeleted { topic } => (
                kind::TOPIC_DELETED,
                archive::write(&stored::TopicDeletedV1 { topic: topic.0 }),
            ),
            Self::PartitionsAdded(record) => (
                kind::PARTITIONS_ADDED,
                archive::write(&stored::PartitionsAddedV1::from(record)),
            ),
            Self::ConfigsChanged(record) => (
                kind::CONFIGS_CHANGED,
                archive::write(&stored::ConfigsChangedV1::from(record)),
            ),
            Self::ProducerIdsAllocated(record) => (
                kind::PRODUCER_IDS_ALLOCATED,
                archive::write(&stored::ProducerIdsAllocatedV1::from(record)),
            ),
            Self::QuotasChanged(record) => (
                kind::QUOTAS_CHANGED,
                archive::write(&stored::QuotasChangedV1::from(record)),
            ),
        };
        let mut bytes = Vec::with_capacity(ENVELOPE_SIZE + archive.len());
        bytes.extend_from_slice(&kind.to_le_bytes());
        bytes.extend_from_slice(&1_u16.to_le_bytes());
        bytes.extend_from_slice(&archive);
        assert!(bytes.len() <= METADATA_RECORD_SIZE_MAX.as_usize());
        bytes
    }

    /// Reads a record from bytes that nobody vouches for.
    ///
    /// *Errors*: [`DecodeError::UnknownKind`] asks for a newer riverrun; every other means damage.
    /// *Cost*: one copy, because an archive is read in place and must be aligned.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let length = bytes.len();
        let too_short = DecodeError::Length { length };
        let Some((&[k0, k1, v0, v1], archive)) = bytes.split_first_chunk::<ENVELOPE_SIZE>() else {
            return Err(too_short);
        };
        if length > METADATA_RECORD_SIZE_MAX.as_usize() {
            return Err(too_short);
        }
        let kind = u16::from_le_bytes([k0, k1]);
        let version = u16::from_le_bytes([v0, v1]);
        Self::decode_archive(kind, version, archive).map_err(|error| match error {
            ArchiveError::UnknownKind => DecodeError::UnknownKind { kind, version },
            ArchiveError::Damaged(source) => DecodeError::Damaged {
                kind,
                version,
                source,
            },
            ArchiveError::Field(source) => DecodeError::Field {
                kind,
                version,
                source,
            },
        })
    }

    fn decode_archive(kind: u16, version: u16, bytes: &[u8]) -> Result<Self, ArchiveError> {
        Ok(match (kind, version) {
            (kind::LEVEL_RAISED, 1) => Self::LevelRaised {
                level: archive::read::<stored::LevelRaisedV1>(bytes)?.level,
            },
            (kind::BROKER_REGISTERED, 1) => Self::BrokerRegistered(
                archive::read::<stored::BrokerRegisteredV1>(bytes)?.try_into()?,
            ),
            (kind::TOPIC_CREATED, 1) => {
                Self::TopicCreated(archive::read::<stored::TopicCreatedV1>(bytes)?.try_into()?)
            }
            (kind::TOPIC_DELETED, 1) => Self::TopicDeleted {
                topic: TopicId(archive::read::<stored::TopicDeletedV1>(bytes)?.topic),
            },
            (kind::PARTITIONS_ADDED, 1) => Self::PartitionsAdded(
                archive::read::<stored::PartitionsAddedV1>(bytes)?.try_into()?,
            ),
            (kind::CONFIGS_CHANGED, 1) => {
                Self::ConfigsChanged(archive::read::<stored::ConfigsChangedV1>(bytes)?.into())
            }
            (kind::PRODUCER_IDS_ALLOCATED, 1) => Self::ProducerIdsAllocated(
                archive::read::<stored::ProducerIdsAllocatedV1>(bytes)?.try_into()?,
            ),
            (kind::QUOTAS_CHANGED, 1) => {
                Self::QuotasChanged(archive::read::<stored::QuotasChangedV1>(bytes)?.try_into()?)
            }
            _ => return Err(ArchiveError::UnknownKind),
        })
    }
}

/// [`DecodeError`] before kind and version are added.
enum ArchiveError {
    UnknownKind,
    Damaged(rkyv::rancor::Error),
    Field(FieldError),
}

impl From<rkyv::rancor::Error> for ArchiveError {
    fn from(error: rkyv::rancor::Error) -> Self {
        Self::Damaged(error)
    }
}

impl From<FieldError> for ArchiveError {
    fn from(error: FieldError) -> Self {
        Self::Field(error)
    }
}

//! The logged state as bytes: what replay starts from, so that the log before it can go.
//!
//! *Layout*: docs/formats/coordinator_record.md. 32 bytes of head (magic, version, checksum, length,
//! end), then an rkyv archive. Equal states have equal bytes. Reading checks everything anew, as if
//! the bytes came from a stranger.

use rkyv::util::AlignedVec;
use rkyv::{Archive, Deserialize, Serialize};
use types::{LeaderEpoch, Offset, PartitionIndex, TimestampMs, TopicId};

use crate::logged::{Logged, LoggedGroup};
use crate::record::{CommittedOffset, GroupMetadata, Malformed, MemberMetadata};
use crate::text::{Blob, Text};

/// The first bytes of a snapshot.
const MAGIC: [u8; 8] = *b"rr-group";
/// The version that is written.
const VERSION: u32 = 1;
/// Bytes before the archive: a multiple of its alignment.
const HEAD_SIZE: usize = 32;

/// Why bytes are not a snapshot that this code reads.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The first bytes are not a snapshot's.
    #[error("a coordinator snapshot does not start so")]
    NotASnapshot,
    /// A newer riverrun wrote it.
    #[error("coordinator snapshot version {version} is not known to this version")]
    UnknownVersion {
        /// The version.
        version: u32,
    },
    /// More or fewer bytes than its head says.
    #[error("a coordinator snapshot of {want} bytes has {got}")]
    Length {
        /// How many its head says.
        want: u64,
        /// How many there are.
        got: usize,
    },
    /// The bytes are not those that were written.
    #[error("the checksum of a coordinator snapshot is {got:08x}, not {want:08x}")]
    Checksum {
        /// What its head says.
        want: u32,
        /// What its bytes have.
        got: u32,
    },
    /// The archive does not hold together.
    #[error("the coordinator snapshot is damaged")]
    Damaged(#[source] rkyv::rancor::Error),
    /// A field has a value that it cannot have.
    #[error("the coordinator snapshot contradicts itself")]
    Field(#[from] Malformed),
}

#[derive(Archive, Serialize, Deserialize)]
struct StateV1 {
    groups: Vec<GroupV1>,
}

#[derive(Archive, Serialize, Deserialize)]
struct GroupV1 {
    id: String,
    metadata: Option<MetadataV1>,
    offsets: Vec<OffsetV1>,
}

#[derive(Archive, Serialize, Deserialize)]
struct MetadataV1 {
    protocol_type: Option<String>,
    generation: i32,
    protocol: Option<String>,
    leader: Option<String>,
    since_ms: Option<i64>,
    members: Vec<MemberV1>,
}

#[derive(Archive, Serialize, Deserialize)]
struct MemberV1 {
    member: String,
    instance: Option<String>,
    client_id: String,
    client_host: String,
    rebalance_timeout_ms: i32,
    session_timeout_ms: i32,
    subscription: Vec<u8>,
    assignment: Vec<u8>,
}

#[derive(Archive, Serialize, Deserialize)]
struct OffsetV1 {
    topic: String,
    partition: i32,
    offset: i64,
    leader_epoch: i32,
    metadata: String,
    committed_at_ms: i64,
    expire_at_ms: Option<i64>,
    topic_id: [u8; 16],
}

/// Returns the state as bytes; `end` is the first offset of the log that is not in it.
pub(crate) fn encode(logged: &Logged, end: Offset) -> Vec<u8> {
    let groups = logged.groups().map(|(id, group)| GroupV1 {
        id: id.as_str().to_owned(),
        metadata: group.metadata.as_ref().map(MetadataV1::from),
        offsets: offsets(group),
    });
    let state = StateV1 {
        groups: groups.collect(),
    };
    let archive = rkyv::to_bytes::<rkyv::rancor::Error>(&state)
        .expect("an archive in memory has no writer that fails");
    let length = u64::try_from(archive.len()).expect("memory is addressed with 64 bits");
    let mut bytes = Vec::with_capacity(HEAD_SIZE + archive.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&checksum(length, end, &archive).to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&end.get().to_le_bytes());
    bytes.extend_from_slice(&archive);
    bytes
}

/// Reads a state, and the first offset that is not in it, from bytes that nobody vouches for.
pub(crate) fn decode(bytes: &[u8]) -> Result<(Logged, Offset), SnapshotError> {
    let Some((head, archive)) = bytes.split_first_chunk::<HEAD_SIZE>() else {
        return Err(SnapshotError::NotASnapshot);
    };
    let (magic, head) = split::<8>(head);
    let (version, head) = split::<4>(head);
    let (want, head) = split::<4>(head);
    let (length, head) = split::<8>(head);
    let (end, _) = split::<8>(head);
    if magic != MAGIC {
        return Err(SnapshotError::NotASnapshot);
    }
    let version = u32::from_le_bytes(version);
    if version != VERSION {
        return Err(SnapshotError::UnknownVersion { version });
    }
    let length = u64::from_le_bytes(length);
    if usize::try_from(length) != Ok(archive.len()) {
        return Err(SnapshotError::Length {
            want: length,
            got: archive.len(),
        });
    }
    let end = Offset::new(i64::from_le_bytes(end)).ok_or(Malformed { what: "end" })?;
    let want = u32::from_le_bytes(want);
    let got = checksum(length, end, archive);
    if want != got {
        return Err(SnapshotError::Checksum { want, got });
    }
    // An archive is read in place and must be aligned.
    let mut aligned: AlignedVec = AlignedVec::with_capacity(archive.len());
    aligned.extend_from_slice(archive);
    let state = rkyv::from_bytes::<StateV1, rkyv::rancor::Error>(&aligned)
        .map_err(SnapshotError::Damaged)?;
    let mut logged = Logged::default();
    for group in state.groups {
        let id = parsed(&group.id)?;
        if !logged.restore(id, LoggedGroup::try_from(group)?) {
            return Err(Malformed { what: "groups" }.into());
        }
    }
    Ok((logged, end))
}

/// Covers all that is not a constant.
fn checksum(length: u64, end: Offset, archive: &[u8]) -> u32 {
    let sum = crc32c::crc32c(&length.to_le_bytes());
    let sum = crc32c::crc32c_append(sum, &end.get().to_le_bytes());
    crc32c::crc32c_append(sum, archive)
}

/// Splits a head whose size is known to suffice.
fn split<const N: usize>(head: &[u8]) -> ([u8; N], &[u8]) {
    let (field, rest) = head
        .split_first_chunk::<N>()
        .expect("the fields fit the head");
    (*field, rest)
}

fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, Malformed> {
    text.parse().map_err(|_| Malformed { what: "text" })
}

fn offsets(group: &LoggedGroup) -> Vec<OffsetV1> {
    let mut stored = Vec::with_capacity(group.offset_count());
    for (topic, partitions) in &group.offsets {
        for (partition, committed) in partitions {
            stored.push(OffsetV1 {
                topic: topic.as_str().to_owned(),
                partition: partition.get(),
                offset: committed.offset,
                leader_epoch: committed.leader_epoch.map_or(-1, LeaderEpoch::get),
                metadata: committed.metadata.as_str().to_owned(),
                committed_at_ms: committed.committed_at.0,
                expire_at_ms: committed.expire_at.map(|at| at.0),
                topic_id: committed.topic_id.0,
            });
        }
    }
    stored
}

impl From<&GroupMetadata> for MetadataV1 {
    fn from(group: &GroupMetadata) -> Self {
        let text = |text: &Text| text.as_str().to_owned();
        let members = group.members.iter().map(|member| MemberV1 {
            member: member.member.as_str().to_owned(),
            instance: member.instance.as_ref().map(|id| id.as_str().to_owned()),
            client_id: text(&member.client_id),
            client_host: text(&member.client_host),
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            session_timeout_ms: member.session_timeout_ms,
            subscription: member.subscription.to_vec(),
            assignment: member.assignment.to_vec(),
        });
        Self {
            protocol_type: group.protocol_type.as_ref().map(text),
            generation: group.generation,
            protocol: group.protocol.as_ref().map(text),
            leader: group.leader.as_ref().map(|id| id.as_str().to_owned()),
            since_ms: group.since.map(|since| since.0),
            members: members.collect(),
        }
    }
}

impl TryFrom<MetadataV1> for GroupMetadata {
    type Error = Malformed;

    fn try_from(stored: MetadataV1) -> Result<Self, Malformed> {
        let mut members = Vec::with_capacity(stored.members.len());
        for member in stored.members {
            members.push(MemberMetadata {
                member: parsed(&member.member)?,
                instance: member.instance.as_deref().map(parsed).transpose()?,
                client_id: parsed(&member.client_id)?,
                client_host: parsed(&member.client_host)?,
                rebalance_timeout_ms: member.rebalance_timeout_ms,
                session_timeout_ms: member.session_timeout_ms,
                subscription: Blob::from(member.subscription),
                assignment: Blob::from(member.assignment),
            });
        }
        let group = Self {
            protocol_type: stored.protocol_type.as_deref().map(parsed).transpose()?,
            generation: stored.generation,
            protocol: stored.protocol.as_deref().map(parsed).transpose()?,
            leader: stored.leader.as_deref().map(parsed).transpose()?,
            since: stored.since_ms.map(TimestampMs),
            members,
        };
        group.check()?;
        Ok(group)
    }
}

impl TryFrom<GroupV1> for LoggedGroup {
    type Error = Malformed;

    fn try_from(stored: GroupV1) -> Result<Self, Malformed> {
        let metadata = stored.metadata.map(GroupMetadata::try_from).transpose()?;
        let mut group = Self {
            metadata,
            ..Self::default()
        };
        for offset in stored.offsets {
            let what = "offsets";
            let topic = parsed(&offset.topic)?;
            let partition = PartitionIndex::new(offset.partition).ok_or(Malformed { what })?;
            let committed = CommittedOffset::try_from(offset)?;
            let partitions = group.offsets.entry(topic).or_default();
            if partitions.insert(partition, committed).is_some() {
                return Err(Malformed { what });
            }
        }
        Ok(group)
    }
}

impl TryFrom<OffsetV1> for CommittedOffset {
    type Error = Malformed;

    fn try_from(stored: OffsetV1) -> Result<Self, Malformed> {
        let committed = Self {
            offset: stored.offset,
            leader_epoch: LeaderEpoch::new(stored.leader_epoch),
            metadata: parsed(&stored.metadata)?,
            committed_at: TimestampMs(stored.committed_at_ms),
            expire_at: stored.expire_at_ms.map(TimestampMs),
            topic_id: TopicId(stored.topic_id),
        };
        committed.check()?;
        Ok(committed)
    }
}

//! A group as a record's value: who was a member of one generation, and what each was assigned.

use std::collections::BTreeSet;

use types::TimestampMs;

use crate::record::bytes::{Malformed, Reader, Writer};
use crate::text::{Blob, InstanceId, MemberId, Text};

/// One generation of a group. Without members the group is empty.
///
/// Invariants:
/// 1. Member ids are unique, and so are instance ids; members stand in the order of their ids.
/// 2. A group with members has a protocol.
/// 3. The generation is not negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMetadata {
    /// What its members have in common, `consumer` for instance; `None` before the first member.
    pub protocol_type: Option<Text>,
    /// Counts the rebalances.
    pub generation: i32,
    /// The protocol that all members voted for.
    pub protocol: Option<Text>,
    /// The member that assigns.
    pub leader: Option<MemberId>,
    /// When the group came into this state, if it is known.
    pub since: Option<TimestampMs>,
    /// The members.
    pub members: Vec<MemberMetadata>,
}

/// One member of a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberMetadata {
    /// Its id.
    pub member: MemberId,
    /// The name of a static member.
    pub instance: Option<InstanceId>,
    /// What its client calls itself.
    pub client_id: Text,
    /// Where its client connects from.
    pub client_host: Text,
    /// How long it may take to join again, in milliseconds.
    pub rebalance_timeout_ms: i32,
    /// How long it may be silent, in milliseconds.
    pub session_timeout_ms: i32,
    /// What it said in joining, for the protocol that was chosen.
    pub subscription: Blob,
    /// What the leader assigned to it.
    pub assignment: Blob,
}

impl GroupMetadata {
    /// A group that has never had a member.
    pub(crate) fn unused(since: TimestampMs) -> Self {
        Self {
            protocol_type: None,
            generation: 0,
            protocol: None,
            leader: None,
            since: Some(since),
            members: Vec::new(),
        }
    }

    /// Writes version 3, as Kafka 4.3 does.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.i16(3);
        writer.string(self.protocol_type.as_ref().map_or("", Text::as_str));
        writer.i32(self.generation);
        writer.nullable_string(self.protocol.as_ref().map(Text::as_str));
        writer.nullable_string(self.leader.as_ref().map(MemberId::as_str));
        writer.i64(self.since.unwrap_or(TimestampMs::NONE).0);
        writer.count(self.members.len());
        for member in &self.members {
            writer.string(member.member.as_str());
            writer.nullable_string(member.instance.as_ref().map(InstanceId::as_str));
            writer.string(member.client_id.as_str());
            writer.string(member.client_host.as_str());
            writer.i32(member.rebalance_timeout_ms);
            writer.i32(member.session_timeout_ms);
            writer.bytes(&member.subscription);
            writer.bytes(&member.assignment);
        }
        writer.finish()
    }

    /// Reads versions 0 to 4; the version has been read.
    pub(crate) fn decode(version: i16, reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let fields = &mut Fields { version, reader };
        let protocol_type: Text = parsed(fields.string()?)?;
        let generation = fields.reader.i32()?;
        let protocol = fields.nullable_string()?.map(parsed).transpose()?;
        let leader = fields.nullable_string()?.map(parsed).transpose()?;
        let since = match version {
            2.. => Some(TimestampMs(fields.reader.i64()?)).filter(|&at| at != TimestampMs::NONE),
            _ => None,
        };
        let count = match version {
            4.. => fields.reader.compact_array_length()?,
            _ => fields.reader.array_length()?,
        };
        // Grows with what is really there, not with what is claimed.
        let mut members = Vec::new();
        for _ in 0..count {
            members.push(MemberMetadata::decode(fields)?);
        }
        fields.end()?;
        members.sort_by(|left, right| left.member.cmp(&right.member));
        let group = Self {
            protocol_type: Some(protocol_type).filter(|text| !text.is_empty()),
            generation,
            protocol,
            leader,
            since,
            members,
        };
        group.check()?;
        Ok(group)
    }

    /// Holds a group that was read to its invariants.
    pub(crate) fn check(&self) -> Result<(), Malformed> {
        let rising = |left: &MemberMetadata, right: &MemberMetadata| left.member < right.member;
        if !self.members.is_sorted_by(rising) {
            return Err(Malformed { what: "member ids" }); // invariant 1
        }
        let mut instances = BTreeSet::new();
        let mut named = self.members.iter().filter_map(|m| m.instance.as_ref());
        if !named.all(|instance| instances.insert(instance)) {
            return Err(Malformed {
                what: "instance ids",
            }); // invariant 1
        }
        let described = self.protocol.is_some() && self.protocol_type.is_some();
        if !self.members.is_empty() && !described {
            return Err(Malformed { what: "protocol" }); // invariant 2
        }
        if self.generation < 0 {
            return Err(Malformed { what: "generation" }); // invariant 3
        }
        Ok(())
    }
}

impl MemberMetadata {
    fn decode(fields: &mut Fields<'_, '_>) -> Result<Self, Malformed> {
        let version = fields.version;
        let member = parsed(fields.string()?)?;
        let instance = match version {
            3.. => fields.nullable_string()?.map(parsed).transpose()?,
            _ => None,
        };
        let client_id = parsed(fields.string()?)?;
        let client_host = parsed(fields.string()?)?;
        let rebalance_timeout_ms = match version {
            1.. => fields.reader.i32()?,
            _ => -1,
        };
        let session_timeout_ms = fields.reader.i32()?;
        let subscription = Blob::from(fields.bytes()?);
        let assignment = Blob::from(fields.bytes()?);
        fields.end()?;
        Ok(Self {
            member,
            instance,
            client_id,
            client_host,
            // Before version 1 there was one timeout for both.
            rebalance_timeout_ms: match rebalance_timeout_ms {
                -1 => session_timeout_ms,
                timeout => timeout,
            },
            session_timeout_ms,
            subscription,
            assignment,
        })
    }
}

fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, Malformed> {
    text.parse().map_err(|_| Malformed { what: "string" })
}

/// Chooses the notation by the version: 4 and up are flexible.
struct Fields<'r, 'a> {
    version: i16,
    reader: &'r mut Reader<'a>,
}

impl<'a> Fields<'_, 'a> {
    fn string(&mut self) -> Result<&'a str, Malformed> {
        match self.version {
            4.. => self.reader.compact_string(),
            _ => self.reader.string(),
        }
    }

    fn nullable_string(&mut self) -> Result<Option<&'a str>, Malformed> {
        match self.version {
            4.. => self.reader.nullable_compact_string(),
            _ => self.reader.nullable_string(),
        }
    }

    fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        match self.version {
            4.. => self.reader.compact_bytes(),
            _ => self.reader.bytes(),
        }
    }

    /// Reads the end of a structure: no tag is known.
    fn end(&mut self) -> Result<(), Malformed> {
        match self.version {
            4.. => self.reader.tagged_fields(u32::MAX).map(drop),
            _ => Ok(()),
        }
    }
}

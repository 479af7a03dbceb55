//! What consumers tell each other through a group: what each wants to read, and what the leader
//! gives it. To the coordinator these are byte strings of JoinGroup, SyncGroup and DescribeGroups.
//!
//! *Layout*: the version as an int16, then the fields of that version in classic lengths. A newer
//! version is read as the newest one known, and bytes behind the last field are left alone: new
//! versions only ever add fields at the end.
//!
//! *Source*: KIP-429 (owned partitions), KIP-792 (generation), KIP-881 (rack).

use bytes::Bytes;
use types::limits;

use crate::api::VersionRange;
use crate::primitive::{Layout, Reader, Writer};
use crate::schema::{Structure, message};
use crate::{Malformed, Unencodable};

/// The protocol type of groups whose members speak this.
pub const PROTOCOL_TYPE: &str = "consumer";

/// The versions that are read and written.
pub const VERSIONS: VersionRange = VersionRange { min: 0, max: 3 };

message! {
    /// What a member wants to read: the metadata of a protocol in JoinGroup.
    pub struct Subscription {
        /// The topics, by name.
        pub topics: Vec<String> [0+],
        /// What the assignor wants to know besides.
        pub user_data: Option<Bytes> [0+] null [0+],
        /// What the member reads now, and gives up only if told so.
        pub owned_partitions: Vec<TopicPartitions> [1+ ignorable],
        /// The generation in which it got that; -1 if unknown.
        pub generation_id: i32 [2+ ignorable] default (-1),
        /// The rack that the member is in, if it has one.
        pub rack_id: Option<String> [3+ ignorable] null [3+],
    }
}

message! {
    /// What a member is to read: its part in SyncGroup.
    pub struct Assignment {
        /// The partitions.
        pub assigned_partitions: Vec<TopicPartitions> [0+],
        /// What the assignor wants the member to know besides.
        pub user_data: Option<Bytes> [0+] null [0+],
    }
}

message! {
    /// Partitions of one topic.
    pub struct TopicPartitions {
        /// The topic's name.
        pub topic: String [0+],
        /// The partitions' numbers.
        pub partitions: Vec<i32> [0+],
    }
}

impl Subscription {
    /// Reads what a member said of itself.
    ///
    /// *Errors*: [`Malformed`]; what other members say is theirs, so that this is no reason to
    /// refuse them.
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        decode(bytes)
    }

    /// Writes it in a version of [`VERSIONS`].
    ///
    /// *Errors*: [`Unencodable`] if the version cannot say it.
    pub fn encode(&self, version: i16) -> Result<Bytes, Unencodable> {
        encode(self, "ConsumerProtocolSubscription", version)
    }
}

impl Assignment {
    /// Reads a member's part.
    ///
    /// *Errors*: [`Malformed`]; also for an empty part, which is what a leader leaves to a member
    /// that it does not name.
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        decode(bytes)
    }

    /// Writes it in a version of [`VERSIONS`].
    ///
    /// *Errors*: [`Unencodable`] if the version cannot say it.
    pub fn encode(&self, version: i16) -> Result<Bytes, Unencodable> {
        encode(self, "ConsumerProtocolAssignment", version)
    }
}

fn decode<T: Structure>(bytes: &Bytes) -> Result<T, Malformed> {
    let mut reader = Reader::new(bytes, limits::REQUEST_DECODED_SIZE_MAX);
    let version = reader.int16()?;
    if version < VERSIONS.min {
        return Err(reader.malformed("a version of the consumer protocol"));
    }
    T::decode_fields(&mut reader, layout(version.min(VERSIONS.max)))
}

fn encode<T: Structure>(
    value: &T,
    message: &'static str,
    version: i16,
) -> Result<Bytes, Unencodable> {
    if !VERSIONS.contains(version) {
        return Err(Unencodable::NoVersion { message, version });
    }
    let mut writer = Writer::new();
    writer.int16(version);
    value.encode_fields(&mut writer, layout(version))?;
    Ok(writer.into_bytes())
}

const fn layout(version: i16) -> Layout {
    Layout {
        version,
        flexible: false,
    }
}

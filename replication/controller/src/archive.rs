//! Archives: writing and checked reading, and what records and snapshots have in common.

use rkyv::api::high::{HighDeserializer, HighSerializer, HighValidator};
use rkyv::bytecheck::CheckBytes;
use rkyv::rancor::Error;
use rkyv::ser::allocator::ArenaHandle;
use rkyv::util::AlignedVec;
use rkyv::{Archive, Deserialize, Serialize};
use types::{NodeId, TopicName};

use crate::image::Endpoint;
use crate::quota::{EntityName, EntityParts, QuotaEntity, QuotaKind, QuotaValue};

/// A stored field has a value that it cannot have: damage, or a fault of the writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("field {field} has an impossible value")]
pub struct FieldError {
    /// The field's name.
    pub field: &'static str,
}

/// Archives one value; the root stands at the end of the bytes.
pub(crate) fn write<T>(value: &T) -> AlignedVec
where
    T: for<'a> Serialize<HighSerializer<AlignedVec, ArenaHandle<'a>, Error>>,
{
    rkyv::to_bytes::<Error>(value).expect("an archive in memory has no writer that fails")
}

/// Checks an archive, then reads it.
///
/// *Cost*: copies the bytes once, to align them.
pub(crate) fn read<T>(archive: &[u8]) -> Result<T, Error>
where
    T: Archive,
    T::Archived:
        for<'a> CheckBytes<HighValidator<'a, Error>> + Deserialize<T, HighDeserializer<Error>>,
{
    let mut aligned: AlignedVec = AlignedVec::with_capacity(archive.len());
    aligned.extend_from_slice(archive);
    rkyv::from_bytes::<T, Error>(&aligned)
}

/// Turns a stored text into a topic's name.
pub(crate) fn topic_name(text: &str) -> Result<TopicName, FieldError> {
    text.parse().map_err(|_| FieldError { field: "name" })
}

/// Turns stored numbers into brokers; none is negative.
pub(crate) fn nodes(stored: &[i32], field: &'static str) -> Result<Vec<NodeId>, FieldError> {
    stored.iter().map(|&node| node_id(node, field)).collect()
}

/// Turns a stored number into a broker.
pub(crate) fn node_id(stored: i32, field: &'static str) -> Result<NodeId, FieldError> {
    if stored >= 0 {
        Ok(NodeId(stored))
    } else {
        Err(FieldError { field })
    }
}

pub(crate) fn numbers(nodes: &[NodeId]) -> Vec<i32> {
    nodes.iter().map(|node| node.0).collect()
}

#[derive(Archive, Serialize, Deserialize)]
pub(crate) struct EndpointV1 {
    pub(crate) listener: String,
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl From<&Endpoint> for EndpointV1 {
    fn from(endpoint: &Endpoint) -> Self {
        Self {
            listener: endpoint.listener.clone(),
            host: endpoint.host.clone(),
            port: endpoint.port,
        }
    }
}

impl From<EndpointV1> for Endpoint {
    fn from(stored: EndpointV1) -> Self {
        Self {
            listener: stored.listener,
            host: stored.host,
            port: stored.port,
        }
    }
}

/// Kinds and names of an entity's parts, as in the protocol; no name is the default.
#[derive(Archive, Serialize, Deserialize)]
pub(crate) struct QuotaEntityV1 {
    pub(crate) parts: Vec<(String, Option<String>)>,
}

impl From<&QuotaEntity> for QuotaEntityV1 {
    fn from(entity: &QuotaEntity) -> Self {
        let name = |name: &EntityName| name.as_named().map(str::to_owned);
        let parts = entity.parts();
        Self {
            parts: parts
                .map(|(kind, named)| (kind.name().to_owned(), name(named)))
                .collect(),
        }
    }
}

impl TryFrom<QuotaEntityV1> for QuotaEntity {
    type Error = FieldError;

    fn try_from(stored: QuotaEntityV1) -> Result<Self, FieldError> {
        let count = stored.parts.len();
        let parts: EntityParts = stored.parts.into_iter().collect();
        if parts.len() != count {
            return Err(FieldError { field: "entity" });
        }
        Self::parse(&parts).map_err(|_| FieldError { field: "entity" })
    }
}

/// Turns a stored name into a kind of quota.
pub(crate) fn quota_kind(name: &str) -> Result<QuotaKind, FieldError> {
    QuotaKind::named(name).ok_or(FieldError { field: "quotas" })
}

/// Turns a stored name and number into a quota.
pub(crate) fn quota(name: &str, number: f64) -> Result<(QuotaKind, QuotaValue), FieldError> {
    let kind = quota_kind(name)?;
    let value = QuotaValue::new(kind, number).map_err(|_| FieldError { field: "quotas" })?;
    Ok((kind, value))
}

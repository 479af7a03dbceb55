//! An image as bytes: what replay starts from, so that the log before it can go.
//!
//! *Layout*: docs/formats/metadata_record.md. 16 bytes of head (magic, version, zeros), then an rkyv
//! archive. Index, length and checksum belong to the file that holds it. Reading checks everything
//! anew, as if the bytes came from a stranger.

use std::sync::Arc;

use rkyv::{Archive, Deserialize, Serialize};
use types::limits::TOPIC_PARTITIONS_MAX;
use types::{Incarnation, LeaderEpoch, NodeId, TimestampMs, TopicId};

use crate::archive::{self, EndpointV1, FieldError, QuotaEntityV1};
use crate::image::{
    Broker, BrokerEpoch, Configs, Endpoint, Image, LEVEL_NEWEST, Partition, PartitionEpoch, Topic,
    collision_key,
};
use crate::quota::{QuotaEntity, Quotas};

/// The first bytes of a snapshot.
const MAGIC: [u8; 8] = *b"rr-image";
/// The version that is written; version 1 has no quotas and is still read.
const VERSION: u32 = 2;
/// Bytes before the archive: a multiple of its alignment.
const HEAD_SIZE: usize = 16;
/// No cluster counts this far: a counter beyond is damage, and would overflow later.
const COUNTER_MAX: u64 = 1 << 62;

/// Why bytes are not a snapshot that this code reads.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The first bytes are not a snapshot's.
    #[error("a metadata snapshot does not start so")]
    NotASnapshot,
    /// A newer riverrun wrote it.
    #[error("metadata snapshot version {version} is not known to this version")]
    UnknownVersion {
        /// The version.
        version: u32,
    },
    /// A newer riverrun raised the level.
    #[error("metadata level {level} is newer than {newest}, the newest of this version")]
    LevelTooNew {
        /// The level of the snapshot.
        level: u16,
        /// The newest that this code knows.
        newest: u16,
    },
    /// The archive does not hold together.
    #[error("the metadata snapshot is damaged")]
    Damaged(#[source] rkyv::rancor::Error),
    /// A field has a value that it cannot have.
    #[error("the metadata snapshot contradicts itself")]
    Field(#[from] FieldError),
}

#[derive(Archive, Serialize, Deserialize)]
struct ImageV2 {
    base: ImageV1,
    quotas: Vec<QuotasV1>,
}

#[derive(Archive, Serialize, Deserialize)]
struct QuotasV1 {
    entity: QuotaEntityV1,
    quotas: Vec<(String, f64)>,
}

#[derive(Archive, Serialize, Deserialize)]
struct ImageV1 {
    level: u16,
    revision: u64,
    next_incarnation: u64,
    next_broker_epoch: i64,
    next_producer_id: i64,
    brokers: Vec<BrokerV1>,
    topics: Vec<TopicV1>,
    broker_configs: Vec<(i32, Vec<(String, String)>)>,
    all_brokers_configs: Vec<(String, String)>,
}

#[derive(Archive, Serialize, Deserialize)]
struct BrokerV1 {
    node: i32,
    epoch: i64,
    registered_at_ms: i64,
    rack: Option<String>,
    endpoints: Vec<EndpointV1>,
}

#[derive(Archive, Serialize, Deserialize)]
struct TopicV1 {
    id: [u8; 16],
    name: String,
    created_at_ms: i64,
    partitions: Vec<PartitionV1>,
    configs: Vec<(String, String)>,
}

#[derive(Archive, Serialize, Deserialize)]
struct PartitionV1 {
    incarnation: u64,
    leader: i32,
    leader_epoch: i32,
    partition_epoch: i32,
    replicas: Vec<i32>,
    isr: Vec<i32>,
}

/// Returns the image as bytes. Equal images have equal bytes.
pub fn encode(image: &Image) -> Vec<u8> {
    let archived = archive::write(&ImageV2::from(image));
    let mut bytes = Vec::with_capacity(HEAD_SIZE + archived.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&archived);
    bytes
}

/// Reads an image from bytes that nobody vouches for.
///
/// *Errors*: an unknown version or level asks for a newer riverrun; every other means damage.
pub fn decode(bytes: &[u8]) -> Result<Image, SnapshotError> {
    let (head, bytes) = bytes
        .split_first_chunk::<HEAD_SIZE>()
        .ok_or(SnapshotError::NotASnapshot)?;
    let &[m0, m1, m2, m3, m4, m5, m6, m7, v0, v1, v2, v3, ..] = head;
    if [m0, m1, m2, m3, m4, m5, m6, m7] != MAGIC {
        return Err(SnapshotError::NotASnapshot);
    }
    let version = u32::from_le_bytes([v0, v1, v2, v3]);
    let stored = match version {
        1 => archive::read::<ImageV1>(bytes).map(|base| ImageV2 {
            base,
            quotas: Vec::new(),
        }),
        VERSION => archive::read::<ImageV2>(bytes),
        _ => return Err(SnapshotError::UnknownVersion { version }),
    };
    let stored = stored.map_err(SnapshotError::Damaged)?;
    if stored.base.level > LEVEL_NEWEST {
        return Err(SnapshotError::LevelTooNew {
            level: stored.base.level,
            newest: LEVEL_NEWEST,
        });
    }
    Ok(Image::try_from(stored)?)
}

fn pairs(configs: &Configs) -> Vec<(String, String)> {
    let pair = |(name, value): (&String, &String)| (name.clone(), value.clone());
    configs.iter().map(pair).collect()
}

fn configs(stored: Vec<(String, String)>) -> Result<Configs, FieldError> {
    let rises = stored.is_sorted_by(|(left, _), (right, _)| left < right);
    if rises {
        Ok(stored.into_iter().collect())
    } else {
        Err(FieldError { field: "configs" })
    }
}

impl From<&Image> for ImageV2 {
    fn from(image: &Image) -> Self {
        let quotas = image.quotas().iter().map(|(entity, quotas)| QuotasV1 {
            entity: QuotaEntityV1::from(entity),
            quotas: quotas
                .iter()
                .map(|(kind, value)| (kind.name().to_owned(), value.get()))
                .collect(),
        });
        Self {
            base: ImageV1::from(image),
            quotas: quotas.collect(),
        }
    }
}

impl TryFrom<ImageV2> for Image {
    type Error = FieldError;

    fn try_from(stored: ImageV2) -> Result<Self, FieldError> {
        let mut image = Self::try_from(stored.base)?;
        for stored in stored.quotas {
            image.restore_quotas(stored)?;
        }
        Ok(image)
    }
}

impl From<&Image> for ImageV1 {
    fn from(image: &Image) -> Self {
        let brokers = image.brokers().map(|(node, broker)| BrokerV1 {
            node: node.0,
            epoch: broker.epoch.0,
            registered_at_ms: broker.registered_at.0,
            rack: broker.rack.clone(),
            endpoints: broker.endpoints.iter().map(EndpointV1::from).collect(),
        });
        let broker_configs = image
            .broker_configs
            .iter()
            .map(|(node, configs)| (node.0, pairs(configs)));
        Self {
            level: image.level,
            revision: image.revision,
            next_incarnation: image.next_incarnation,
            next_broker_epoch: image.next_broker_epoch,
            next_producer_id: image.next_producer_id,
            brokers: brokers.collect(),
            topics: image.topics().map(TopicV1::from).collect(),
            broker_configs: broker_configs.collect(),
            all_brokers_configs: pairs(&image.all_brokers_configs),
        }
    }
}

impl From<&Topic> for TopicV1 {
    fn from(topic: &Topic) -> Self {
        let partitions = topic.partitions.iter().map(|partition| PartitionV1 {
            incarnation: partition.incarnation.0,
            leader: partition.leader.0,
            leader_epoch: partition.leader_epoch.get(),
            partition_epoch: partition.partition_epoch.0,
            replicas: archive::numbers(&partition.replicas),
            isr: archive::numbers(&partition.isr),
        });
        Self {
            id: topic.id.0,
            name: topic.name.as_str().to_owned(),
            created_at_ms: topic.created_at.0,
            partitions: partitions.collect(),
            configs: pairs(&topic.configs),
        }
    }
}

impl TryFrom<ImageV1> for Image {
    type Error = FieldError;

    fn try_from(stored: ImageV1) -> Result<Self, FieldError> {
        let mut image = Self {
            level: stored.level,
            revision: stored.revision,
            next_incarnation: stored.next_incarnation,
            next_broker_epoch: stored.next_broker_epoch,
            next_producer_id: stored.next_producer_id,
            all_brokers_configs: configs(stored.all_brokers_configs)?,
            ..Self::empty()
        };
        image.check_counters()?;
        for broker in stored.brokers {
            image.restore_broker(broker)?;
        }
        for (node, stored) in stored.broker_configs {
            let field = FieldError {
                field: "broker_configs",
            };
            let configs = configs(stored)?;
            let known = image.brokers.contains_key(&NodeId(node));
            if !known || configs.is_empty() {
                return Err(field);
            }
            if image.broker_configs.insert(NodeId(node), configs).is_some() {
                return Err(field);
            }
        }
        let mut incarnations = Vec::new();
        for topic in stored.topics {
            image.restore_topic(topic, &mut incarnations)?;
        }
        incarnations.sort_unstable();
        let unique = incarnations.is_sorted_by(|left, right| left < right);
        let below_next = incarnations
            .last()
            .is_none_or(|&last| last < image.next_incarnation);
        if unique && below_next {
            Ok(image)
        } else {
            // invariant 3
            Err(FieldError {
                field: "incarnation",
            })
        }
    }
}

impl Image {
    fn check_counters(&self) -> Result<(), FieldError> {
        let reachable = self.next_incarnation < COUNTER_MAX
            && u64::try_from(self.next_broker_epoch).is_ok_and(|next| next < COUNTER_MAX)
            && self.next_producer_id >= 0;
        if reachable {
            Ok(())
        } else {
            Err(FieldError { field: "counters" })
        }
    }

    fn restore_broker(&mut self, stored: BrokerV1) -> Result<(), FieldError> {
        let field = FieldError { field: "brokers" };
        let node = archive::node_id(stored.node, "brokers")?;
        if stored.epoch >= self.next_broker_epoch {
            return Err(field); // invariant 4
        }
        let broker = Broker {
            epoch: BrokerEpoch(stored.epoch),
            registered_at: TimestampMs(stored.registered_at_ms),
            rack: stored.rack,
            endpoints: stored.endpoints.into_iter().map(Endpoint::from).collect(),
        };
        let earlier = self.brokers.insert(node, Arc::new(broker));
        earlier.map_or(Ok(()), |_| Err(field))
    }

    fn restore_quotas(&mut self, stored: QuotasV1) -> Result<(), FieldError> {
        let entity = QuotaEntity::try_from(stored.entity)?;
        let count = stored.quotas.len();
        let quotas = stored.quotas.into_iter();
        let quotas = quotas.map(|(name, number)| archive::quota(&name, number));
        let quotas = quotas.collect::<Result<Quotas, _>>()?;
        // invariant 5
        let whole = quotas.len() == count && count > 0;
        let earlier = Arc::make_mut(&mut self.quotas).insert(entity, quotas);
        if whole && earlier.is_none() {
            Ok(())
        } else {
            Err(FieldError { field: "quotas" })
        }
    }

    fn restore_topic(
        &mut self,
        stored: TopicV1,
        incarnations: &mut Vec<u64>,
    ) -> Result<(), FieldError> {
        let count = stored.partitions.len();
        if count == 0 || !i32::try_from(count).is_ok_and(|count| count <= TOPIC_PARTITIONS_MAX) {
            return Err(FieldError {
                field: "partitions",
            });
        }
        let mut partitions = Vec::with_capacity(count);
        for stored in stored.partitions {
            incarnations.push(stored.incarnation);
            partitions.push(partition(&stored)?);
        }
        let topic = Topic {
            id: TopicId(stored.id),
            name: archive::topic_name(&stored.name)?,
            created_at: TimestampMs(stored.created_at_ms),
            partitions,
            configs: configs(stored.configs)?,
        };
        // invariant 1
        let mut unique = !topic.id.is_zero();
        unique &= self.names.insert(topic.name.clone(), topic.id).is_none();
        if let Some(key) = collision_key(&topic.name) {
            unique &= self.collision_keys.insert(key, topic.id).is_none();
        }
        unique &= self.topics.insert(topic.id, Arc::new(topic)).is_none();
        self.partition_count += count;
        if unique {
            Ok(())
        } else {
            Err(FieldError { field: "topics" })
        }
    }
}

fn partition(stored: &PartitionV1) -> Result<Partition, FieldError> {
    let epoch = LeaderEpoch::new(stored.leader_epoch).ok_or(FieldError {
        field: "leader_epoch",
    })?;
    let partition = Partition {
        incarnation: Incarnation(stored.incarnation),
        leader: archive::node_id(stored.leader, "leader")?,
        leader_epoch: epoch,
        partition_epoch: PartitionEpoch(stored.partition_epoch),
        replicas: archive::nodes(&stored.replicas, "replicas")?,
        isr: archive::nodes(&stored.isr, "isr")?,
    };
    // invariant 2
    let in_sync_held = partition
        .isr
        .iter()
        .all(|node| partition.replicas.contains(node));
    if in_sync_held && partition.isr.contains(&partition.leader) {
        Ok(partition)
    } else {
        Err(FieldError { field: "isr" })
    }
}

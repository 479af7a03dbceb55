//! Reading at the owners: one crossing per owner, all at once, put together in the client's order.

use std::rc::Rc;

use controller::Image;
use types::{ByteCount, ErrorCode, Offset, PartitionIndex, ShardId, TopicPartition};

use crate::crossing::{Answer, Ask, ReadPart};
use crate::handlers::by_owner::{ByOwner, Group};
use crate::handlers::failure;
use crate::handlers::resolve::{check_epoch, resolve};
use crate::partition::{Portion, Trouble};
use crate::read_each::read_each;
use crate::shard::Shard;

use super::session::{PartitionRef, TopicRef, Want};

/// Fetch below this version cannot carry zstd.
const ZSTD_VERSION: i16 = 10;

/// What one fetch reads, checked and sorted by owner.
pub(super) struct Reading {
    /// The error of each wanted partition that cannot be read, in the client's order.
    refused: Vec<Option<ErrorCode>>,
    sorted: ByOwner<ReadPart>,
    size_max: ByteCount,
}

/// What was read, in the client's order.
pub(super) struct Gathered {
    pub(super) portions: Vec<Result<Portion, ErrorCode>>,
    pub(super) size: ByteCount,
    pub(super) has_error: bool,
}

impl Reading {
    /// Sorts the wanted partitions by owner.
    pub(super) fn plan(
        shard: &Shard,
        version: i16,
        wants: &[(PartitionRef, Want)],
        size_max: ByteCount,
    ) -> Self {
        let image = shard.image();
        let mut reading = Self {
            refused: Vec::with_capacity(wants.len()),
            sorted: ByOwner::new(),
            size_max,
        };
        for (slot, (named, want)) in wants.iter().enumerate() {
            let checked = check(shard, &image, version, named, *want);
            reading.refused.push(checked.as_ref().err().copied());
            let Ok((partition, from)) = checked else {
                continue;
            };
            let limit = u64::try_from(want.bytes_max).unwrap_or(0).min(size_max.0);
            let part = ReadPart {
                partition,
                from,
                size_max: ByteCount(limit),
            };
            reading
                .sorted
                .push(shard.router.owner(partition), slot, part);
        }
        reading
    }

    /// Returns, for each owner, its partitions and up to where each was looked at.
    pub(super) fn positions(
        &self,
        gathered: &Gathered,
    ) -> Vec<(ShardId, Vec<(TopicPartition, Offset)>)> {
        let position = |(part, &slot): (&ReadPart, &usize)| {
            let portion = gathered.portions[slot].as_ref();
            let until = portion.map_or(part.from, |portion| portion.high_watermark);
            (part.partition, until)
        };
        let groups = self.sorted.groups().iter();
        groups
            .map(|group| {
                let parts = group.parts.iter().zip(&group.slots);
                (group.owner, parts.map(position).collect())
            })
            .collect()
    }

    /// Reads at every owner.
    pub(super) async fn gather(&self, shard: &Rc<Shard>) -> Gathered {
        let mut replies = Vec::new();
        for Group {
            owner,
            slots,
            parts,
        } in self.sorted.groups()
        {
            if *owner != shard.id() {
                let ask = Ask::Read {
                    parts: parts.clone(),
                    size_max: self.size_max,
                };
                replies.push((slots, shard.mesh.call(*owner, ask).await));
            }
        }
        let mut portions: Vec<Option<Result<Portion, ErrorCode>>> = self
            .refused
            .iter()
            .map(|refused| refused.map(Err))
            .collect();
        for Group {
            owner,
            slots,
            parts,
        } in self.sorted.groups()
        {
            if *owner == shard.id() {
                place(
                    &mut portions,
                    slots,
                    read_each(shard, parts, self.size_max).await,
                );
            }
        }
        for (slots, reply) in replies {
            match reply.await {
                Ok(Answer::Read(results)) => place(&mut portions, slots, results),
                // The owner is stopping.
                Ok(_) | Err(_) => {
                    for &slot in slots {
                        portions[slot] = Some(Err(ErrorCode::NotLeaderOrFollower));
                    }
                }
            }
        }
        let portions = portions
            .into_iter()
            .map(|portion| portion.expect("every slot is filled"));
        self.fit(portions.collect())
    }

    /// Keeps to the limit of the whole answer: beyond it later partitions give nothing, except that
    /// the first records of an answer are always sent (KIP-74).
    fn fit(&self, mut portions: Vec<Result<Portion, ErrorCode>>) -> Gathered {
        let mut size = ByteCount::ZERO;
        let mut has_error = false;
        for portion in &mut portions {
            match portion {
                Ok(portion) => {
                    let total = size.0 + portion.size.0;
                    if size > ByteCount::ZERO && total > self.size_max.0 {
                        portion.chunks.clear();
                        portion.size = ByteCount::ZERO;
                    } else {
                        size = ByteCount(total);
                    }
                }
                Err(_) => has_error = true,
            }
        }
        Gathered {
            portions,
            size,
            has_error,
        }
    }
}

fn place(
    portions: &mut [Option<Result<Portion, ErrorCode>>],
    slots: &[usize],
    results: Vec<Result<Portion, Trouble>>,
) {
    for (&slot, result) in slots.iter().zip(results) {
        portions[slot] = Some(result.map_err(|trouble| failure::trouble_code(&trouble)));
    }
}

/// Checks what metadata alone decides.
fn check(
    shard: &Shard,
    image: &Image,
    version: i16,
    named: &PartitionRef,
    want: Want,
) -> Result<(TopicPartition, Offset), ErrorCode> {
    let topic = match &named.topic {
        TopicRef::Name(name) => resolve(image, wire::messages::topic::TopicRef::Name(name))?,
        TopicRef::Id(id) => resolve(image, wire::messages::topic::TopicRef::Id(*id))?,
    };
    let partition =
        PartitionIndex::new(named.partition).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    let entry = topic
        .partition(partition)
        .ok_or(ErrorCode::UnknownTopicOrPartition)?;
    check_epoch(entry.leader_epoch, want.current_leader_epoch)?;
    if version < ZSTD_VERSION
        && shard
            .topic_config(topic.id)
            .is_some_and(|config| config.compression() == Some(record::Compression::Zstd))
    {
        return Err(ErrorCode::UnsupportedCompressionType);
    }
    let from = Offset::new(want.fetch_offset).ok_or(ErrorCode::OffsetOutOfRange)?;
    Ok((
        TopicPartition {
            topic: topic.id,
            partition,
        },
        from,
    ))
}

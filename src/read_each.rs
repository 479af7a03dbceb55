//! Reads of many partitions of one shard, for one request.
//!
//! What is in memory is taken at once. What is on a disk is read several partitions at a time: one
//! after the other, each would wait for its files alone.

use std::future::Future;
use std::pin::Pin;

use types::ByteCount;

use crate::crossing::ReadPart;
use crate::partition::{Portion, Trouble};
use crate::shard::Shard;

/// How many partitions are read from disks at a time: what is read comes before a commit round's write
/// (docs/decisions/0001-fetch-path.md).
const READS_MAX: usize = 4;

type Read<'a> = Pin<Box<dyn Future<Output = Result<Portion, Trouble>> + 'a>>;

/// 1. `left` is what the answer may still hold, less what the reads under way may bring.
struct Reads<'a> {
    portions: Vec<Option<Result<Portion, Trouble>>>,
    left: ByteCount,
    under_way: Vec<(usize, ByteCount, Read<'a>)>,
}

/// Reads what is there of each partition, in order, until `size_max` is found.
pub async fn read_each(
    shard: &Shard,
    parts: &[ReadPart],
    size_max: ByteCount,
) -> Vec<Result<Portion, Trouble>> {
    shard.ready().await;
    let mut reads = Reads {
        portions: parts.iter().map(|_| None).collect(),
        left: size_max,
        under_way: Vec::new(),
    };
    for (slot, part) in parts.iter().enumerate() {
        if part.size_max > reads.left || reads.under_way.len() == READS_MAX {
            reads.finish().await;
        }
        let Some(partition) = shard.partition(part.partition) else {
            reads.portions[slot] = Some(Err(Trouble::Gone));
            continue;
        };
        let size_max = part.size_max.min(reads.left);
        if reads.left == ByteCount::ZERO {
            reads.put(slot, partition.nothing());
        } else if partition.is_in_memory(part.from) {
            reads.put(slot, partition.read(part.from, size_max).await);
        } else {
            reads.left.0 -= size_max.0;
            let read = Box::pin(async move { partition.read(part.from, size_max).await });
            reads.under_way.push((slot, size_max, read));
        }
        runtime::yield_if_due().await;
    }
    reads.finish().await;
    let portions = reads.portions.into_iter();
    portions
        .map(|portion| portion.expect("every part was read or refused"))
        .collect()
}

impl Reads<'_> {
    fn put(&mut self, slot: usize, portion: Result<Portion, Trouble>) {
        if let Ok(portion) = &portion {
            // The first batch of a portion is whole, however large.
            self.left = ByteCount(self.left.0.saturating_sub(portion.size.0));
        }
        self.portions[slot] = Some(portion);
    }

    /// Waits for what is under way.
    async fn finish(&mut self) {
        let (mut places, mut reads) = (Vec::new(), Vec::new());
        for (slot, reserved, read) in self.under_way.drain(..) {
            self.left.0 += reserved.0;
            places.push(slot);
            reads.push(read);
        }
        for (slot, portion) in places.into_iter().zip(runtime::join_all(reads).await) {
            self.put(slot, portion);
        }
    }
}

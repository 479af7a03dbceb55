//! How long records have been waiting to be read.
//!
//! ListOffsets tells the offset of a time and not the time of an offset, so the first record of
//! each partition that is not read yet is fetched, and little more: one fetch for many partitions.

use std::collections::BTreeMap;
use std::time::Duration;

use client::admin::Place;
use client::blocking::{Cluster, Consumer, wall_clock};
use client::consumer::{ConsumerOptions, OutOfRange, Start};
use types::{ByteCount, Offset, TimestampMs};

/// How long the records are looked for; what is not found by then is not told.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// More than most batches have; a larger one comes whole, if alone.
const PARTITION_SIZE: ByteCount = ByteCount::kib(64);

/// How much of that comes at once.
const FETCH_SIZE: ByteCount = ByteCount::mib(4);

/// Tells for each partition how long ago the first record at or behind an offset was stamped, by
/// the clock of this machine; a partition without such a record, or whose record has no timestamp,
/// is left out.
pub(super) fn ages(
    cluster: Cluster,
    unread: &BTreeMap<Place, Offset>,
) -> Result<BTreeMap<Place, Duration>, client::Error> {
    let options = ConsumerOptions {
        partition_size: PARTITION_SIZE,
        fetch_size: FETCH_SIZE,
        out_of_range: OutOfRange::Beginning,
        ..ConsumerOptions::default()
    };
    let mut consumer = Consumer::new(cluster, options);
    let mut wanted = 0;
    for ((topic, partition), &offset) in unread {
        // A consumer would wait for the leaders that are missing.
        if is_led(consumer.cluster(), topic) {
            consumer.assign(topic, *partition, Start::At(offset))?;
            wanted += 1;
        }
    }
    let give_up = consumer.cluster().now().after(WAIT_MAX);
    let mut ages = BTreeMap::new();
    while wanted > 0 && !consumer.is_at_end() {
        let left = give_up.since(consumer.cluster().now());
        if left.is_zero() {
            break;
        }
        // A partition that cannot be read has no age, and does not hold up the others.
        let Ok(Some(record)) = consumer.next_record(left) else {
            continue;
        };
        consumer.unassign(&record.topic, record.partition);
        wanted -= 1;
        let place = (record.topic.to_string(), record.partition);
        ages.extend(age(wall_clock(), record.timestamp).map(|age| (place, age)));
    }
    Ok(ages)
}

/// Returns how long ago a record was stamped, never below 0; `None` if it has no timestamp.
fn age(now: TimestampMs, stamped: TimestampMs) -> Option<Duration> {
    if stamped.0 < 0 {
        return None;
    }
    let age = u64::try_from(now.0.saturating_sub(stamped.0)).unwrap_or(0);
    Some(Duration::from_millis(age))
}

/// Returns whether all partitions of a topic have leaders, as far as the metadata is known.
fn is_led(cluster: &Cluster, topic: &str) -> bool {
    let metadata = cluster.metadata();
    let known = metadata.topics.get(topic);
    known.is_some_and(|known| {
        let mut partitions = known.partitions.iter();
        partitions.all(|it| metadata.leader(topic, it.index).is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_without_a_timestamp_has_no_age() {
        let age = |stamped| age(TimestampMs(5000), TimestampMs(stamped));
        assert_eq!(age(3000), Some(Duration::from_secs(2)));
        assert_eq!(age(0), Some(Duration::from_secs(5)));
        assert_eq!(age(6000), Some(Duration::ZERO), "a clock that is ahead");
        assert_eq!(age(-1), None);
    }
}

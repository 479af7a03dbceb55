//! How far groups are behind: what they committed, beside where the partitions stand.

use std::collections::BTreeMap;
use std::time::Duration;

use coordinator::GroupId;
use types::{Offset, OffsetRange, PartitionIndex, TopicName, TopicPartition};

use super::exposition::{Exposition, Kind};
use super::report::{PartitionReport, ShardReport};
use crate::partition::Place;

/// How many rows about groups or partitions are made before the shard may turn: there may be a million.
pub const ROWS_AT_ONCE: usize = 1_000;

/// How far one group has read one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The group.
    pub group: GroupId,
    /// The topic's name.
    pub topic: TopicName,
    /// The partition.
    pub partition: PartitionIndex,
    /// The next offset to read.
    pub offset: Offset,
}

/// What one group has left to read of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupLag {
    /// Whose, and of what.
    pub committed: Committed,
    /// The first offset that the group has not read and the log still has.
    pub next: Place,
    /// How many offsets there are from there on.
    pub records: u64,
    /// How old the first of these records is; `None` as long as nobody has looked.
    pub age: Option<Duration>,
}

/// Returns the lags of all groups; a partition that is gone has none.
///
/// *Cost*: linear in the offsets and the partitions; others have their turn meanwhile.
pub async fn lags(committed: Vec<Committed>, reports: &[ShardReport]) -> Vec<GroupLag> {
    let mut partitions = BTreeMap::new();
    for report in reports {
        for rows in report.partitions.chunks(ROWS_AT_ONCE) {
            let rows = rows.iter();
            partitions.extend(rows.map(|it| ((it.topic.as_str(), it.partition), readable(it))));
            runtime::yield_if_due().await;
        }
    }
    let mut lags = Vec::with_capacity(committed.len());
    let mut committed = committed.into_iter();
    while !committed.as_slice().is_empty() {
        let rows = committed.by_ref().take(ROWS_AT_ONCE);
        lags.extend(rows.filter_map(|committed| {
            let place = (committed.topic.as_str(), committed.partition);
            let &(partition, log) = partitions.get(&place)?;
            Some(lag(committed, partition, log))
        }));
        runtime::yield_if_due().await;
    }
    lags
}

/// Returns which partition it is, and what consumers may read of it.
fn readable(report: &PartitionReport) -> (TopicPartition, OffsetRange) {
    let partition = TopicPartition {
        topic: report.topic_id,
        partition: report.partition,
    };
    let log = OffsetRange {
        start: report.start,
        end: report.high_watermark,
    };
    (partition, log)
}

fn lag(committed: Committed, partition: TopicPartition, log: OffsetRange) -> GroupLag {
    let next = committed.offset.max(log.start);
    let records = log.end.since(next).unwrap_or(0);
    GroupLag {
        committed,
        next: (partition, next),
        records,
        age: (records == 0).then_some(Duration::ZERO),
    }
}

/// Writes both families: a group, topic and partition a sample.
pub(super) async fn write(page: &mut Exposition, lags: &[GroupLag]) {
    let name = "riverrun_group_lag_records";
    let help = "Records of a partition that a group has not read, of those that the log still has.";
    page.family(name, Kind::Gauge, help);
    for rows in lags.chunks(ROWS_AT_ONCE) {
        for lag in rows {
            sample(page, name, &lag.committed, lag.records);
        }
        runtime::yield_if_due().await;
    }
    let name = "riverrun_group_lag_seconds";
    let help = "Age of the first of these records by its timestamp; 0 if there is none.";
    page.family(name, Kind::Gauge, help);
    for rows in lags.chunks(ROWS_AT_ONCE) {
        for lag in rows {
            if let Some(age) = lag.age {
                sample(page, name, &lag.committed, age.as_secs_f64());
            }
        }
        runtime::yield_if_due().await;
    }
}

fn sample(page: &mut Exposition, name: &str, of: &Committed, value: impl std::fmt::Display) {
    let partition = of.partition.to_string();
    let labels = [
        ("group", of.group.as_str()),
        ("topic", of.topic.as_str()),
        ("partition", &partition),
    ];
    page.sample(name, &labels, value);
}

#[cfg(test)]
mod tests {
    use runtime::sim::Simulation;
    use types::TopicId;

    use super::*;

    fn at(offset: i64) -> Offset {
        Offset::new(offset).unwrap()
    }

    fn committed(group: &str, offset: i64) -> Committed {
        Committed {
            group: group.parse().unwrap(),
            topic: "t".parse().unwrap(),
            partition: PartitionIndex::new(3).unwrap(),
            offset: at(offset),
        }
    }

    fn lag_at(offset: i64) -> GroupLag {
        let partition = PartitionReport {
            topic: "t".to_owned(),
            topic_id: TopicId([7; 16]),
            partition: PartitionIndex::new(3).unwrap(),
            start: at(10),
            high_watermark: at(20),
            end: at(25),
        };
        let (partition, log) = readable(&partition);
        lag(committed("g", offset), partition, log)
    }

    #[test]
    fn lag_counts_what_consumers_may_read_and_the_log_still_has() {
        let told = [15, 20, 3, 22].map(|offset| {
            let lag = lag_at(offset);
            (lag.next.1.get(), lag.records)
        });
        assert_eq!(told, [(15, 5), (20, 0), (10, 10), (22, 0)]);
        assert_eq!(lag_at(20).age, Some(Duration::ZERO), "nothing waits");
        assert_eq!(lag_at(19).age, None, "nobody has looked");
    }

    #[test]
    fn a_partition_that_is_gone_has_no_lag() {
        let lags = Simulation::new(1).block_on(lags(vec![committed("g", 1)], &[]));
        assert_eq!(lags, []);
    }

    #[test]
    fn samples_name_group_topic_and_partition() {
        let lag = |name: &str, age| GroupLag {
            committed: committed(name, 18),
            age,
            ..lag_at(18)
        };
        let mut page = Exposition::default();
        let age = Duration::from_millis(1_500);
        let lags = [lag("a\n\"b\"\\", Some(age)), lag("new", None)];
        Simulation::new(1).block_on(write(&mut page, &lags));
        let text = page.finish();
        let samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let want = [
            r#"riverrun_group_lag_records{group="a\n\"b\"\\",topic="t",partition="3"} 2"#,
            r#"riverrun_group_lag_records{group="new",topic="t",partition="3"} 2"#,
            r#"riverrun_group_lag_seconds{group="a\n\"b\"\\",topic="t",partition="3"} 1.5"#,
        ];
        assert_eq!(samples, want);
    }
}

//! Measures the lag of all groups.
//!
//! Records are counted from what shards report. For the seconds, the first record that a group has
//! not read is looked at; groups that stand in one batch share the look. What was found is kept as
//! long as the group stays where it is, and one page looks at so many places: if more groups are on
//! the move, they are told by turns.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use types::{ShardId, TimestampMs};

use crate::crossing::{Answer, Ask};
use crate::drivers::coordinator::committed;
use crate::metrics::{GroupLag, ShardReport, lags};
use crate::partition::Place;
use crate::shard::Shard;

/// How many places are looked at for one page.
const LOOKS_MAX: usize = 10_000;

/// How many of them between two looks at the clock.
const LOOKS_AT_ONCE: usize = 100;

/// After so much time no more places are looked at.
const LOOK_TIME_MAX: Duration = Duration::from_millis(500);

/// Measures, and keeps what need not be looked at again.
#[derive(Default)]
pub(super) struct Lags(RefCell<Timestamps>);

impl Lags {
    /// Returns the lags of all groups of the node.
    pub(super) async fn measure(&self, shard: &Shard, reports: &[ShardReport]) -> Vec<GroupLag> {
        let mut lags = lags(committed(shard).await, reports);
        let unread = lags.iter().filter(|lag| lag.records > 0);
        let unread: BTreeSet<Place> = unread.map(|lag| lag.next).collect();
        let due = self.0.borrow_mut().due(&unread);
        let deadline = runtime::now().after(LOOK_TIME_MAX);
        for places in due.chunks(LOOKS_AT_ONCE) {
            if runtime::now() > deadline {
                break;
            }
            let found = look(shard, places).await;
            self.0.borrow_mut().learn(places, found);
        }
        let (now, timestamps) = (runtime::wall_clock(), self.0.borrow());
        for lag in lags.iter_mut().filter(|lag| lag.records > 0) {
            lag.age = timestamps.age(&lag.next, now);
        }
        lags
    }
}

/// Asks the owners of partitions for the timestamps of the records at these places.
async fn look(shard: &Shard, places: &[Place]) -> Vec<(Place, TimestampMs)> {
    let mut by_owner: BTreeMap<ShardId, Vec<Place>> = BTreeMap::new();
    for &place in places {
        let owner = shard.router.owner(place.0);
        by_owner.entry(owner).or_default().push(place);
    }
    let mut replies = Vec::new();
    for (owner, places) in by_owner {
        replies.push(shard.mesh.call(owner, Ask::Timestamps(places)).await);
    }
    let mut found = Vec::with_capacity(places.len());
    for reply in replies {
        if let Ok(Answer::Timestamps(timestamps)) = reply.await {
            found.extend(timestamps);
        }
    }
    found
}

/// When the records at places where groups stand were stamped.
#[derive(Debug, Default)]
struct Timestamps {
    known: BTreeMap<Place, TimestampMs>,
    /// The place that was looked at last.
    last: Option<Place>,
}

impl Timestamps {
    /// Forgets where nobody stands any more; returns the places to look at, each in its turn.
    fn due(&mut self, wanted: &BTreeSet<Place>) -> Vec<Place> {
        self.known.retain(|place, _| wanted.contains(place));
        let places = wanted.iter().copied();
        let mut due: Vec<Place> = places.filter(|it| !self.known.contains_key(it)).collect();
        let turned_to = due.partition_point(|&place| Some(place) <= self.last);
        due.rotate_left(turned_to);
        due.truncate(LOOKS_MAX);
        due
    }

    /// Keeps what was found at places that were looked at.
    fn learn(&mut self, places: &[Place], found: Vec<(Place, TimestampMs)>) {
        self.known.extend(found);
        self.last = places.last().copied().or(self.last);
    }

    /// Returns how old a record is, if it has a timestamp that is known. One of the future is new.
    fn age(&self, place: &Place, now: TimestampMs) -> Option<Duration> {
        let stamped = self.known.get(place).filter(|stamped| stamped.0 >= 0)?;
        let age = u64::try_from(now.0.saturating_sub(stamped.0)).unwrap_or(0);
        Some(Duration::from_millis(age))
    }
}

#[cfg(test)]
mod tests {
    use types::{Offset, PartitionIndex, TopicId, TopicPartition};

    use super::*;

    fn place(partition: usize, offset: i64) -> Place {
        let id = TopicPartition {
            topic: TopicId([7; 16]),
            partition: PartitionIndex::new(i32::try_from(partition).unwrap()).unwrap(),
        };
        (id, Offset::new(offset).unwrap())
    }

    fn look_at_all(timestamps: &mut Timestamps, due: &[Place]) {
        let found = due.iter().map(|&place| (place, TimestampMs(1_000)));
        timestamps.learn(due, found.collect());
    }

    #[test]
    fn a_record_is_looked_at_once_and_forgotten_when_its_group_moves() {
        let mut timestamps = Timestamps::default();
        let before = BTreeSet::from([place(0, 5), place(1, 5)]);
        let due = timestamps.due(&before);
        assert_eq!(due, [place(0, 5), place(1, 5)]);
        look_at_all(&mut timestamps, &due);
        assert_eq!(timestamps.due(&before), []);
        let after = BTreeSet::from([place(0, 6), place(1, 5)]);
        assert_eq!(timestamps.due(&after), [place(0, 6)]);
        assert_eq!(timestamps.due(&before), [place(0, 5)]);
    }

    #[test]
    fn turns_begin_behind_the_last_look_and_name_no_place_twice() {
        let mut timestamps = Timestamps::default();
        let wanted: BTreeSet<_> = (0..4).map(|it| place(it, 0)).collect();
        look_at_all(&mut timestamps, &[place(2, 0), place(1, 0)]);
        let due = timestamps.due(&wanted);
        assert_eq!(due, [place(3, 0), place(0, 0)]);
    }

    #[test]
    fn what_one_page_cannot_look_at_comes_next() {
        let mut timestamps = Timestamps::default();
        // Nothing is ever found, so that all are due again and again.
        let wanted: BTreeSet<_> = (0..LOOKS_MAX + 300).map(|it| place(it, 0)).collect();
        let first = timestamps.due(&wanted);
        assert_eq!(first.len(), LOOKS_MAX);
        timestamps.learn(&first, Vec::new());
        let second = timestamps.due(&wanted);
        assert_eq!(second.len(), LOOKS_MAX);
        let both: BTreeSet<_> = first.into_iter().chain(second).collect();
        assert_eq!(both, wanted);
    }

    #[test]
    fn ages_end_at_zero_and_records_without_a_time_have_none() {
        let mut timestamps = Timestamps::default();
        let stamped = [(0, 4_000), (1, 9_000), (2, -1)];
        let stamped = stamped.map(|(partition, at)| (place(partition, 0), TimestampMs(at)));
        timestamps.learn(&[], stamped.to_vec());
        let age = |partition| timestamps.age(&place(partition, 0), TimestampMs(5_500));
        assert_eq!(age(0), Some(Duration::from_millis(1_500)));
        assert_eq!(age(1), Some(Duration::ZERO));
        assert_eq!(age(2), None);
        assert_eq!(age(3), None, "it was not looked at");
    }
}

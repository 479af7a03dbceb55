//! Measures the lag of all groups.
//!
//! Records are counted from what shards report. For the seconds, the first record that a group has
//! not read is looked at; groups that stand in one batch share the look. What was found is kept as
//! long as the group stays where it is, and one page looks at so many places: if more groups are on
//! the move, they are told by turns.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};
use std::time::Duration;

use types::{ShardId, TimestampMs};

use crate::crossing::{Answer, Ask};
use crate::drivers::coordinator::committed;
use crate::metrics::{GroupLag, ROWS_AT_ONCE, ShardReport, lags};
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
pub(super) struct Lags(Timestamps);

impl Lags {
    /// Returns the lags of all groups of the node.
    pub(super) async fn measure(&self, shard: &Shard, reports: &[ShardReport]) -> Vec<GroupLag> {
        let mut lags = lags(committed(shard).await, reports).await;
        let mut unread = BTreeSet::new();
        for rows in lags.chunks(ROWS_AT_ONCE) {
            let rows = rows.iter().filter(|lag| lag.records > 0);
            unread.extend(rows.map(|lag| lag.next));
            runtime::yield_if_due().await;
        }
        let due = self.0.due(&unread).await;
        let deadline = runtime::now().after(LOOK_TIME_MAX);
        for places in due.chunks(LOOKS_AT_ONCE) {
            if runtime::now() > deadline {
                break;
            }
            let found = look(shard, places).await;
            self.0.learn(places, found);
        }
        let now = runtime::wall_clock();
        for rows in lags.chunks_mut(ROWS_AT_ONCE) {
            for lag in rows.iter_mut().filter(|lag| lag.records > 0) {
                lag.age = self.0.age(&lag.next, now);
            }
            runtime::yield_if_due().await;
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
    known: RefCell<BTreeMap<Place, TimestampMs>>,
    /// The place that was looked at last.
    last: Cell<Option<Place>>,
}

impl Timestamps {
    /// Forgets where nobody stands any more; returns the places to look at, each in its turn.
    async fn due(&self, wanted: &BTreeSet<Place>) -> Vec<Place> {
        self.forget_all_but(wanted).await;
        let last = self.last.get();
        let behind = wanted.range((last.map_or(Unbounded, Excluded), Unbounded));
        let others = last.into_iter().flat_map(|last| wanted.range(..=last));
        let mut due = Vec::new();
        for (row, &place) in behind.chain(others).enumerate() {
            if row % ROWS_AT_ONCE == 0 {
                runtime::yield_if_due().await;
            }
            if !self.known.borrow().contains_key(&place) {
                due.push(place);
            }
            if due.len() == LOOKS_MAX {
                break;
            }
        }
        due
    }

    async fn forget_all_but(&self, wanted: &BTreeSet<Place>) {
        let mut behind = Unbounded;
        loop {
            let places: Vec<Place> = {
                let known = self.known.borrow();
                let known = known.range((behind, Unbounded)).take(ROWS_AT_ONCE);
                known.map(|(&place, _)| place).collect()
            };
            let Some(&last) = places.last() else {
                return;
            };
            behind = Excluded(last);
            for place in places.iter().filter(|it| !wanted.contains(it)) {
                self.known.borrow_mut().remove(place);
            }
            runtime::yield_if_due().await;
        }
    }

    /// Keeps what was found at places that were looked at.
    fn learn(&self, places: &[Place], found: Vec<(Place, TimestampMs)>) {
        self.known.borrow_mut().extend(found);
        self.last
            .set(places.last().copied().or_else(|| self.last.get()));
    }

    /// Returns how old a record is, if it has a timestamp that is known. One of the future is new.
    fn age(&self, place: &Place, now: TimestampMs) -> Option<Duration> {
        let known = self.known.borrow();
        let stamped = known.get(place).filter(|stamped| stamped.0 >= 0)?;
        let age = u64::try_from(now.0.saturating_sub(stamped.0)).unwrap_or(0);
        Some(Duration::from_millis(age))
    }
}

#[cfg(test)]
mod tests {
    use runtime::sim::Simulation;
    use types::{Offset, PartitionIndex, TopicId, TopicPartition};

    use super::*;

    fn place(partition: usize, offset: i64) -> Place {
        let id = TopicPartition {
            topic: TopicId([7; 16]),
            partition: PartitionIndex::new(i32::try_from(partition).unwrap()).unwrap(),
        };
        (id, Offset::new(offset).unwrap())
    }

    fn due(timestamps: &Timestamps, wanted: &BTreeSet<Place>) -> Vec<Place> {
        Simulation::new(1).block_on(timestamps.due(wanted))
    }

    fn look_at_all(timestamps: &Timestamps, due: &[Place]) {
        let found = due.iter().map(|&place| (place, TimestampMs(1_000)));
        timestamps.learn(due, found.collect());
    }

    #[test]
    fn a_record_is_looked_at_once_and_forgotten_when_its_group_moves() {
        let timestamps = Timestamps::default();
        let before = BTreeSet::from([place(0, 5), place(1, 5)]);
        let places = due(&timestamps, &before);
        assert_eq!(places, [place(0, 5), place(1, 5)]);
        look_at_all(&timestamps, &places);
        assert_eq!(due(&timestamps, &before), []);
        let after = BTreeSet::from([place(0, 6), place(1, 5)]);
        assert_eq!(due(&timestamps, &after), [place(0, 6)]);
        assert_eq!(due(&timestamps, &before), [place(0, 5)]);
    }

    #[test]
    fn turns_begin_behind_the_last_look_and_name_no_place_twice() {
        let timestamps = Timestamps::default();
        let wanted: BTreeSet<_> = (0..4).map(|it| place(it, 0)).collect();
        look_at_all(&timestamps, &[place(2, 0), place(1, 0)]);
        let places = due(&timestamps, &wanted);
        assert_eq!(places, [place(3, 0), place(0, 0)]);
    }

    #[test]
    fn what_one_page_cannot_look_at_comes_next() {
        let timestamps = Timestamps::default();
        // Nothing is ever found, so that all are due again and again.
        let wanted: BTreeSet<_> = (0..LOOKS_MAX + 300).map(|it| place(it, 0)).collect();
        let first = due(&timestamps, &wanted);
        assert_eq!(first.len(), LOOKS_MAX);
        timestamps.learn(&first, Vec::new());
        let second = due(&timestamps, &wanted);
        assert_eq!(second.len(), LOOKS_MAX);
        let both: BTreeSet<_> = first.into_iter().chain(second).collect();
        assert_eq!(both, wanted);
    }

    #[test]
    fn of_many_places_those_are_kept_where_a_group_stands() {
        let timestamps = Timestamps::default();
        let all: Vec<_> = (0..2 * ROWS_AT_ONCE + 10).map(|it| place(it, 0)).collect();
        look_at_all(&timestamps, &all);
        let wanted: BTreeSet<_> = all.into_iter().step_by(3).collect();
        assert_eq!(due(&timestamps, &wanted), []);
        let known: BTreeSet<_> = timestamps.known.borrow().keys().copied().collect();
        assert_eq!(known, wanted);
    }

    #[test]
    fn ages_end_at_zero_and_records_without_a_time_have_none() {
        let timestamps = Timestamps::default();
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

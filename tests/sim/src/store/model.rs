//! What one log must hold: the checker of a life of stores.
//!
//! ```text
//!   batches     [0,3) [3,4) [4,9) [9,10)      what was appended, acknowledged or not
//!   acknowledged ──────────► 4                 a restart finds at least this much
//!   cut          ─ to 3, begun                 and then, or what was there before the cut
//!   start        2 .. 3                        acknowledged, and asked for
//! ```

use record::CheckedBatch;
use types::{LeaderEpoch, Offset};

/// A batch as the log holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    /// The offset of its first record.
    pub(super) first: Offset,
    /// The offset behind its last record.
    pub(super) end: Offset,
    /// The leader epoch in its header.
    pub(super) epoch: i32,
    /// Its checksum, which covers its body.
    pub(super) crc: u32,
}

impl Stored {
    /// Describes a batch with its offsets and epoch stamped, as it is read.
    pub(super) fn read(batch: &CheckedBatch<'_>) -> Self {
        Self {
            first: batch.base_offset(),
            end: batch.end_offset(),
            epoch: batch.header().leader_epoch().map_or(-1, LeaderEpoch::get),
            crc: batch.header().crc(),
        }
    }
}

/// What one log must hold.
#[derive(Clone, Debug)]
pub(super) struct Model {
    batches: Vec<Stored>,
    acknowledged: Offset,
    /// Where a truncation cuts that was begun and has not returned.
    cutting: Option<Offset>,
    /// Counts the truncations: what was read across one proves nothing.
    pub(super) cuts: u64,
    /// Up to where deletion was acknowledged.
    deleted: Offset,
    /// Up to where deletion was asked for.
    deletion_asked: Offset,
    /// Whether somebody cuts or deletes: one at a time.
    pub(super) is_busy: bool,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            batches: Vec::new(),
            acknowledged: Offset::ZERO,
            cutting: None,
            cuts: 0,
            deleted: Offset::ZERO,
            deletion_asked: Offset::ZERO,
            is_busy: false,
        }
    }
}

impl Model {
    fn end(&self) -> Offset {
        self.batches.last().map_or(Offset::ZERO, |batch| batch.end)
    }

    /// Notes an append.
    pub(super) fn append(&mut self, batch: Stored) {
        self.batches.push(batch);
    }

    /// Notes that a batch was acknowledged; one that was cut off meanwhile binds nobody.
    pub(super) fn acknowledge(&mut self, batch: &Stored) {
        if self.batches.contains(batch) {
            self.acknowledged = self.acknowledged.max(batch.end);
        }
    }

    /// Notes that a truncation begins.
    pub(super) fn begin_cut(&mut self, to: Offset) {
        self.cutting = Some(to);
        self.cuts += 1;
    }

    /// Notes that a truncation has returned.
    pub(super) fn end_cut(&mut self) {
        if let Some(to) = self.cutting.take() {
            self.cut(to);
        }
    }

    fn cut(&mut self, to: Offset) {
        self.batches.retain(|batch| batch.end <= to);
        let end = self.end();
        self.acknowledged = self.acknowledged.min(end);
        // The cut may go through the batch in which the log starts.
        self.deleted = self.deleted.min(end);
    }

    /// Notes that a prefix is about to be deleted.
    pub(super) fn begin_deletion(&mut self, below: Offset) {
        self.deletion_asked = self.deletion_asked.max(below);
    }

    /// Notes that a prefix was deleted.
    pub(super) fn end_deletion(&mut self, start: Offset) {
        self.deleted = self.deleted.max(start);
    }

    /// Judges what was read from an offset up to the durable end, while no truncation came between.
    pub(super) fn judge_read(&self, from: Offset, found: &[Stored]) -> Result<(), String> {
        let Some(first) = found.first() else {
            return Ok(());
        };
        if !(first.first <= from && from < first.end) {
            return Err(format!("a read from {from} returned {first:?}"));
        }
        let expected = self
            .batches
            .iter()
            .skip_while(|batch| batch.first < first.first);
        compare(found, expected)
    }

    /// Judges what a restart found from the start on, and goes on from there.
    pub(super) fn judge_restart(&mut self, start: Offset, found: &[Stored]) -> Result<(), String> {
        self.is_busy = false;
        let end = found.last().map_or(start, |batch| batch.end);
        if let Some(to) = self.cutting.take()
            && end <= to
        {
            // The cut had come to the journal, or reached everything there was.
            self.cut(to);
        }
        if start > self.deletion_asked {
            let asked = self.deletion_asked;
            return Err(format!(
                "starts at {start}, and deletion was asked up to {asked}"
            ));
        }
        if start < self.deleted.min(end) {
            let deleted = self.deleted;
            return Err(format!(
                "starts at {start}, and was deleted up to {deleted}"
            ));
        }
        if end < self.acknowledged {
            let acknowledged = self.acknowledged;
            return Err(format!(
                "ends at {end}, and {acknowledged} was acknowledged"
            ));
        }
        let expected = self.batches.iter().skip_while(|batch| batch.end <= start);
        compare(found, expected)?;
        self.batches.retain(|batch| batch.end <= end);
        self.acknowledged = end;
        self.deleted = start;
        Ok(())
    }
}

fn compare<'a>(
    found: &[Stored],
    mut expected: impl Iterator<Item = &'a Stored>,
) -> Result<(), String> {
    for batch in found {
        let expected = expected.next();
        if expected != Some(batch) {
            return Err(format!("holds {batch:?} where {expected:?} was due"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(offset: i64) -> Offset {
        Offset::new(offset).unwrap()
    }

    fn batch(first: i64, end: i64) -> Stored {
        Stored {
            first: offset(first),
            end: offset(end),
            epoch: 0,
            crc: u32::try_from(first * 100 + end).unwrap(),
        }
    }

    /// Batches at 0, 3, 4 and 9, the first two acknowledged.
    fn model() -> Model {
        let mut model = Model::default();
        for (first, end) in [(0, 3), (3, 4), (4, 9), (9, 10)] {
            model.append(batch(first, end));
        }
        model.acknowledge(&batch(3, 4));
        model
    }

    const ALL: [(i64, i64); 4] = [(0, 3), (3, 4), (4, 9), (9, 10)];

    fn restart(mut model: Model, start: i64, found: &[(i64, i64)]) -> Result<(), String> {
        let found: Vec<Stored> = found
            .iter()
            .map(|&(first, end)| batch(first, end))
            .collect();
        model.judge_restart(offset(start), &found)
    }

    #[test]
    fn anything_from_the_acknowledged_to_all_may_be_found() {
        for count in 2..=4 {
            assert_eq!(restart(model(), 0, &ALL[..count]), Ok(()));
        }
    }

    #[test]
    fn a_lost_batch_is_found() {
        assert!(
            restart(model(), 0, &ALL[..1])
                .unwrap_err()
                .contains("was acknowledged")
        );
        assert!(
            restart(model(), 0, &[(0, 3), (4, 9)])
                .unwrap_err()
                .contains("was due")
        );
    }

    #[test]
    fn an_invented_or_changed_batch_is_found() {
        let more = [(0, 3), (3, 4), (4, 9), (9, 10), (10, 11)];
        assert!(restart(model(), 0, &more).is_err());
        assert!(restart(model(), 0, &[(0, 3), (3, 5)]).is_err());
    }

    #[test]
    fn what_was_cut_off_must_not_come_back() {
        let mut cut = model();
        cut.begin_cut(offset(3));
        // Not yet returned: before or after, nothing between.
        assert_eq!(restart(cut.clone(), 0, &ALL), Ok(()));
        assert_eq!(restart(cut.clone(), 0, &ALL[..1]), Ok(()));
        cut.end_cut();
        assert_eq!(restart(cut.clone(), 0, &ALL[..1]), Ok(()));
        assert!(restart(cut, 0, &ALL[..2]).is_err());
    }

    #[test]
    fn an_acknowledgement_of_what_was_cut_off_binds_nobody() {
        let mut cut = model();
        cut.begin_cut(offset(3));
        cut.end_cut();
        cut.acknowledge(&batch(3, 4));
        assert_eq!(restart(cut, 0, &ALL[..1]), Ok(()));
    }

    #[test]
    fn a_start_beyond_what_was_asked_or_before_what_was_done_is_found() {
        assert!(restart(model(), 3, &ALL[1..]).is_err());
        let mut deleted = model();
        deleted.begin_deletion(offset(3));
        assert_eq!(restart(deleted.clone(), 0, &ALL), Ok(()));
        assert_eq!(restart(deleted.clone(), 3, &ALL[1..]), Ok(()));
        deleted.end_deletion(offset(3));
        assert!(restart(deleted, 0, &ALL).is_err());
    }

    #[test]
    fn a_read_of_something_else_is_found() {
        let read = |from: i64, found: &[(i64, i64)]| {
            let found: Vec<Stored> = found.iter().map(|&(a, b)| batch(a, b)).collect();
            model().judge_read(offset(from), &found)
        };
        assert_eq!(read(3, &[(3, 4), (4, 9)]), Ok(()));
        assert_eq!(read(5, &[(4, 9)]), Ok(()));
        assert!(read(3, &[(4, 9)]).is_err());
        assert!(read(3, &[(3, 4), (9, 10)]).is_err());
        assert!(read(0, &[(0, 2)]).is_err());
    }
}

//! Replaying journals into segments, so that logs can be opened.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use runtime::{Queue, Semaphore, TaskGroup};
use types::{ByteCount, Incarnation, ShardId};

use super::chain::{self, Chain, ReadFrame};
use super::ends::{self, Ends as WrittenEnds};
use super::redo::Redo;
use crate::catalog::list_journals;
use crate::error::Error;
use crate::journal::FoundFile;
use crate::layout::Layout;
use crate::log_end::LogEnd;
use crate::log_id::LogId;

/// How many logs are redone at a time.
const CONCURRENCY: u64 = 16;

/// Who says where a log ends. A run writes all ends down before its journals begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Witness {
    generation: u32,
    source: Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Ends,
    Journal,
}

/// What replay found: where every log ends. `Send`; the results of several shards are merged.
#[derive(Clone, Debug, Default)]
pub struct Replayed {
    /// With who says so: of two, the later one is right.
    ends: BTreeMap<Incarnation, (Witness, LogEnd)>,
    redone: usize,
}

impl Replayed {
    /// Takes in what another shard found.
    pub fn merge(&mut self, other: Self) {
        self.redone += other.redone;
        for (incarnation, found) in other.ends {
            self.note(incarnation, found);
        }
    }

    /// Takes in what the last run wrote down of the logs that are known.
    fn note_written(&mut self, written: &WrittenEnds, known: &BTreeMap<Incarnation, LogId>) {
        let witness = Witness {
            generation: written.generation,
            source: Source::Ends,
        };
        let ends = written
            .ends
            .iter()
            .filter(|end| known.contains_key(&end.incarnation));
        for end in ends {
            self.note(end.incarnation, (witness, *end));
        }
    }

    /// Returns where a log ends; `None` if no journal knows it: it is empty.
    pub fn end_of(&self, incarnation: Incarnation) -> Option<LogEnd> {
        self.ends.get(&incarnation).map(|&(_, end)| end)
    }

    /// Returns how many logs had to be written to.
    pub fn redone(&self) -> usize {
        self.redone
    }

    /// Returns where every log ends.
    pub(crate) fn all(&self) -> impl Iterator<Item = LogEnd> {
        self.ends.values().map(|&(_, end)| end)
    }

    fn note(&mut self, incarnation: Incarnation, found: (Witness, LogEnd)) {
        let known = self.ends.entry(incarnation).or_insert(found);
        if known.0 < found.0 {
            *known = found;
        }
    }
}

/// Replays the journals of some shards of the last run into the segments, and syncs those.
///
/// Every journal must be replayed, by any shard, before a log is opened. Frames of logs that
/// `known` does not hold are skipped: they were deleted. A log may stand in the journals of two
/// shards, if it moved between runs: the later run's is right.
///
/// *Errors*: [`Error::JournalDamaged`], [`Error::NewerFormat`], [`Error::Io`]. Nothing is lost by
/// trying again.
/// *Cost*: what was written since the last checkpoints is read into memory and written.
pub async fn replay_journals(
    layout: &Layout,
    journals: &[ShardId],
    known: &BTreeMap<Incarnation, LogId>,
) -> Result<Replayed, Error> {
    let written = ends::read(layout).await?;
    let newest = newest_runs(layout, &written).await?;
    let mut replayed = Replayed::default();
    replayed.note_written(&written, known);
    for &shard in journals {
        let files = chain::find_files(layout, shard).await?;
        if generation_of(&files).is_none_or(|run| run < written.generation) {
            // Of an earlier run, perhaps half removed: all of it is in the segments.
            continue;
        }
        let Some(chain) = chain::read_chain(shard, files).await? else {
            continue;
        };
        let generation = chain.head.sequence.generation;
        let is_current = |incarnation: &Incarnation| {
            newest.get(incarnation).is_none_or(|&run| run <= generation)
        };
        let Some((mut ends, redos)) = collect(&chain, known, is_current) else {
            // Frames and tables tell two stories.
            return Err(Error::JournalDamaged {
                shard,
                path: layout.journal(shard),
                position: 0,
            });
        };
        replayed.redone += redos.len();
        for (incarnation, end) in redo_all(layout, known, &ends, redos).await? {
            ends.insert(incarnation, end);
        }
        for (incarnation, end) in ends {
            let source = Source::Journal;
            replayed.note(incarnation, (Witness { generation, source }, end));
        }
    }
    Ok(replayed)
}

/// Returns the last run that wrote to a journal; `None` if none did.
fn generation_of(files: &[FoundFile]) -> Option<u32> {
    let heads = files.iter().filter_map(|file| file.head.as_ref());
    heads.map(|head| head.sequence.generation).max()
}

/// Finds for each log the last run whose journal knows it.
async fn newest_runs(
    layout: &Layout,
    written: &WrittenEnds,
) -> Result<BTreeMap<Incarnation, u32>, Error> {
    let ends = written.ends.iter();
    let mut newest: BTreeMap<_, _> = ends
        .map(|end| (end.incarnation, written.generation))
        .collect();
    for shard in list_journals(layout).await? {
        let files = chain::find_files(layout, shard).await?;
        let heads = files.into_iter().filter_map(|file| file.head);
        let Some(head) = heads.max_by_key(|head| head.sequence) else {
            continue;
        };
        let generation = head.sequence.generation;
        for end in &head.ends {
            let run = newest.entry(end.incarnation).or_insert(generation);
            *run = generation.max(*run);
        }
    }
    Ok(newest)
}

type Ends = BTreeMap<Incarnation, LogEnd>;
type Redos = BTreeMap<Incarnation, Redo>;

/// Sorts frames by log, and moves every log's end over its frames.
///
/// Logs that the newest head does not know were removed before it, unless a later frame is theirs.
fn collect(
    chain: &Chain,
    known: &BTreeMap<Incarnation, LogId>,
    is_current: impl Fn(&Incarnation) -> bool,
) -> Option<(Ends, Redos)> {
    let is_wanted =
        |incarnation: &Incarnation| known.contains_key(incarnation) && is_current(incarnation);
    let table: Ends = by_incarnation(&chain.head.ends, is_wanted);
    let in_table = |incarnation: &Incarnation| table.contains_key(incarnation);
    let mut ends = by_incarnation(&chain.oldest_ends, in_table);
    let mut redos = Redos::new();
    let mut note = |ends: &mut Ends, read: &ReadFrame| {
        let incarnation = read.frame.incarnation;
        let end = ends.entry(incarnation);
        let end = end.or_insert_with(|| LogEnd::empty(incarnation));
        redos.entry(incarnation).or_default().note(read, end);
        end.apply(&read.frame.entry, ByteCount::of(&read.payload).0);
    };
    for read in &chain.older {
        if in_table(&read.frame.incarnation) {
            note(&mut ends, read);
        }
    }
    for (incarnation, end) in &table {
        // A log without frames may have come after the oldest head.
        let walked = ends.entry(*incarnation).or_insert(*end);
        if walked != end {
            return None;
        }
    }
    for read in &chain.newest {
        if is_wanted(&read.frame.incarnation) {
            note(&mut ends, read);
        }
    }
    redos.retain(|_, redo| !redo.is_empty());
    Some((ends, redos))
}

fn by_incarnation(ends: &[LogEnd], is_wanted: impl Fn(&Incarnation) -> bool) -> Ends {
    let wanted = ends.iter().filter(|end| is_wanted(&end.incarnation));
    wanted.map(|end| (end.incarnation, *end)).collect()
}

/// Redoes logs, several at a time; returns the ends that were found.
async fn redo_all(
    layout: &Layout,
    known: &BTreeMap<Incarnation, LogId>,
    ends: &Ends,
    redos: Redos,
) -> Result<Vec<(Incarnation, LogEnd)>, Error> {
    let slots = Semaphore::new(CONCURRENCY);
    let tasks = TaskGroup::new();
    let results = Rc::new(RefCell::new(Vec::with_capacity(redos.len())));
    for (incarnation, redo) in redos {
        let (Some(id), Some(&end)) = (known.get(&incarnation), ends.get(&incarnation)) else {
            continue;
        };
        let permit = slots.acquire(1).await;
        let directory = layout.log(id);
        let results = Rc::clone(&results);
        tasks.spawn(Queue::Throughput, async move {
            let result = redo.carry_out(&directory, end).await;
            results.borrow_mut().push((incarnation, result));
            drop(permit);
        });
    }
    tasks.join_all().await;
    let results = results.take();
    let found = |(incarnation, result): (Incarnation, Result<LogEnd, Error>)| {
        result.map(|end| (incarnation, end))
    };
    results.into_iter().map(found).collect()
}

//! Reading a log's past: which segments there are, epochs, producers, the end of the index.
//!
//! A log is opened without any I/O; this happens when something asks for the past. What is read is
//! bounded by the distance to the last snapshot and index entry, not by the size of the log.

use std::rc::Rc;

use types::limits::PRODUCER_BATCHES_MAX;
use types::{ByteCount, LeaderEpoch, Offset};

use crate::epochs::Epochs;
use crate::error::ReadError;
use crate::index::{Entry, IndexKey, IndexTail};
use crate::layout::{index_name, segment_of};
use crate::log_core::{LogCore, Past, Place};
use crate::log_end::LogEnd;
use crate::producers::{LOG_PRODUCERS_MAX, ProducerBatch, Producers};
use crate::ranges::Ranges;
use crate::segment::{Found, ScanError, Scanner};
use crate::shared::Shared;
use crate::snapshot::{self, Snapshot};

/// The largest snapshot file that is read.
const SNAPSHOT_SIZE_MAX: ByteCount = ByteCount::mib(32);

/// The largest index file that is read.
const INDEX_SIZE_MAX: ByteCount = ByteCount::mib(64);

const _: () =
    assert!((LOG_PRODUCERS_MAX * (64 + PRODUCER_BATCHES_MAX * 48)) as u64 <= SNAPSHOT_SIZE_MAX.0);

/// What is found of a log's past, before it is taken over.
struct Findings {
    closed: Vec<(Offset, u64)>,
    epochs: Epochs,
    producers: Producers,
    /// The index entries of the last segment that are in its file.
    flushed: Vec<Entry>,
    /// Those behind.
    index: IndexTail,
    /// What was read of the last segment, and is valid.
    valid: Ranges,
    snapshot: Option<(u64, Offset)>,
}

/// Reads the past of a log unless it is known.
///
/// *Errors*: [`ReadError::Corrupt`] for damage below the log's end; the rest of the log is not
/// concerned, but what depends on the past is refused.
pub(crate) async fn load(shared: &Rc<Shared>, core: &Rc<LogCore>) -> Result<(), ReadError> {
    core.check_online()?;
    if core.state.borrow().past == Past::Loaded {
        return Ok(());
    }
    let permit = core.loading.acquire(1).await;
    let (past, end) = {
        let state = core.state.borrow();
        (state.past, state.opened)
    };
    let turn = if past == Past::Unread && end.has_producers {
        Some(shared.producer_loads.acquire(1).await)
    } else {
        None
    };
    core.check_online()?;
    if past == Past::Unread {
        let findings = find(shared, core, &end).await?;
        take_over(shared, core, &end, findings);
        shared.recount_producers(core);
        // What was scanned is written behind the index, so that the next load need not.
        shared.enlist_write_out(core);
        shared.note_room();
    }
    drop((turn, permit));
    Ok(())
}

async fn find(shared: &Shared, core: &LogCore, end: &LogEnd) -> Result<Findings, ReadError> {
    let closed = closed_segments(shared, core, end).await?;
    let snapshot = newest_snapshot(shared, core, end).await?;
    let key = IndexKey {
        segment: end.segment,
        truncations: end.truncations,
    };
    let entries = index_entries(shared, core, key, end).await?;
    let mut findings = Findings {
        closed,
        epochs: Epochs::default(),
        producers: Producers::default(),
        index: entries
            .last()
            .map_or_else(IndexTail::default, IndexTail::behind),
        flushed: Vec::new(),
        valid: Ranges::default(),
        snapshot: None,
    };
    let first = Place {
        segment: end.first_segment,
        position: 0,
    };
    let mut from = (first, end.first_segment, LeaderEpoch::ZERO);
    if let Some(snapshot) = snapshot {
        let place = Place {
            segment: snapshot.segment,
            position: snapshot.position,
        };
        let epoch = snapshot.epochs.iter().last();
        from = (
            place,
            snapshot.next,
            epoch.map_or(LeaderEpoch::ZERO, |last| last.0),
        );
        findings.epochs = snapshot.epochs;
        findings.producers = snapshot.producers;
        findings.snapshot = Some((snapshot.sequence, snapshot.segment));
    }
    scan_closed(shared, core, end, from, &mut findings).await?;
    for entry in &entries {
        findings.epochs.note(entry.epoch, entry.offset);
    }
    scan_last(shared, core, end, from, entries.last(), &mut findings).await?;
    findings.epochs.note(end.epoch, end.epoch_start);
    findings.flushed = entries;
    Ok(findings)
}

/// Lists the segments before the last one, with their lengths.
async fn closed_segments(
    shared: &Shared,
    core: &LogCore,
    end: &LogEnd,
) -> Result<Vec<(Offset, u64)>, ReadError> {
    if end.first_segment == end.segment {
        return Ok(Vec::new());
    }
    let directory = shared.layout.log(&core.id);
    let listed = match runtime::list_dir(&directory).await {
        Ok(listed) => listed,
        // Nothing was ever written out.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let mut closed = Vec::new();
    for entry in listed {
        let Some(segment) = segment_of(&entry.name) else {
            continue;
        };
        if segment < end.first_segment {
            // Its deletion was cut short.
            runtime::remove_file(&directory.join(&entry.name)).await?;
        } else if segment < end.segment {
            let file = shared.files.open(&shared.layout, &core.id, segment).await?;
            closed.push((segment, file.file.size().await?));
        }
    }
    let first = closed.first().map_or(end.segment, |&(segment, _)| segment);
    if first != end.first_segment {
        return Err(ReadError::Corrupt {
            segment: end.first_segment,
            position: 0,
        });
    }
    Ok(closed)
}

/// Reads both snapshot files and returns the newer that describes this log up to its end or less.
async fn newest_snapshot(
    shared: &Shared,
    core: &LogCore,
    end: &LogEnd,
) -> Result<Option<Snapshot>, ReadError> {
    let mut newest: Option<Snapshot> = None;
    if end.first_segment == end.segment && !end.has_producers {
        // The index has the epochs, and there is nothing else to know.
        return Ok(newest);
    }
    for turn in 0..2 {
        let path = shared.layout.log(&core.id).join(snapshot::file_name(turn));
        let bytes = match runtime::read_file(&path, SNAPSHOT_SIZE_MAX).await {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error.into()),
        };
        let holds = |snapshot: &Snapshot| {
            snapshot.truncations == end.truncations
                && snapshot.segment >= end.first_segment
                && (snapshot.segment, snapshot.position) <= (end.segment, end.position)
                && snapshot.next <= end.next
        };
        let Some(found) = Snapshot::from_bytes(&bytes).filter(holds) else {
            continue;
        };
        if newest
            .as_ref()
            .is_none_or(|known| known.sequence < found.sequence)
        {
            newest = Some(found);
        }
    }
    Ok(newest)
}

/// Reads the entries of the last segment's index that lie below the log's end.
async fn index_entries(
    shared: &Shared,
    core: &LogCore,
    key: IndexKey,
    end: &LogEnd,
) -> Result<Vec<Entry>, ReadError> {
    let path = shared.layout.log(&core.id).join(index_name(key.segment));
    let bytes = match runtime::read_file(&path, INDEX_SIZE_MAX).await {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut entries = key.read(&bytes).unwrap_or_default();
    let known = entries.partition_point(|entry| entry.position < end.position);
    entries.truncate(known);
    Ok(entries)
}

/// Reads what the snapshot does not know of the closed segments.
///
/// A log without idempotent producers needs no batch of them, only their epochs: the indexes'.
async fn scan_closed(
    shared: &Shared,
    core: &LogCore,
    end: &LogEnd,
    (from, next, epoch): (Place, Offset, LeaderEpoch),
    findings: &mut Findings,
) -> Result<(), ReadError> {
    let (mut next, mut epoch) = (next, epoch);
    for (segment, length) in findings.closed.clone() {
        if segment < from.segment {
            continue;
        }
        let start = if segment == from.segment {
            from.position
        } else {
            0
        };
        if start == 0 {
            next = segment;
        }
        let file = shared.files.open(&shared.layout, &core.id, segment).await?;
        let mut scanner = Scanner::new(&file.file, start, length, next, epoch);
        while let Some(found) = next_valid(core, &mut scanner, segment).await? {
            findings.note(&found, end.has_producers);
            epoch = found.epoch;
        }
        next = scanner.next_offset();
    }
    Ok(())
}

/// Reads what neither snapshot nor index know of the last segment.
async fn scan_last(
    shared: &Shared,
    core: &LogCore,
    end: &LogEnd,
    (from, next, epoch): (Place, Offset, LeaderEpoch),
    indexed: Option<&Entry>,
    findings: &mut Findings,
) -> Result<(), ReadError> {
    if end.position == 0 {
        return Ok(());
    }
    let by_snapshot = if from.segment == end.segment {
        (from.position, next, epoch)
    } else {
        (0, end.segment, LeaderEpoch::ZERO)
    };
    let by_index = indexed.map_or((0, end.segment, LeaderEpoch::ZERO), |entry| {
        (entry.position, entry.offset, entry.epoch)
    });
    let start = if end.has_producers {
        by_snapshot.min(by_index)
    } else {
        by_index
    };
    let interval = core.state.borrow().config.index_interval.0;
    let file = shared
        .files
        .open(&shared.layout, &core.id, end.segment)
        .await?;
    let mut scanner = Scanner::new(&file.file, start.0, end.position, start.1, start.2);
    while let Some(found) = next_valid(core, &mut scanner, end.segment).await? {
        findings.valid.add(found.position, scanner.position());
        if found.position >= by_snapshot.0 {
            findings.note(&found, end.has_producers);
        }
        if found.position >= by_index.0 {
            findings.index.note(&found.indexed(), interval);
        }
    }
    if scanner.next_offset() != end.next {
        return Err(ReadError::Corrupt {
            segment: end.segment,
            position: scanner.position(),
        });
    }
    Ok(())
}

/// Finds the next valid batch; `None` at the end.
///
/// A damaged one is passed, and reads of it are refused; of its producer nothing is known then, who
/// cannot repeat what nobody can read.
///
/// *Errors*: [`ReadError::Corrupt`] for damage of which it cannot be told where it ends.
async fn next_valid(
    core: &LogCore,
    scanner: &mut Scanner<'_>,
    segment: Offset,
) -> Result<Option<Found>, ReadError> {
    loop {
        let damage = match scanner.next().await {
            Ok(found) => return Ok(found),
            Err(ScanError::Io(error)) => return Err(error.into()),
            Err(damage @ ScanError::Damaged { .. }) => damage,
        };
        let position = scanner.position();
        let passed = scanner.pass_damage().await;
        let Some(size) = passed.map_err(|error| error.in_segment(segment))? else {
            return Err(damage.in_segment(segment));
        };
        tracing::error!(log = %core.id, %segment, position, size, "a batch is damaged: reads of it are refused");
    }
}

impl Findings {
    fn note(&mut self, found: &Found, has_producers: bool) {
        self.epochs.note(found.epoch, found.first);
        let Some(producer) = found.producer.filter(|_| has_producers) else {
            return;
        };
        let count = found.next.since(found.first).unwrap_or(1);
        let count = u32::try_from(count).expect("a batch counts its records in 32 bits");
        let batch = ProducerBatch {
            first_sequence: producer.base_sequence,
            last_sequence: producer.base_sequence.after(count - 1),
            first: found.first,
            next: found.next,
            timestamp: found.max_timestamp,
        };
        self.producers.note(&producer, batch, found.max_timestamp);
    }
}

/// Puts what was found in front of what this run noted meanwhile.
fn take_over(shared: &Shared, core: &LogCore, end: &LogEnd, findings: Findings) {
    let state = &mut *core.state.borrow_mut();
    for (segment, length) in findings.closed {
        if segment >= state.first_segment {
            state.closed.insert(segment, length);
        }
    }
    let mut epochs = findings.epochs;
    for (epoch, start) in state.epochs.iter() {
        epochs.note(epoch, start);
    }
    state.epochs = epochs;
    if end.has_producers {
        // Idempotent batches were refused until now.
        state.producers = findings.producers;
    }
    if let Some(index) = state.indexes.get_mut(&end.segment) {
        index.prepend(ByteCount::from(findings.flushed.len()).0, findings.index);
        // Whoever asked for the past reads on, most often.
        let incarnation = core.id.incarnation;
        shared
            .indexes
            .insert(incarnation, end.segment, findings.flushed);
    }
    let verified = state.verified.entry(end.segment).or_default();
    verified.add_all(&findings.valid);
    if let Some((sequence, segment)) = findings.snapshot {
        state.snapshots.sequence = sequence;
        state.snapshots.segment = segment;
    }
    state.past = Past::Loaded;
}

#[cfg(test)]
mod tests {
    use types::{Incarnation, PartitionIndex, ShardId, TopicId, TopicPartition};

    use super::*;
    use crate::config::{LogConfig, StoreOptions};
    use crate::layout::Layout;
    use crate::log_id::LogId;

    /// A log of which nothing was written out.
    fn log(incarnation: u64, has_producers: bool) -> Rc<LogCore> {
        let partition = TopicPartition {
            topic: TopicId([7; 16]),
            partition: PartitionIndex::new(0).unwrap(),
        };
        let incarnation = Incarnation(incarnation);
        let id = LogId {
            partition,
            incarnation,
        };
        let end = LogEnd {
            has_producers,
            truncations: 1,
            ..LogEnd::empty(incarnation)
        };
        let core = Rc::new(LogCore::new(id, LogConfig::default(), end));
        assert_eq!(core.state.borrow().past, Past::Unread);
        core
    }

    runtime::both_arms!(
        logs_with_producers_are_loaded_a_few_at_a_time_and_hold_back_no_others,
        |dir| async move {
            let layout = Layout::new(dir, 0);
            let shared = Rc::new(Shared::new(
                layout,
                ShardId(0),
                StoreOptions::default(),
                runtime::LongWork::new(),
            ));
            let others = shared
                .producer_loads
                .acquire(shared.producer_loads.capacity());
            let others = others.await;
            let (crowded, plain) = (log(1, true), log(2, false));
            let loading = {
                let (shared, crowded) = (Rc::clone(&shared), Rc::clone(&crowded));
                runtime::spawn(runtime::Queue::Latency, async move {
                    load(&shared, &crowded).await
                })
            };
            load(&shared, &plain).await.unwrap();
            assert_eq!(plain.state.borrow().past, Past::Loaded);
            assert_eq!(crowded.state.borrow().past, Past::Unread);
            drop(others);
            loading.await.unwrap();
            assert_eq!(crowded.state.borrow().past, Past::Loaded);
            let free = shared.producer_loads.available();
            assert_eq!(free, shared.producer_loads.capacity());
        }
    );
}

//! Checkpoints: what stands in the oldest journal file goes into synced segments, and the file is
//! free.

use std::rc::Rc;

use runtime::{Queue, TaskGroup};

use super::ring::Journal;
use crate::error::Offline;
use crate::log_core::LogCore;
use crate::mutants::{self, Mutant};
use crate::segment;
use crate::shared::Shared;

/// How many segments are written and synced at a time.
const CONCURRENCY: u64 = 8;

/// Checkpoints the oldest file whenever half of the ring is in use, until the store is closed.
///
/// *Errors*: why the store went offline.
pub(crate) async fn run_checkpoints(
    shared: Rc<Shared>,
    journal: Rc<Journal>,
) -> Result<(), Offline> {
    loop {
        let changed = journal.changed.changed();
        shared.check_online()?;
        let (size, _, _) = journal.sizes();
        let Some((ordinal, logs)) = journal.oldest_above(size / 2) else {
            if shared.is_closing() {
                return Ok(());
            }
            changed.await;
            continue;
        };
        let began = runtime::now();
        let needs = |core: &Rc<LogCore>| needs_checkpoint(core, ordinal);
        checkpoint_logs(&shared, logs.into_iter().filter(needs).collect()).await?;
        journal.retire_oldest(ordinal);
        let us = runtime::now().since(began).as_micros();
        shared.counters.count(|counters| {
            counters.checkpoints += 1;
            let us = u64::try_from(us).unwrap_or(u64::MAX);
            counters.checkpoint_us_max = counters.checkpoint_us_max.max(us);
        });
    }
}

/// Writes logs out and syncs their segments, several at a time.
///
/// *Errors*: why the store went offline.
pub(crate) async fn checkpoint_logs(
    shared: &Rc<Shared>,
    logs: Vec<Rc<LogCore>>,
) -> Result<(), Offline> {
    let slots = runtime::Semaphore::new(CONCURRENCY);
    let tasks = TaskGroup::new();
    for core in logs {
        let permit = slots.acquire(1).await;
        let shared = Rc::clone(shared);
        tasks.spawn(Queue::Background, async move {
            if let Err(why) = checkpoint_log(&shared, &core).await {
                // Removed meanwhile: it needs none. A failure is seen below.
                tracing::debug!(log = %core.id, %why, "not checkpointed");
            }
            drop(permit);
        });
    }
    tasks.join_all().await;
    shared.check_online()
}

/// Writes one log out and syncs its segments: nothing of it up to now needs the journal then.
pub(crate) async fn checkpoint_log(shared: &Rc<Shared>, core: &Rc<LogCore>) -> Result<(), Offline> {
    // A truncation that is in the journal has to be in the files too, before its frame may go.
    loop {
        let changed = shared.room.changed();
        core.check_online()?;
        if !core.state.borrow().cut_due {
            break;
        }
        changed.await;
    }
    // Durable at this moment; what follows is the business of the next checkpoint.
    let until = core.state.borrow().durable;
    segment::write_out(shared, core, until).await?;
    if !mutants::is_on(Mutant::CheckpointWithoutSegmentSync) {
        segment::sync(shared, core).await?;
    }
    Ok(())
}

/// Returns whether a log still has frames in the file that are not in synced segments; forgets its
/// older ones.
fn needs_checkpoint(core: &Rc<LogCore>, ordinal: u64) -> bool {
    let mut state = core.state.borrow_mut();
    if state.cut_due {
        return true;
    }
    let synced = state.synced;
    while let Some((first, end)) = state.journal_files.front().copied() {
        if first > ordinal {
            return false;
        }
        if end > synced {
            return true;
        }
        state.journal_files.pop_front();
    }
    false
}

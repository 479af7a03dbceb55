//! Syncing a log's segments, for the checkpoint.

use std::rc::Rc;

use types::Offset;

use crate::error::Offline;
use crate::log_core::LogCore;
use crate::mutants::{self, Mutant};
use crate::shared::Shared;

/// Syncs every segment written to, and moves `synced` to where `written` stood at the start.
///
/// *Errors*: why the log is offline.
pub(crate) async fn sync(shared: &Rc<Shared>, core: &Rc<LogCore>) -> Result<(), Offline> {
    // One at a time: the second must not report what the first has not finished.
    let permit = core.syncing.acquire(1).await;
    core.check_online()?;
    let (segments, written, truncations) = {
        let mut state = core.state.borrow_mut();
        let segments = std::mem::take(&mut state.unsynced);
        (segments, state.written, state.truncations)
    };
    for segment in segments {
        let opened = shared.files.open(&shared.layout, &core.id, segment).await;
        let file = match opened {
            Ok(file) => file,
            // Retention and truncation sync what they leave.
            Err(_) if is_gone(core, segment) => continue,
            Err(error) => return Err(shared.fail("opening a segment", &error)),
        };
        file.file
            .sync_data()
            .await
            .map_err(|error| shared.fail("segment sync", &error))?;
    }
    let marks = {
        let mut state = core.state.borrow_mut();
        // A sync that began before a truncation says nothing about what stands there now.
        let is_stale = state.truncations != truncations;
        if is_stale && !mutants::is_on(Mutant::StaleSyncMovesDurable) {
            return Ok(());
        }
        if is_stale {
            state.durable = state.durable.max(written);
            state.acknowledged = state.acknowledged.max(written);
        } else {
            state.synced = state.synced.max(written);
            state.durable = state.durable.max(written);
            state.acknowledged = state.acknowledged.max(written);
        }
        state.check();
        (state.durable, state.acknowledged)
    };
    core.publish(marks);
    drop(permit);
    Ok(())
}

/// Returns whether a segment was deleted, or cut off, since.
fn is_gone(core: &LogCore, segment: Offset) -> bool {
    let state = core.state.borrow();
    let is_removed = core.progress.get().offline.is_some();
    is_removed || segment < state.first_segment || segment > state.active.place.segment
}

//! The handle of a log: what can be asked without I/O, and what can be waited for.

use std::fmt;
use std::path::Path;
use std::rc::Rc;

use runtime::Watch;
use types::{ByteCount, LeaderEpoch, Offset};

use crate::config::LogConfig;
use crate::epochs::EpochEnd;
use crate::error::{Offline, ReadError};
use crate::load::load;
use crate::log_core::{Appends, LogCore, Past};
use crate::log_id::LogId;
use crate::positions::{Positions, Progress};
use crate::producers::ActiveProducer;
use crate::shared::Shared;

/// One life of one partition's log, on its shard.
///
/// Appends are synchronous: their place is fixed when they return. Everything else may wait for the
/// disk, and every future may be dropped: what had begun is completed or undone by recovery.
pub struct Log {
    pub(crate) core: Rc<LogCore>,
    pub(crate) shared: Rc<Shared>,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("id", &self.core.id)
            .field("positions", &self.positions())
            .finish_non_exhaustive()
    }
}

impl Log {
    pub(crate) fn new(core: Rc<LogCore>, shared: Rc<Shared>) -> Self {
        Self { core, shared }
    }

    /// Returns which log this is.
    pub fn id(&self) -> LogId {
        self.core.id
    }

    /// Returns the data directory that the log is in.
    pub fn directory(&self) -> &Path {
        self.shared.layout.path()
    }

    /// Tells whether the log is in service. What it says of its positions is not to be believed
    /// otherwise: it may never have been read.
    ///
    /// *Errors*: [`Offline`].
    pub fn check_online(&self) -> Result<(), Offline> {
        self.core.check_online()
    }

    /// Returns the settings in force.
    pub fn config(&self) -> LogConfig {
        self.core.state.borrow().config
    }

    /// Changes the settings; they apply from the next operation on.
    pub fn set_config(&self, config: LogConfig) {
        self.core.state.borrow_mut().config = config;
    }

    /// Returns where the log stands.
    pub fn positions(&self) -> Positions {
        self.core.state.borrow().positions()
    }

    /// Returns what changes with the durable and acknowledged marks, and when the log goes offline.
    pub fn progress(&self) -> &Watch<Progress> {
        &self.core.progress
    }

    /// Waits until everything below `offset` survives a power failure.
    ///
    /// *Errors*: [`Offline`]; nothing is known of those bytes then.
    pub async fn durable_to(&self, offset: Offset) -> Result<(), Offline> {
        let reached = |progress: &Progress| progress.durable >= offset;
        self.wait(reached).await
    }

    /// Waits until everything below `offset` may be acknowledged, by the log's durability.
    ///
    /// *Errors*: [`Offline`]; nothing is known of those bytes then.
    pub async fn acknowledged_to(&self, offset: Offset) -> Result<(), Offline> {
        let reached = |progress: &Progress| progress.acknowledged >= offset;
        self.wait(reached).await
    }

    async fn wait(&self, reached: impl Fn(&Progress) -> bool) -> Result<(), Offline> {
        let done = |progress: &Progress| progress.offline.is_some() || reached(progress);
        let progress = self.core.progress.wait_until(done).await;
        match progress.offline {
            // A mark that was reached stays reached.
            Some(why) if !reached(&progress) => Err(why),
            _ => Ok(()),
        }
    }

    /// Waits until an append that was refused as busy may be tried again.
    ///
    /// *Errors*: [`Offline`].
    pub async fn room(&self) -> Result<(), Offline> {
        loop {
            let changed = self.shared.room.changed();
            self.core.check_online()?;
            if self.needs_past() {
                match load(&self.shared, &self.core).await {
                    Ok(()) => {}
                    Err(ReadError::Offline(why)) => return Err(why),
                    Err(error) => {
                        // Without its producers the log cannot tell a repeat from a new batch. Everybody
                        // else is served: what waits in the journal must get to the segments.
                        tracing::error!(log = %self.core.id, %error, "the log's past cannot be read");
                        return Err(Offline::Failed);
                    }
                }
            }
            let is_held = self.core.state.borrow().appends == Appends::Held;
            if self.shared.has_room() && !is_held {
                return Ok(());
            }
            changed.await;
        }
    }

    /// Returns whether idempotent producers are to be read before one may write.
    pub(crate) fn needs_past(&self) -> bool {
        let state = self.core.state.borrow();
        state.past == Past::Unread && state.has_producers
    }

    /// Returns the latest leader epoch.
    pub fn latest_epoch(&self) -> LeaderEpoch {
        self.core.state.borrow().epoch
    }

    /// Returns the largest epoch at or below `epoch` and where it ends; `None` if there is none.
    ///
    /// *Errors*: [`ReadError`] if the log's past cannot be read.
    pub async fn epoch_end(&self, epoch: LeaderEpoch) -> Result<Option<EpochEnd>, ReadError> {
        load(&self.shared, &self.core).await?;
        let state = self.core.state.borrow();
        Ok(state.epochs.end_of(epoch, state.end))
    }

    /// Lists the idempotent producers that are active.
    ///
    /// *Errors*: [`ReadError`] if the log's past cannot be read.
    pub async fn producers(&self) -> Result<Vec<ActiveProducer>, ReadError> {
        load(&self.shared, &self.core).await?;
        Ok(self.core.state.borrow().producers.active())
    }

    /// Returns the bytes of all batches.
    ///
    /// *Errors*: [`ReadError`] if the log's past cannot be read.
    pub async fn size(&self) -> Result<ByteCount, ReadError> {
        load(&self.shared, &self.core).await?;
        let state = self.core.state.borrow();
        let closed: u64 = state.closed.values().sum();
        Ok(ByteCount(
            closed + state.written_at.position + state.tail.size(),
        ))
    }
}

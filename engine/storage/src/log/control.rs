//! Entries without batches: placed in a round of their own accord, awaited until they are synced.

use runtime::{Receiver, oneshot};
use types::{LeaderEpoch, Offset};

use super::handle::Log;
use crate::error::{Error, Offline};
use crate::journal::Entry;
use crate::log_core::Appends;

impl Log {
    /// Starts a leader's epoch at the end of the log; known or older ones change nothing.
    ///
    /// Durable when it returns; required before the first append in the epoch.
    ///
    /// *Errors*: [`Error::Offline`].
    pub async fn start_epoch(&self, epoch: LeaderEpoch) -> Result<(), Error> {
        let first = {
            let mut state = self.core.state.borrow_mut();
            if epoch <= state.epoch {
                return Ok(());
            }
            let first = state.end;
            state.epoch = epoch;
            state.epoch_start = first;
            state.epochs.note(epoch, first);
            first
        };
        self.place(Entry::Epoch { epoch, first }).await?;
        Ok(())
    }

    /// Has the journal know an empty log from the next round on; does not wait for it.
    ///
    /// Else it would know the log with its first batch or at the next start, and until then nobody could
    /// say which data directory it was made in.
    pub fn make_known(&self) {
        let origin = Entry::Start {
            segment: Offset::ZERO,
            first: Offset::ZERO,
        };
        let _nobody_waits = self.enlist(origin);
    }

    /// Waits until no truncation is under way.
    pub(super) async fn wait_until_open(&self) -> Result<(), Offline> {
        loop {
            let changed = self.shared.room.changed();
            self.core.check_online()?;
            if self.core.state.borrow().appends == Appends::Open {
                return Ok(());
            }
            changed.await;
        }
    }

    /// Puts an entry into the next round and waits until it is synced.
    pub(super) async fn place(&self, entry: Entry) -> Result<(), Offline> {
        self.core.check_online()?;
        if self.shared.is_closing() {
            return Err(Offline::Closed);
        }
        match self.enlist(entry).await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.core.check_online().err().unwrap_or(Offline::Closed)),
        }
    }

    /// Puts an entry into the next round; the receiver is told when it is synced.
    fn enlist(&self, entry: Entry) -> Receiver<()> {
        let (done, synced) = oneshot();
        let control = crate::log_core::Control { entry, done };
        self.core.state.borrow_mut().controls.push_back(control);
        self.shared.enlist_pending(&self.core);
        synced
    }
}

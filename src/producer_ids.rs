//! Producer ids to give out: a block of them at a time, durable at the controller before the first
//! is used, so that no id is ever given twice.

use std::cell::Cell;

use controller::request::ProducerIdBlock;
use controller::{Reply, Request};
use runtime::Semaphore;
use types::ProducerId;

use crate::drivers::controller::{ControlError, control};
use crate::shard::Shard;

/// What is left of this shard's block.
pub struct ProducerIds {
    next: Cell<i64>,
    end: Cell<i64>,
    /// One shard asks for one block at a time.
    refill: Semaphore,
}

impl Default for ProducerIds {
    fn default() -> Self {
        Self::new()
    }
}

impl ProducerIds {
    /// Starts without a block.
    pub fn new() -> Self {
        Self {
            next: Cell::new(0),
            end: Cell::new(0),
            refill: Semaphore::new(1),
        }
    }

    /// Takes an id that nobody ever had.
    pub async fn take(&self, shard: &Shard) -> Result<ProducerId, ControlError> {
        let _turn = self.refill.acquire(1).await;
        if self.next.get() == self.end.get() {
            let reply = control(&shard.mesh, Request::AllocateProducerIds(shard.node())).await?;
            let Reply::AllocateProducerIds(ProducerIdBlock { first, count }) = reply else {
                return Err(ControlError::Stopping);
            };
            self.next.set(first.0);
            self.end.set(first.0 + i64::from(count));
        }
        let id = self.next.get();
        self.next.set(id + 1);
        Ok(ProducerId(id))
    }
}

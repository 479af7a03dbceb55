//! Drives the controller on the first shard: one decision at a time, each durable before it counts.
//!
//! ```text
//! request ─► decide ─► append, synced ─► apply here ─► apply on every shard ─► reply
//! ```
//!
//! Invariants:
//! 1. Nothing is applied that is not durable, and nothing is answered that is not applied everywhere.
//! 2. Every shard applies the same records in the same order.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use controller::{Controller, DecideError, Image, Record, Reply, Request};
use runtime::{Mesh, Semaphore};
use storage::MetadataLog;
use types::{ByteCount, ShardId, TopicId};

use crate::crossing::{Answer, Ask};

/// After this many records the metadata log is replaced by a snapshot, or when it takes so much: a start
/// reads all of it.
const SNAPSHOT_RECORDS: u64 = 10_000;
const SNAPSHOT_SIZE: ByteCount = ByteCount::mib(64);

/// After this many records more a snapshot is tried again.
const RETRY_RECORDS: u64 = 100;

/// Why the controller did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The request as a whole was refused.
    #[error(transparent)]
    Refused(#[from] DecideError),
    /// The metadata log cannot be written; whether the decision is durable is not known.
    #[error("the metadata log failed")]
    Storage(#[from] storage::Error),
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
}

/// The controller of this node, and its log.
pub struct ControllerDriver {
    controller: RefCell<Controller>,
    log: MetadataLog,
    mesh: Mesh<Ask, Answer>,
    /// One decision at a time.
    turn: Semaphore,
    /// No snapshot is tried before this index.
    snapshot_from: Cell<u64>,
}

impl ControllerDriver {
    /// Drives a controller that has replayed `log`.
    pub fn new(controller: Controller, log: MetadataLog, mesh: Mesh<Ask, Answer>) -> Self {
        Self {
            controller: RefCell::new(controller),
            log,
            mesh,
            turn: Semaphore::new(1),
            snapshot_from: Cell::new(0),
        }
    }

    /// Returns a copy of the image.
    pub fn image(&self) -> Image {
        self.controller.borrow().image().clone()
    }

    /// Carries out one request.
    pub async fn carry_out(&self, request: &Request) -> Result<Reply, ControlError> {
        let _turn = self.turn.acquire(1).await;
        self.snapshot_if_due().await;
        let decision = self
            .controller
            .borrow()
            .decide(runtime::wall_clock(), request)?;
        if decision.records.is_empty() {
            return Ok(decision.reply);
        }
        let encoded: Vec<Vec<u8>> = decision.records.iter().map(Record::encode).collect();
        let slices: Vec<&[u8]> = encoded.iter().map(Vec::as_slice).collect();
        self.log.append(&slices).await?; // invariant 1
        for record in &decision.records {
            let applied = self.controller.borrow_mut().apply(record);
            applied.expect("what decide decides, apply takes");
        }
        self.tell_every_shard(decision.records).await?;
        Ok(decision.reply)
    }

    async fn tell_every_shard(&self, records: Vec<Record>) -> Result<(), ControlError> {
        let records: Arc<[Record]> = records.into();
        let mut replies = Vec::with_capacity(usize::from(self.mesh.shards()));
        for shard in 0..self.mesh.shards() {
            replies.push(
                self.mesh
                    .call(ShardId(shard), Ask::Apply(Arc::clone(&records)))
                    .await,
            );
        }
        for reply in replies {
            reply.await.map_err(|_| ControlError::Stopping)?;
        }
        Ok(())
    }

    /// Replaces the log by a snapshot if it has grown. Where that fails the log goes on, and keeps
    /// everything.
    async fn snapshot_if_due(&self) {
        let next = self.log.next_index();
        let (records, size) = self.log.since_snapshot();
        let is_due = records >= SNAPSHOT_RECORDS || size >= SNAPSHOT_SIZE;
        if !is_due || next < self.snapshot_from.get() {
            return;
        }
        let bytes = controller::snapshot::encode(self.controller.borrow().image());
        if let Err(error) = self.log.snapshot(next, &bytes).await {
            tracing::warn!(%error, "the metadata's snapshot was not written");
            self.snapshot_from.set(next + RETRY_RECORDS);
        }
    }
}

/// Draws a random topic id.
pub fn fresh_topic_id() -> TopicId {
    loop {
        if let Some(id) = TopicId::from_random(runtime::random_bytes()) {
            return id;
        }
    }
}

/// The way to the controller from any shard.
pub async fn control(mesh: &Mesh<Ask, Answer>, request: Request) -> Result<Reply, ControlError> {
    match mesh.call(ShardId(0), Ask::Control(request)).await.await {
        Ok(Answer::Controlled(result)) => result,
        Ok(_) | Err(_) => Err(ControlError::Stopping),
    }
}

/// The controller's place: the first shard has it once the metadata log is open.
pub type Seat = std::cell::OnceCell<Rc<ControllerDriver>>;

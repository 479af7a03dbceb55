//! How a shard's pump is woken from other threads, and how a shard's end is told.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};

use types::ShardId;

use crate::uring::load::Load;
use crate::uring::sys;

/// What the other threads may touch of a shard.
#[derive(Debug)]
pub(in crate::uring) struct Doorbell {
    pub(super) bell: OwnedFd,
    pub(super) asleep: AtomicBool,
    pub(super) closed: AtomicBool,
    gone: AtomicBool,
    /// How busy the shard is.
    pub(super) load: Arc<Load>,
}

impl Doorbell {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            bell: sys::event_fd(0, 0)?,
            asleep: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            load: Arc::default(),
        })
    }

    /// Wakes the shard's pump if it sleeps; what it shall see was set down before.
    pub(super) fn ring(&self) {
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::SeqCst) {
            self.kick();
        }
    }

    /// Wakes the shard, asleep or not.
    pub(in crate::uring) fn kick(&self) {
        let rung = sys::event_add(self.bell.as_fd(), 1);
        rung.expect("an eventfd takes small counts as long as it is open");
    }

    /// Returns whether the shard has ended.
    pub(in crate::uring) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::SeqCst)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }
}

/// Tells the other shards, when it is dropped, that this one has ended.
pub(in crate::uring) struct Departure {
    pub(super) id: ShardId,
    pub(super) doorbells: Arc<[Doorbell]>,
}

impl Drop for Departure {
    fn drop(&mut self) {
        let own = self.doorbells.get(self.id.index());
        let own = own.expect("every shard has its doorbell");
        own.closed.store(true, Ordering::SeqCst);
        own.gone.store(true, Ordering::SeqCst);
        for doorbell in &*self.doorbells {
            doorbell.ring();
        }
    }
}

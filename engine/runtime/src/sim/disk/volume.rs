//! One host's disk: it outlives the processes that use it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::content::Survival;
use super::inode::{Inode, Space};
use super::namespace::{Namespace, NodeId};
use crate::sim::faults::{DiskError, DiskPlan, Operation};
use crate::sim::rng::Rng;

/// The number of the error for a failing device.
///
/// *Source*: errno(3), EIO on Linux.
const EIO: i32 = 5;

/// The number of the error for a full disk.
///
/// *Source*: errno(3), ENOSPC on Linux.
const ENOSPC: i32 = 28;

/// A disk.
pub(crate) struct Disk {
    pub(crate) names: RefCell<Namespace>,
    pub(crate) space: Arc<Mutex<Space>>,
    plan: RefCell<DiskPlan>,
    /// Lock files that a process holds.
    pub(crate) locks: RefCell<BTreeSet<NodeId>>,
    /// Counts the crashes: a handle of an earlier life does nothing any more.
    life: Cell<u64>,
}

impl Disk {
    pub(crate) fn new() -> Self {
        let plan = DiskPlan::default();
        Self {
            names: RefCell::default(),
            space: Arc::new(Mutex::new(Space::new(plan.capacity.0))),
            plan: RefCell::new(plan),
            locks: RefCell::default(),
            life: Cell::new(0),
        }
    }

    pub(crate) fn life(&self) -> u64 {
        self.life.get()
    }

    pub(crate) fn set_plan(&self, plan: DiskPlan) {
        let mut space = self.space.lock().unwrap_or_else(PoisonError::into_inner);
        space.set_capacity(plan.capacity.0);
        self.plan.replace(plan);
    }

    /// Counts an operation; returns how long it takes and how it fails, if it does.
    pub(crate) fn begin(
        &self,
        operation: Operation,
        path: &Path,
        rng: &mut Rng,
    ) -> (Duration, Option<Failure>) {
        let mut plan = self.plan.borrow_mut();
        let delay = plan.delay(operation, rng);
        match plan.strike(operation, path) {
            Some(DiskError::Delay(more)) => (delay + more, None),
            Some(DiskError::Io) => (delay, Some(Failure::Io)),
            Some(DiskError::Short) => (delay, Some(Failure::Short)),
            None => (delay, None),
        }
    }

    /// Makes an empty file that is nowhere yet.
    pub(crate) fn new_file(&self) -> Inode {
        Inode::new(&self.space)
    }

    /// Cuts the power.
    pub(crate) fn fail_power(&self, rng: &mut Rng) {
        let survival = Survival::draw(rng);
        self.end_life();
        let mut names = self.names.borrow_mut();
        names.fail_power(rng, survival);
        for inode in names.files() {
            inode.lock().content.fail_power(rng, survival);
            inode.trim();
        }
    }

    /// Lets the process that uses the disk die; the machine runs on.
    pub(crate) fn fail_process(&self, rng: &mut Rng) {
        self.end_life();
        for inode in self.names.borrow().files() {
            inode.lock().content.fail_process(rng);
        }
    }

    fn end_life(&self) {
        self.life.set(self.life.get() + 1);
        self.locks.borrow_mut().clear();
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Disk({} lives)", self.life.get())
    }
}

/// How an operation that was begun will fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Io,
    Short,
    Full,
}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Io => Self::from_raw_os_error(EIO),
            Failure::Full => Self::from_raw_os_error(ENOSPC),
            Failure::Short => io::ErrorKind::WriteZero.into(),
        }
    }
}

//! An owner for tasks: it starts them, waits for them, and cancels what is left when it goes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::rc::Rc;

use crate::task::{Queue, Task};
use crate::watch::Watch;

/// Tasks with one owner. Dropping the group cancels those that still run.
#[derive(Default)]
pub struct TaskGroup {
    tasks: RefCell<BTreeMap<u64, Task<()>>>,
    progress: Rc<Progress>,
}

struct Progress {
    running: Watch<usize>,
    /// Tasks that have ended and whose handles the group still holds.
    ended: RefCell<Vec<u64>>,
    started: RefCell<u64>,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            running: Watch::new(0),
            ended: RefCell::default(),
            started: RefCell::default(),
        }
    }
}

impl TaskGroup {
    /// Makes a group without tasks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a task of the group.
    pub fn spawn<F: Future<Output = ()> + 'static>(&self, queue: Queue, future: F) {
        self.reap();
        let key = {
            let mut started = self.progress.started.borrow_mut();
            *started += 1;
            *started
        };
        self.progress.running.update(|running| *running += 1);
        let progress = Rc::clone(&self.progress);
        // Boxed first: an async block keeps what it captures beside what it awaits, twice the size.
        let future = Box::pin(future);
        let task = crate::spawn(queue, async move {
            future.await;
            progress.ended.borrow_mut().push(key);
            progress.running.update(|running| *running -= 1);
        });
        self.tasks.borrow_mut().insert(key, task);
    }

    /// Returns how many tasks run.
    pub fn len(&self) -> usize {
        self.progress.running.get()
    }

    /// Returns whether no task runs.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits until no task of the group runs; more may be started meanwhile.
    pub async fn join_all(&self) {
        self.progress
            .running
            .wait_until(|&running| running == 0)
            .await;
        self.reap();
    }

    /// Cancels every task.
    pub fn cancel_all(&self) {
        let tasks = self.tasks.take();
        drop(tasks);
        self.progress.ended.borrow_mut().clear();
        self.progress.running.set(0);
    }

    /// Lets go of the handles of tasks that have ended.
    fn reap(&self) {
        let ended = self.progress.ended.take();
        let mut tasks = self.tasks.borrow_mut();
        for key in ended {
            tasks.remove(&key);
        }
    }
}

impl fmt::Debug for TaskGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskGroup({} running)", self.len())
    }
}

//! Turns of the simulated machine: tasks that are ready, events that are due, and virtual time.
//!
//! ```text
//!   1. an event that is due happens
//!   2. else one of the ready tasks, drawn by the seed, is polled and takes a little time
//!   3. else time jumps to the next event
//!   4. else the machine is quiet: nothing can happen any more
//! ```
//!
//! Here is no notion of hosts, disks or sockets: those schedule events.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};
use std::time::Duration;

use types::ShardId;

use super::rng::{Rng, mix};

/// What a poll takes at least and at most: so a task that spins until a deadline reaches it.
const POLL_TIME: (Duration, Duration) = (Duration::from_nanos(200), Duration::from_micros(1));

/// A host of the simulated network, by the order of its making.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HostId(pub(crate) usize);

/// Whose task it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) host: HostId,
    pub(crate) shard: ShardId,
}

/// A task, by the order of its making; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TaskId(u64);

/// The future that the caller of the simulation waits for; it is polled in turn with the tasks.
pub(crate) const MAIN: TaskId = TaskId(0);

pub(crate) type TaskFuture = Pin<Box<dyn Future<Output = ()>>>;

/// Something that happens at a point in time.
pub(crate) enum Event {
    /// A waiting task goes on.
    Wake(Waker),
    /// The machine does something.
    Run(Box<dyn FnOnce()>),
}

/// Where an event stands in the order: its time, then the order of scheduling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EventKey {
    at: Duration,
    number: u64,
}

/// What happens next.
pub(crate) enum Turn {
    /// This task is polled.
    Poll(TaskId),
    /// This event happens.
    Happen(Event),
}

struct Entry {
    owner: Owner,
    waker: Waker,
    /// Absent while it is being polled.
    future: Option<TaskFuture>,
}

/// The tasks, the events and the clock.
pub(crate) struct Executor {
    ready: Arc<Mutex<Vec<Arc<TaskWaker>>>>,
    tasks: RefCell<BTreeMap<TaskId, Entry>>,
    tasks_made: Cell<u64>,
    events: RefCell<BTreeMap<EventKey, Event>>,
    events_made: Cell<u64>,
    now: Cell<Duration>,
    rng: RefCell<Rng>,
    trace: Cell<u64>,
}

impl Executor {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            ready: Arc::default(),
            tasks: RefCell::default(),
            tasks_made: Cell::new(0),
            events: RefCell::default(),
            events_made: Cell::new(0),
            now: Cell::new(Duration::ZERO),
            rng: RefCell::new(Rng::new(seed)),
            trace: Cell::new(mix(seed)),
        }
    }

    /// Reads the virtual time since the start.
    pub(crate) fn now(&self) -> Duration {
        self.now.get()
    }

    /// Draws by chance.
    pub(crate) fn draw<T>(&self, draw: impl FnOnce(&mut Rng) -> T) -> T {
        draw(&mut self.rng.borrow_mut())
    }

    /// Adds a fact to the trace, by which two runs are compared.
    pub(crate) fn record(&self, fact: u64) {
        self.trace.set(mix(self.trace.get() ^ mix(fact)));
    }

    /// Returns the hash of all that was recorded.
    pub(crate) fn trace_hash(&self) -> u64 {
        self.trace.get()
    }

    /// Adds a task, ready to be polled.
    pub(crate) fn add(&self, owner: Owner, future: TaskFuture) -> TaskId {
        self.tasks_made.set(self.tasks_made.get() + 1);
        let id = TaskId(self.tasks_made.get());
        let waker = self.waker(id);
        waker.wake_by_ref();
        let entry = Entry {
            owner,
            waker,
            future: Some(future),
        };
        self.tasks.borrow_mut().insert(id, entry);
        id
    }

    /// Makes a waker that puts a task among the ready ones.
    pub(crate) fn waker(&self, id: TaskId) -> Waker {
        Waker::from(Arc::new(TaskWaker {
            id,
            queued: AtomicBool::new(false),
            ready: Arc::clone(&self.ready),
        }))
    }

    /// Takes a task's future out for polling; `None` if the task has gone.
    pub(crate) fn take(&self, id: TaskId) -> Option<(Owner, Waker, TaskFuture)> {
        let mut tasks = self.tasks.borrow_mut();
        let entry = tasks.get_mut(&id)?;
        let future = entry.future.take()?;
        Some((entry.owner, entry.waker.clone(), future))
    }

    /// Puts a polled future back; returns it if its task was cancelled meanwhile.
    pub(crate) fn put_back(&self, id: TaskId, future: TaskFuture) -> Option<TaskFuture> {
        match self.tasks.borrow_mut().get_mut(&id) {
            Some(entry) => {
                entry.future = Some(future);
                None
            }
            None => Some(future),
        }
    }

    /// Removes a task; the caller drops what is left of it once nothing is borrowed.
    #[must_use]
    pub(crate) fn remove(&self, id: TaskId) -> Option<TaskFuture> {
        self.tasks.borrow_mut().remove(&id)?.future
    }

    /// Removes all tasks of some owners, in the order they were made; the caller drops what is left
    /// of them.
    #[must_use]
    pub(crate) fn remove_all(&self, of: impl Fn(Owner) -> bool) -> Vec<(Owner, TaskFuture)> {
        let mut tasks = self.tasks.borrow_mut();
        let removed = tasks.extract_if(.., |_, entry| of(entry.owner));
        removed
            .filter_map(|(_, entry)| Some((entry.owner, entry.future?)))
            .collect()
    }

    /// Schedules an event `delay` from now.
    pub(crate) fn schedule(&self, delay: Duration, event: Event) -> EventKey {
        self.schedule_at(self.now().saturating_add(delay), event)
    }

    /// Schedules an event at a point in time.
    pub(crate) fn schedule_at(&self, at: Duration, event: Event) -> EventKey {
        self.events_made.set(self.events_made.get() + 1);
        let number = self.events_made.get();
        let key = EventKey { at, number };
        self.events.borrow_mut().insert(key, event);
        key
    }

    /// Takes an event back; returns it if it has not happened.
    pub(crate) fn unschedule(&self, key: EventKey) -> Option<Event> {
        self.events.borrow_mut().remove(&key)
    }

    /// Removes the first event that is left.
    pub(crate) fn remove_event(&self) -> Option<Event> {
        self.events.borrow_mut().pop_first().map(|(_, event)| event)
    }

    /// Decides what happens next; `None` when the machine is quiet or `limit` would be passed.
    pub(crate) fn next_turn(&self, limit: Duration) -> Option<Turn> {
        let due = self.events.borrow().keys().next().copied();
        if let Some(key) = due
            && key.at <= self.now()
        {
            return Some(self.happen(key));
        }
        if self.now() > limit {
            return None;
        }
        if let Some(task) = self.draw_ready() {
            return Some(Turn::Poll(task));
        }
        let key = due?;
        if key.at > limit {
            return None;
        }
        self.now.set(key.at);
        Some(self.happen(key))
    }

    /// Lets time pass to a point that no event stands before.
    pub(crate) fn pass_to(&self, time: Duration) {
        self.now.set(self.now().max(time));
    }

    /// Returns whether anything can happen at all.
    pub(crate) fn is_quiet(&self) -> bool {
        self.lock_ready().is_empty() && self.events.borrow().is_empty()
    }

    fn happen(&self, key: EventKey) -> Turn {
        let event = self.events.borrow_mut().remove(&key);
        self.record(key.number ^ nanoseconds(self.now()).rotate_left(20));
        Turn::Happen(event.expect("the key was just seen"))
    }

    fn draw_ready(&self) -> Option<TaskId> {
        let task = {
            let mut ready = self.lock_ready();
            if ready.is_empty() {
                return None;
            }
            let index = self.draw(|rng| rng.index(ready.len()));
            ready.swap_remove(index)
        };
        task.queued.store(false, Ordering::Relaxed);
        let (least, most) = POLL_TIME;
        let taken = self.draw(|rng| rng.duration(least, most));
        self.now.set(self.now() + taken);
        self.record(task.id.0.rotate_left(40) ^ nanoseconds(self.now()));
        Some(task.id)
    }

    fn lock_ready(&self) -> std::sync::MutexGuard<'_, Vec<Arc<TaskWaker>>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Executor({} tasks)", self.tasks.borrow().len())
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).expect("a simulation ends within 500 years")
}

/// Puts its task among the ready ones, once until it is polled.
struct TaskWaker {
    id: TaskId,
    queued: AtomicBool,
    ready: Arc<Mutex<Vec<Arc<Self>>>>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
            ready.push(Arc::clone(self));
        }
    }
}

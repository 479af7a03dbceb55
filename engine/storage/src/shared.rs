//! What the parts of one shard's store share: bounds, lists of work, open files, counters.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::rc::Rc;

use runtime::{LongWork, Semaphore, Watch};
use types::{ByteCount, Incarnation, ShardId};

use crate::config::StoreOptions;
use crate::error::Offline;
use crate::files::OpenFiles;
use crate::index::IndexCache;
use crate::layout::Layout;
use crate::log_core::LogCore;
use crate::metrics::Counters;
use crate::producer_counts::ProducerCounts;
use crate::space::Space;
use crate::tail::Blocks;
use crate::work_list::WorkList;

/// A log is written out when its tail has so much: one large write costs little more than a small one.
pub(crate) const WRITE_OUT_SIZE: u64 = 1024 * 1024;

/// How many logs with idempotent producers are loaded at a time: each holds all of a log's producers
/// twice before they are counted with those of the others.
const PRODUCER_LOADS_MAX: u64 = 4;

/// Everything of a shard's store but its tasks and its ring.
pub(crate) struct Shared {
    pub(crate) layout: Layout,
    pub(crate) shard: ShardId,
    pub(crate) options: StoreOptions,
    pub(crate) counters: Counters,
    pub(crate) files: OpenFiles,
    pub(crate) indexes: IndexCache,
    pub(crate) space: Space,
    pub(crate) long_work: LongWork,
    pub(crate) blocks: RefCell<Blocks>,
    producer_counts: RefCell<ProducerCounts>,
    /// A permit for each load of a log with idempotent producers.
    pub(crate) producer_loads: Semaphore,
    /// A permit for each producer in a snapshot that waits to be written.
    pub(crate) snapshot_room: Semaphore,
    /// Logs with something for the next round.
    pub(crate) pending: WorkList<Rc<LogCore>>,
    /// Logs to be written to their segments.
    pub(crate) write_outs: WorkList<Rc<LogCore>>,
    /// Logs with a tail, by the age of its first batch.
    oldest: RefCell<VecDeque<Rc<LogCore>>>,
    logs: RefCell<BTreeMap<Incarnation, Rc<LogCore>>>,
    tail_size: Cell<u64>,
    /// Changes whenever a refused append may succeed.
    pub(crate) room: Watch<u64>,
    offline: RefCell<Option<(Offline, String)>>,
    /// Whether that says something.
    has_ended: Watch<bool>,
    is_closing: Cell<bool>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("shard", &self.shard)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Makes those of a store that was never in service, and says why.
    pub(crate) fn out_of_service(
        layout: Layout,
        shard: ShardId,
        options: StoreOptions,
        reason: String,
    ) -> Self {
        Self {
            offline: RefCell::new(Some((Offline::Failed, reason))),
            has_ended: Watch::new(true),
            // Its logs are offline: nothing is looked for in them.
            ..Self::new(layout, shard, options, LongWork::new())
        }
    }

    pub(crate) fn new(
        layout: Layout,
        shard: ShardId,
        options: StoreOptions,
        long_work: LongWork,
    ) -> Self {
        Self {
            counters: Counters::default(),
            files: OpenFiles::new(options.open_files_max),
            indexes: IndexCache::new(options.index_cache_size_max),
            space: Space::new(layout.reserve(shard), options.reserve_size),
            long_work,
            blocks: RefCell::default(),
            producer_counts: RefCell::default(),
            producer_loads: Semaphore::new(PRODUCER_LOADS_MAX),
            snapshot_room: Semaphore::new(ByteCount::from(options.producers_max).0),
            pending: WorkList::new(),
            write_outs: WorkList::new(),
            oldest: RefCell::default(),
            logs: RefCell::default(),
            tail_size: Cell::new(0),
            room: Watch::new(0),
            offline: RefCell::new(None),
            has_ended: Watch::new(false),
            is_closing: Cell::new(false),
            layout,
            shard,
            options,
        }
    }

    /// Takes a log in; out of service, if the store is.
    pub(crate) fn add_log(&self, core: &Rc<LogCore>) {
        let known = self
            .logs
            .borrow_mut()
            .insert(core.id.incarnation, Rc::clone(core));
        assert!(known.is_none(), "an incarnation is never used twice");
        if let Err(why) = self.check_online() {
            core.take_offline(why);
        }
    }

    /// Lets a log go.
    pub(crate) fn remove_log(&self, incarnation: Incarnation) -> Option<Rc<LogCore>> {
        self.producer_counts.borrow_mut().set(incarnation, 0);
        self.logs.borrow_mut().remove(&incarnation)
    }

    /// Returns the logs, by incarnation.
    pub(crate) fn logs(&self) -> Vec<Rc<LogCore>> {
        self.logs.borrow().values().map(Rc::clone).collect()
    }

    /// Returns how many logs there are.
    pub(crate) fn log_count(&self) -> usize {
        self.logs.borrow().len()
    }

    /// Returns why the store is out of service, if it is.
    pub(crate) fn check_online(&self) -> Result<(), Offline> {
        match &*self.offline.borrow() {
            Some((why, _)) => Err(*why),
            None => Ok(()),
        }
    }

    /// Waits until the store is out of service and returns why.
    pub(crate) async fn ended(&self) -> Offline {
        self.has_ended.wait_until(|&ended| ended).await;
        let why = self.check_online().err();
        why.expect("out of service for ever")
    }

    /// Returns what took the store out of service, for people.
    pub(crate) fn offline_reason(&self) -> Option<String> {
        let offline = self.offline.borrow();
        offline.as_ref().map(|(_, reason)| reason.clone())
    }

    /// Takes the whole store out of service after a failed write or sync; nothing is ever retried.
    pub(crate) fn fail(&self, what: &str, error: &std::io::Error) -> Offline {
        self.end(Offline::Failed, format!("{what}: {error}"))
    }

    /// Takes the whole store out of service, once and for ever.
    pub(crate) fn end(&self, why: Offline, reason: String) -> Offline {
        if let Err(known) = self.check_online() {
            return known;
        }
        if why == Offline::Failed {
            let directory = self.layout.path().display();
            tracing::error!(shard = %self.shard, %directory, reason, "the data directory goes offline");
        }
        *self.offline.borrow_mut() = Some((why, reason));
        self.has_ended.set(true);
        for log in self.logs() {
            log.take_offline(why);
        }
        self.pending.wake();
        self.write_outs.wake();
        self.note_room();
        why
    }

    /// Refuses appends from now on, and lets the tasks run dry.
    pub(crate) fn begin_close(&self) {
        self.is_closing.set(true);
        self.pending.wake();
        self.write_outs.wake();
        self.note_room();
    }

    /// Returns whether the store is being closed.
    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing.get()
    }

    /// Puts a log into the list for the next round.
    pub(crate) fn enlist_pending(&self, core: &Rc<LogCore>) {
        let listed = std::mem::replace(&mut core.state.borrow_mut().listed.pending, true);
        if !listed {
            self.pending.push(Rc::clone(core));
        }
    }

    /// Puts a log into the list of those to be written to their segments.
    pub(crate) fn enlist_write_out(&self, core: &Rc<LogCore>) {
        let listed = std::mem::replace(&mut core.state.borrow_mut().listed.write_out, true);
        if !listed {
            self.write_outs.push(Rc::clone(core));
        }
    }

    /// Returns whether the tails have room for another batch.
    pub(crate) fn has_room(&self) -> bool {
        self.tail_size.get() < self.options.tail_size_max.0
    }

    /// Returns the bytes of all tails.
    pub(crate) fn tail_size(&self) -> u64 {
        self.tail_size.get()
    }

    /// Counts bytes that a log's tail took; a log that is not listed by age yet is now.
    pub(crate) fn charge_tail(&self, core: &Rc<LogCore>, size: u64, listed: bool) {
        self.tail_size.set(self.tail_size.get() + size);
        if !listed {
            self.oldest.borrow_mut().push_back(Rc::clone(core));
        }
    }

    /// Counts bytes that a log's tail gave back.
    pub(crate) fn release_tail(&self, size: u64) {
        let left = self.tail_size.get().checked_sub(size);
        self.tail_size
            .set(left.expect("no more is released than was charged"));
        self.note_room();
    }

    /// Returns how many producers all logs remember.
    pub(crate) fn producer_count(&self) -> usize {
        self.producer_counts.borrow().total()
    }

    /// Counts a log's producers anew. While the store remembers too many, the log with the most of them
    /// forgets the one that fell silent first.
    ///
    /// So whoever makes up producers displaces his own, and those of others only in logs that remember
    /// no fewer than his (decision 0019).
    pub(crate) fn recount_producers(&self, core: &LogCore) {
        let logs = self.logs.borrow();
        if !logs.contains_key(&core.id.incarnation) {
            return;
        }
        let counts = &mut *self.producer_counts.borrow_mut();
        let count = core.state.borrow().producers.count();
        counts.set(core.id.incarnation, count);
        while counts.total() > self.options.producers_max {
            let largest = counts.largest().and_then(|log| logs.get(&log));
            let largest = largest.expect("a log that is counted is there");
            let producers = &mut largest.state.borrow_mut().producers;
            producers.forget_longest_silent();
            counts.set(largest.id.incarnation, producers.count());
        }
    }

    /// Tells those who wait to append to try again.
    pub(crate) fn note_room(&self) {
        self.room.update(|changes| *changes += 1);
    }

    /// Enlists a log to be written out if it has enough for it.
    pub(crate) fn enlist_by_size(&self, core: &Rc<LogCore>) {
        if core.state.borrow().tail.size() >= WRITE_OUT_SIZE {
            self.enlist_write_out(core);
        }
    }

    /// Enlists the logs with the oldest tails when the shard's memory is three quarters spent, a
    /// quarter of it at a time.
    ///
    /// Called whenever that could do something: when a round made more of the tails durable, and when
    /// what was enlisted before is written out, since appends may all be waiting for room by then.
    pub(crate) fn relieve_pressure(&self) {
        let spent_max = self.options.tail_size_max.0;
        if self.tail_size.get() <= spent_max / 4 * 3 || !self.write_outs.is_empty() {
            return;
        }
        let listed = self.oldest.borrow().len();
        let mut enlisted = 0;
        for _ in 0..listed {
            let Some(oldest) = self.oldest.borrow_mut().pop_front() else {
                return;
            };
            let (size, is_durable) = {
                let state = oldest.state.borrow();
                (state.tail.size(), state.durable > state.written)
            };
            if is_durable {
                oldest.state.borrow_mut().listed.oldest = false;
                enlisted += size;
                self.enlist_write_out(&oldest);
            } else if size > 0 {
                // The next round may change that.
                self.oldest.borrow_mut().push_back(oldest);
            } else {
                oldest.state.borrow_mut().listed.oldest = false;
            }
            if enlisted >= spent_max / 4 {
                return;
            }
        }
    }

    /// Puts a log that kept some of its tail back into the list by age.
    pub(crate) fn relist_oldest(&self, core: &Rc<LogCore>) {
        let mut state = core.state.borrow_mut();
        if state.tail.size() > 0 && !state.listed.oldest {
            state.listed.oldest = true;
            self.oldest.borrow_mut().push_back(Rc::clone(core));
        }
    }
}

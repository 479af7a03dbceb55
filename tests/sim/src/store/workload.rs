//! What is done with the logs of one process, and what the models learn of it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use record::{Batch, BatchBuilder, Compression, NewRecord};
use runtime::{Queue, TaskGroup};
use storage::{AppendContext, AppendError, Log};
use types::Offset;

use super::model::{Model, Stored};
use super::script::Setting;
use super::stores::{self, Stores};
use crate::chance::Chance;
use crate::history::{RecordId, StreamId};
use crate::payload;

/// Sizes of values, from the smallest to one of many blocks.
const SIZES: &[usize] = &[12, 25, 25, 100, 100, 1_000, 4_000, 4_096, 9_000, 24_576];

/// How long a writer waits for its batch to be durable.
const SYNC_MAX: Duration = Duration::from_millis(40);

/// What outlives the processes of one life.
pub(super) struct Ledger {
    models: RefCell<Vec<Model>>,
    /// What is wrong.
    pub(super) violations: RefCell<Vec<String>>,
    /// How many batches were acknowledged.
    pub(super) acknowledged: Cell<u64>,
    /// How many batches were read and compared.
    pub(super) read: Cell<u64>,
    batches_made: Cell<u32>,
}

impl Ledger {
    pub(super) fn new(logs: u64) -> Self {
        Self {
            models: RefCell::new((0..logs).map(|_| Model::default()).collect()),
            violations: RefCell::default(),
            acknowledged: Cell::new(0),
            read: Cell::new(0),
            batches_made: Cell::new(0),
        }
    }

    fn with<T>(&self, number: u64, use_it: impl FnOnce(&mut Model) -> T) -> T {
        let index = usize::try_from(number).expect("there are few logs");
        use_it(&mut self.models.borrow_mut()[index])
    }

    pub(super) fn violation(&self, what: String) {
        self.violations.borrow_mut().push(what);
    }

    fn judge(&self, number: u64, judged: Result<(), String>) {
        if let Err(what) = judged {
            self.violation(format!("log {number} {what}"));
        }
    }

    fn count(counter: &Cell<u64>, more: usize) {
        counter.set(counter.get() + u64::try_from(more).unwrap_or(0));
    }
}

/// Compares every log with its model after a restart; returns whether all could be read.
pub(super) async fn compare(ledger: &Ledger, stores: &Stores, logs: u64) -> bool {
    for number in 0..logs {
        let log = stores.log(number);
        let positions = log.positions();
        match stores::read(&log, positions.start, positions.durable).await {
            Ok(Some(found)) => {
                Ledger::count(&ledger.read, found.len());
                let judged = ledger.with(number, |it| it.judge_restart(positions.start, &found));
                ledger.judge(number, judged);
            }
            Ok(None) => return false,
            Err(what) => ledger.violation(format!("log {number} {what}")),
        }
    }
    true
}

/// Works on the logs until `is_over` says so, or a store goes offline.
pub(super) async fn work(
    ledger: Rc<Ledger>,
    stores: Rc<Stores>,
    setting: Setting,
    mut chance: Chance,
    is_over: Rc<Cell<bool>>,
) {
    let tasks = TaskGroup::new();
    let mut hand = || Hand {
        ledger: Rc::clone(&ledger),
        stores: Rc::clone(&stores),
        chance: chance.fork(),
        logs: setting.logs,
        is_over: Rc::clone(&is_over),
    };
    for _ in 0..setting.writers {
        tasks.spawn(Queue::Latency, write(hand()));
    }
    if let Some(every) = setting.cut_every {
        tasks.spawn(Queue::Latency, cut(hand(), every));
    }
    tasks.spawn(Queue::Latency, delete(hand()));
    tasks.spawn(Queue::Latency, read(hand()));
    tasks.join_all().await;
}

/// One of those who work.
struct Hand {
    ledger: Rc<Ledger>,
    stores: Rc<Stores>,
    chance: Chance,
    logs: u64,
    is_over: Rc<Cell<bool>>,
}

impl Hand {
    fn is_over(&self) -> bool {
        self.is_over.get() || self.stores.is_offline()
    }

    fn draw_log(&mut self) -> (u64, Rc<Log>) {
        let number = self.chance.between(0, self.logs - 1);
        (number, self.stores.log(number))
    }

    async fn pause(&mut self, most: Duration) {
        let most_us = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        runtime::sleep(Duration::from_micros(self.chance.between(0, most_us))).await;
    }

    /// Takes a log for cutting or deleting, unless somebody has it.
    fn take(&mut self) -> Option<(u64, Rc<Log>)> {
        let (number, log) = self.draw_log();
        let was_busy = self
            .ledger
            .with(number, |model| std::mem::replace(&mut model.is_busy, true));
        (!was_busy).then_some((number, log))
    }

    fn give_back(&self, number: u64) {
        self.ledger.with(number, |model| model.is_busy = false);
    }
}

async fn write(mut hand: Hand) {
    while !hand.is_over() {
        let (number, log) = hand.draw_log();
        let bytes = draw_batch(&hand.ledger, &mut hand.chance);
        let Some(sent) = append(&hand.ledger, number, &log, &bytes).await else {
            return;
        };
        // Many appends wait for one sync. What is cut off meanwhile never becomes durable.
        let synced = runtime::timeout(SYNC_MAX, log.durable_to(sent.end));
        if hand.chance.percent(70) && matches!(synced.await, Ok(Ok(()))) {
            hand.ledger.with(number, |model| model.acknowledge(&sent));
            Ledger::count(&hand.ledger.acknowledged, 1);
        }
        if hand.chance.percent(25) {
            hand.pause(Duration::from_millis(2)).await;
        }
        runtime::yield_if_due().await;
    }
}

/// Appends as a broker does, waiting for room; `None` if the log takes nothing any more.
async fn append(ledger: &Ledger, number: u64, log: &Log, bytes: &Bytes) -> Option<Stored> {
    let batch = Batch::parse(bytes).expect("the builder makes whole batches");
    let batch = record::check_stored(batch).expect("the builder makes sound batches");
    loop {
        let epoch = log.latest_epoch();
        let context = AppendContext {
            now: runtime::wall_clock(),
            leader_epoch: epoch,
        };
        match log.append(&batch, context) {
            Ok(appended) => {
                let sent = Stored {
                    first: appended.first,
                    end: appended.end,
                    epoch: epoch.get(),
                    crc: batch.header().crc(),
                };
                ledger.with(number, |model| model.append(sent));
                return Some(sent);
            }
            Err(AppendError::Busy) => log.room().await.ok()?,
            Err(AppendError::Offline(_) | AppendError::Full) => return None,
            Err(error) => {
                ledger.violation(format!("log {number} refuses a sound batch: {error}"));
                return None;
            }
        }
    }
}

fn draw_batch(ledger: &Ledger, chance: &mut Chance) -> Bytes {
    let number = ledger.batches_made.get();
    ledger.batches_made.set(number + 1);
    let record = RecordId {
        stream: StreamId(0),
        number,
    };
    let count = chance.pick(&[1, 1, 1, 2, 5]);
    let mut builder = BatchBuilder::new(Compression::None);
    for _ in 0..count {
        let value = payload::value(record, chance.pick(SIZES));
        let new = NewRecord {
            timestamp: runtime::wall_clock(),
            key: None,
            value: Some(&value),
            headers: &[],
        };
        builder.push(&new).expect("a few records fit a batch");
        if builder.plain_size() > 20_000 {
            break;
        }
    }
    builder
        .build()
        .expect("a batch of a few records can be built")
}

/// Cuts logs at random places, not far from their ends, and starts a new epoch there.
async fn cut(mut hand: Hand, every: Duration) {
    while !hand.is_over() {
        runtime::sleep(every).await;
        let Some((number, log)) = hand.take() else {
            continue;
        };
        let positions = log.positions();
        let length = positions.end.since(positions.start).unwrap_or(0);
        let back = i64::try_from(hand.chance.between(0, length.min(20))).unwrap_or(0);
        let to = Offset::new(positions.end.get() - back).unwrap_or(positions.start);
        hand.ledger.with(number, |model| model.begin_cut(to));
        if log.truncate(to, log.latest_epoch().next()).await.is_err() {
            return;
        }
        hand.ledger.with(number, Model::end_cut);
        hand.give_back(number);
    }
}

/// Deletes beginnings of logs.
async fn delete(mut hand: Hand) {
    while !hand.is_over() {
        hand.pause(Duration::from_millis(15)).await;
        let Some((number, log)) = hand.take() else {
            continue;
        };
        let positions = log.positions();
        let length = positions.durable.since(positions.start).unwrap_or(0);
        let forth = i64::try_from(hand.chance.between(0, length / 2)).unwrap_or(0);
        let below = Offset::new(positions.start.get() + forth).unwrap_or(positions.start);
        hand.ledger
            .with(number, |model| model.begin_deletion(below));
        let Ok(start) = log.delete_prefix(below).await else {
            return;
        };
        hand.ledger.with(number, |model| model.end_deletion(start));
        hand.give_back(number);
    }
}

/// Reads logs from random places up to their durable ends.
async fn read(mut hand: Hand) {
    while !hand.is_over() {
        hand.pause(Duration::from_millis(4)).await;
        // Whoever cuts or deletes is kept away: what is read across a cut proves nothing.
        let Some((number, log)) = hand.take() else {
            continue;
        };
        let positions = log.positions();
        let length = positions.durable.since(positions.start).unwrap_or(0);
        let forth = i64::try_from(hand.chance.between(0, length)).unwrap_or(0);
        let from = Offset::new(positions.start.get() + forth).unwrap_or(positions.start);
        match stores::read(&log, from, positions.durable).await {
            Ok(Some(found)) => {
                Ledger::count(&hand.ledger.read, found.len());
                let judged = hand
                    .ledger
                    .with(number, |model| model.judge_read(from, &found));
                hand.ledger.judge(number, judged);
            }
            Ok(None) => return,
            Err(what) => hand.ledger.violation(format!("log {number} {what}")),
        }
        hand.give_back(number);
    }
}

//! One coordinator in its seat: its log, its timers, and those who wait for its answers.
//!
//! ```text
//! ask ─► coordinator ─► Append ─► (appending) ─► the log's tail ─► (syncing) ─► committed ─► Reply
//!             ▲                                                                    │
//!             └────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Invariants:
//! 1. What the coordinator wants appended is appended in its order, each want as one batch.
//! 2. It is told of each append in that order, when the batch is synced or never will be.
//! 3. A snapshot holds the log up to an offset that every record before was applied of.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::rc::Rc;

use controller::Image;
use coordinator::{
    Action, AppendFailure, Coordinator, GroupError, GroupId, Now, RecordBytes, Request, Response,
    Settings, Ticket, Token, TopicDeleted, TopicsDeleted,
};
use record::{BatchBuilder, Compression, Invalid, NewRecord};
use runtime::{Queue, Receiver, Sender, TaskGroup, Watch, oneshot};
use storage::AppendError;
use types::{ByteCount, Monotonic, Offset, TimestampMs, TopicName};

use super::replay::replay;
use crate::metrics::{Committed, ROWS_AT_ONCE};
use crate::partition::{AppendRefused, Partition};

/// A snapshot is taken when so much of the log is not in the last one, or as much as the last one
/// itself, if that is more.
const SNAPSHOT_DISTANCE: u64 = 4 * 1024 * 1024;

/// A batch on its way to the disk.
struct Placed {
    ticket: Ticket,
    /// The offset behind it; else why it is not in the log.
    end: Result<Offset, AppendFailure>,
    size: u64,
}

/// One coordinator and all around it.
pub(super) struct Seat {
    partition: Rc<Partition>,
    image: Rc<RefCell<Image>>,
    /// `None` until the log is read, and after resigning.
    coordinator: RefCell<Option<Coordinator>>,
    state: Cell<State>,
    waiting: RefCell<BTreeMap<Token, Sender<Response>>>,
    token_next: Cell<u64>,
    appending: Line<(Ticket, Vec<RecordBytes>)>,
    syncing: Line<Placed>,
    /// Whether the last batch that was waited for is in the log.
    settled: Watch<bool>,
    /// When the coordinator wants to be woken, as the alarm knows it.
    alarm: Watch<Option<Monotonic>>,
    /// Bytes of log that the last snapshot does not hold, and its own size.
    distance: Cell<u64>,
    snapshot_size: Cell<u64>,
    is_keeping: Cell<bool>,
    tasks: TaskGroup,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Loading,
    Serving,
    /// The log cannot be read: it is said once in our log, and to every client that asks.
    Failed,
    Resigned,
}

/// A queue with a waiting reader. What bounds it is the coordinator, which bounds what it wants.
struct Line<T> {
    items: RefCell<VecDeque<T>>,
    pushed: Watch<()>,
}

impl<T> Line<T> {
    fn new() -> Self {
        Self {
            items: RefCell::default(),
            pushed: Watch::new(()),
        }
    }

    fn push(&self, item: T) {
        self.items.borrow_mut().push_back(item);
        self.pushed.set(());
    }

    async fn pop(&self) -> T {
        loop {
            let pushed = self.pushed.changed();
            if let Some(item) = self.items.borrow_mut().pop_front() {
                return item;
            }
            pushed.await;
        }
    }
}

impl Seat {
    /// Takes the seat: the log is read from now on, and then requests are served.
    pub(super) fn take(
        partition: Rc<Partition>,
        image: Rc<RefCell<Image>>,
        settings: Settings,
    ) -> Rc<Self> {
        let seat = Rc::new(Self {
            partition,
            image,
            coordinator: RefCell::new(None),
            state: Cell::new(State::Loading),
            waiting: RefCell::default(),
            token_next: Cell::new(0),
            appending: Line::new(),
            syncing: Line::new(),
            settled: Watch::new(true),
            alarm: Watch::new(None),
            distance: Cell::new(0),
            snapshot_size: Cell::new(0),
            is_keeping: Cell::new(false),
            tasks: TaskGroup::new(),
        });
        let serving = Rc::clone(&seat);
        seat.tasks.spawn(Queue::Latency, async move {
            serving.load(settings).await;
        });
        seat
    }

    /// Leaves the seat: whoever waits is told to look for another coordinator.
    pub(super) fn resign(&self) {
        self.state.set(State::Resigned);
        let coordinator = self.coordinator.borrow_mut().take();
        for action in coordinator.map_or_else(Vec::new, Coordinator::resign) {
            match action {
                Action::Reply { token, response } => self.reply(token, response),
                Action::Append { .. } => unreachable!("one who resigns writes nothing"),
            }
        }
        self.tasks.cancel_all();
    }

    /// Asks the coordinator; the answer comes when it is due.
    pub(super) fn ask(self: &Rc<Self>, request: Request) -> Result<Receiver<Response>, GroupError> {
        match self.state.get() {
            State::Loading => return Err(GroupError::Loading),
            State::Failed | State::Resigned => return Err(GroupError::NotCoordinator),
            State::Serving => {}
        }
        let token = self.token();
        let (sender, receiver) = oneshot();
        self.waiting.borrow_mut().insert(token, sender);
        self.step(|coordinator, now| coordinator.request(now, token, request));
        Ok(receiver)
    }

    /// Adds what its groups have committed; nothing as long as the log is not read.
    pub(super) async fn committed(&self, all: &mut Vec<Committed>) {
        let names = |it: &Coordinator| it.logged().groups().map(|(id, _)| id.clone()).collect();
        let groups: Option<Vec<GroupId>> = self.coordinator.borrow().as_ref().map(names);
        for group in groups.unwrap_or_default() {
            let mut behind = Bound::Unbounded;
            while let Some(topic) = self.committed_behind(&group, behind, all) {
                behind = Bound::Excluded(topic);
                runtime::yield_if_due().await;
            }
            runtime::yield_if_due().await;
        }
    }

    /// Adds what a group has committed of the topics behind one of them; returns the topic behind which
    /// to go on.
    fn committed_behind(
        &self,
        group: &GroupId,
        behind: Bound<TopicName>,
        all: &mut Vec<Committed>,
    ) -> Option<TopicName> {
        let coordinator = self.coordinator.borrow();
        let logged = coordinator.as_ref()?.logged().group(group)?;
        let full = all.len() + ROWS_AT_ONCE;
        for (topic, partitions) in logged.offsets.range((behind, Bound::Unbounded)) {
            // A client may commit an offset that is none.
            let offsets = partitions
                .iter()
                .filter_map(|(&partition, it)| Some((partition, Offset::new(it.offset)?)));
            all.extend(offsets.map(|(partition, offset)| Committed {
                group: group.clone(),
                topic: topic.clone(),
                partition,
                offset,
            }));
            if all.len() >= full {
                return Some(topic.clone());
            }
        }
        None
    }

    /// Lets the coordinator forget the offsets of topics that are gone.
    pub(super) fn forget_topics(self: &Rc<Self>, deleted: TopicsDeleted) {
        // One that has not read its log looks for what was deleted when it has.
        let (token, request) = (self.token(), Request::TopicsDeleted(deleted));
        self.step(|coordinator, now| coordinator.request(now, token, request));
    }

    fn token(&self) -> Token {
        Token(self.token_next.replace(self.token_next.get() + 1))
    }

    async fn load(self: Rc<Self>, settings: Settings) {
        let replayed = match replay(self.partition.log(), settings).await {
            Ok(replayed) => replayed,
            Err(error) => {
                let partition = self.partition.id();
                let cause = std::error::Error::source(&error);
                // Of a data directory out of service it is told once, and not for every partition.
                if self.partition.is_in_service() {
                    tracing::error!(%partition, %error, ?cause, "the groups of this partition cannot be served");
                }
                self.state.set(State::Failed);
                return;
            }
        };
        self.distance.set(replayed.distance);
        *self.coordinator.borrow_mut() = Some(replayed.coordinator);
        let (appending, syncing, ringing) = (Rc::clone(&self), Rc::clone(&self), Rc::clone(&self));
        self.tasks.spawn(
            Queue::Latency,
            async move { appending.append_in_order().await },
        );
        self.tasks.spawn(
            Queue::Latency,
            async move { syncing.commit_in_order().await },
        );
        self.tasks
            .spawn(Queue::Latency, async move { ringing.ring().await });
        self.step(Coordinator::loaded);
        self.forget_deleted().await;
        self.state.set(State::Serving);
    }

    /// Lets the coordinator forget the topics that were deleted while nobody sat here: one that is
    /// made again under the name must not be read from where the old one was left.
    ///
    /// The metadata has every topic that a commit in the log was for: a node replays all of it before
    /// it opens a partition.
    async fn forget_deleted(self: &Rc<Self>) {
        self.look_for_deleted();
        loop {
            let settled = self.settled.changed();
            // Where nothing can be written, the rest is served all the same.
            if !self.settled.get() || self.deleted().is_empty() {
                return;
            }
            settled.await;
        }
    }

    fn look_for_deleted(self: &Rc<Self>) {
        let deleted = self.deleted();
        if !deleted.is_empty() {
            self.forget_topics(deleted);
        }
    }

    /// Lists the topics that offsets were committed for and that are not there.
    fn deleted(&self) -> TopicsDeleted {
        let image = self.image.borrow();
        let mut gone = BTreeSet::new();
        if let Some(coordinator) = self.coordinator.borrow().as_ref() {
            let groups = coordinator.logged().groups();
            for (topic, partitions) in groups.flat_map(|(_, group)| &group.offsets) {
                let known = image.topic_named(topic.as_str()).map(|topic| topic.id);
                let ids = partitions.values().map(|committed| committed.topic_id);
                let others =
                    ids.filter(|&id| known.is_none_or(|known| !id.is_zero() && id != known));
                gone.extend(others.map(|id| (topic.clone(), id, known.is_some())));
            }
        }
        let deleted = |(topic, topic_id, is_replaced)| TopicDeleted {
            topic,
            topic_id,
            is_replaced,
        };
        gone.into_iter().map(deleted).collect()
    }

    /// Has the coordinator do something, and does what it wants done.
    fn step(self: &Rc<Self>, step: impl FnOnce(&mut Coordinator, Now) -> Vec<Action>) {
        let now = Now {
            monotonic: runtime::now(),
            wall: runtime::wall_clock(),
        };
        let (actions, deadline) = {
            let mut coordinator = self.coordinator.borrow_mut();
            let Some(coordinator) = coordinator.as_mut() else {
                return;
            };
            (step(coordinator, now), coordinator.deadline())
        };
        for action in actions {
            match action {
                Action::Append { ticket, records } => self.appending.push((ticket, records)),
                Action::Reply { token, response } => self.reply(token, response),
            }
        }
        // A later deadline is found when the earlier one has come: most requests only move it away.
        let is_earlier = match (deadline, self.alarm.get()) {
            (Some(wanted), Some(known)) => wanted < known,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if is_earlier {
            self.alarm.set(deadline);
        }
    }

    fn reply(&self, token: Token, response: Response) {
        if let Some(sender) = self.waiting.borrow_mut().remove(&token) {
            // Whoever asked may be gone.
            let _unwanted = sender.send(response).err();
        }
    }

    /// Wakes the coordinator at its deadlines.
    async fn ring(self: Rc<Self>) {
        loop {
            let changed = self.alarm.changed();
            let Some(deadline) = self.alarm.get() else {
                changed.await;
                continue;
            };
            runtime::race(changed, runtime::sleep_until(deadline)).await;
            if self.alarm.get() == Some(deadline) && runtime::now() >= deadline {
                self.alarm.set(None);
                self.step(Coordinator::expire);
            }
        }
    }

    /// Puts what the coordinator wants appended into the log's tail (invariant 1).
    async fn append_in_order(self: Rc<Self>) {
        loop {
            let (ticket, records) = self.appending.pop().await;
            let now = runtime::wall_clock();
            let (end, size) = match batch(&records, now) {
                Ok(bytes) => {
                    let size = ByteCount::of(&bytes).0;
                    let appended = self.partition.append(&bytes, now).await;
                    (
                        appended.map(|placed| placed.end).map_err(|e| failure(&e)),
                        size,
                    )
                }
                Err(failure) => (Err(failure), 0),
            };
            self.syncing.push(Placed { ticket, end, size });
        }
    }

    /// Tells the coordinator what became of its appends (invariant 2).
    async fn commit_in_order(self: Rc<Self>) {
        loop {
            let Placed { ticket, end, size } = self.syncing.pop().await;
            let synced = match end {
                Ok(end) => {
                    let synced = self.partition.log().durable_to(end).await;
                    synced.map(|()| end).map_err(|_| AppendFailure::NotOwner)
                }
                Err(failure) => Err(failure),
            };
            match synced {
                Ok(end) => {
                    self.step(|coordinator, now| coordinator.committed(now, ticket));
                    if !self.settled.get() {
                        // A topic may have been deleted while nothing could be written.
                        self.look_for_deleted();
                    }
                    self.settled.set(true);
                    self.distance.set(self.distance.get() + size);
                    self.keep_if_due(end);
                }
                Err(failure) => {
                    self.step(|coordinator, now| coordinator.failed(now, ticket, failure));
                    self.settled.set(false);
                }
            }
        }
    }

    /// Takes a snapshot if the log has grown enough, and deletes the log before it.
    fn keep_if_due(self: &Rc<Self>, end: Offset) {
        let due = SNAPSHOT_DISTANCE.max(self.snapshot_size.get());
        if self.distance.get() < due || self.is_keeping.replace(true) {
            return;
        }
        let coordinator = self.coordinator.borrow();
        let Some(snapshot) = coordinator.as_ref().map(|it| it.snapshot(end)) else {
            return;
        };
        self.distance.set(0);
        self.snapshot_size.set(ByteCount::of(&snapshot).0);
        let seat = Rc::clone(self);
        self.tasks.spawn(Queue::Background, async move {
            let log = seat.partition.log();
            let kept = async {
                log.keep_state(&snapshot).await?;
                log.delete_prefix(end).await.map(drop)
            };
            if let Err(error) = kept.await {
                // The log keeps everything meanwhile, and the next snapshot tries again.
                let partition = seat.partition.id();
                tracing::warn!(%partition, %error, "the groups' snapshot was not kept");
            }
            seat.is_keeping.set(false);
        });
    }
}

/// Writes records as one batch.
fn batch(records: &[RecordBytes], now: TimestampMs) -> Result<bytes::Bytes, AppendFailure> {
    let mut builder = BatchBuilder::new(Compression::None);
    for record in records {
        let new = NewRecord {
            timestamp: now,
            key: Some(&record.key),
            value: record.value.as_deref(),
            headers: &[],
        };
        builder.push(&new).map_err(|_| AppendFailure::TooLarge)?;
    }
    builder.build().map_err(|_| AppendFailure::TooLarge)
}

/// Says what a refused append means to the coordinator.
fn failure(refused: &AppendRefused) -> AppendFailure {
    match refused {
        AppendRefused::Invalid(Invalid::TooLarge { .. })
        | AppendRefused::Storage(AppendError::TooLarge { .. }) => AppendFailure::TooLarge,
        AppendRefused::Gone | AppendRefused::Storage(AppendError::Offline(_)) => {
            AppendFailure::NotOwner
        }
        AppendRefused::Invalid(_)
        | AppendRefused::Recompress(_)
        | AppendRefused::Storage(
            AppendError::Busy
            | AppendError::Full
            | AppendError::LeaderEpoch { .. }
            | AppendError::OutOfOrderSequence { .. }
            | AppendError::InvalidProducerEpoch { .. },
        ) => AppendFailure::Unavailable,
    }
}

//! A tenant: owns one topic name, from creation to deletion and again.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use runtime::{Queue, TaskGroup};
use types::TopicId;

use super::admin::Admin;
use super::consumer::Consumer;
use super::desk::Desk;
use super::group;
use super::link::pause;
use super::producer::Producer;
use super::tinkerer;
use crate::chance::Chance;
use crate::history::{Durability, Event, LogName};

/// One life of a topic, shared by those who use it.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) name: String,
    pub(super) id: TopicId,
    /// How many partitions it was created with.
    pub(super) partitions_first: i32,
    /// What acknowledgements promise.
    pub(super) durability: Durability,
    doomed: Cell<bool>,
    deleted: RefCell<BTreeMap<i32, i64>>,
}

impl Topic {
    /// Returns which log a partition of it is.
    pub(super) fn log(&self, partition: i32) -> LogName {
        LogName {
            topic: self.id,
            partition,
        }
    }

    /// Returns whether its deletion was asked for: nothing is to be expected of it any more.
    pub(super) fn is_doomed(&self) -> bool {
        self.doomed.get()
    }

    /// Notes that deletion of everything below an offset is asked for.
    pub(super) fn delete_below(&self, partition: i32, offset: i64) {
        let mut deleted = self.deleted.borrow_mut();
        let below = deleted.entry(partition).or_insert(0);
        *below = offset.max(*below);
    }

    /// Returns up to where deletion was asked for.
    pub(super) fn deleted_below(&self, partition: i32) -> i64 {
        self.deleted.borrow().get(&partition).copied().unwrap_or(0)
    }
}

/// How a tenant treats its topics.
#[derive(Clone, Debug)]
pub(super) struct Habits {
    /// The name.
    pub(super) name: String,
    /// How many partitions its topics get.
    pub(super) partitions: i32,
    /// How many producers write to each.
    pub(super) producers: u64,
    /// How many consumers read along.
    pub(super) consumers: u64,
    /// How many groups read along.
    pub(super) groups: u64,
    /// How long a topic lives, in milliseconds; `None`: to the end.
    pub(super) topic_life_ms: Option<u64>,
    /// What acknowledgements promise.
    pub(super) durability: Durability,
}

/// Lives until everybody is to finish.
pub(super) async fn live(desk: Rc<Desk>, habits: Habits, mut chance: Chance) {
    let mut admin = Admin::new(&desk, chance.fork());
    while !desk.is_finishing() {
        let Some(topic) = create(&mut admin, &habits).await else {
            break;
        };
        let users = use_topic(&desk, &habits, &topic, &mut chance).await;
        if !topic.is_doomed() {
            break;
        }
        delete(&mut admin, &topic).await;
        users.join_all().await;
        pause(&mut chance, 0, 30).await;
    }
    desk.end();
}

async fn create(admin: &mut Admin, habits: &Habits) -> Option<Rc<Topic>> {
    let durability = match habits.durability {
        Durability::Group => "group",
        Durability::Os => "os",
    };
    let configs = [("durability", durability), ("segment.bytes", "1048576")];
    let id = admin
        .create_topic(&habits.name, habits.partitions, &configs)
        .await?;
    admin.desk.note(Event::TopicCreated {
        topic: id,
        partitions: habits.partitions,
        durability: habits.durability,
    });
    Some(Rc::new(Topic {
        name: habits.name.clone(),
        id,
        partitions_first: habits.partitions,
        durability: habits.durability,
        doomed: Cell::new(false),
        deleted: RefCell::default(),
    }))
}

/// Produces to, reads and tinkers with a topic until it is to be deleted or all is to end; returns
/// those who may still be at it.
async fn use_topic(
    desk: &Rc<Desk>,
    habits: &Habits,
    topic: &Rc<Topic>,
    chance: &mut Chance,
) -> TaskGroup {
    let users = TaskGroup::new();
    for _ in 0..habits.producers {
        let producer = Producer::new(desk, topic, chance.fork());
        users.spawn(Queue::Latency, producer.run());
    }
    for _ in 0..habits.consumers {
        let consumer = Consumer::new(desk, topic, chance.fork());
        users.spawn(Queue::Latency, consumer.run());
    }
    for _ in 0..habits.groups {
        let keeping = group::keep(Rc::clone(desk), Rc::clone(topic), chance.fork());
        users.spawn(Queue::Latency, keeping);
    }
    let tinkering = Admin::new(desk, chance.fork());
    let tinkering = tinkerer::run(tinkering, Rc::clone(topic));
    let tinkering = runtime::spawn(Queue::Latency, tinkering);
    let mut left_ms = habits.topic_life_ms.unwrap_or(u64::MAX);
    while left_ms > 0 && !desk.is_finishing() {
        let step_ms = left_ms.min(20);
        runtime::sleep(Duration::from_millis(step_ms)).await;
        left_ms -= step_ms;
    }
    let is_over = desk.is_finishing();
    if !is_over {
        // From here on the users take errors for what they are.
        desk.note(Event::TopicDeletionAsked { topic: topic.id });
        topic.doomed.set(true);
    }
    // The owner asks for one thing at a time.
    tinkering.await;
    if is_over || chance.percent(50) {
        // Else the deletion meets them in the middle of their work.
        users.join_all().await;
    }
    users
}

async fn delete(admin: &mut Admin, topic: &Topic) {
    admin.delete_topic(&topic.name).await;
    admin.desk.note(Event::TopicDeleted { topic: topic.id });
}

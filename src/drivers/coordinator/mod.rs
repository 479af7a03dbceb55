//! Drives the coordinators of consumer groups: one for each partition of `__consumer_offsets`, on the
//! shard that owns the partition.
//!
//! ```text
//! handler ─► ask: which partition, which shard ─► seat of the partition ─► coordinator
//!                                                   │        ▲
//!                                                   ▼        │ durable
//!                                                 the partition's log
//! ```
//!
//! | file | noun |
//! |---|---|
//! | `seat` | one coordinator, its log, its timers, and those who wait for answers |
//! | `replay` | a coordinator as its log says |
//! | `topic` | the topic itself: its name, its rules, which group goes to which partition |

mod replay;
mod seat;
mod topic;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use coordinator::{GroupError, GroupId, List, Listed, Request, Response, Settings, TopicDeleted};
use runtime::Receiver;
use types::{PartitionIndex, TopicName};

use crate::config::NodeConfig;
use crate::crossing::{Answer, Ask};
use crate::partition::Partition;
use crate::shard::Shard;

use seat::Seat;
pub use topic::{NoTopic, OFFSETS_TOPIC, ensure_topic, is_internal};

use topic::partition_of;

/// The coordinators of one shard, by the partition that is their log.
#[derive(Default)]
pub struct Coordinators(RefCell<BTreeMap<PartitionIndex, Rc<Seat>>>);

impl Coordinators {
    /// Takes the coordinator's seat at a partition and begins to read its log.
    pub fn open(&self, shard: &Shard, partition: &Rc<Partition>) {
        let settings = settings(&shard.config);
        let seat = Seat::take(Rc::clone(partition), settings);
        let index = partition.id().partition;
        let before = self.0.borrow_mut().insert(index, seat);
        assert!(before.is_none(), "a partition has one coordinator");
    }

    /// Leaves every seat: whoever waits is told to look for another coordinator.
    pub fn resign(&self) {
        for seat in std::mem::take(&mut *self.0.borrow_mut()).into_values() {
            seat.resign();
        }
    }

    /// Asks the coordinator of a partition, in the order of the calls; the answer may come much later.
    ///
    /// *Errors*: that coordinator is not here, or has not read its log yet.
    pub fn ask(
        &self,
        partition: PartitionIndex,
        request: Request,
    ) -> Result<Receiver<Response>, GroupError> {
        let seats = self.0.borrow();
        let seat = seats.get(&partition).ok_or(GroupError::NotCoordinator)?;
        seat.ask(request)
    }

    /// Lists the groups of all coordinators here.
    pub async fn list(&self, list: &List) -> Result<Vec<Listed>, GroupError> {
        let seats: Vec<Rc<Seat>> = self.0.borrow().values().map(Rc::clone).collect();
        let mut all = Vec::new();
        for seat in seats {
            let answer = seat.ask(Request::List(list.clone()))?.await;
            if let Ok(Response::List(listed)) = answer {
                all.extend(listed?);
            }
            runtime::yield_if_due().await;
        }
        Ok(all)
    }

    /// Lets every coordinator forget the offsets of a topic that is gone.
    pub fn forget_topic(&self, deleted: &TopicDeleted) {
        for seat in self.0.borrow().values() {
            seat.forget_topic(deleted);
        }
    }
}

fn settings(config: &NodeConfig) -> Settings {
    let minutes = u64::from(config.offsets_retention_minutes);
    let defaults = Settings::default();
    Settings {
        group_max_size: config.group_size_max,
        group_min_session_timeout: config.group_session_min,
        group_max_session_timeout: config.group_session_max,
        group_initial_rebalance_delay: config.group_initial_delay,
        offset_metadata_max_bytes: config.offset_metadata_max,
        offsets_retention: Duration::from_mins(minutes),
        offsets_retention_check_interval: config.offsets_retention_interval,
        groups_max: config.groups_max,
        offsets_max: config.group_offsets_max,
        members_bytes_max: config.group_members_memory_max,
        group_members_bytes_max: defaults
            .group_members_bytes_max
            .min(config.group_members_memory_max),
        ..defaults
    }
}

/// A question to a coordinator that was asked and not answered yet.
pub enum Asked {
    /// Of this shard.
    Here(Receiver<Response>),
    /// Of another one.
    There(runtime::Reply<Answer>),
    /// It cannot be asked.
    Refused(GroupError),
}

impl Asked {
    /// Waits for the answer.
    pub async fn answer(self) -> Result<Response, GroupError> {
        match self {
            Self::Here(answer) => answer.await.map_err(|_| GroupError::NotCoordinator),
            Self::There(reply) => match reply.await {
                Ok(Answer::Coordinated(answer)) => answer,
                Ok(_) | Err(_) => Err(GroupError::NotCoordinator),
            },
            Self::Refused(error) => Err(error),
        }
    }
}

/// Asks the coordinator of a group, whichever shard it is on. When this returns, the question has its
/// place behind those asked before.
pub async fn ask(shard: &Shard, group: &GroupId, request: Request) -> Asked {
    let Some(partition) = partition_of(&shard.image(), group) else {
        return Asked::Refused(GroupError::NotCoordinator);
    };
    let index = partition.partition;
    let owner = shard.router.owner(partition);
    if owner == shard.id() {
        return match shard.coordinators.ask(index, request) {
            Ok(answer) => Asked::Here(answer),
            Err(error) => Asked::Refused(error),
        };
    }
    let ask = Ask::Coordinate {
        partition: index,
        request: Box::new(request),
    };
    Asked::There(shard.mesh.call(owner, ask).await)
}

/// Lists the groups of the whole node.
pub async fn list(shard: &Shard, list: List) -> Result<Vec<Listed>, GroupError> {
    let mut replies = Vec::new();
    for peer in shard.router.all() {
        let ask = Ask::ListGroups(list.clone());
        replies.push(shard.mesh.call(peer, ask).await);
    }
    let mut all = Vec::new();
    for reply in replies {
        match reply.await {
            Ok(Answer::Groups(listed)) => all.extend(listed?),
            Ok(_) | Err(_) => return Err(GroupError::NotAvailable),
        }
    }
    Ok(all)
}

/// Returns the news that a topic is gone, for [`Coordinators::forget_topic`].
pub fn deleted(topic: types::TopicId, name: &TopicName) -> TopicDeleted {
    TopicDeleted {
        topic: name.clone(),
        topic_id: topic,
    }
}

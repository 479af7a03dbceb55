//! The coordinators of one shard, each in its seat at a partition of `__consumer_offsets`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use coordinator::{GroupError, List, Listed, Request, Response, Settings, TopicsDeleted};
use runtime::Receiver;
use types::PartitionIndex;

use super::seat::Seat;
use crate::config::NodeConfig;
use crate::metrics::Committed;
use crate::partition::Partition;
use crate::shard::Shard;

/// The coordinators of one shard, by the partition that is their log.
#[derive(Default)]
pub struct Coordinators(RefCell<BTreeMap<PartitionIndex, Rc<Seat>>>);

impl Coordinators {
    /// Takes the coordinator's seat at a partition and begins to read its log.
    pub fn open(&self, shard: &Shard, partition: &Rc<Partition>) {
        let settings = settings(&shard.config);
        let seat = Seat::take(Rc::clone(partition), shard.shared_image(), settings);
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

    /// Lists the groups of all coordinators here. Where there is none, since its log cannot be read,
    /// there are no groups to be told of.
    ///
    /// *Errors*: a coordinator has not read its log yet.
    ///
    /// *Source*: Kafka's `GroupCoordinatorService.listGroups`.
    pub async fn list(&self, list: &List) -> Result<Vec<Listed>, GroupError> {
        let mut all = Vec::new();
        for seat in self.seats() {
            match listed(&seat, list).await {
                Ok(listed) => all.extend(listed),
                Err(GroupError::NotCoordinator) => {}
                Err(error) => return Err(error),
            }
            runtime::yield_if_due().await;
        }
        Ok(all)
    }

    /// Returns what the groups of all coordinators here have committed.
    ///
    /// *Cost*: linear in the offsets; others have their turn meanwhile.
    pub async fn committed(&self) -> Vec<Committed> {
        let mut all = Vec::new();
        for seat in self.seats() {
            seat.committed(&mut all).await;
        }
        all
    }

    fn seats(&self) -> Vec<Rc<Seat>> {
        self.0.borrow().values().map(Rc::clone).collect()
    }

    /// Lets every coordinator forget the offsets of topics that are gone.
    pub fn forget_topics(&self, deleted: &TopicsDeleted) {
        for seat in self.0.borrow().values() {
            seat.forget_topics(deleted.clone());
        }
    }
}

/// Lists the groups of one coordinator.
async fn listed(seat: &Rc<Seat>, list: &List) -> Result<Vec<Listed>, GroupError> {
    match seat.ask(Request::List(list.clone()))?.await {
        Ok(Response::List(listed)) => listed,
        // It has resigned meanwhile.
        Ok(_) | Err(_) => Err(GroupError::NotCoordinator),
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

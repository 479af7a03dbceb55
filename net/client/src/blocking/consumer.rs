//! The consumer with sockets.

use std::collections::BTreeMap;
use std::time::Duration;

use wire::messages::{fetch, list_offsets};

use super::cluster::{Cluster, Peer};
use super::exchange::{Event, RequestId};
use crate::connection::Answer;
use crate::consumer::{
    ConsumedRecord, Consumer as Machine, ConsumerOptions, Order, OrderId, OrderRequest, Start,
};
use crate::error::Error;

/// A consumer on the caller's thread: orders are carried while records are taken.
#[derive(Debug)]
pub struct Consumer {
    cluster: Cluster,
    machine: Machine,
    carried: BTreeMap<RequestId, (OrderId, Asked)>,
}

/// What an order asked for.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Offsets,
    Records,
}

impl Consumer {
    /// Makes a consumer that reads nothing yet and speaks through `cluster`.
    pub fn new(cluster: Cluster, options: ConsumerOptions) -> Self {
        Self {
            cluster,
            machine: Machine::new(options),
            carried: BTreeMap::new(),
        }
    }

    /// Returns the cluster it speaks through.
    pub fn cluster(&mut self) -> &mut Cluster {
        &mut self.cluster
    }

    /// Begins to read one partition.
    ///
    /// *Errors*: the topic cannot be had, or has no such partition, or nobody leads it.
    pub fn assign(&mut self, topic: &str, partition: i32, start: Start) -> Result<(), Error> {
        self.cluster.await_topic(topic, false)?;
        if self
            .cluster
            .metadata()
            .partition(topic, partition)
            .is_none()
        {
            let topic = topic.to_owned();
            return Err(Error::NoPartition { topic, partition });
        }
        self.cluster.await_leaders(topic, Some(partition))?;
        self.machine.assign(topic, partition, start);
        Ok(())
    }

    /// Begins to read all partitions of a topic; returns their numbers.
    ///
    /// *Errors*: the topic cannot be had, or nobody leads one of its partitions.
    pub fn assign_topic(&mut self, topic: &str, start: Start) -> Result<Vec<i32>, Error> {
        self.cluster.await_topic(topic, false)?;
        self.cluster.await_leaders(topic, None)?;
        let known = self.cluster.metadata().topics.get(topic);
        let partitions = known.map(|topic| topic.partitions.iter().map(|it| it.index).collect());
        let partitions: Vec<i32> = partitions.unwrap_or_default();
        for &partition in &partitions {
            self.machine.assign(topic, partition, start);
        }
        Ok(partitions)
    }

    /// Reads a partition no further.
    pub fn unassign(&mut self, topic: &str, partition: i32) {
        self.machine.unassign(topic, partition);
    }

    /// Waits up to `wait` for the next record; `None` if there is none.
    ///
    /// *Errors*: a partition failed for good; the others can be read on.
    pub fn next_record(&mut self, wait: Duration) -> Result<Option<ConsumedRecord>, Error> {
        if let Some(record) = self.machine.next_record() {
            return record.map(Some);
        }
        let until = self.cluster.now().after(wait);
        loop {
            let left = until.since(self.cluster.now());
            self.turn(left);
            if let Some(record) = self.machine.next_record() {
                // The next fetch is on its way while this one is taken.
                self.carry_orders();
                return record.map(Some);
            }
            if left.is_zero() || self.machine.is_at_end() {
                return Ok(None);
            }
        }
    }

    /// Returns whether everything up to the end, as the leaders told it last, was taken.
    pub fn is_at_end(&self) -> bool {
        self.machine.is_at_end()
    }

    /// Returns the end of a partition as its leader told it last.
    pub fn high_watermark(&self, topic: &str, partition: i32) -> Option<i64> {
        self.machine.high_watermark(topic, partition)
    }

    fn turn(&mut self, wait: Duration) {
        if self.machine.take_metadata_is_stale() {
            self.refresh();
        }
        self.carry_orders();
        let now = self.cluster.now();
        let due = self.machine.deadline().map(|time| time.since(now));
        let due = due.filter(|due| !due.is_zero()).unwrap_or(wait);
        let mut wait = wait.min(due);
        // Everything that has come in, waiting only for the first.
        while let Some(event) = self.cluster.receive(wait) {
            wait = Duration::ZERO;
            self.take(event);
        }
        self.carry_orders();
    }

    /// Asks for the leaders anew. If nobody answers, the machine asks again after its pause.
    fn refresh(&mut self) {
        let names: Vec<String> = self
            .machine
            .topics()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let _asked_again_later = self.cluster.refresh(Some(&names), false);
    }

    fn carry_orders(&mut self) {
        for order in self
            .machine
            .poll(self.cluster.now(), self.cluster.metadata())
        {
            self.carry(&order);
        }
    }

    fn carry(&mut self, order: &Order) {
        let peer = Peer::Node(order.node);
        let (sent, asked) = match &order.request {
            OrderRequest::Offsets(request) => {
                let sent = self.cluster.send(peer, request, order.version_max);
                (sent, Asked::Offsets)
            }
            OrderRequest::Records(request) => {
                let sent = self.cluster.send(peer, request, order.version_max);
                (sent, Asked::Records)
            }
        };
        match sent {
            Ok(request) => {
                self.carried.insert(request, (order.id, asked));
            }
            Err(_) => self.machine.failed(self.cluster.now(), order.id),
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Answered(request, answer) => {
                let Some((order, asked)) = self.carried.remove(&request) else {
                    return;
                };
                if self.take_answer(order, asked, &answer).is_err() {
                    self.machine.failed(self.cluster.now(), order);
                }
            }
            Event::Lost(request, _) => {
                if let Some((order, _)) = self.carried.remove(&request) {
                    self.machine.failed(self.cluster.now(), order);
                }
            }
        }
    }

    fn take_answer(&mut self, order: OrderId, asked: Asked, answer: &Answer) -> Result<(), Error> {
        let now = self.cluster.now();
        match asked {
            Asked::Offsets => {
                let response = answer.decode::<list_offsets::Request>()?;
                self.machine.offsets_answered(now, order, &response);
            }
            Asked::Records => {
                let response = answer.decode::<fetch::Request>()?;
                let metadata = self.cluster.metadata();
                self.machine
                    .records_answered(now, order, response, metadata);
            }
        }
        Ok(())
    }
}

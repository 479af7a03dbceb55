//! The producer with sockets.

use std::collections::BTreeMap;
use std::time::Duration;

use record::{Header, NewRecord};
use types::{Monotonic, ProducerEpoch, ProducerId, TimestampMs};
use wire::messages::{init_producer_id, produce};

use super::clock::wall_clock;
use super::cluster::{Cluster, Peer};
use super::exchange::{Event, RequestId};
use crate::error::{BrokerError, Error};
use crate::producer::{
    Order, OrderId, Outcome, Producer as Machine, ProducerOptions, PushError, RecordNumber,
};

/// How often orders are looked for while records are pushed.
const TURN_INTERVAL: Duration = Duration::from_millis(1);

/// A producer on the caller's thread: orders are carried while records are sent and polled.
#[derive(Debug)]
pub struct Producer {
    cluster: Cluster,
    machine: Machine,
    carried: BTreeMap<RequestId, OrderId>,
    turn_next: Monotonic,
    trouble: Option<Error>,
}

impl Producer {
    /// Makes a producer that speaks through `cluster`.
    pub fn new(cluster: Cluster, options: ProducerOptions) -> Self {
        let seed = u32::try_from(wall_clock().0 & 0x7fff_ffff).unwrap_or_default();
        Self {
            cluster,
            machine: Machine::new(options, seed),
            carried: BTreeMap::new(),
            turn_next: Monotonic::ZERO,
            trouble: None,
        }
    }

    /// Returns the cluster it speaks through.
    pub fn cluster(&mut self) -> &mut Cluster {
        &mut self.cluster
    }

    /// Returns what was wrong with the latest request that was answered or failed, while the records
    /// of failed ones are sent again.
    pub fn trouble(&self) -> Option<&Error> {
        self.trouble.as_ref()
    }

    /// Takes a record with the time of now; see [`Self::send_record`].
    ///
    /// *Errors*: as [`Self::send_record`].
    pub fn send(
        &mut self,
        place: (&str, Option<i32>),
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[Header<'_>],
    ) -> Result<RecordNumber, Error> {
        let record = NewRecord {
            timestamp: self.timestamp(),
            key,
            value,
            headers,
        };
        self.send_record(place, &record)
    }

    /// Returns the time that records sent now should carry.
    pub fn timestamp(&self) -> TimestampMs {
        wall_clock()
    }

    /// Takes a record for a topic, and a partition of it unless the key shall choose; waits while
    /// the buffer is full. What becomes of it, [`Self::next_outcome`] tells.
    ///
    /// *Errors*: the topic cannot be had, the record cannot be written, or no broker is there.
    pub fn send_record(
        &mut self,
        place: (&str, Option<i32>),
        record: &NewRecord<'_>,
    ) -> Result<RecordNumber, Error> {
        loop {
            if let Some(number) = self.offer_record(place, record)? {
                return Ok(number);
            }
            self.turn(TURN_INTERVAL)?;
        }
    }

    /// The same, but does not wait: `None` while the buffer is full. Poll then, and offer it again.
    ///
    /// *Errors*: as [`Self::send_record`].
    pub fn offer_record(
        &mut self,
        (topic, partition): (&str, Option<i32>),
        record: &NewRecord<'_>,
    ) -> Result<Option<RecordNumber>, Error> {
        let mut asked = false;
        loop {
            let now = self.cluster.now();
            if now >= self.turn_next {
                self.turn(Duration::ZERO)?;
            }
            let metadata = self.cluster.metadata();
            match self.machine.push(now, metadata, (topic, partition), record) {
                Ok(number) => return Ok(Some(number)),
                Err(PushError::BufferFull) => return Ok(None),
                Err(PushError::UnknownPartition { .. }) if !asked => {
                    asked = true;
                    self.cluster.await_topic(topic, true)?;
                }
                Err(PushError::UnknownPartition { .. }) => {
                    let (topic, partition) = (topic.to_owned(), partition.unwrap_or(0));
                    return Err(Error::NoPartition { topic, partition });
                }
                Err(PushError::Build(error)) => return Err(error.into()),
            }
        }
    }

    /// Carries orders and answers for up to `wait`, or until there is an outcome.
    ///
    /// *Errors*: a producer id cannot be had.
    pub fn poll(&mut self, wait: Duration) -> Result<(), Error> {
        self.turn(wait)
    }

    /// Takes the next outcome.
    pub fn next_outcome(&mut self) -> Option<Outcome> {
        self.machine.next_outcome()
    }

    /// Waits until every record has its outcome.
    ///
    /// *Errors*: as [`Self::poll`].
    pub fn flush(&mut self) -> Result<(), Error> {
        while !self.machine.is_empty() {
            self.machine.flush();
            self.turn(Duration::from_secs(1))?;
        }
        Ok(())
    }

    fn turn(&mut self, wait: Duration) -> Result<(), Error> {
        if self.machine.needs_identity() {
            self.ask_identity()?;
        }
        if self.machine.take_metadata_is_stale() {
            self.refresh();
        }
        self.carry_orders();
        let now = self.cluster.now();
        let due = self.machine.deadline().map_or(wait, |time| time.since(now));
        let mut wait = wait.min(due);
        // Everything that has come in, waiting only for the first.
        while let Some(event) = self.cluster.receive(wait) {
            wait = Duration::ZERO;
            self.take(event);
        }
        self.carry_orders();
        self.turn_next = self.cluster.now().after(TURN_INTERVAL);
        Ok(())
    }

    fn ask_identity(&mut self) -> Result<(), Error> {
        let give_up = self
            .cluster
            .now()
            .after(self.cluster.options().topic_timeout);
        let request = init_producer_id::Request {
            transaction_timeout_ms: i32::MAX,
            ..Default::default()
        };
        loop {
            let response = self.cluster.call(Peer::Any, &request)?;
            let Some(refusal) = BrokerError::of(response.error_code, None) else {
                let id = ProducerId(response.producer_id);
                self.machine
                    .set_identity(id, ProducerEpoch(response.producer_epoch));
                return Ok(());
            };
            if !refusal.is_retriable() || self.cluster.now() > give_up {
                return Err(Error::refused("InitProducerId", refusal));
            }
            self.cluster.pause();
        }
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
        if let Err(error) = self.cluster.refresh(Some(&names), false) {
            self.trouble = Some(error);
        }
    }

    fn carry_orders(&mut self) {
        loop {
            let orders = self
                .machine
                .poll(self.cluster.now(), self.cluster.metadata());
            if orders.is_empty() {
                return;
            }
            for order in orders {
                self.carry(&order);
            }
        }
    }

    fn carry(&mut self, order: &Order) {
        let peer = Peer::Node(order.node);
        if !order.is_answered {
            // Without answers nobody learns of a failure: that is what was asked for.
            let request = &order.request;
            let _unknown = self
                .cluster
                .send_unanswered(peer, request, order.version_max);
            return;
        }
        match self.cluster.send(peer, &order.request, order.version_max) {
            Ok(request) => {
                self.carried.insert(request, order.id);
            }
            Err(error) => {
                self.trouble = Some(error);
                self.machine.failed(self.cluster.now(), order.id);
            }
        }
    }

    fn take(&mut self, event: Event) {
        let now = self.cluster.now();
        match event {
            Event::Answered(request, answer) => {
                let Some(order) = self.carried.remove(&request) else {
                    return;
                };
                match answer.decode::<produce::Request>() {
                    Ok(response) => {
                        self.trouble = refusal(&response);
                        let metadata = self.cluster.metadata();
                        self.machine.answered(now, order, &response, metadata);
                    }
                    Err(error) => {
                        self.trouble = Some(error);
                        self.machine.failed(now, order);
                    }
                }
            }
            Event::Lost(request, error) => {
                if let Some(order) = self.carried.remove(&request) {
                    self.trouble = Some(error);
                    self.machine.failed(now, order);
                }
            }
        }
    }
}

/// Finds the first partition whose records were refused.
fn refusal(response: &produce::Response) -> Option<Error> {
    response.responses.iter().find_map(|topic| {
        topic.partition_responses.iter().find_map(|partition| {
            let refusal = BrokerError::of(partition.error_code, partition.error_message.clone())?;
            let subject = format!("{} partition {}", topic.name, partition.index);
            Some(Error::refused(subject, refusal))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_found_behind_partitions_that_were_written() {
        let partition = |index, error_code| produce::PartitionResponse {
            index,
            error_code,
            ..Default::default()
        };
        let response = |partitions| produce::Response {
            responses: vec![produce::TopicResponse {
                name: "t".into(),
                partition_responses: partitions,
                ..Default::default()
            }],
            ..Default::default()
        };
        assert!(refusal(&response(vec![partition(0, 0)])).is_none());
        let found = refusal(&response(vec![partition(0, 0), partition(1, 56)]));
        assert_eq!(found.expect("it is refused").to_string(), "t partition 1");
    }
}

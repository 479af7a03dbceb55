//! A producer: several streams to one topic, several requests under way, everything repeated until it
//! is acknowledged.
//!
//! ```text
//!   dial ─► repeat what is unacknowledged, ─► window: requests with new batches ─► drain, when one
//!    ▲      oldest first, one at a time             │   under way                  batch failed
//!    │            ▲                                 ▼                                  │
//!    └── lost ────┴─────────────────────────────────┴──────────────────────────────────┘
//! ```
//!
//! More than one request is under way only with idempotence, where the broker keeps the order.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

use types::{ErrorCode, ProducerEpoch, ProducerId};
use wire::messages::{init_producer_id, produce};

use super::desk::{Desk, is_passing, name};
use super::link::{DATA_VERSIONS_MAX, Link, Lost, pause};
use super::stream::{Batch, Stream};
use super::tenant::Topic;
use crate::chance::Chance;
use crate::history::{Delivery, Durability};

/// A request under way: stream by index, and the first record of its batch.
type UnderWay = Vec<(usize, u32)>;

/// How the answer to a request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Went {
    Well,
    /// Something must be repeated.
    Badly,
}

/// A producer.
pub(super) struct Producer {
    desk: Rc<Desk>,
    topic: Rc<Topic>,
    chance: Chance,
    delivery: Delivery,
    acks: i16,
    identity: Option<(ProducerId, ProducerEpoch)>,
    streams: Vec<Stream>,
    under_way_max: usize,
    pause_max_ms: u64,
    /// How many batches are still to be made.
    batches_left: u64,
    /// Set when the broker said what no fault explains: going on would only repeat it.
    gave_up: Cell<bool>,
}

impl Producer {
    pub(super) fn new(desk: &Rc<Desk>, topic: &Rc<Topic>, mut chance: Chance) -> Self {
        let (delivery, acks) = match chance.between(1, 10) {
            1..=5 => (Delivery::Idempotent, -1),
            6..=7 => (Delivery::AtLeastOnce, -1),
            8..=9 => (Delivery::AtLeastOnce, 1),
            _ => (Delivery::Unanswered, 0),
        };
        let mut partitions: Vec<i32> = (0..topic.partitions_first).collect();
        let mut streams = Vec::new();
        for _ in 0..chance.between(1, 4).min(partitions.len() as u64) {
            let partition = partitions.swap_remove(chance.index(partitions.len()));
            streams.push(Stream::open(desk, topic.log(partition), delivery));
        }
        let under_way_max = match delivery {
            Delivery::Idempotent => chance.pick(&[1, 2, 5]),
            Delivery::AtLeastOnce | Delivery::Unanswered => 1,
        };
        Self {
            desk: Rc::clone(desk),
            topic: Rc::clone(topic),
            delivery,
            acks,
            identity: None,
            streams,
            under_way_max,
            pause_max_ms: chance.pick(&[0, 2, 10, 40]),
            batches_left: chance.pick(&[40, 150, 400]),
            gave_up: Cell::new(false),
            chance,
        }
    }

    /// Produces until the life ends or the topic goes.
    pub(super) async fn run(mut self) {
        while !self.is_done() {
            let version_max = self.chance.pick(DATA_VERSIONS_MAX);
            let Ok(mut link) = Link::dial(&self.desk, version_max).await else {
                pause(&mut self.chance, 2, 50).await;
                continue;
            };
            if self.serve(&mut link).await.is_err() {
                pause(&mut self.chance, 0, 20).await;
            }
        }
    }

    fn is_done(&self) -> bool {
        let is_owed = self.streams.iter().any(Stream::has_unacknowledged);
        self.gave_up.get() || self.topic.is_doomed() || (self.makes_no_more() && !is_owed)
    }

    fn makes_no_more(&self) -> bool {
        self.desk.is_finishing() || self.batches_left == 0
    }

    async fn serve(&mut self, link: &mut Link) -> Result<(), Lost> {
        if self.delivery == Delivery::Idempotent && self.identity.is_none() {
            self.identify(link).await?;
        }
        while !self.is_done() {
            if self.repeat(link).await? == Went::Badly {
                pause(&mut self.chance, 5, 60).await;
                continue;
            }
            self.produce(link).await?;
        }
        Ok(())
    }

    /// Asks for a producer id.
    async fn identify(&mut self, link: &mut Link) -> Result<(), Lost> {
        let request = init_producer_id::Request {
            transactional_id: None,
            transaction_timeout_ms: 60_000,
            producer_id: -1,
            producer_epoch: -1,
        };
        while self.identity.is_none() && !self.is_done() {
            let response = link.call(&self.desk, &request).await?;
            match response.error_code {
                0 => {
                    let epoch = ProducerEpoch(response.producer_epoch);
                    self.identity = Some((ProducerId(response.producer_id), epoch));
                }
                code if is_passing(code) => pause(&mut self.chance, 5, 60).await,
                code => self.unexpected("InitProducerId", code, None),
            }
        }
        Ok(())
    }

    /// Sends the oldest unacknowledged batch of each stream, until there is none.
    async fn repeat(&mut self, link: &mut Link) -> Result<Went, Lost> {
        loop {
            let owed = self.streams.iter().enumerate();
            let owed: Vec<(usize, Batch)> = owed
                .filter_map(|(index, it)| Some((index, it.oldest()?.clone())))
                .collect();
            if owed.is_empty() || self.is_done() {
                return Ok(Went::Well);
            }
            let under_way = self.send(link, owed).await?;
            if self.receive(link, under_way, Went::Well).await? == Went::Badly {
                return Ok(Went::Badly);
            }
        }
    }

    /// Sends new batches until one fails or there are no more to send; leaves nothing under way.
    async fn produce(&mut self, link: &mut Link) -> Result<(), Lost> {
        let mut waiting: VecDeque<UnderWay> = VecDeque::new();
        let mut went = Went::Well;
        loop {
            let may_send = went == Went::Well && !self.makes_no_more() && !self.is_done();
            if may_send && waiting.len() < self.under_way_max {
                let batches = self.make_batches();
                let under_way = self.send(link, batches).await?;
                if self.delivery != Delivery::Unanswered {
                    waiting.push_back(under_way);
                }
                let most = self.pause_max_ms;
                if most > 0 && self.chance.percent(60) {
                    pause(&mut self.chance, 0, most).await;
                }
                if self.delivery == Delivery::Unanswered {
                    pause(&mut self.chance, 1, 10).await;
                }
                continue;
            }
            let Some(under_way) = waiting.pop_front() else {
                return Ok(());
            };
            went = self.receive(link, under_way, went).await?;
        }
    }

    /// Makes a batch for some of the streams, at least one.
    fn make_batches(&mut self) -> Vec<(usize, Batch)> {
        self.batches_left -= 1;
        let always = self.chance.index(self.streams.len());
        let mut batches = Vec::new();
        for (index, stream) in self.streams.iter_mut().enumerate() {
            if index == always || self.chance.percent(50) {
                let batch = stream.next_batch(&self.desk, &mut self.chance, self.identity);
                batches.push((index, batch));
            }
        }
        batches
    }

    async fn send(
        &mut self,
        link: &mut Link,
        batches: Vec<(usize, Batch)>,
    ) -> Result<UnderWay, Lost> {
        let mut under_way = Vec::new();
        let mut partition_data = Vec::new();
        for (index, batch) in batches {
            under_way.push((index, batch.first));
            partition_data.push(produce::PartitionData {
                index: self.streams[index].partition,
                records: Some(batch.bytes),
            });
        }
        let request = produce::Request {
            transactional_id: None,
            acks: self.acks,
            timeout_ms: 5_000,
            topic_data: vec![produce::TopicData {
                name: self.topic.name.clone(),
                topic_id: self.topic.id,
                partition_data,
            }],
        };
        match self.delivery {
            Delivery::Unanswered => link.send_unanswered(&self.desk, &request).await?,
            Delivery::Idempotent | Delivery::AtLeastOnce => link.send(&self.desk, &request).await?,
        }
        Ok(under_way)
    }

    /// Takes the answer to a request; `before` says how those before it went.
    async fn receive(
        &mut self,
        link: &mut Link,
        under_way: UnderWay,
        before: Went,
    ) -> Result<Went, Lost> {
        let response = link.receive::<produce::Request>(&self.desk).await?;
        let mut answers = response
            .responses
            .into_iter()
            .flat_map(|topic| topic.partition_responses);
        let mut went = before;
        for (index, first) in under_way {
            let partition = self.streams[index].partition;
            let Some(answer) = answers.next().filter(|answer| answer.index == partition) else {
                self.desk
                    .unexpected(format!("no answer about partition {partition}"));
                self.gave_up.set(true);
                return Ok(Went::Badly);
            };
            if answer.error_code == 0 {
                self.streams[index].acknowledged(&self.desk, first, answer.base_offset);
                continue;
            }
            self.judge(answer.error_code, answer.error_message, before);
            went = Went::Badly;
        }
        Ok(went)
    }

    /// Looks whether something explains that a batch was not acknowledged.
    fn judge(&mut self, code: i16, message: Option<String>, before: Went) {
        let out_of_order = code == ErrorCode::OutOfOrderSequenceNumber.code();
        // Behind a batch that failed, the next one does not fit.
        let follows = out_of_order && before == Went::Badly;
        if is_passing(code) || follows {
            return;
        }
        if out_of_order && self.topic.durability == Durability::Os {
            // What was acknowledged before a power failure may be gone, and nothing fits behind it.
            self.gave_up.set(true);
            return;
        }
        if self.topic.is_doomed() {
            self.streams.iter_mut().for_each(Stream::give_up);
            return;
        }
        self.unexpected("Produce", code, message);
    }

    fn unexpected(&self, what: &str, code: i16, message: Option<String>) {
        let (topic, message) = (&self.topic.name, message.unwrap_or_default());
        let code = name(code);
        self.desk.unexpected(format!(
            "{what} to {topic} ({}): {code} {message}",
            self.topic.id
        ));
        self.gave_up.set(true);
    }
}

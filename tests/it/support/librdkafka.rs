//! librdkafka, the client library behind most languages' Kafka clients, as the tests use it.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

/// How long the slowest step of a test may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// What became of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delivered {
    /// The number that the test gave it.
    pub number: usize,
    /// Its partition and offset, if it was acknowledged.
    pub place: Option<(i32, i64)>,
}

/// Reports deliveries through a channel.
pub(crate) struct Reports(mpsc::Sender<Delivered>);

impl rdkafka::ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        let place = result
            .as_ref()
            .ok()
            .map(|message| (message.partition(), message.offset()));
        // The test that no longer listens has failed already.
        let _listened_to = self.0.send(Delivered { number, place });
    }
}

/// A producer and the reports of its deliveries.
pub(crate) struct Producer {
    inner: BaseProducer<Reports>,
    reports: mpsc::Receiver<Delivered>,
}

impl Producer {
    /// Connects with these settings besides the bootstrap address.
    pub(crate) fn new(bootstrap: &str, settings: &[(&str, &str)]) -> Self {
        let (sender, reports) = mpsc::channel();
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", bootstrap);
        for (key, value) in settings {
            config.set(*key, *value);
        }
        let inner = config
            .create_with_context(Reports(sender))
            .expect("the settings are right");
        Self { inner, reports }
    }

    /// Queues a record, waiting while librdkafka's queue is full.
    pub(crate) fn send(&self, topic: &str, partition: i32, number: usize, value: &[u8]) {
        let mut record: BaseRecord<'_, [u8], [u8], usize> =
            BaseRecord::with_opaque_to(topic, number)
                .partition(partition)
                .payload(value);
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.inner.send(record) {
                Ok(()) => break,
                Err((error, back)) => {
                    assert!(
                        Instant::now() < deadline,
                        "librdkafka takes no record: {error}"
                    );
                    record = back;
                    self.inner.poll(Duration::from_millis(10));
                }
            }
        }
        self.inner.poll(Duration::ZERO);
    }

    /// Returns the deliveries that have been reported so far.
    pub(crate) fn reported(&self) -> Vec<Delivered> {
        self.inner.poll(Duration::ZERO);
        self.reports.try_iter().collect()
    }

    /// Waits until every record was delivered or given up, and returns the reports.
    pub(crate) fn flush(&self) -> Vec<Delivered> {
        self.inner
            .flush(PATIENCE)
            .expect("every record is delivered in time");
        self.reports.try_iter().collect()
    }
}

/// One record as a consumer read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Consumed {
    pub offset: i64,
    pub value: Vec<u8>,
}

/// Reads one partition from its beginning to its present end.
pub(crate) fn read_partition(bootstrap: &str, topic: &str, partition: i32) -> Vec<Consumed> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        // librdkafka wants a name even where no group is used.
        .set("group.id", "unused")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("check.crcs", "true")
        .create()
        .expect("the settings are right");
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Beginning)
        .expect("a valid offset");
    consumer.assign(&list).expect("the assignment is taken");
    let mut consumed = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    loop {
        assert!(
            Instant::now() < deadline,
            "{topic}-{partition}: no end after {}",
            consumed.len()
        );
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(message)) => consumed.push(Consumed {
                offset: message.offset(),
                value: message.payload().unwrap_or_default().to_vec(),
            }),
            Some(Err(rdkafka::error::KafkaError::PartitionEOF(_))) => return consumed,
            // Reconnecting: librdkafka tries again by itself, the deadline bounds it.
            Some(Err(_)) | None => {}
        }
    }
}

//! What is produced: batches and requests built before the run, so that sending costs next to nothing.

use bytes::Bytes;
use record::{BatchBuilder, Compression, NewRecord};
use types::{Monotonic, TimestampMs};
use wire::api::ApiKey;
use wire::messages::produce;

use crate::clock;
use crate::connection::{Connection, Outgoing};
use crate::error::Error;
use crate::statistics::Random;
use crate::topic::Topic;

/// How long a broker may wait for replicas, in milliseconds.
const PRODUCE_TIMEOUT_MS: i32 = 30_000;

/// How large batches and records are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Batches stay at or below this many bytes, but hold one record at least.
    pub(crate) batch_size_max: usize,
    /// The bytes of each record's value.
    pub(crate) record_size: usize,
}

/// A batch ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    /// Its bytes.
    pub(crate) bytes: Bytes,
    /// Its records.
    pub(crate) records: u64,
}

impl Shape {
    /// Builds a batch of random values, which no codec and no file system makes smaller.
    pub(crate) fn batch(&self) -> Result<Batch, Error> {
        let timestamp = clock::wall();
        let mut random = Random(1);
        let mut value = vec![0; self.record_size];
        let mut builder = BatchBuilder::new(Compression::None);
        let mut bytes = builder.plain_size();
        while bytes <= self.batch_size_max || builder.is_empty() {
            for eight in value.chunks_mut(8) {
                let noise = random.next().to_le_bytes();
                eight.copy_from_slice(&noise[..eight.len()]);
            }
            push(&mut builder, timestamp, &value)?;
            // The next record takes as much as the last one, or a byte more for its number.
            bytes = builder.plain_size() + self.record_size + RECORD_OVERHEAD_MAX;
        }
        Ok(Batch {
            records: builder.record_count().into(),
            bytes: builder.build()?,
        })
    }
}

/// What a record without key and headers takes beside its value, at most: three lengths, two
/// deltas and two single bytes, with the timestamp's delta zero.
const RECORD_OVERHEAD_MAX: usize = 5 + 1 + 1 + 5 + 1 + 5 + 1;

fn push(builder: &mut BatchBuilder, timestamp: TimestampMs, value: &[u8]) -> Result<(), Error> {
    Ok(builder.push(&NewRecord {
        timestamp,
        key: None,
        value: Some(value),
        headers: &[],
    })?)
}

/// A record that carries the time at which it was due: the first 8 bytes of its value.
#[derive(Clone, Debug)]
pub(crate) struct Stamped {
    value: Vec<u8>,
}

impl Stamped {
    /// Makes a template with values of `record_size` bytes, 8 at least.
    pub(crate) fn new(record_size: usize) -> Self {
        Self {
            value: vec![b'.'; record_size.max(size_of::<u64>())],
        }
    }

    /// Builds a batch of one record that was due at a time.
    pub(crate) fn batch(&mut self, due: Monotonic) -> Result<Bytes, Error> {
        let nanos = u64::try_from(due.since_start().as_nanos()).unwrap_or(u64::MAX);
        let stamp = self.value.first_chunk_mut();
        *stamp.expect("a template has 8 bytes at least") = nanos.to_be_bytes();
        let mut builder = BatchBuilder::new(Compression::None);
        push(&mut builder, clock::wall(), &self.value)?;
        Ok(builder.build()?)
    }

    /// Reads the time back; `None` if the value was not made here.
    pub(crate) fn due(value: &[u8]) -> Option<Monotonic> {
        let nanos = u64::from_be_bytes(*value.first_chunk()?);
        Some(Monotonic::from_start(std::time::Duration::from_nanos(
            nanos,
        )))
    }
}

/// Which acknowledgement is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Acks {
    /// None: the broker does not answer.
    #[value(name = "0")]
    None,
    /// The leader's.
    #[value(name = "1")]
    Leader,
    /// That of all replicas in sync.
    All,
}

impl Acks {
    /// Returns the number on the wire.
    pub(crate) fn wire(self) -> i16 {
        match self {
            Self::None => 0,
            Self::Leader => 1,
            Self::All => -1,
        }
    }
}

/// Writes a produce request with one batch for each of some partitions.
pub(crate) fn request(
    topic: &Topic,
    partitions: &[i32],
    batch: &Bytes,
    acks: Acks,
    version: i16,
) -> Result<Outgoing, Error> {
    let data = |&index: &i32| produce::PartitionData {
        index,
        records: Some(batch.clone()),
    };
    let request = produce::Request {
        acks: acks.wire(),
        timeout_ms: PRODUCE_TIMEOUT_MS,
        topic_data: vec![produce::TopicData {
            name: topic.name.clone(),
            topic_id: topic.id,
            partition_data: partitions.iter().map(data).collect(),
        }],
        ..Default::default()
    };
    Outgoing::of(&request, version)
}

/// Waits for the answer to a produce request, and checks that every batch was taken.
pub(crate) fn acknowledged(
    incoming: &mut crate::connection::Incoming,
    version: i16,
    correlation_id: i32,
) -> Result<(), Error> {
    incoming.answer::<produce::Request, _>(version, correlation_id, |response| {
        let mut partitions = response
            .responses
            .iter()
            .flat_map(|it| &it.partition_responses);
        partitions.try_for_each(|it| Error::check(ApiKey::Produce, it.error_code))
    })
}

/// Divides partitions among connections: each gets its own, or, with more connections than
/// partitions, shares one.
pub(crate) fn share(partitions: i32, connections: usize, index: usize) -> Vec<i32> {
    let count = usize::try_from(partitions).unwrap_or_default();
    let number = |partition: usize| i32::try_from(partition).unwrap_or(i32::MAX);
    if count <= connections {
        return vec![number(index % count.max(1))];
    }
    (index..count).step_by(connections).map(number).collect()
}

/// Opens connections to one broker.
pub(crate) fn connect(broker: &str, count: usize) -> Result<Vec<Connection>, Error> {
    (0..count).map(|_| Connection::open(broker)).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn batches_fill_their_size_without_passing_it() {
        for (batch_size_max, record_size) in [(65_536, 1024), (65_536, 100), (1 << 20, 1024)] {
            let shape = Shape {
                batch_size_max,
                record_size,
            };
            let batch = shape.batch().unwrap();
            assert!(batch.bytes.len() <= batch_size_max);
            assert!(batch.bytes.len() + record_size + RECORD_OVERHEAD_MAX > batch_size_max);
            let header = record::Batch::parse(&batch.bytes).unwrap();
            header.check_crc().unwrap();
            assert_eq!(
                u64::try_from(header.header().record_count()),
                Ok(batch.records)
            );
        }
    }

    #[test]
    fn a_batch_holds_one_record_even_if_that_is_too_large() {
        let shape = Shape {
            batch_size_max: 10,
            record_size: 1000,
        };
        assert_eq!(shape.batch().unwrap().records, 1);
    }

    #[test]
    fn a_stamped_record_gives_back_its_due_time() {
        let due = Monotonic::from_start(Duration::from_nanos(1_234_567_890_123));
        let bytes = Stamped::new(0).batch(due).unwrap();
        let batch = record::Batch::parse(&bytes).unwrap();
        let record = record::Records::new(batch.header(), batch.body()).next();
        let value = record.unwrap().unwrap().value.unwrap();
        assert_eq!(Stamped::due(value), Some(due));
        assert_eq!(Stamped::due(b"short"), None);
    }

    #[test]
    fn every_partition_is_some_connections() {
        let shares = |partitions, connections: usize| -> Vec<Vec<i32>> {
            let share = |index| share(partitions, connections, index);
            (0..connections).map(share).collect()
        };
        assert_eq!(shares(5, 2), [vec![0, 2, 4], vec![1, 3]]);
        assert_eq!(shares(2, 5), [[0], [1], [0], [1], [0]]);
        assert_eq!(shares(1, 1), [[0]]);
    }
}

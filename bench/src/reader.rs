//! One connection that reads partitions: full fetches, without a session.

use std::time::Duration;

use record::{Batch, Batches};
use types::Monotonic;
use wire::api::ApiKey;
use wire::messages::fetch;

use crate::args::FetchSizes;
use crate::clock;
use crate::connection::{Connection, Outgoing};
use crate::error::Error;
use crate::tally::Load;
use crate::topic::{Extent, Topic};
use crate::units;

/// How long the broker may wait for records, in milliseconds.
const FETCH_WAIT_MS: i32 = 500;

/// How long records that are there may take to come.
const STALL_MAX: Duration = Duration::from_mins(1);

/// A consumer of some partitions of one topic.
#[derive(Debug)]
pub(crate) struct Reader {
    connection: Connection,
    version: i16,
    topic: Topic,
    sizes: Sizes,
    /// Those that have something left to read, in the order they are asked for.
    positions: Vec<Extent>,
    /// Where a fetch from the beginning starts again.
    beginning: Vec<Extent>,
    correlation_id: i32,
    progress_at: Monotonic,
}

#[derive(Clone, Copy, Debug)]
struct Sizes {
    partition_max: i32,
    answer_max: i32,
}

impl Reader {
    /// Makes a reader of what lies in the extents given.
    pub(crate) fn new(
        connection: Connection,
        topic: &Topic,
        sizes: &FetchSizes,
        extents: Vec<Extent>,
    ) -> Result<Self, Error> {
        let size = |size: units::Size| i32::try_from(size.0.0).unwrap_or(i32::MAX);
        let mut reader = Self {
            version: connection.version(ApiKey::Fetch)?,
            connection,
            topic: topic.clone(),
            sizes: Sizes {
                partition_max: size(sizes.partition_max),
                answer_max: size(sizes.answer_max),
            },
            positions: Vec::new(),
            beginning: extents,
            correlation_id: 0,
            progress_at: clock::now(),
        };
        reader.rewind();
        Ok(reader)
    }

    /// Starts again where the extents start.
    pub(crate) fn rewind(&mut self) {
        self.progress_at = clock::now();
        self.positions.clone_from(&self.beginning);
        self.positions.retain(|it| it.start < it.end);
    }

    /// Returns whether everything was read.
    pub(crate) fn is_drained(&self) -> bool {
        self.positions.is_empty()
    }

    /// Fetches once and hands over every whole batch that is new.
    ///
    /// *Errors*: [`Error::Stalled`] after a minute without one.
    pub(crate) fn fetch(
        &mut self,
        mut take: impl FnMut(&Batch<'_>) -> Result<(), Error>,
    ) -> Result<Load, Error> {
        self.correlation_id = self.correlation_id.wrapping_add(1);
        let mut request = Outgoing::of(&self.request(), self.version)?;
        request.send(&mut self.connection.outgoing, self.correlation_id)?;
        let positions = &mut self.positions;
        let incoming = &mut self.connection.incoming;
        let answer = |answer: fetch::Response| {
            Error::check(ApiKey::Fetch, answer.error_code)?;
            let mut load = Load::default();
            for partition in answer.responses.iter().flat_map(|topic| &topic.partitions) {
                Error::check(ApiKey::Fetch, partition.error_code)?;
                let index = partition.partition_index;
                let asked = positions.iter_mut().find(|it| it.partition == index);
                if let (Some(position), Some(records)) = (asked, &partition.records) {
                    load.add(walk(records, position, &mut take)?);
                }
            }
            Ok(load)
        };
        let load =
            incoming.answer::<fetch::Request, _>(self.version, self.correlation_id, answer)?;
        self.advance(load)?;
        Ok(load)
    }

    /// Leaves out what is drained, and asks for the others in another order next time: an answer
    /// that is full holds only the first of them.
    fn advance(&mut self, load: Load) -> Result<(), Error> {
        let now = clock::now();
        if load.batches > 0 {
            self.progress_at = now;
        } else if now.since(self.progress_at) > STALL_MAX {
            return Err(self.positions.first().map_or(Error::Disconnected, |first| {
                Error::Stalled {
                    partition: first.partition,
                    offset: first.start,
                    seconds: STALL_MAX.as_secs(),
                }
            }));
        }
        self.positions.retain(|it| it.start < it.end);
        if self.positions.len() > 1 {
            self.positions.rotate_left(1);
        }
        Ok(())
    }

    fn request(&self) -> fetch::Request {
        let partition = |position: &Extent| fetch::Partition {
            partition: position.partition,
            fetch_offset: position.start,
            partition_max_bytes: self.sizes.partition_max,
            ..Default::default()
        };
        fetch::Request {
            max_wait_ms: FETCH_WAIT_MS,
            min_bytes: 1,
            max_bytes: self.sizes.answer_max,
            topics: vec![fetch::Topic {
                topic: self.topic.name.clone(),
                topic_id: self.topic.id,
                partitions: self.positions.iter().map(partition).collect(),
            }],
            ..Default::default()
        }
    }
}

/// Walks over the batches of one partition's answer, and moves the position behind them.
fn walk(
    records: &[u8],
    position: &mut Extent,
    take: &mut impl FnMut(&Batch<'_>) -> Result<(), Error>,
) -> Result<Load, Error> {
    let mut load = Load::default();
    // An answer may cut its last batch off; the walk ends before that one.
    for batch in Batches::new(records) {
        let batch = batch?;
        let header = batch.header();
        let end = header.base_offset().get() + i64::from(header.last_offset_delta()) + 1;
        if end <= position.start {
            continue;
        }
        take(&batch)?;
        position.start = end;
        load.add(Load {
            batches: 1,
            records: u64::from(header.record_count().unsigned_abs()),
            bytes: units::count(batch.bytes().len()),
        });
    }
    Ok(load)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batches::Shape;

    fn batches(first_offset: u64, count: u64) -> (Vec<u8>, u64) {
        let shape = Shape {
            batch_size_max: 1000,
            record_size: 100,
        };
        let batch = shape.batch().unwrap();
        let mut bytes = Vec::new();
        for index in 0..count {
            let start = bytes.len();
            bytes.extend_from_slice(&batch.bytes);
            let offset = first_offset + index * batch.records;
            bytes[start..start + 8].copy_from_slice(&offset.to_be_bytes());
        }
        (bytes, batch.records)
    }

    fn read(bytes: &[u8], position: &mut Extent) -> Load {
        walk(bytes, position, &mut |_| Ok(())).unwrap()
    }

    #[test]
    fn whole_batches_count_and_a_cut_off_one_does_not() {
        let (bytes, records) = batches(0, 3);
        let whole = bytes.len() / 3 * 2;
        for cut in [whole, whole + 1, whole + 30, whole + 61, bytes.len() - 1] {
            let mut position = Extent {
                partition: 0,
                start: 0,
                end: 1000,
            };
            let load = read(&bytes[..cut], &mut position);
            assert_eq!(
                (load.batches, load.records),
                (2, 2 * records),
                "cut at {cut}"
            );
            assert_eq!(load.bytes, units::count(whole));
            assert_eq!(u64::try_from(position.start), Ok(2 * records));
        }
    }

    #[test]
    fn a_batch_from_before_the_position_is_not_counted_again() {
        let (bytes, records) = batches(0, 2);
        let mut position = Extent {
            partition: 0,
            start: i64::try_from(records).unwrap(),
            end: 1000,
        };
        assert_eq!(read(&bytes, &mut position).records, records);
        // One that holds the position is, since a fetch is answered with whole batches.
        position.start = 1;
        assert_eq!(read(&bytes, &mut position).records, 2 * records);
    }
}

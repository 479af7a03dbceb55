//! A request as a view over its frame: checked once as a whole, then walked without failing.

use bytes::Bytes;
use types::size::ByteCount;

use super::message::{PartitionData, Request, TOPIC_ID_VERSION};
use crate::Malformed;
use crate::messages::topic::TopicRef;
use crate::primitive::{Checkpoint, Layout, Reader, Text};
use crate::schema::{Message, Structure, layout};

const CHECKED: &str = "the whole structure was walked when the view was made";

/// A request that lies in its frame.
///
/// Invariants:
/// 1. `body` was walked from its first to its last byte when the view was made, so walking it
///    again cannot fail.
#[derive(Clone, Debug)]
pub struct RequestView {
    body: Bytes,
    layout: Layout,
    transactional_id: Option<Text>,
    acks: i16,
    timeout_ms: i32,
    topics_start: Checkpoint,
    topic_count: usize,
}

impl RequestView {
    /// Checks the structure of a whole body.
    ///
    /// *Errors*: [`Malformed`], also for a version that is not served.
    /// *Cost*: one walk over the structure; no allocation, no copy, records are not looked into.
    pub fn parse(body: Bytes, version: i16) -> Result<Self, Malformed> {
        let mut reader = Reader::new(&body, ByteCount::ZERO);
        let layout = layout(Request::KEY.api(), version)
            .ok_or_else(|| reader.malformed("a version that is served"))?;
        let transactional_id = reader.nullable_text(layout.flexible)?;
        let acks = reader.int16()?;
        let timeout_ms = reader.int32()?;
        let element_size_min = TopicRef::size_min(layout, TOPIC_ID_VERSION) + 1;
        let topic_count = reader.count(layout.flexible, element_size_min)?;
        let topics_start = reader.checkpoint();
        let mut topics = Topics::new(reader, layout, topic_count);
        while topics.read()?.is_some() {}
        let mut reader = topics.reader;
        reader.skip_tagged_fields(layout.flexible)?;
        reader.finish()?;
        Ok(Self {
            body,
            layout,
            transactional_id,
            acks,
            timeout_ms,
            topics_start,
            topic_count,
        })
    }

    /// Returns the version and form of the request, which the answer shares.
    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// Returns the request's version.
    pub fn version(&self) -> i16 {
        self.layout.version
    }

    /// Returns the transactional id, if there is one.
    pub fn transactional_id(&self) -> Option<&str> {
        self.transactional_id.as_deref()
    }

    /// Returns when to answer, as the wire has it: any number is possible.
    pub fn acks(&self) -> i16 {
        self.acks
    }

    /// Returns how long the broker may wait, in milliseconds: any number is possible.
    pub fn timeout_ms(&self) -> i32 {
        self.timeout_ms
    }

    /// Walks over the topics, in their order.
    pub fn topics(&self) -> Topics<'_> {
        let reader = Reader::resume(&self.body, self.topics_start).expect(CHECKED);
        Topics::new(reader, self.layout, self.topic_count)
    }
}

/// The topics of a request; a topic that occurs twice is met twice.
#[derive(Clone, Debug)]
pub struct Topics<'a> {
    reader: Reader<'a>,
    layout: Layout,
    left: usize,
    /// The partitions of the topic met last, which stand before the next one.
    unread: Option<usize>,
}

impl<'a> Topics<'a> {
    fn new(reader: Reader<'a>, layout: Layout, count: usize) -> Self {
        Self {
            reader,
            layout,
            left: count,
            unread: None,
        }
    }

    /// Reads one topic; at the end, goes to the place behind the last one.
    fn read(&mut self) -> Result<Option<Topic<'a>>, Malformed> {
        if let Some(unread) = self.unread.take() {
            self.skip_partitions(unread)?;
        }
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        let topic = TopicRef::decode(&mut self.reader, self.layout, TOPIC_ID_VERSION)?;
        let element_size_min = PartitionData::fields_size_min(self.layout);
        let count = self.reader.count(self.layout.flexible, element_size_min)?;
        self.unread = Some(count);
        let partitions = Partitions {
            reader: self.reader.clone(),
            layout: self.layout,
            left: count,
        };
        Ok(Some(Topic { topic, partitions }))
    }

    fn skip_partitions(&mut self, count: usize) -> Result<(), Malformed> {
        for _ in 0..count {
            self.reader.int32()?;
            self.reader.skip_records(self.layout.flexible)?;
            self.reader.skip_tagged_fields(self.layout.flexible)?;
        }
        self.reader.skip_tagged_fields(self.layout.flexible)
    }
}

impl<'a> Iterator for Topics<'a> {
    type Item = Topic<'a>;

    fn next(&mut self) -> Option<Topic<'a>> {
        if self.left == 0 {
            return None;
        }
        self.read().expect(CHECKED)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Topics<'_> {}

/// One topic of a request.
#[derive(Clone, Debug)]
pub struct Topic<'a> {
    /// The topic.
    pub topic: TopicRef<'a>,
    /// Its partitions, in their order.
    pub partitions: Partitions<'a>,
}

/// The partitions of one topic; a partition that occurs twice is met twice.
#[derive(Clone, Debug)]
pub struct Partitions<'a> {
    reader: Reader<'a>,
    layout: Layout,
    left: usize,
}

/// One partition of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// The partition's number, as the wire has it: any number is possible.
    pub index: i32,
    /// What the client wants appended, unchecked, sharing the memory of the frame.
    pub records: Option<Bytes>,
}

impl Partitions<'_> {
    fn read(&mut self) -> Result<Partition, Malformed> {
        let index = self.reader.int32()?;
        let records = self.reader.nullable_bytes(self.layout.flexible)?;
        self.reader.skip_tagged_fields(self.layout.flexible)?;
        Ok(Partition { index, records })
    }
}

impl Iterator for Partitions<'_> {
    type Item = Partition;

    fn next(&mut self) -> Option<Partition> {
        self.left = self.left.checked_sub(1)?;
        Some(self.read().expect(CHECKED))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Partitions<'_> {}

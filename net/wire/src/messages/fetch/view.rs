//! A request as a view over its frame: checked once as a whole, then walked without failing.

use bytes::Bytes;
use types::size::ByteCount;

use super::message::{Partition, ReplicaState, Request, TOPIC_ID_VERSION};
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
    replica: ReplicaState,
    max_wait_ms: i32,
    min_bytes: i32,
    max_bytes: i32,
    isolation_level: i8,
    session_id: i32,
    session_epoch: i32,
    topics: List,
    forgotten: List,
    rack_id: Option<Text>,
}

/// An array that was walked over: where its elements start, and how many they are.
#[derive(Clone, Copy, Debug)]
struct List {
    start: Checkpoint,
    count: usize,
}

impl RequestView {
    /// Checks the structure of a whole body.
    ///
    /// *Errors*: [`Malformed`], also for a version that is not served.
    /// *Cost*: one walk over the structure; no allocation, no copy.
    pub fn parse(body: Bytes, version: i16) -> Result<Self, Malformed> {
        let mut reader = Reader::new(&body, ByteCount::ZERO);
        let layout = layout(Request::KEY.api(), version)
            .ok_or_else(|| reader.malformed("a version that is served"))?;
        let mut replica = ReplicaState::default();
        if version <= 14 {
            replica.replica_id = reader.int32()?;
        }
        let max_wait_ms = reader.int32()?;
        let min_bytes = reader.int32()?;
        let max_bytes = reader.int32()?;
        let isolation_level = reader.int8()?;
        let (mut session_id, mut session_epoch) = (0, -1);
        if version >= 7 {
            session_id = reader.int32()?;
            session_epoch = reader.int32()?;
        }
        let topics = walk_topics(&mut reader, layout)?;
        let forgotten = walk_forgotten(&mut reader, layout)?;
        let mut rack_id = None;
        if version >= 11 {
            let text = reader.nullable_text(layout.flexible)?;
            rack_id = Some(text.ok_or_else(|| reader.malformed("a string, not null"))?);
        }
        read_tagged_fields(&mut reader, layout, &mut replica)?;
        reader.finish()?;
        Ok(Self {
            body,
            layout,
            replica,
            max_wait_ms,
            min_bytes,
            max_bytes,
            isolation_level,
            session_id,
            session_epoch,
            topics,
            forgotten,
            rack_id,
        })
    }

    /// Returns the request's version.
    pub fn version(&self) -> i16 {
        self.layout.version
    }

    /// Returns the follower that asks; its id is -1 for a client.
    pub fn replica(&self) -> &ReplicaState {
        &self.replica
    }

    /// Returns how long to wait for [`RequestView::min_bytes`], in milliseconds.
    pub fn max_wait_ms(&self) -> i32 {
        self.max_wait_ms
    }

    /// Returns how many bytes to wait for.
    pub fn min_bytes(&self) -> i32 {
        self.min_bytes
    }

    /// Returns how many bytes to send at most.
    pub fn max_bytes(&self) -> i32 {
        self.max_bytes
    }

    /// Returns what to read: 0 what is written, 1 what is committed; any number is possible.
    pub fn isolation_level(&self) -> i8 {
        self.isolation_level
    }

    /// Returns the session; 0 for none, or to open one.
    pub fn session_id(&self) -> i32 {
        self.session_id
    }

    /// Returns the request's number in its session; -1 in versions without sessions.
    pub fn session_epoch(&self) -> i32 {
        self.session_epoch
    }

    /// Returns the client's rack, empty if it has none.
    pub fn rack_id(&self) -> &str {
        self.rack_id.as_deref().unwrap_or_default()
    }

    /// Walks over the topics asked for, in their order.
    pub fn topics(&self) -> Topics<'_> {
        let reader = Reader::resume(&self.body, self.topics.start).expect(CHECKED);
        Topics::new(reader, self.layout, self.topics.count)
    }

    /// Walks over the topics of which partitions leave the session, in their order.
    pub fn forgotten(&self) -> Forgotten<'_> {
        Forgotten {
            reader: Reader::resume(&self.body, self.forgotten.start).expect(CHECKED),
            layout: self.layout,
            left: self.forgotten.count,
        }
    }
}

fn walk_topics(reader: &mut Reader<'_>, layout: Layout) -> Result<List, Malformed> {
    let element_size_min = TopicRef::size_min(layout, TOPIC_ID_VERSION) + 1;
    let count = reader.count(layout.flexible, element_size_min)?;
    let start = reader.checkpoint();
    let mut topics = Topics::new(reader.clone(), layout, count);
    while topics.read()?.is_some() {}
    *reader = topics.reader;
    Ok(List { start, count })
}

fn walk_forgotten(reader: &mut Reader<'_>, layout: Layout) -> Result<List, Malformed> {
    let mut count = 0;
    if layout.version >= 7 {
        let element_size_min = TopicRef::size_min(layout, TOPIC_ID_VERSION) + 1;
        count = reader.count(layout.flexible, element_size_min)?;
    }
    let start = reader.checkpoint();
    let mut forgotten = Forgotten {
        reader: reader.clone(),
        layout,
        left: count,
    };
    while forgotten.read()?.is_some() {}
    *reader = forgotten.reader;
    Ok(List { start, count })
}

/// Reads the end of the request: the cluster id (tag 0), which only followers send and which is
/// checked but not kept, and the follower (tag 1).
fn read_tagged_fields(
    reader: &mut Reader<'_>,
    layout: Layout,
    replica: &mut ReplicaState,
) -> Result<(), Malformed> {
    if !layout.flexible {
        return Ok(());
    }
    reader.tagged_fields(|tag, reader| match tag {
        0 => {
            reader.nullable_string(layout.flexible)?;
            Ok(true)
        }
        1 if layout.version >= 15 => {
            *replica = ReplicaState::decode_fields(reader, layout)?;
            Ok(true)
        }
        _ => Ok(false),
    })
}

/// The topics asked for; a topic that occurs twice is met twice.
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
    fn read(&mut self) -> Result<Option<TopicView<'a>>, Malformed> {
        if let Some(unread) = self.unread.take() {
            for _ in 0..unread {
                Partition::decode_fields(&mut self.reader, self.layout)?;
            }
            self.reader.skip_tagged_fields(self.layout.flexible)?;
        }
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        let topic = TopicRef::decode(&mut self.reader, self.layout, TOPIC_ID_VERSION)?;
        let element_size_min = Partition::fields_size_min(self.layout);
        let count = self.reader.count(self.layout.flexible, element_size_min)?;
        self.unread = Some(count);
        let partitions = Partitions {
            reader: self.reader.clone(),
            layout: self.layout,
            left: count,
        };
        Ok(Some(TopicView { topic, partitions }))
    }
}

impl<'a> Iterator for Topics<'a> {
    type Item = TopicView<'a>;

    fn next(&mut self) -> Option<TopicView<'a>> {
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

/// One topic asked for.
#[derive(Clone, Debug)]
pub struct TopicView<'a> {
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

impl Iterator for Partitions<'_> {
    type Item = Partition;

    fn next(&mut self) -> Option<Partition> {
        self.left = self.left.checked_sub(1)?;
        let partition = Partition::decode_fields(&mut self.reader, self.layout);
        Some(partition.expect(CHECKED))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Partitions<'_> {}

/// The topics of which partitions leave the session.
#[derive(Clone, Debug)]
pub struct Forgotten<'a> {
    reader: Reader<'a>,
    layout: Layout,
    left: usize,
}

impl<'a> Forgotten<'a> {
    fn read(&mut self) -> Result<Option<ForgottenView<'a>>, Malformed> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        let topic = TopicRef::decode(&mut self.reader, self.layout, TOPIC_ID_VERSION)?;
        let count = self.reader.count(self.layout.flexible, size_of::<i32>())?;
        let partitions = Numbers {
            reader: self.reader.clone(),
            left: count,
        };
        // The count was checked against the bytes that remain.
        self.reader.bytes(count * size_of::<i32>())?;
        self.reader.skip_tagged_fields(self.layout.flexible)?;
        Ok(Some(ForgottenView { topic, partitions }))
    }
}

impl<'a> Iterator for Forgotten<'a> {
    type Item = ForgottenView<'a>;

    fn next(&mut self) -> Option<ForgottenView<'a>> {
        self.read().expect(CHECKED)
    }
}

/// One topic of which partitions leave the session.
#[derive(Clone, Debug)]
pub struct ForgottenView<'a> {
    /// The topic.
    pub topic: TopicRef<'a>,
    /// The partitions that leave.
    pub partitions: Numbers<'a>,
}

/// Partition numbers, as the wire has them.
#[derive(Clone, Debug)]
pub struct Numbers<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl Iterator for Numbers<'_> {
    type Item = i32;

    fn next(&mut self) -> Option<i32> {
        self.left = self.left.checked_sub(1)?;
        Some(self.reader.int32().expect(CHECKED))
    }
}

//! The answer: heads written here, record bytes left to the caller as payloads.

use super::message::{
    AbortedTransaction, ENDPOINTS_VERSION, EpochEndOffset, Request, TOPIC_ID_VERSION,
};
use crate::Unencodable;
use crate::frame::Part;
use crate::messages::leader::{LeaderIdAndEpoch, NodeEndpoint, end_with_endpoints};
use crate::messages::topic::TopicRef;
use crate::primitive::{Layout, Writer};
use crate::schema::{Message, Structure, Value, layout};

/// What stands before the topics of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResponseHead {
    /// How long the client is asked to keep still, in milliseconds.
    pub throttle_time_ms: i32,
    /// Why there is no answer at all, or 0.
    pub error_code: i16,
    /// The session; 0 for none.
    pub session_id: i32,
}

/// What stands around the records of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionHead {
    /// The partition's number.
    pub index: i32,
    /// Why there are no records, or 0.
    pub error_code: i16,
    /// The first offset that consumers may not read yet; -1 with an error.
    pub high_watermark: i64,
    /// The first offset that consumers of committed records may not read yet; -1 if unknown.
    pub last_stable_offset: i64,
    /// The first offset of the log; -1 if unknown.
    pub log_start_offset: i64,
    /// The aborted transactions among these records; `None` if not reading committed.
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// The replica that the client should read from instead; -1 for none.
    pub preferred_read_replica: i32,
    /// Where the log of a follower departs from the leader's.
    pub diverging_epoch: EpochEndOffset,
    /// Who leads the partition, beside "not the leader".
    pub current_leader: LeaderIdAndEpoch,
}

impl Default for PartitionHead {
    fn default() -> Self {
        Self {
            index: 0,
            error_code: 0,
            high_watermark: -1,
            last_stable_offset: -1,
            log_start_offset: -1,
            aborted_transactions: None,
            preferred_read_replica: -1,
            diverging_epoch: EpochEndOffset::default(),
            current_leader: LeaderIdAndEpoch::default(),
        }
    }
}

/// A payload that stands before the byte `at_bytes` of what the writer holds.
#[derive(Debug)]
struct PlacedPayload<P> {
    at_bytes: usize,
    payload: P,
    size: usize,
}

/// Writes an answer from front to back as a list of parts.
///
/// `P` is whatever the caller can send: memory, a range of a file.
///
/// Invariants:
/// 1. Counts are written before what they count, so the caller names them first; that as many
///    topics and partitions follow is asserted.
#[derive(Debug)]
pub struct ResponseWriter<P> {
    layout: Layout,
    writer: Writer,
    payloads: Vec<PlacedPayload<P>>,
    topics_left: usize,
    partitions_left: usize,
}

impl<P> ResponseWriter<P> {
    /// Starts an answer to a request of `version`, with this many topics.
    ///
    /// *Errors*: [`Unencodable::NoVersion`] if the version is not served.
    pub fn new(version: i16, head: ResponseHead, topic_count: usize) -> Result<Self, Unencodable> {
        let api = Request::KEY.api();
        let layout = layout(api, version).ok_or(Unencodable::NoVersion {
            message: api.name,
            version,
        })?;
        let mut writer = Writer::with_capacity(256);
        writer.int32(head.throttle_time_ms);
        if version >= 7 {
            writer.int16(head.error_code);
            writer.int32(head.session_id);
        }
        writer.nullable_count(Some(topic_count), layout.flexible)?;
        Ok(Self {
            layout,
            writer,
            payloads: Vec::new(),
            topics_left: topic_count,
            partitions_left: 0,
        })
    }

    /// Starts a topic with this many partitions.
    ///
    /// *Panics*: if partitions of the topic before are missing, if it is one topic too many, or if
    /// the version names topics the other way.
    pub fn topic(
        &mut self,
        topic: TopicRef<'_>,
        partition_count: usize,
    ) -> Result<(), Unencodable> {
        assert_eq!(self.partitions_left, 0, "the topic before is complete"); // invariant 1
        assert!(self.topics_left > 0, "no more topics than announced"); // invariant 1
        let by_id = self.layout.version >= TOPIC_ID_VERSION;
        assert_eq!(by_id, matches!(topic, TopicRef::Id(_)), "named as asked");
        self.topics_left -= 1;
        self.partitions_left = partition_count;
        topic.encode(&mut self.writer, self.layout)?;
        self.writer
            .nullable_count(Some(partition_count), self.layout.flexible)?;
        self.end_topic_if_complete();
        Ok(())
    }

    /// Writes one partition of the topic; `records` are payloads with their sizes in bytes, in
    /// offset order.
    ///
    /// *Panics*: if it is one partition too many.
    pub fn partition(
        &mut self,
        head: &PartitionHead,
        records: Vec<(P, usize)>,
    ) -> Result<(), Unencodable> {
        assert!(self.partitions_left > 0, "no more than announced"); // invariant 1
        self.partitions_left -= 1;
        self.write_head(head)?;
        let size = records.iter().map(|(_, size)| size).sum();
        self.writer
            .nullable_count(Some(size), self.layout.flexible)?;
        let at_bytes = self.writer.size();
        for (payload, size) in records {
            self.payloads.push(PlacedPayload {
                at_bytes,
                payload,
                size,
            });
        }
        self.write_tagged_fields(head)?;
        self.end_topic_if_complete();
        Ok(())
    }

    /// Ends the answer.
    ///
    /// *Panics*: if topics or partitions are missing.
    pub fn finish(mut self, node_endpoints: &[NodeEndpoint]) -> Result<Vec<Part<P>>, Unencodable> {
        assert_eq!(self.topics_left, 0, "as many topics as announced"); // invariant 1
        assert_eq!(self.partitions_left, 0, "the last topic is complete"); // invariant 1
        end_with_endpoints(
            &mut self.writer,
            node_endpoints,
            ENDPOINTS_VERSION,
            self.layout,
        )?;
        let mut parts = Vec::with_capacity(2 * self.payloads.len() + 1);
        let mut rest = self.writer.into_bytes();
        let mut start = 0;
        for placed in self.payloads.into_iter().filter(|placed| placed.size > 0) {
            if placed.at_bytes > start {
                parts.push(Part::Bytes(rest.split_to(placed.at_bytes - start)));
                start = placed.at_bytes;
            }
            parts.push(Part::Payload(placed.payload, placed.size));
        }
        if !rest.is_empty() {
            parts.push(Part::Bytes(rest));
        }
        Ok(parts)
    }

    fn end_topic_if_complete(&mut self) {
        if self.partitions_left == 0 {
            self.writer.no_tagged_fields(self.layout.flexible);
        }
    }

    fn write_head(&mut self, head: &PartitionHead) -> Result<(), Unencodable> {
        let (writer, version) = (&mut self.writer, self.layout.version);
        writer.int32(head.index);
        writer.int16(head.error_code);
        writer.int64(head.high_watermark);
        writer.int64(head.last_stable_offset);
        if version >= 5 {
            writer.int64(head.log_start_offset);
        }
        head.aborted_transactions.encode(writer, self.layout)?;
        if version >= 11 {
            writer.int32(head.preferred_read_replica);
        }
        Ok(())
    }

    fn write_tagged_fields(&mut self, head: &PartitionHead) -> Result<(), Unencodable> {
        if !self.layout.flexible {
            return Ok(());
        }
        let diverges = head.diverging_epoch != EpochEndOffset::default();
        let has_leader = head.current_leader != LeaderIdAndEpoch::default();
        self.writer
            .varint(u32::from(diverges) + u32::from(has_leader));
        if diverges {
            write_tagged(&mut self.writer, 0, &head.diverging_epoch, self.layout)?;
        }
        if has_leader {
            write_tagged(&mut self.writer, 1, &head.current_leader, self.layout)?;
        }
        Ok(())
    }
}

fn write_tagged<S: Structure>(
    writer: &mut Writer,
    tag: u32,
    structure: &S,
    layout: Layout,
) -> Result<(), Unencodable> {
    let mut field = Writer::new();
    structure.encode_fields(&mut field, layout)?;
    writer.tagged_field(tag, field)
}

//! DescribeTopicPartitions (75): topics with their partitions, a page at a time.

use controller::image::Topic;
use server::{Outcome, Reply, Request};
use types::ErrorCode;
use wire::messages::describe_topic_partitions::{
    Cursor, PartitionResult, Request as Body, Response, Topic as Asked, TopicResult,
};

use crate::handlers::message::{answer, decode, outcome};
use crate::internal_topics::is_internal;
use crate::shard::Shard;

use super::told::Told;
use super::topics::TOPIC_OPERATIONS;

/// The most partitions on one page, whatever a client asks for.
///
/// *Source*: Kafka's `max.request.partition.size.limit`.
const PAGE_PARTITIONS_MAX: usize = 2_000;

/// One page in the making.
struct Page {
    left: usize,
    topics: Vec<TopicResult>,
    next: Option<Cursor>,
}

/// Answers topics in name order, from the cursor on.
pub(crate) fn describe_topic_partitions(shard: &Shard, request: &Request) -> Reply {
    let body: Body = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let asked = usize::try_from(body.response_partition_limit).unwrap_or(0);
    if asked == 0 {
        let response = Response::default();
        return answer(&response, request.version, Outcome::Served);
    }
    if let Some(refused) = without_cursor(&body) {
        let codes = outcome(refused.topics.iter().map(|topic| topic.error_code));
        return answer(&refused, request.version, codes);
    }
    let mut page = Page {
        left: asked.min(PAGE_PARTITIONS_MAX),
        topics: Vec::new(),
        next: None,
    };
    let (from_topic, from_partition) = match &body.cursor {
        Some(cursor) => (cursor.topic_name.as_str(), cursor.partition_index),
        None => ("", 0),
    };
    let image = shard.image();
    let first = |name: &str| {
        if name == from_topic {
            from_partition
        } else {
            0
        }
    };
    if body.topics.is_empty() {
        for topic in image.topics_from(from_topic) {
            if !page.add(shard, topic, first(topic.name.as_str())) {
                break;
            }
        }
    } else {
        let mut names: Vec<&str> = body
            .topics
            .iter()
            .map(|topic| topic.name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        for name in names.into_iter().filter(|&name| name >= from_topic) {
            let whole = match image.topic_named(name) {
                Some(topic) => page.add(shard, topic, first(name)),
                None => page.add_unknown(name),
            };
            if !whole {
                break;
            }
        }
    }
    let codes = outcome(page.topics.iter().map(|topic| topic.error_code));
    let response = Response {
        topics: page.topics,
        next_cursor: page.next,
        ..Default::default()
    };
    answer(&response, request.version, codes)
}

/// The answer to topics among which the cursor's is not.
fn without_cursor(body: &Body) -> Option<Response> {
    let cursor = body.cursor.as_ref()?;
    let is_asked = body
        .topics
        .iter()
        .any(|topic| topic.name == cursor.topic_name);
    if body.topics.is_empty() || is_asked {
        return None;
    }
    let refused = |topic: &Asked| TopicResult {
        error_code: ErrorCode::InvalidRequest.code(),
        name: Some(topic.name.clone()),
        ..Default::default()
    };
    Some(Response {
        topics: body.topics.iter().map(refused).collect(),
        ..Default::default()
    })
}

impl Page {
    /// Adds a topic from one of its partitions on; `false` if the page is full before its end.
    fn add(&mut self, shard: &Shard, topic: &Topic, first: i32) -> bool {
        let name = topic.name.as_str();
        if self.left == 0 {
            self.next = Some(cursor(name, first));
            return false;
        }
        let start = usize::try_from(first)
            .unwrap_or(0)
            .min(topic.partitions.len());
        let rest = topic.partitions.len() - start;
        let taken = rest.min(self.left);
        let partitions = Told::of(shard, topic).skip(start).take(taken);
        let partitions = partitions.map(|told| PartitionResult {
            error_code: told.error_code,
            partition_index: told.index,
            leader_id: told.leader,
            leader_epoch: told.leader_epoch,
            replica_nodes: told.replicas,
            isr_nodes: told.in_sync,
            eligible_leader_replicas: Some(Vec::new()),
            last_known_elr: Some(Vec::new()),
            offline_replicas: told.offline,
        });
        self.topics.push(TopicResult {
            name: Some(name.to_owned()),
            topic_id: topic.id,
            is_internal: is_internal(name),
            partitions: partitions.collect(),
            topic_authorized_operations: TOPIC_OPERATIONS,
            ..Default::default()
        });
        self.left -= taken;
        if taken < rest {
            let next = i32::try_from(start + taken).expect("partitions are counted by an i32");
            self.next = Some(cursor(name, next));
        }
        taken == rest
    }

    fn add_unknown(&mut self, name: &str) -> bool {
        if self.left == 0 {
            self.next = Some(cursor(name, 0));
            return false;
        }
        let invalid = name.parse::<types::TopicName>().is_err();
        let code = if invalid {
            ErrorCode::InvalidTopic
        } else {
            ErrorCode::UnknownTopicOrPartition
        };
        self.topics.push(TopicResult {
            error_code: code.code(),
            name: Some(name.to_owned()),
            topic_authorized_operations: TOPIC_OPERATIONS,
            ..Default::default()
        });
        true
    }
}

fn cursor(topic_name: &str, partition_index: i32) -> Cursor {
    Cursor {
        topic_name: topic_name.to_owned(),
        partition_index,
    }
}

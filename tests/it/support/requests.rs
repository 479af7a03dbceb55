//! Requests about one topic.

use record::{BatchBuilder, Compression, NewRecord};
use types::TimestampMs;
use wire::messages::{create_topics, fetch, produce};

use super::Caller;

/// Creates a topic.
pub(crate) fn create_topic(caller: &mut Caller, topic: &str, num_partitions: i32) {
    let request = create_topics::Request {
        topics: vec![create_topics::Topic {
            name: topic.to_owned(),
            num_partitions,
            replication_factor: 1,
            ..create_topics::Topic::default()
        }],
        ..create_topics::Request::default()
    };
    let created = caller.call(&request, 5);
    assert_eq!(created.topics[0].error_code, 0);
}

/// Writes one record with this value.
pub(crate) fn produce_request(topic: &str, value: &[u8]) -> produce::Request {
    let mut batch = BatchBuilder::new(Compression::None);
    batch
        .push(&NewRecord {
            timestamp: TimestampMs(1_700_000_000_000),
            key: None,
            value: Some(value),
            headers: &[],
        })
        .unwrap();
    produce::Request {
        acks: 1,
        timeout_ms: 30_000,
        topic_data: vec![produce::TopicData {
            name: topic.to_owned(),
            partition_data: vec![produce::PartitionData {
                index: 0,
                records: Some(batch.build().unwrap()),
            }],
            ..produce::TopicData::default()
        }],
        ..produce::Request::default()
    }
}

/// Reads from the beginning: so many bytes, or one batch.
pub(crate) fn fetch_request(topic: &str, max_bytes: i32) -> fetch::Request {
    fetch::Request {
        topics: vec![fetch::Topic {
            topic: topic.to_owned(),
            partitions: vec![fetch::Partition {
                partition_max_bytes: max_bytes,
                ..fetch::Partition::default()
            }],
            ..fetch::Topic::default()
        }],
        max_bytes,
        ..fetch::Request::default()
    }
}

//! The hand-written views and writers of Produce and Fetch say what the owned structures say.

use bytes::Bytes;
use proptest::prelude::*;
use types::ids::TopicId;
use wire::Message;
use wire::frame::Part;
use wire::messages::leader::{LeaderIdAndEpoch, NodeEndpoint};
use wire::messages::topic::TopicRef;
use wire::messages::{fetch, produce};

use crate::sample::{self, Quirk};
use crate::served::{self, Served};

fn named(name: &str) -> Served {
    let mut all = served::all().into_iter();
    all.find(|message| message.name == name).unwrap()
}

/// Returns the owned form of a topic: its name, or its id.
fn owned(topic: TopicRef<'_>) -> (String, TopicId) {
    match topic {
        TopicRef::Name(name) => (name.into(), TopicId::ZERO),
        TopicRef::Id(id) => (String::new(), id),
    }
}

fn named_as_the_version_does(version: i16, name: &str, id: TopicId) -> TopicRef<'_> {
    if version >= 13 {
        TopicRef::Id(id)
    } else {
        TopicRef::Name(name)
    }
}

/// Collects what a view shows into the owned structure.
fn produce_request(view: &produce::RequestView) -> produce::Request {
    let topics = view.topics().map(|topic| {
        let (name, topic_id) = owned(topic.topic);
        let partitions = topic.partitions.map(|partition| produce::PartitionData {
            index: partition.index,
            records: partition.records,
        });
        produce::TopicData {
            name,
            topic_id,
            partition_data: partitions.collect(),
        }
    });
    produce::Request {
        transactional_id: view.transactional_id().map(String::from),
        acks: view.acks(),
        timeout_ms: view.timeout_ms(),
        topic_data: topics.collect(),
    }
}

/// Collects what a view shows into the owned structure, which also has the cluster id.
fn fetch_request(view: &fetch::RequestView, cluster_id: Option<String>) -> fetch::Request {
    let topics = view.topics().map(|topic| {
        let (name, topic_id) = owned(topic.topic);
        fetch::Topic {
            topic: name,
            topic_id,
            partitions: topic.partitions.collect(),
        }
    });
    let forgotten = view.forgotten().map(|topic| {
        let (name, topic_id) = owned(topic.topic);
        fetch::ForgottenTopic {
            topic: name,
            topic_id,
            partitions: topic.partitions.collect(),
        }
    });
    let (mut replica_id, mut replica_state) = (-1, fetch::ReplicaState::default());
    if view.version() >= 15 {
        replica_state = view.replica().clone();
    } else {
        replica_id = view.replica().replica_id;
    }
    fetch::Request {
        replica_id,
        max_wait_ms: view.max_wait_ms(),
        min_bytes: view.min_bytes(),
        max_bytes: view.max_bytes(),
        isolation_level: view.isolation_level(),
        session_id: view.session_id(),
        session_epoch: view.session_epoch(),
        topics: topics.collect(),
        forgotten_topics_data: forgotten.collect(),
        rack_id: view.rack_id().into(),
        cluster_id,
        replica_state,
    }
}

fn check_produce(body: &Bytes, version: i16) {
    let owned = produce::Request::decode(body, version);
    let view = produce::RequestView::parse(body.clone(), version);
    assert_eq!(
        view.is_ok(),
        owned.is_ok(),
        "v{version}: {view:?} {owned:?}"
    );
    if let (Ok(view), Ok(owned)) = (view, owned) {
        assert_eq!(produce_request(&view), owned, "v{version}");
        assert_eq!(view.topics().len(), owned.topic_data.len());
    }
}

fn check_fetch(body: &Bytes, version: i16) {
    let owned = fetch::Request::decode(body, version);
    let view = fetch::RequestView::parse(body.clone(), version);
    assert_eq!(
        view.is_ok(),
        owned.is_ok(),
        "v{version}: {view:?} {owned:?}"
    );
    if let (Ok(view), Ok(owned)) = (view, owned) {
        assert_eq!(
            fetch_request(&view, owned.cluster_id.clone()),
            owned,
            "v{version}"
        );
    }
}

/// Writes the answer to a request twice: through the view, and as the owned structure.
fn check_produce_answer(view: &produce::RequestView, seed: i64) {
    let leaders = view.version() >= 10;
    let endpoints: Vec<NodeEndpoint> = (0..i32::from(leaders))
        .map(|node_id| NodeEndpoint {
            node_id,
            host: "h".into(),
            port: 9092,
            rack: None,
        })
        .collect();
    let mut outcomes = Vec::new();
    let mut responses = Vec::new();
    for topic in view.topics() {
        let (name, topic_id) = owned(topic.topic);
        let partition_responses: Vec<_> = topic
            .partitions
            .map(|partition| produce::PartitionResponse {
                index: partition.index,
                base_offset: seed,
                error_message: Some("reason".into()),
                current_leader: LeaderIdAndEpoch {
                    leader_id: if leaders { 5 } else { -1 },
                    leader_epoch: -1,
                },
                ..produce::PartitionResponse::default()
            })
            .collect();
        outcomes.extend(partition_responses.clone());
        responses.push(produce::TopicResponse {
            name,
            topic_id,
            partition_responses,
        });
    }
    let answer = view.answer(&outcomes, 9, &endpoints).unwrap().into_bytes();
    let response = produce::Response {
        responses,
        throttle_time_ms: 9,
        node_endpoints: endpoints,
    };
    let version = view.version();
    assert_eq!(
        answer,
        response.encode(version).unwrap().into_bytes(),
        "v{version}"
    );
}

/// Writes an answer through the writer, with the records of each partition as one payload.
fn fetch_answer(response: &fetch::Response, version: i16) -> Vec<Part<Bytes>> {
    let head = fetch::ResponseHead {
        throttle_time_ms: response.throttle_time_ms,
        error_code: response.error_code,
        session_id: response.session_id,
    };
    let mut writer = fetch::ResponseWriter::new(version, head, response.responses.len()).unwrap();
    for topic in &response.responses {
        let topic_ref = named_as_the_version_does(version, &topic.topic, topic.topic_id);
        writer.topic(topic_ref, topic.partitions.len()).unwrap();
        for partition in &topic.partitions {
            let head = fetch::PartitionHead {
                index: partition.partition_index,
                error_code: partition.error_code,
                high_watermark: partition.high_watermark,
                last_stable_offset: partition.last_stable_offset,
                log_start_offset: partition.log_start_offset,
                aborted_transactions: partition.aborted_transactions.clone(),
                preferred_read_replica: partition.preferred_read_replica,
                diverging_epoch: partition.diverging_epoch.clone(),
                current_leader: partition.current_leader.clone(),
            };
            let records = partition.records.clone().unwrap_or_default();
            let middle = records.len() / 2;
            let halves = [records.slice(..middle), records.slice(middle..)];
            let payloads = halves.map(|half| (half.clone(), half.len()));
            writer.partition(&head, payloads.into()).unwrap();
        }
    }
    writer.finish(&response.node_endpoints).unwrap()
}

fn check_fetch_answer(body: &Bytes, version: i16) {
    let mut response = fetch::Response::decode(body, version).unwrap();
    for topic in &mut response.responses {
        for partition in &mut topic.partitions {
            // The writer never sends null records, nor pointers to snapshots.
            partition.records.get_or_insert_default();
            partition.snapshot_id = fetch::SnapshotId::default();
        }
    }
    let parts = fetch_answer(&response, version);
    let mut bytes = Vec::new();
    for part in &parts {
        match part {
            Part::Bytes(made) => bytes.extend_from_slice(made),
            Part::Payload(records, size) => {
                assert_eq!(records.len(), *size);
                bytes.extend_from_slice(records);
            }
        }
    }
    let size: usize = parts.iter().map(Part::size_bytes).sum();
    assert_eq!(size, bytes.len());
    assert_eq!(
        bytes,
        response.encode(version).unwrap().into_bytes(),
        "v{version}"
    );
}

#[test]
fn rich_requests_and_answers_agree() {
    let entropy = sample::rich_entropy();
    for version in 3..=13 {
        let body = sample::sample(&named("ProduceRequest"), version, &entropy).body;
        check_produce(&body, version);
        let view = produce::RequestView::parse(body, version).unwrap();
        assert!(view.topics().len() > 0);
        check_produce_answer(&view, 7);
    }
    for version in 4..=18 {
        let body = sample::sample(&named("FetchRequest"), version, &entropy).body;
        check_fetch(&body, version);
        let body = sample::sample(&named("FetchResponse"), version, &entropy).body;
        check_fetch_answer(&body, version);
    }
}

#[test]
fn tagged_fields_that_nobody_knows_are_skipped() {
    let (entropy, quirk) = (sample::rich_entropy(), Quirk::UnknownTags);
    for version in 9..=13 {
        let body = sample::quirky(&named("ProduceRequest"), version, &entropy, quirk).body;
        check_produce(&body, version);
        assert!(produce::RequestView::parse(body, version).is_ok());
    }
    for version in 12..=18 {
        let body = sample::quirky(&named("FetchRequest"), version, &entropy, quirk).body;
        check_fetch(&body, version);
        assert!(fetch::RequestView::parse(body, version).is_ok());
    }
}

#[test]
fn the_tag_of_the_follower_means_nothing_before_version_15() {
    let request = fetch::Request {
        replica_id: 8,
        ..fetch::Request::default()
    };
    let body = request.encode(14).unwrap().into_bytes();
    let (none, fields) = body.split_last().unwrap();
    assert_eq!(*none, 0, "the body ends in its count of tagged fields");
    // Follower 9 of epoch 0 and no tags of its own, behind tag 1.
    let follower = [1, 1, 13, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let body = Bytes::from([fields, &follower].concat());
    let view = fetch::RequestView::parse(body, 14).unwrap();
    assert_eq!(view.replica().replica_id, 8);
}

#[test]
fn records_of_a_view_share_the_memory_of_its_frame() {
    let body = sample::sample(&named("ProduceRequest"), 9, &sample::rich_entropy()).body;
    let view = produce::RequestView::parse(body.clone(), 9).unwrap();
    let records = view
        .topics()
        .flat_map(|topic| topic.partitions)
        .filter_map(|partition| partition.records);
    let frame = body.as_ptr_range();
    let mut count = 0;
    for records in records.filter(|records| !records.is_empty()) {
        assert!(frame.contains(&records.as_ptr()));
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn versions_that_are_not_served_are_refused() {
    for version in [-1, 0, 2, 14] {
        let body = Bytes::from_static(&[0; 64]);
        assert!(produce::RequestView::parse(body, version).is_err());
    }
    for version in [-1, 3, 19] {
        let body = Bytes::from_static(&[0; 64]);
        assert!(fetch::RequestView::parse(body, version).is_err());
        let head = fetch::ResponseHead::default();
        assert!(fetch::ResponseWriter::<Bytes>::new(version, head, 0).is_err());
    }
}

#[test]
#[should_panic(expected = "as many topics as announced")]
fn an_answer_that_lacks_an_announced_topic_is_a_mistake() {
    let head = fetch::ResponseHead::default();
    let writer = fetch::ResponseWriter::<Bytes>::new(4, head, 1).unwrap();
    let _parts = writer.finish(&[]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn generated_requests_and_answers_agree(
        entropy in proptest::collection::vec(any::<u8>(), 0..300),
        place in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<proptest::sample::Index>(),
    ) {
        let damaged = |body: &Bytes| {
            let mut bytes = body.to_vec();
            let place = place.index(bytes.len());
            bytes[place] = byte;
            Bytes::from(bytes)
        };
        for version in 3..=13 {
            let body = sample::sample(&named("ProduceRequest"), version, &entropy).body;
            check_produce(&body, version);
            check_produce(&damaged(&body), version);
            check_produce(&body.slice(..cut.index(body.len())), version);
            check_produce_answer(&produce::RequestView::parse(body, version).unwrap(), -1);
        }
        for version in 4..=18 {
            let body = sample::sample(&named("FetchRequest"), version, &entropy).body;
            check_fetch(&body, version);
            check_fetch(&damaged(&body), version);
            check_fetch(&body.slice(..cut.index(body.len())), version);
            let body = sample::sample(&named("FetchResponse"), version, &entropy).body;
            check_fetch_answer(&body, version);
        }
    }
}

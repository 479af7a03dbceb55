//! Small requests that ask for large answers: what comes back, and what it takes, is bounded.

use bytes::Bytes;
use record::{BatchBuilder, Compression, NewRecord, Producer};
use types::{ErrorCode, ProducerEpoch, ProducerId, Sequence, TimestampMs};
use wire::messages::{
    alter_partition_reassignments, describe_configs, describe_groups, describe_log_dirs,
    describe_producers, elect_leaders, offset_commit, offset_fetch, produce,
};

use crate::admin::{get, sample};
use crate::support::coordinators::await_coordinators;
use crate::support::requests::{create_topic, produce_request};
use crate::support::{Broker, Caller, Scratch};

const TOPIC: &str = "asked-for";

/// Far more often than any client names something, and far less than it is asked for here.
const FEW: std::ops::Range<usize> = 1..100;

/// As many texts as are never in one answer.
const MANY: usize = 5_000;

fn start(name: &str) -> (Scratch, Broker, Caller) {
    let scratch = Scratch::new(name);
    let broker = Broker::start_with(scratch.path(), &["--cores", "2"]);
    let mut caller = Caller::new(broker.address(), "client");
    create_topic(&mut caller, TOPIC, 1);
    (scratch, broker, caller)
}

#[test]
fn offsets_named_too_often_are_not_told_each_time() {
    let (_scratch, _broker, mut caller) = start("amplifying-offsets");
    await_coordinators(&mut caller);
    let note = "n".repeat(4_000);
    let commit = offset_commit::Request {
        group_id: "noted".to_owned(),
        generation_id_or_member_epoch: -1,
        topics: vec![offset_commit::Topic {
            name: TOPIC.to_owned(),
            partitions: vec![offset_commit::Partition {
                committed_metadata: Some(note.clone()),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let committed = caller.call(&commit, 7);
    assert_eq!(committed.topics[0].partitions[0].error_code, 0);

    // More than a frame could hold.
    let fetch = offset_fetch::Request {
        group_id: "noted".to_owned(),
        topics: Some(vec![offset_fetch::Topic {
            name: TOPIC.to_owned(),
            partition_indexes: vec![0; 1_000_000],
        }]),
        ..Default::default()
    };
    let fetched = caller.call(&fetch, 7);
    assert!(FEW.contains(&fetched.topics[0].partitions.len()));
    assert_eq!(fetched.topics[0].partitions[0].metadata, Some(note));
    let describe = describe_groups::Request {
        groups: vec!["noted".to_owned(); MANY],
        ..Default::default()
    };
    assert!(FEW.contains(&caller.call(&describe, 5).groups.len()));
}

#[test]
fn what_is_described_is_not_described_each_time() {
    let (_scratch, _broker, mut caller) = start("amplifying-described");
    let resource = describe_configs::Resource {
        resource_type: describe_configs::RESOURCE_TOPIC,
        resource_name: TOPIC.to_owned(),
        configuration_keys: None,
    };
    let describe = describe_configs::Request {
        resources: vec![resource; 100_000],
        include_synonyms: true,
        include_documentation: true,
    };
    let described = caller.call(&describe, 4);
    assert!(FEW.contains(&described.results.len()));
    assert!(described.results[0].configs.len() > 10);

    let describe = describe_producers::Request {
        topics: vec![describe_producers::Topic {
            name: TOPIC.to_owned(),
            partition_indexes: vec![0; MANY],
        }],
    };
    let described = caller.call(&describe, 0);
    assert!(FEW.contains(&described.topics[0].partitions.len()));
    let describe = describe_log_dirs::Request {
        topics: Some(vec![describe_log_dirs::Topic {
            topic: TOPIC.to_owned(),
            partitions: vec![0; MANY],
        }]),
    };
    let described = caller.call(&describe, 4);
    assert!(FEW.contains(&described.results[0].topics[0].partitions.len()));
}

#[test]
fn not_every_refusal_of_a_long_request_has_a_text() {
    let (_scratch, _broker, mut caller) = start("amplifying-texts");
    let unknown = "u".repeat(32_000);
    let elect = elect_leaders::Request {
        election_type: elect_leaders::ELECTION_PREFERRED,
        topic_partitions: Some(vec![elect_leaders::Topic {
            topic: unknown.clone(),
            partitions: vec![0; 200_000],
        }]),
        ..Default::default()
    };
    let elected = caller.call(&elect, 2);
    let results = &elected.replica_election_results[0].partition_result;
    assert_eq!(results.len(), 200_000);
    let texts = results.iter().filter_map(|it| it.error_message.as_ref());
    let sizes: Vec<usize> = texts.map(String::len).collect();
    assert!((1..MANY).contains(&sizes.len()));
    assert!(sizes.iter().all(|&size| size < 500));

    let partition = alter_partition_reassignments::Partition::default();
    let alter = alter_partition_reassignments::Request {
        topics: vec![alter_partition_reassignments::Topic {
            name: unknown,
            partitions: vec![partition; MANY],
        }],
        ..Default::default()
    };
    let altered = caller.call(&alter, 0);
    let results = &altered.responses[0].partitions;
    let texts = results.iter().filter_map(|it| it.error_message.as_ref());
    let sizes: Vec<usize> = texts.map(String::len).collect();
    assert!((1..MANY).contains(&sizes.len()));
    assert!(sizes.iter().all(|&size| size < 500));
}

#[test]
fn batches_for_one_partition_are_few_in_a_request() {
    let (_scratch, broker, mut caller) = start("amplifying-batches");
    let mut request = produce_request(TOPIC, b"value");
    let garbage = produce::PartitionData {
        index: 0,
        records: Some(Bytes::from_static(b"garbage")),
    };
    request.topic_data[0].partition_data = vec![garbage; MANY];
    let answer = caller.call(&request, 9);
    let results = &answer.responses[0].partition_responses;
    assert_eq!(results.len(), MANY);
    let refused = |it: &&produce::PartitionResponse| {
        it.error_code == ErrorCode::InvalidRequest.code() && it.error_message.is_none()
    };
    let looked_at = MANY - results.iter().filter(refused).count();
    assert!(FEW.contains(&looked_at), "{looked_at}");

    // More partitions than a cluster has: the connection ends, and the broker does not.
    let element = produce::PartitionData {
        index: 0,
        records: None,
    };
    request.topic_data[0].partition_data = vec![element; 200_001];
    assert!(caller.try_call(&request, 9).is_none());
    let mut other = Caller::new(broker.address(), "other");
    let answer = other.call(&produce_request(TOPIC, b"value"), 9);
    assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
}

#[test]
fn producers_that_a_client_makes_up_displace_each_other() {
    const PARTITIONS: i32 = 50;
    let scratch = Scratch::new("amplifying-producers");
    let settings = ["--cores", "1", "--admin", "127.0.0.1:0"];
    let bound = ["--set", "producer.ids.max=1000"];
    let broker = Broker::start_with(scratch.path(), &[&settings[..], &bound].concat());
    let mut caller = Caller::new(broker.address(), "client");
    create_topic(&mut caller, TOPIC, PARTITIONS);
    create_topic(&mut caller, "quiet", 1);
    let mut send = |topic: &str, ids: &mut dyn Iterator<Item = (i32, i64)>| {
        let mut request = produce_request(topic, b"value");
        let partitions = ids.map(|(index, id)| produce::PartitionData {
            index,
            records: Some(first_batch(id)),
        });
        request.topic_data[0].partition_data = partitions.collect();
        let answer = caller.call(&request, 9);
        let results = &answer.responses[0].partition_responses;
        assert!(results.iter().all(|it| it.error_code == 0), "{results:?}");
        results[0].base_offset
    };
    let first = send("quiet", &mut [(0, 1)].into_iter());
    send("quiet", &mut [(0, 2)].into_iter());
    for round in 0..40 {
        let made_up = 1_000 + round * i64::from(PARTITIONS);
        send(TOPIC, &mut (0..PARTITIONS).zip(made_up..));
    }
    let (_, page) = get(broker.admin(), "/metrics");
    let remembered = sample(&page, "riverrun_producers{");
    assert_eq!(remembered.to_bits(), 1_000_f64.to_bits());
    assert_eq!(send("quiet", &mut [(0, 1)].into_iter()), first, "a repeat");
}

/// The first batch of an idempotent producer.
fn first_batch(id: i64) -> Bytes {
    let producer = Producer {
        id: ProducerId(id),
        epoch: ProducerEpoch(0),
        base_sequence: Sequence::ZERO,
    };
    let mut batch = BatchBuilder::new(Compression::None).with_producer(producer);
    let record = NewRecord {
        timestamp: TimestampMs(1_700_000_000_000),
        key: None,
        value: Some(b"value"),
        headers: &[],
    };
    batch.push(&record).unwrap();
    batch.build().unwrap()
}

//! Every version that is advertised is answered, in a form that its reader understands.

use bytes::Bytes;
use wire::api::ApiKey;
use wire::header::ResponseHeader;
use wire::messages::{
    alter_client_quotas, alter_configs, api_versions, create_partitions, create_topics,
    delete_records, delete_topics, describe_client_quotas, describe_cluster, describe_configs,
    describe_log_dirs, describe_producers, describe_quorum, describe_topic_partitions, fetch,
    incremental_alter_configs, init_producer_id, list_config_resources, list_offsets, metadata,
    offset_for_leader_epoch, produce,
};
use wire::{Call, Message};

use crate::support::librdkafka::Producer;
use crate::support::raw::Raw;
use crate::support::{Broker, Scratch};

/// Asks in every served version and reads every answer to its last byte.
fn ask<C: Call>(broker: &Broker, request: impl Fn(i16) -> C) -> Vec<(i16, C::Response)> {
    let api = C::KEY.api();
    let mut answers = Vec::new();
    for version in api.served.min..=api.served.max {
        let mut client = Raw::connect(broker.address());
        let parts = wire::frame::request(&request(version), version, 77, None).unwrap();
        client.send(&parts.concat());
        let frame = client.frame();
        let frame = Bytes::from(frame.unwrap_or_else(|| panic!("{} {version}: closed", api.name)));
        let (header, body) = ResponseHeader::parse(&frame, api, version).unwrap();
        assert_eq!(header.correlation_id, 77);
        let answer = C::Response::decode(&body, version);
        answers.push((
            version,
            answer.unwrap_or_else(|e| panic!("{} {version}: {e}", api.name)),
        ));
    }
    assert!(!answers.is_empty());
    answers
}

#[test]
fn every_advertised_version_is_answered() {
    let scratch = Scratch::new("versions");
    let broker = Broker::start(scratch.path());
    let producer = Producer::new(&broker.bootstrap(), &[]);
    producer.send("known", 0, 0, b"x");
    producer.flush();

    ask(&broker, |_| api_versions::Request {
        client_software_name: "test".to_owned(),
        client_software_version: "1".to_owned(),
    });
    // Every topic: an empty list in version 0, null from version 1 on.
    let every = |version| metadata::Request {
        topics: (version == 0).then(Vec::new),
        ..metadata::Request::default()
    };
    for (_, answer) in ask(&broker, every) {
        let mut names = answer.topics.iter().map(|topic| topic.name.as_deref());
        assert!(names.any(|name| name == Some("known")));
    }
    for topic in ["known", "unknown"] {
        let named = || list_offsets::Topic {
            name: topic.to_owned(),
            partitions: (-6..=0)
                .map(|timestamp| list_offsets::Partition {
                    timestamp,
                    ..list_offsets::Partition::default()
                })
                .collect(),
        };
        ask(&broker, |_| list_offsets::Request {
            topics: vec![named()],
            ..list_offsets::Request::default()
        });
        ask(&broker, |version| metadata::Request {
            topics: Some(vec![metadata::RequestTopic {
                name: Some(topic.to_owned()),
                ..metadata::RequestTopic::default()
            }]),
            allow_auto_topic_creation: version < 4,
            ..metadata::Request::default()
        });
        let partitions = || vec![offset_for_leader_epoch::Partition::default()];
        ask(&broker, |_| offset_for_leader_epoch::Request {
            topics: vec![offset_for_leader_epoch::Topic {
                topic: topic.to_owned(),
                partitions: partitions(),
            }],
            ..offset_for_leader_epoch::Request::default()
        });
        ask(&broker, |_| describe_producers::Request {
            topics: vec![describe_producers::Topic {
                name: topic.to_owned(),
                partition_indexes: vec![0, 7, -1],
            }],
        });
        ask(&broker, |_| delete_records::Request {
            topics: vec![delete_records::Topic {
                name: topic.to_owned(),
                partitions: vec![delete_records::Partition::default()],
            }],
            timeout_ms: 1_000,
        });
        ask(&broker, |_| describe_configs::Request {
            resources: vec![describe_configs::Resource {
                resource_type: 2,
                resource_name: topic.to_owned(),
                configuration_keys: None,
            }],
            ..describe_configs::Request::default()
        });
    }
    the_rest(&broker);
}

fn the_rest(broker: &Broker) {
    ask(broker, |version| {
        let unknown = metadata::RequestTopic {
            topic_id: types::TopicId([9; 16]),
            name: None,
        };
        metadata::Request {
            topics: Some(if version >= 10 {
                vec![unknown]
            } else {
                Vec::new()
            }),
            ..metadata::Request::default()
        }
    });
    ask(broker, |_| produce::Request {
        acks: 1,
        ..produce::Request::default()
    });
    ask(broker, |_| fetch::Request::default());
    ask(broker, |_| init_producer_id::Request::default());
    ask(broker, |_| init_producer_id::Request {
        transactional_id: Some("t".to_owned()),
        ..init_producer_id::Request::default()
    });
    ask(broker, |_| create_topics::Request::default());
    ask(broker, |_| delete_topics::Request::default());
    ask(broker, |_| create_partitions::Request::default());
    ask(broker, |_| describe_cluster::Request::default());
    ask(broker, |_| describe_topic_partitions::Request::default());
    ask(broker, |_| describe_log_dirs::Request::default());
    ask(broker, |_| describe_quorum::Request {
        topics: vec![describe_quorum::Topic {
            topic_name: "__cluster_metadata".to_owned(),
            partitions: vec![describe_quorum::Partition::default()],
        }],
    });
    ask(broker, |_| describe_client_quotas::Request::default());
    ask(broker, |_| alter_client_quotas::Request::default());
    ask(broker, |_| list_config_resources::Request::default());
    ask(broker, |_| alter_configs::Request::default());
    ask(broker, |_| incremental_alter_configs::Request::default());
    let asked = 22;
    assert_eq!(
        wire::api::table().len(),
        asked,
        "an API that this test does not ask: {:?}",
        ApiKey::Produce
    );
}

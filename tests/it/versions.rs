//! Every version that is advertised is answered, in a form that its reader understands.

use wire::api::ApiKey;
use wire::messages::{
    alter_client_quotas, alter_configs, alter_partition_reassignments, alter_replica_log_dirs,
    alter_user_scram_credentials, api_versions, create_acls, create_partitions, create_topics,
    delete_acls, delete_groups, delete_records, delete_topics, describe_acls,
    describe_client_quotas, describe_cluster, describe_configs, describe_groups, describe_log_dirs,
    describe_producers, describe_quorum, describe_topic_partitions, describe_transactions,
    describe_user_scram_credentials, elect_leaders, fetch, find_coordinator, heartbeat,
    incremental_alter_configs, init_producer_id, join_group, leave_group, list_config_resources,
    list_groups, list_offsets, list_partition_reassignments, list_transactions, metadata,
    offset_commit, offset_delete, offset_fetch, offset_for_leader_epoch, produce, sync_group,
    unregister_broker, update_features,
};

use crate::support::ask::ask_each as ask;
use crate::support::librdkafka::Producer;
use crate::support::{Broker, Scratch};

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

fn what_a_lone_node_answers_alike(broker: &Broker) {
    ask(broker, |_| describe_acls::Request::default());
    ask(broker, |_| create_acls::Request::default());
    ask(broker, |_| delete_acls::Request::default());
    ask(broker, |_| alter_replica_log_dirs::Request::default());
    ask(broker, |_| elect_leaders::Request::default());
    ask(broker, |_| {
        alter_partition_reassignments::Request::default()
    });
    ask(broker, |_| list_partition_reassignments::Request::default());
    ask(broker, |_| {
        describe_user_scram_credentials::Request::default()
    });
    ask(broker, |_| alter_user_scram_credentials::Request::default());
    ask(broker, |_| update_features::Request::default());
    ask(broker, |_| unregister_broker::Request::default());
    ask(broker, |_| describe_transactions::Request::default());
    ask(broker, |_| list_transactions::Request::default());
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
    what_a_lone_node_answers_alike(broker);
    what_a_coordinator_answers(broker);
    let asked = 46;
    assert_eq!(
        wire::api::table().len(),
        asked,
        "an API that this test does not ask: {:?}",
        ApiKey::Produce
    );
}

/// Of a group without a name, which has no members to wait for.
fn what_a_coordinator_answers(broker: &Broker) {
    for (version, found) in ask(broker, |_| find_coordinator::Request::default()) {
        assert_eq!(found.error_code, 0, "{version}");
    }
    ask(broker, |_| join_group::Request::default());
    ask(broker, |_| sync_group::Request::default());
    ask(broker, |_| heartbeat::Request::default());
    ask(broker, |_| leave_group::Request::default());
    ask(broker, |_| offset_commit::Request::default());
    ask(broker, |version| offset_fetch::Request {
        topics: (version < 2).then(Vec::new),
        ..offset_fetch::Request::default()
    });
    ask(broker, |_| offset_delete::Request::default());
    ask(broker, |_| describe_groups::Request::default());
    ask(broker, |_| list_groups::Request::default());
    ask(broker, |_| delete_groups::Request::default());
}

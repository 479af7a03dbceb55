//! What a lone node without security answers to those who administer clusters.
//!
//! The codes and texts are those of a Kafka 4.3 broker that was asked the same.

use types::ErrorCode;
use wire::messages::describe_configs::{RESOURCE_BROKER, RESOURCE_TOPIC};
use wire::messages::incremental_alter_configs::{OPERATION_APPEND, OPERATION_SET};
use wire::messages::{
    alter_partition_reassignments, alter_replica_log_dirs, alter_user_scram_credentials,
    api_versions, create_acls, create_topics, delete_acls, describe_acls, describe_log_dirs,
    describe_transactions, describe_user_scram_credentials, elect_leaders,
    incremental_alter_configs, list_partition_reassignments, list_transactions, unregister_broker,
    update_features,
};

use crate::support::ask::{ask, ask_each, ask_newest};
use crate::support::librdkafka::Producer;
use crate::support::{Broker, Scratch};

/// A broker with one topic, `known`, of two partitions.
fn broker(name: &str) -> (Scratch, Broker) {
    let scratch = Scratch::new(name);
    let broker = Broker::start(scratch.path());
    let topic = create_topics::Topic {
        name: "known".to_owned(),
        num_partitions: 2,
        replication_factor: 1,
        ..create_topics::Topic::default()
    };
    let request = create_topics::Request {
        topics: vec![topic],
        ..create_topics::Request::default()
    };
    assert_eq!(ask_newest(&broker, &request).topics[0].error_code, 0);
    (scratch, broker)
}

/// A code and a text, as most answers have them.
type Told = (i16, Option<String>);

fn told(code: ErrorCode, text: &str) -> Told {
    (code.code(), Some(text.to_owned()))
}

#[test]
fn no_leader_needs_to_be_elected() {
    let (_scratch, broker) = broker("elections");
    let topic = |name: &str, partitions| elect_leaders::Topic {
        topic: name.to_owned(),
        partitions,
    };
    let request = |election_type| elect_leaders::Request {
        election_type,
        topic_partitions: Some(vec![
            topic("known", vec![0, 7, -1]),
            topic("unknown", vec![0]),
            topic("", vec![0]),
        ]),
        ..elect_leaders::Request::default()
    };
    let partitions = |answer: elect_leaders::Response| -> Vec<Told> {
        let topics = answer.replica_election_results.into_iter();
        let partitions = topics.flat_map(|topic| topic.partition_result);
        partitions
            .map(|it| (it.error_code, it.error_message))
            .collect()
    };
    let unknown = ErrorCode::UnknownTopicOrPartition;
    let want = [
        told(
            ErrorCode::ElectionNotNeeded,
            "Leader election not needed for topic partition.",
        ),
        told(unknown, "No such partition as known-7"),
        told(unknown, "No such partition as known--1"),
        told(unknown, "No such topic as unknown"),
        told(unknown, "No such topic as "),
    ];
    for kind in [
        elect_leaders::ELECTION_PREFERRED,
        elect_leaders::ELECTION_UNCLEAN,
    ] {
        for version in 1..=2 {
            let answer = ask(&broker, version, &request(kind));
            assert_eq!(answer.error_code, 0);
            assert_eq!(partitions(answer), want);
        }
    }
    assert_eq!(partitions(ask(&broker, 0, &request(0))), want);

    let answer = ask_newest(&broker, &request(2));
    assert_eq!(answer.error_code, ErrorCode::InvalidRequest.code());
    let refused = told(ErrorCode::InvalidRequest, "Unknown election type 2");
    assert!(partitions(answer).iter().all(|it| *it == refused));

    let every = elect_leaders::Request::default();
    let answer = ask_newest(&broker, &every);
    assert_eq!(answer.replica_election_results.len(), 1, "{answer:?}");
    assert_eq!(partitions(answer), [], "nothing changed");
    let unknown = elect_leaders::Request {
        election_type: 2,
        ..every
    };
    let answer = ask_newest(&broker, &unknown);
    assert_eq!(answer.error_code, ErrorCode::InvalidRequest.code());
    assert!(answer.replica_election_results.is_empty(), "{answer:?}");
}

#[test]
fn partitions_stay_where_they_are() {
    let (_scratch, broker) = broker("reassignments");
    let move_to = |topic: &str, partition_index, replicas| {
        let partition = alter_partition_reassignments::Partition {
            partition_index,
            replicas,
        };
        let request = alter_partition_reassignments::Request {
            topics: vec![alter_partition_reassignments::Topic {
                name: topic.to_owned(),
                partitions: vec![partition],
            }],
            ..alter_partition_reassignments::Request::default()
        };
        let mut answers = ask_each(&broker, |_| request.clone());
        let (_, mut answer) = answers.pop().unwrap();
        for (version, earlier) in answers {
            assert_eq!(earlier.responses, answer.responses, "version {version}");
        }
        assert_eq!((answer.error_code, answer.error_message), (0, None));
        let result = answer.responses[0].partitions.remove(0);
        (result.error_code, result.error_message)
    };
    let refused = |text: &str| {
        let text = format!("The manual partition assignment includes {text}");
        told(ErrorCode::InvalidReplicaAssignment, &text)
    };
    let unknown = ErrorCode::UnknownTopicOrPartition;
    let cases = [
        (("known", 0, Some(vec![1])), (0, None)),
        (("known", 0, None), (85, None)),
        (
            ("known", 7, None),
            told(unknown, "Unable to find partition known:7."),
        ),
        (
            ("unknown", 0, Some(vec![1])),
            told(unknown, "Unable to find a topic named unknown."),
        ),
        (
            ("known", 0, Some(Vec::new())),
            refused("an empty replica list."),
        ),
        (
            ("known", 0, Some(vec![1, 1])),
            refused("the broker 1 more than once."),
        ),
        (
            ("known", 0, Some(vec![1, 9])),
            refused("broker 9, but no such broker is registered."),
        ),
        (
            ("known", 0, Some(vec![1, -1])),
            refused("broker -1, but no such broker is registered."),
        ),
    ];
    for ((topic, partition, replicas), want) in cases {
        assert_eq!(move_to(topic, partition, replicas), want);
    }
    let all = list_partition_reassignments::Request::default();
    let answer = ask_newest(&broker, &all);
    assert_eq!((answer.error_code, answer.topics), (0, Vec::new()));
}

/// A request for features, levels and kinds of change.
fn feature_updates(updates: &[(&str, i16, i8)]) -> update_features::Request {
    let update = |&(feature, level, upgrade_type): &(&str, i16, i8)| update_features::Update {
        feature: feature.to_owned(),
        max_version_level: level,
        upgrade_type,
        ..update_features::Update::default()
    };
    update_features::Request {
        feature_updates: updates.iter().map(update).collect(),
        ..update_features::Request::default()
    }
}

#[test]
fn features_stand_at_the_levels_that_are_kept() {
    let (_scratch, broker) = broker("features");
    let software = |_| api_versions::Request {
        client_software_name: "test".to_owned(),
        client_software_version: "1".to_owned(),
    };
    for (version, answer) in ask_each(&broker, software) {
        if version < 3 {
            continue;
        }
        let [supported] = answer.supported_features.as_slice() else {
            panic!("{answer:?}");
        };
        assert_eq!(supported.name, "metadata.version");
        // Clients below version 4 refuse the whole answer for a lowest level of 0 (KAFKA-17492).
        assert!(supported.min_version > 0);
        let [finalized] = answer.finalized_features.as_slice() else {
            panic!("{answer:?}");
        };
        assert_eq!(finalized.name, "metadata.version");
        assert_eq!(finalized.max_version_level, supported.max_version);
        assert!(answer.finalized_features_epoch > 0);
    }
    let set = |feature: &str, level, upgrade_type| {
        let request = feature_updates(&[(feature, level, upgrade_type)]);
        let old = ask(&broker, 1, &request);
        let answer = ask(&broker, 2, &request);
        assert_eq!(old.error_code, answer.error_code);
        assert_eq!(old.results.len(), usize::from(answer.error_code == 0));
        (answer.error_code, answer.error_message)
    };
    assert_eq!(set("metadata.version", 30, 1), (0, None));
    let refusals = [
        (
            ("metadata.version", 29, 2),
            "Local controller 1 only supports versions 30-30",
        ),
        (
            ("group.version", 1, 1),
            "Local controller 1 does not support this feature.",
        ),
        (("group.version", 0, 2), "Feature group.version not found."),
        (("", -1, 1), "A feature version cannot be less than 0."),
        (
            ("group.version", 1, 9),
            "The controller does not support the given upgrade type.",
        ),
    ];
    for ((feature, level, kind), reason) in refusals {
        let text = format!(
            "The update failed for all features since the following feature had an error: \
             Invalid update version {level} for feature {feature}. {reason}"
        );
        let want = told(ErrorCode::InvalidUpdateVersion, &text);
        assert_eq!(set(feature, level, kind), want);
    }
}

#[test]
fn of_a_feature_that_is_named_twice_the_last_word_counts() {
    let (_scratch, broker) = broker("features-twice");
    let refused = ErrorCode::InvalidUpdateVersion.code();
    for (last, want) in [(30, 0), (28, refused)] {
        let name = "metadata.version";
        let request = feature_updates(&[(name, 29, 1), (name, last, 1)]);
        assert_eq!(ask_newest(&broker, &request).error_code, want);
    }
}

#[test]
fn access_rules_are_switched_off() {
    let (_scratch, broker) = broker("acls");
    let disabled = ErrorCode::SecurityDisabled;
    for (_, answer) in ask_each(&broker, |_| describe_acls::Request::default()) {
        let want = told(disabled, "No Authorizer is configured on the broker");
        assert_eq!((answer.error_code, answer.error_message), want);
    }
    let want = told(disabled, "No Authorizer is configured.");
    let creations = create_acls::Request {
        creations: vec![create_acls::Creation::default(); 2],
    };
    for (_, answer) in ask_each(&broker, |_| creations.clone()) {
        assert_eq!(answer.results.len(), 2);
        for result in answer.results {
            assert_eq!((result.error_code, result.error_message), want);
        }
    }
    let deletions = delete_acls::Request {
        filters: vec![delete_acls::Filter::default(); 2],
    };
    for (_, answer) in ask_each(&broker, |_| deletions.clone()) {
        assert_eq!(answer.filter_results.len(), 2);
        for result in answer.filter_results {
            assert_eq!((result.error_code, result.error_message), want);
        }
    }
    let nothing = create_acls::Request::default();
    assert_eq!(ask_newest(&broker, &nothing).results, []);
}

#[test]
fn nobody_has_a_password() {
    let (_scratch, broker) = broker("scram");
    let described = |users: Option<&[&str]>| -> Vec<(String, Told)> {
        let user = |name: &&str| describe_user_scram_credentials::User {
            name: (*name).to_owned(),
        };
        let request = describe_user_scram_credentials::Request {
            users: users.map(|users| users.iter().map(user).collect()),
        };
        let answer = ask_newest(&broker, &request);
        assert_eq!(answer.error_code, 0);
        let results = answer.results.into_iter();
        let results = results.map(|it| (it.user, (it.error_code, it.error_message)));
        results.collect()
    };
    assert_eq!(described(None), []);
    assert_eq!(described(Some(&[])), []);
    let absent = "Attempt to describe a user credential that does not exist: b";
    let twice = "Cannot describe SCRAM credentials for the same user twice in a single request: a";
    let want = [
        ("a".to_owned(), told(ErrorCode::DuplicateResource, twice)),
        ("b".to_owned(), told(ErrorCode::ResourceNotFound, absent)),
    ];
    assert_eq!(described(Some(&["a", "b", "a"])), want);

    let deletion = |name: &str, mechanism| alter_user_scram_credentials::Deletion {
        name: name.to_owned(),
        mechanism,
    };
    let upsertion = |name: &str, iterations| alter_user_scram_credentials::Upsertion {
        name: name.to_owned(),
        mechanism: 1,
        iterations,
        ..alter_user_scram_credentials::Upsertion::default()
    };
    let request = alter_user_scram_credentials::Request {
        deletions: vec![deletion("", 1), deletion("gone", 2), deletion("odd", 7)],
        upsertions: vec![
            upsertion("few", 4_095),
            upsertion("many", 16_385),
            upsertion("fine", 4_096),
            upsertion("twice", 4_096),
            upsertion("twice", 4_095),
            upsertion("few", 4_096),
        ],
    };
    let answer = ask_newest(&broker, &request);
    let users = answer
        .results
        .iter()
        .map(|it| (it.user.as_str(), it.error_code));
    let want = [
        ("", 93),
        ("few", 93),
        ("fine", 33),
        ("gone", 91),
        ("many", 93),
        ("odd", 33),
        ("twice", 92),
    ];
    assert_eq!(users.collect::<Vec<_>>(), want);
}

#[test]
fn there_are_no_transactions() {
    let (_scratch, broker) = broker("transactions");
    let states = ["Ongoing", "nope", "ongoing", "", "nope"];
    let request = |_| list_transactions::Request {
        state_filters: states.map(str::to_owned).to_vec(),
        ..list_transactions::Request::default()
    };
    for (_, answer) in ask_each(&broker, request) {
        assert_eq!(
            (answer.error_code, answer.transaction_states),
            (0, Vec::new())
        );
        assert_eq!(answer.unknown_state_filters, ["", "nope", "ongoing"]);
    }
    let request = describe_transactions::Request {
        transactional_ids: vec!["a".to_owned(), String::new()],
    };
    let answer = ask_newest(&broker, &request);
    let told = answer.transaction_states.iter();
    let told = told.map(|it| (it.transactional_id.as_str(), it.error_code));
    assert_eq!(told.collect::<Vec<_>>(), [("a", 105), ("", 42)]);
}

#[test]
fn the_broker_stays_registered() {
    let (_scratch, broker) = broker("unregistering");
    let unregister = |broker_id| {
        let answer = ask_newest(&broker, &unregister_broker::Request { broker_id });
        (answer.error_code, answer.error_message)
    };
    for id in [9, -1, i32::MAX] {
        let text = format!("Broker ID {id} is not currently registered");
        assert_eq!(
            unregister(id),
            told(ErrorCode::BrokerIdNotRegistered, &text)
        );
    }
    assert_eq!(unregister(1).0, ErrorCode::InvalidRequest.code());
}

#[test]
fn partitions_lie_in_the_directory_that_is_told() {
    let (scratch, broker) = broker("log-dirs");
    let own = scratch.path().to_str().unwrap();
    let every = describe_log_dirs::Request::default();
    for (version, answer) in ask_each(&broker, |_| every.clone()) {
        let [dir] = answer.results.as_slice() else {
            panic!("{answer:?}");
        };
        assert_eq!((dir.error_code, dir.log_dir.as_str()), (0, own));
        if version >= 4 {
            assert!(dir.total_bytes > dir.usable_bytes && dir.usable_bytes > 0);
        }
        let [topic] = dir.topics.as_slice() else {
            panic!("{dir:?}");
        };
        assert_eq!((topic.name.as_str(), topic.partitions.len()), ("known", 2));
    }
    let move_to = |path: &str, topic: &str, partition| {
        let dir = alter_replica_log_dirs::LogDir {
            path: path.to_owned(),
            topics: vec![alter_replica_log_dirs::Topic {
                name: topic.to_owned(),
                partitions: vec![partition],
            }],
        };
        let request = alter_replica_log_dirs::Request { dirs: vec![dir] };
        ask_newest(&broker, &request).results[0].partitions[0].error_code
    };
    assert_eq!(move_to(own, "known", 1), 0);
    assert_eq!(move_to(own, "known", 2), 3);
    assert_eq!(move_to(own, "unknown", 0), 3);
    assert_eq!(move_to("/nowhere", "known", 0), 57);
    assert_eq!(move_to("/nowhere", "unknown", 0), 57);
    assert_eq!(move_to(&format!("{own}/"), "known", 0), 57);
}

#[test]
fn all_replicas_are_enough_however_many_are_wanted() {
    let (_scratch, broker) = broker("min-insync");
    let wanted = create_topics::Config {
        name: "min.insync.replicas".to_owned(),
        value: Some("3".to_owned()),
    };
    let topic = create_topics::Topic {
        name: "careful".to_owned(),
        num_partitions: 1,
        replication_factor: 1,
        configs: vec![wanted],
        ..create_topics::Topic::default()
    };
    let request = create_topics::Request {
        topics: vec![topic],
        ..create_topics::Request::default()
    };
    assert_eq!(ask_newest(&broker, &request).topics[0].error_code, 0);
    let producer = Producer::new(&broker.bootstrap(), &[("acks", "all"), ("retries", "0")]);
    producer.send("careful", 0, 0, b"record");
    let [report] = &producer.flush()[..] else {
        panic!("one record, one report")
    };
    assert!(report.place.is_some(), "{report:?}");
}

#[test]
fn a_bad_value_is_told_otherwise_of_brokers_than_of_topics() {
    let (_scratch, broker) = broker("bad-values");
    let change = |operation, name: &str| incremental_alter_configs::Change {
        name: name.to_owned(),
        config_operation: operation,
        value: Some("-1".to_owned()),
    };
    let refusal = |kind, name: &str, configs| {
        let resource = incremental_alter_configs::Resource {
            resource_type: kind,
            resource_name: name.to_owned(),
            configs,
        };
        let request = incremental_alter_configs::Request {
            resources: vec![resource],
            ..incremental_alter_configs::Request::default()
        };
        ask_newest(&broker, &request).responses[0].error_code
    };
    let (request, config) = (ErrorCode::InvalidRequest, ErrorCode::InvalidConfig);
    let bad = || change(OPERATION_SET, "message.max.bytes");
    for name in ["1", ""] {
        assert_eq!(refusal(RESOURCE_BROKER, name, vec![bad()]), request.code());
        let no_list = change(OPERATION_APPEND, "log.retention.bytes");
        assert_eq!(
            refusal(RESOURCE_BROKER, name, vec![bad(), no_list]),
            config.code()
        );
    }
    let bad = change(OPERATION_SET, "max.message.bytes");
    assert_eq!(refusal(RESOURCE_TOPIC, "known", vec![bad]), config.code());
}

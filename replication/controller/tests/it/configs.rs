//! Changing configs, case by case as Kafka 4.3 answers.

use controller::request::{ConfigAlteration, ConfigChanges, ConfigOperation, ConfigResource, Mode};
use controller::{ConfigRefusal, DecideError, Reply, Request};
use types::NodeId;
use types::limits::CONFIG_VALUE_LENGTH_MAX;

use crate::support::{Machine, NODE, NOW, name, topic};

fn machine() -> Machine {
    let mut machine = Machine::new();
    machine.create(topic(1, "a")).unwrap();
    machine
}

fn on_topic() -> ConfigResource {
    ConfigResource::Topic(name("a"))
}

fn set(value: &str) -> ConfigOperation {
    ConfigOperation::Set(value.to_owned())
}

fn value(machine: &Machine, config: &str) -> Option<String> {
    let topic = machine.image().topic_named("a").unwrap();
    topic.configs.get(config).cloned()
}

#[test]
fn an_edit_leaves_the_other_configs_alone() {
    let mut machine = machine();
    machine.edit(on_topic(), "retention.ms", set("5")).unwrap();
    machine
        .edit(on_topic(), "cleanup.policy", set("compact"))
        .unwrap();
    assert_eq!(value(&machine, "retention.ms").as_deref(), Some("5"));
    machine
        .edit(on_topic(), "retention.ms", ConfigOperation::Delete)
        .unwrap();
    assert_eq!(value(&machine, "retention.ms"), None);
    assert_eq!(
        value(&machine, "cleanup.policy").as_deref(),
        Some("compact")
    );
}

#[test]
fn a_replacement_resets_what_it_does_not_name() {
    let mut machine = machine();
    machine.edit(on_topic(), "retention.ms", set("5")).unwrap();
    let new = vec![("cleanup.policy".to_owned(), "compact".to_owned())];
    machine
        .alter(on_topic(), ConfigChanges::Replace(new))
        .unwrap();
    assert_eq!(value(&machine, "retention.ms"), None);
    assert_eq!(
        value(&machine, "cleanup.policy").as_deref(),
        Some("compact")
    );
}

#[test]
fn lists_grow_and_shrink_item_by_item_from_the_default() {
    let mut machine = machine();
    let append = |items: &str| ConfigOperation::Append(items.to_owned());
    let subtract = |items: &str| ConfigOperation::Subtract(items.to_owned());
    let steps = [
        (append("compact"), "delete,compact"),
        (append("compact, delete"), "delete,compact"),
        (subtract("delete"), "compact"),
        (subtract("compact,delete"), ""),
        (append("delete"), "delete"),
    ];
    for (operation, want) in steps {
        machine
            .edit(on_topic(), "cleanup.policy", operation)
            .unwrap();
        assert_eq!(value(&machine, "cleanup.policy").as_deref(), Some(want));
    }
    assert_eq!(
        machine.edit(on_topic(), "retention.ms", append("5")),
        Err(DecideError::NotAList {
            name: "retention.ms".to_owned()
        })
    );
    assert_eq!(
        machine.edit(on_topic(), "cleanup.policy", append("archive")),
        Err(DecideError::ConfigRefused {
            name: "cleanup.policy".to_owned(),
            refusal: ConfigRefusal::NotOneOf {
                allowed: &["delete", "compact"]
            }
        })
    );
    // Before it is taken apart: that takes time by the square of its length.
    let long = "delete,".repeat(200);
    for operation in [append(&long), subtract(&long)] {
        let refusal = ConfigRefusal::TooLong {
            length: long.len(),
            max: CONFIG_VALUE_LENGTH_MAX,
        };
        assert_eq!(
            machine.edit(on_topic(), "cleanup.policy", operation),
            Err(DecideError::ConfigRefused {
                name: "cleanup.policy".to_owned(),
                refusal,
            })
        );
    }
}

#[test]
fn all_changes_of_a_resource_are_made_or_none() {
    let mut machine = machine();
    let change = ConfigChanges::Edit(vec![
        ("retention.ms".to_owned(), set("5")),
        ("no.such".to_owned(), set("1")),
    ]);
    let refused = machine.alter(on_topic(), change);
    assert!(matches!(refused, Err(DecideError::ConfigRefused { .. })));
    assert_eq!(value(&machine, "retention.ms"), None);
    let change = ConfigChanges::Edit(vec![
        ("retention.ms".to_owned(), set("5")),
        ("retention.ms".to_owned(), set("6")),
    ]);
    assert_eq!(
        machine.alter(on_topic(), change),
        Err(DecideError::DuplicateConfig {
            name: "retention.ms".to_owned()
        })
    );
}

#[test]
fn changes_that_change_nothing_write_nothing() {
    let mut machine = machine();
    machine.edit(on_topic(), "retention.ms", set("5")).unwrap();
    let written = machine.log.len();
    machine.edit(on_topic(), "retention.ms", set("5")).unwrap();
    let delete = ConfigOperation::Delete;
    machine
        .edit(on_topic(), "cleanup.policy", delete.clone())
        .unwrap();
    machine.edit(on_topic(), "no.such", delete).unwrap();
    let same = vec![("retention.ms".to_owned(), "5".to_owned())];
    machine
        .alter(on_topic(), ConfigChanges::Replace(same))
        .unwrap();
    assert_eq!(machine.log.len(), written);
}

#[test]
fn brokers_have_configs_one_by_one_and_all_together() {
    let mut machine = machine();
    let one = ConfigResource::Broker(NODE);
    machine
        .edit(one.clone(), "log.retention.ms", set("7"))
        .unwrap();
    machine
        .edit(ConfigResource::AllBrokers, "log.retention.ms", set("8"))
        .unwrap();
    let image = machine.image();
    let own = image.broker_configs(NODE).unwrap();
    assert_eq!(own["log.retention.ms"], "7");
    assert_eq!(image.all_brokers_configs()["log.retention.ms"], "8");
    machine
        .edit(one, "log.retention.ms", ConfigOperation::Delete)
        .unwrap();
    assert_eq!(machine.image().broker_configs(NODE), None);
}

#[test]
fn resources_that_do_not_exist_or_repeat_are_refused() {
    let mut machine = machine();
    assert_eq!(
        machine.edit(
            ConfigResource::Topic(name("nope")),
            "retention.ms",
            set("1")
        ),
        Err(DecideError::UnknownTopicName { name: name("nope") })
    );
    assert_eq!(
        machine.edit(
            ConfigResource::Broker(NodeId(2)),
            "log.retention.ms",
            set("1")
        ),
        Err(DecideError::UnknownBroker { node: NodeId(2) })
    );
    let item = ConfigAlteration {
        resource: on_topic(),
        change: ConfigChanges::Edit(vec![("retention.ms".to_owned(), set("1"))]),
    };
    let request = Request::AlterConfigs {
        resources: vec![item.clone(), item],
        mode: Mode::Commit,
    };
    let decision = machine.controller.decide(NOW, &request).unwrap();
    let twice = Err(DecideError::DuplicateItem {
        name: "a".to_owned(),
    });
    assert_eq!(
        decision.reply,
        Reply::AlterConfigs(vec![twice.clone(), twice])
    );
    assert_eq!(decision.records, []);
}

#[test]
fn deleting_a_topic_takes_its_configs_along() {
    let mut machine = machine();
    machine.edit(on_topic(), "retention.ms", set("5")).unwrap();
    let gone = vec![controller::request::TopicReference::Name(name("a"))];
    machine.commit(&Request::DeleteTopics(gone)).unwrap();
    machine.create(topic(2, "a")).unwrap();
    assert_eq!(value(&machine, "retention.ms"), None);
}

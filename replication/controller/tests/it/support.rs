//! A controller with one broker, and a schema of a few configs.

use controller::request::{
    ConfigAlteration, ConfigChanges, ConfigOperation, ConfigResource, Mode, NewTopic, Registration,
};
use controller::{
    ConfigRefusal, ConfigSchema, Controller, DecideError, Image, Record, Reply, Request,
    ResourceKind, Settings,
};
use types::{NodeId, TimestampMs, TopicId, TopicName};

pub(crate) const NODE: NodeId = NodeId(1);
pub(crate) const NOW: TimestampMs = TimestampMs(1_700_000_000_000);

/// `retention.ms` is a number, `cleanup.policy` a list; the same with `log.` for brokers.
pub(crate) struct Schema;

impl ConfigSchema for Schema {
    fn check(&self, kind: ResourceKind, name: &str, value: &str) -> Result<(), ConfigRefusal> {
        match (kind, name) {
            (ResourceKind::Topic, "retention.ms") | (ResourceKind::Broker, "log.retention.ms") => {
                let number = value.parse::<i64>();
                number.map_or(Err(ConfigRefusal::NotANumber { bits: 64 }), |_| Ok(()))
            }
            (ResourceKind::Topic, "cleanup.policy")
            | (ResourceKind::Broker, "log.cleanup.policy") => {
                let allowed: &[&str] = &["delete", "compact"];
                let mut items = value.split(',').filter(|item| !item.is_empty());
                if items.all(|item| allowed.contains(&item)) {
                    Ok(())
                } else {
                    Err(ConfigRefusal::NotOneOf { allowed })
                }
            }
            _ => Err(ConfigRefusal::Unknown { nearest: None }),
        }
    }

    fn list_default(&self, _: ResourceKind, name: &str) -> Option<&str> {
        name.ends_with("cleanup.policy").then_some("delete")
    }
}

/// A controller, and the log that it wrote: what a driver does, without a disk.
pub(crate) struct Machine {
    pub(crate) controller: Controller,
    pub(crate) log: Vec<Vec<u8>>,
}

impl Machine {
    pub(crate) fn empty(settings: Settings) -> Self {
        Self {
            controller: Controller::new(settings, Box::new(Schema), Image::empty()),
            log: Vec::new(),
        }
    }

    /// A controller at which broker 1 has registered.
    pub(crate) fn new() -> Self {
        Self::with_brokers(Settings::default(), &[1])
    }

    pub(crate) fn with_brokers(settings: Settings, nodes: &[i32]) -> Self {
        let mut machine = Self::empty(settings);
        for &node in nodes {
            machine.commit(&register(node)).unwrap();
        }
        machine
    }

    /// Decides, writes through bytes, applies.
    pub(crate) fn commit(&mut self, request: &Request) -> Result<Reply, DecideError> {
        let decision = self.controller.decide(NOW, request)?;
        for record in &decision.records {
            let bytes = record.encode();
            let read = Record::decode(&bytes).unwrap();
            assert_eq!(&read, record);
            self.controller.apply(&read).unwrap();
            self.log.push(bytes);
        }
        Ok(decision.reply)
    }

    pub(crate) fn image(&self) -> &Image {
        self.controller.image()
    }

    pub(crate) fn create(&mut self, topic: NewTopic) -> Result<(), DecideError> {
        let mode = Mode::Commit;
        let topics = vec![topic];
        match self.commit(&Request::CreateTopics { topics, mode })? {
            Reply::CreateTopics(mut results) => results.pop().unwrap().map(|_| ()),
            other => unreachable!("{other:?}"),
        }
    }

    pub(crate) fn alter(
        &mut self,
        resource: ConfigResource,
        change: ConfigChanges,
    ) -> Result<(), DecideError> {
        let mode = Mode::Commit;
        let resources = vec![ConfigAlteration { resource, change }];
        match self.commit(&Request::AlterConfigs { resources, mode })? {
            Reply::AlterConfigs(mut results) => results.pop().unwrap(),
            other => unreachable!("{other:?}"),
        }
    }

    pub(crate) fn edit(
        &mut self,
        resource: ConfigResource,
        name: &str,
        operation: ConfigOperation,
    ) -> Result<(), DecideError> {
        let change = ConfigChanges::Edit(vec![(name.to_owned(), operation)]);
        self.alter(resource, change)
    }
}

pub(crate) fn register(node: i32) -> Request {
    Request::RegisterBroker(Registration {
        node: NodeId(node),
        rack: None,
        endpoints: Vec::new(),
    })
}

pub(crate) fn name(text: &str) -> TopicName {
    text.parse().unwrap()
}

pub(crate) fn id(number: u8) -> TopicId {
    TopicId([number; 16])
}

/// A topic of default counts; tests change what they are about.
pub(crate) fn topic(number: u8, text: &str) -> NewTopic {
    NewTopic {
        id: id(number),
        name: name(text),
        partition_count: -1,
        replication_factor: -1,
        assignments: Vec::new(),
        configs: Vec::new(),
    }
}

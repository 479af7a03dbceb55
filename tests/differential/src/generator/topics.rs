//! Topics: created, deleted, widened, told.

use wire::api::ApiKey;

use super::maker::{Generator, TOPICS, topic_name};
use crate::messages::Form;
use crate::script::RUN;
use crate::script::{ADMIN_LINE, Due, NOBODYS_ID};
use crate::tree::{Tree, body};

/// The longest name that a topic may have.
const NAME_LENGTH_MAX: usize = 249;

/// The first versions that know topics by their ids.
const METADATA_BY_ID: i16 = 12;
const DELETE_BY_ID: i16 = 6;

impl Generator {
    /// One step of the walk through topics.
    pub(super) fn topic_step(&mut self) {
        match self.chance.below(12) {
            0 | 1 => self.create_topics(),
            2 => self.create_again(),
            3 => self.delete_topics(),
            4 | 5 => self.create_partitions(),
            6..=9 => self.metadata(),
            _ => self.describe_partitions(),
        }
    }

    /// A topic comes back, in the version that tells its id.
    fn create_again(&mut self) {
        let index = self.chance.below(TOPICS);
        let count = self.chance.of(&[1, 2, 3, 4]);
        let topic = body! { name: topic_name(index), num_partitions: count, replication_factor: 1 };
        let step = self.create_by_ids(topic);
        // If it was there already, nobody knows its id from this answer; then none is asked for.
        self.created[index] = Some(step);
    }

    fn create_topics(&mut self) {
        let count = self.chance.of(&[0, 1, 1, 1, 2, 3]);
        let mut topics: Vec<Tree> = (0..count).map(|_| self.wanted_topic()).collect();
        if count > 0 && self.chance.once_in(8) {
            let twice = self.chance.of(&topics);
            topics.push(twice);
        }
        let timeout = self.chance.of(&[20_000, 20_000, 20_000, i32::MAX]);
        let only_checked = self.chance.once_in(2);
        for topic in topics.iter().filter(|_| !only_checked) {
            if let Some(Tree::Text(name)) = topic.at("name") {
                self.note_created(name);
            }
        }
        let body = body! { topics: topics, timeout_ms: timeout, validate_only: only_checked };
        self.ask(ApiKey::CreateTopics, body);
    }

    /// A topic may be there from now on, and nobody knows its id.
    fn note_created(&mut self, name: &str) {
        match (0..TOPICS).find(|index| topic_name(*index) == name) {
            Some(index) => self.created[index] = None,
            None if name.starts_with(RUN) => self.others.push(name.to_owned()),
            None => {}
        }
    }

    fn wanted_topic(&mut self) -> Tree {
        let name = match self.chance.below(8) {
            0 => format!("{RUN}.topic.0"),
            1 => format!("{RUN}{}", "x".repeat(NAME_LENGTH_MAX - RUN.len())),
            2 => format!("{RUN}{}", "x".repeat(NAME_LENGTH_MAX + 1 - RUN.len())),
            3 | 4 => self.any_topic(),
            _ => format!("{RUN}-new-{}", self.fresh()),
        };
        let (mut partitions, mut replicas) = (self.chance.of(&[1, 1, 2, 3, -1, 0, -2]), 1);
        let mut assignments = Vec::new();
        match self.chance.below(8) {
            0 => replicas = self.chance.of(&[-1, 0, 2, 3, -2, i16::MAX]),
            1 => {
                (partitions, replicas) = (-1, -1);
                assignments = self.assignments();
            }
            2 => assignments = self.assignments(),
            _ => {}
        }
        let configs = if self.chance.once_in(2) {
            self.topic_configs()
        } else {
            Vec::new()
        };
        body! {
            name: name, num_partitions: partitions, replication_factor: replicas,
            assignments: assignments, configs: configs,
        }
    }

    fn assignments(&mut self) -> Vec<Tree> {
        let choices: [&[(i32, &[i32])]; 7] = [
            &[(0, &[1])],
            &[(0, &[1]), (1, &[1])],
            &[(1, &[1])],
            &[(0, &[1]), (0, &[1])],
            &[(0, &[7])],
            &[(0, &[1, 1])],
            &[(0, &[])],
        ];
        let chosen = self.chance.of(&choices);
        let assignment = |(index, brokers): &(i32, &[i32])| body! { partition_index: *index, broker_ids: brokers.to_vec() };
        chosen.iter().map(assignment).collect()
    }

    fn topic_configs(&mut self) -> Vec<Tree> {
        let count = self.chance.of(&[1, 1, 2]);
        (0..count)
            .map(|_| {
                // Never null: Kafka looks at what else is wrong first.
                let (name, value) = self.config();
                body! { name: name, value: value.unwrap_or("1") }
            })
            .collect()
    }

    fn delete_topics(&mut self) {
        let index = self.chance.below(TOPICS);
        let named = topic_name(index);
        let id = self.id_of(&named);
        let by_id = self.chance.once_in(2);
        let mut topics = vec![if by_id {
            body! { topic_id: id }
        } else {
            body! { name: named.clone() }
        }];
        let mut names = vec![named];
        match self.chance.below(6) {
            0 => topics.push(body! { topic_id: Tree::Uuid(NOBODYS_ID) }),
            1 => topics.push(body! { name: format!("{RUN}-nowhere") }),
            2 => (topics, names) = (Vec::new(), Vec::new()),
            3 => names.push(self.any_topic()),
            4 => topics.push(body! { name: self.any_topic(), topic_id: Tree::Uuid(NOBODYS_ID) }),
            _ => {}
        }
        let versions = Form::versions(ApiKey::DeleteTopics);
        let version = if by_id {
            DELETE_BY_ID
        } else {
            self.chance.version(versions.min, versions.max)
        };
        let body = body! { topics: topics, topic_names: names, timeout_ms: 20_000 };
        self.push(
            ADMIN_LINE,
            Form {
                key: ApiKey::DeleteTopics,
                version,
            },
            body,
            Due::Now,
            Vec::new(),
        );
    }

    fn create_partitions(&mut self) {
        let count = self.chance.of(&[0, 1, 1, 2]);
        let topic = |generator: &mut Self| {
            let wanted = generator.chance.of(&[1, 2, 3, 4, 5, 6, 0, -1]);
            let assignments: Option<Vec<Tree>> = match generator.chance.below(6) {
                0 => Some(vec![body! { broker_ids: vec![1] }]),
                1 => Some(vec![body! { broker_ids: vec![9] }]),
                2 => Some(Vec::new()),
                _ => None,
            };
            body! { name: generator.any_topic(), count: wanted, assignments: assignments }
        };
        let mut topics: Vec<Tree> = (0..count).map(|_| topic(self)).collect();
        if count > 0 && self.chance.once_in(8) {
            topics.push(topics[0].clone());
        }
        let only_checked = self.chance.once_in(3);
        let body = body! { topics: topics, timeout_ms: 20_000, validate_only: only_checked };
        self.ask(ApiKey::CreatePartitions, body);
    }

    fn metadata(&mut self) {
        let versions = Form::versions(ApiKey::Metadata);
        let version = self.chance.version(versions.min, versions.max);
        let by_id = version >= METADATA_BY_ID && self.chance.once_in(2);
        let count = self.chance.of(&[0, 1, 1, 2, 3]);
        let topic = |generator: &mut Self| {
            let name = generator.any_topic();
            if !by_id {
                return body! { name: name };
            }
            body! { topic_id: generator.id_of(&name) }
        };
        let topics: Vec<Tree> = (0..count).map(|_| topic(self)).collect();
        let topics = if self.chance.once_in(4) {
            Tree::Null
        } else {
            topics.into()
        };
        let body = body! {
            topics: topics,
            allow_auto_topic_creation: self.chance.once_in(2),
            include_cluster_authorized_operations: self.chance.once_in(3),
            include_topic_authorized_operations: self.chance.once_in(3),
        };
        self.push(
            ADMIN_LINE,
            Form {
                key: ApiKey::Metadata,
                version,
            },
            body,
            Due::Now,
            Vec::new(),
        );
    }

    fn describe_partitions(&mut self) {
        // Never all of them: other runs may have left some. Never one without a name: Kafka fails.
        let count = self.chance.of(&[1, 1, 2, 3]);
        let names: Vec<String> = (0..count).map(|_| self.any_topic()).collect();
        let names = names.into_iter().filter(|name| !name.is_empty());
        let mut topics: Vec<Tree> = names.map(|name| body! { name: name }).collect();
        topics.push(body! { name: topic_name(self.chance.below(TOPICS)) });
        let cursor = self.chance.once_in(3).then(|| {
            let name = match self.chance.below(3) {
                0 => Tree::from(self.any_topic()),
                _ => self
                    .chance
                    .of(&topics)
                    .at("name")
                    .cloned()
                    .unwrap_or(Tree::Null),
            };
            let index = self.chance.of(&[0, 0, 1, 2, 99]);
            body! { topic_name: name, partition_index: index }
        });
        let limit = self.chance.of(&[2000, 2000, 1, 2, 3]);
        let body = body! { topics: topics, response_partition_limit: limit, cursor: cursor };
        self.ask(ApiKey::DescribeTopicPartitions, body);
    }
}

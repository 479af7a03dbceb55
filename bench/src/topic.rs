//! Topics of a run: made fresh, found ready, deleted afterwards.

use std::time::Duration;

use types::{ErrorCode, Monotonic, TopicId};
use wire::api::ApiKey;
use wire::messages::{create_topics, delete_topics, list_offsets, metadata};

use crate::clock;
use crate::connection::Connection;
use crate::error::Error;

/// How long a new topic may take until all of its partitions serve.
const READY_WAIT: Duration = Duration::from_mins(2);

/// The time between two looks at a topic that does not serve yet.
const READY_POLL: Duration = Duration::from_millis(50);

/// A topic to be made.
#[derive(Clone, Debug)]
pub(crate) struct Wanted<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Partitions, if it does not exist.
    pub(crate) partitions: i32,
    /// Configuration, if it does not exist.
    pub(crate) configs: &'a [(String, String)],
}

/// A topic that serves.
#[derive(Clone, Debug)]
pub(crate) struct Topic {
    /// Its name.
    pub(crate) name: String,
    /// Its id; zero on brokers without ids.
    pub(crate) id: TopicId,
    /// Its partitions are numbered from 0 to this.
    pub(crate) partitions: i32,
}

/// What a log holds: offsets from start to end, the end excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The partition.
    pub(crate) partition: i32,
    /// The first offset.
    pub(crate) start: i64,
    /// The offset behind the last.
    pub(crate) end: i64,
}

impl Topic {
    /// Makes a topic unless it exists, and waits until every partition serves.
    ///
    /// *Errors*: [`Error::NotReady`] after two minutes; [`Error::OtherLeader`].
    pub(crate) fn ensure(connection: &mut Connection, wanted: &Wanted<'_>) -> Result<Self, Error> {
        create(connection, wanted)?;
        let deadline = clock::now().after(READY_WAIT);
        let topic = Self::described(connection, wanted.name, deadline)?;
        topic.wait_for_leaders(connection, deadline)?;
        Ok(topic)
    }

    /// Finds a topic that exists.
    ///
    /// *Errors*: as [`Topic::ensure`].
    pub(crate) fn find(connection: &mut Connection, name: &str) -> Result<Self, Error> {
        Self::described(connection, name, clock::now().after(READY_POLL))
    }

    /// Asks until the broker knows a leader for each partition.
    fn described(
        connection: &mut Connection,
        name: &str,
        deadline: Monotonic,
    ) -> Result<Self, Error> {
        let request = metadata::Request {
            topics: Some(vec![metadata::RequestTopic {
                name: Some(name.to_owned()),
                ..Default::default()
            }]),
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        loop {
            let answer = connection.call(&request)?;
            let code = match answer.topics.first() {
                None => ErrorCode::UnknownTopicOrPartition.code(),
                Some(topic) => {
                    let codes = topic.partitions.iter().map(|it| it.error_code);
                    let mut codes = std::iter::once(topic.error_code).chain(codes);
                    codes.find(|&code| code != 0).unwrap_or_default()
                }
            };
            if code == 0 {
                return Self::of(&answer, name);
            }
            wait_again(name, code, deadline)?;
        }
    }

    fn of(answer: &metadata::Response, name: &str) -> Result<Self, Error> {
        let topic = answer.topics.first();
        let topic = topic.ok_or(Error::Usage("the broker describes no topic"))?;
        let leader = topic.partitions.first().map(|it| it.leader_id);
        for partition in &topic.partitions {
            if Some(partition.leader_id) != leader {
                return Err(Error::OtherLeader {
                    partition: partition.partition_index,
                    leader: partition.leader_id,
                });
            }
        }
        Ok(Self {
            name: name.to_owned(),
            id: topic.topic_id,
            partitions: i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX),
        })
    }

    /// A broker may name a leader in its metadata before that leader serves (Kafka does, for
    /// seconds with 1,000 partitions), so ask the leaders themselves.
    fn wait_for_leaders(
        &self,
        connection: &mut Connection,
        deadline: Monotonic,
    ) -> Result<(), Error> {
        loop {
            match self.extents(connection) {
                Ok(_) => return Ok(()),
                Err(Error::Refused { code, .. }) => wait_again(&self.name, code, deadline)?,
                Err(error) => return Err(error),
            }
        }
    }

    /// Asks for the first and the last offset of every partition.
    pub(crate) fn extents(&self, connection: &mut Connection) -> Result<Vec<Extent>, Error> {
        let starts = self.offsets(connection, list_offsets::EARLIEST)?;
        let ends = self.offsets(connection, list_offsets::LATEST)?;
        let extents = starts.iter().zip(&ends).map(|(start, end)| Extent {
            partition: start.0,
            start: start.1,
            end: end.1,
        });
        Ok(extents.collect())
    }

    fn offsets(
        &self,
        connection: &mut Connection,
        timestamp: i64,
    ) -> Result<Vec<(i32, i64)>, Error> {
        let partition = |partition_index| list_offsets::Partition {
            partition_index,
            timestamp,
            ..Default::default()
        };
        let request = list_offsets::Request {
            replica_id: -1,
            topics: vec![list_offsets::Topic {
                name: self.name.clone(),
                partitions: (0..self.partitions).map(partition).collect(),
            }],
            timeout_ms: 30_000,
            ..Default::default()
        };
        let answer = connection.call(&request)?;
        let mut offsets = Vec::new();
        for partition in answer.topics.iter().flat_map(|topic| &topic.partitions) {
            Error::check(ApiKey::ListOffsets, partition.error_code)?;
            offsets.push((partition.partition_index, partition.offset));
        }
        offsets.sort_unstable();
        Ok(offsets)
    }

    /// Deletes the topic.
    pub(crate) fn delete(&self, connection: &mut Connection) -> Result<(), Error> {
        let version = connection.version(ApiKey::DeleteTopics)?;
        let mut request = delete_topics::Request {
            timeout_ms: 30_000,
            ..Default::default()
        };
        if version >= 6 {
            request.topics = vec![delete_topics::Topic {
                name: Some(self.name.clone()),
                ..Default::default()
            }];
        } else {
            request.topic_names = vec![self.name.clone()];
        }
        let answer = connection.call(&request)?;
        let code = answer.responses.first().map(|it| it.error_code);
        Error::check(ApiKey::DeleteTopics, code.unwrap_or_default())
    }
}

fn create(connection: &mut Connection, wanted: &Wanted<'_>) -> Result<(), Error> {
    let configs = wanted
        .configs
        .iter()
        .map(|(name, value)| create_topics::Config {
            name: name.clone(),
            value: Some(value.clone()),
        });
    let request = create_topics::Request {
        topics: vec![create_topics::Topic {
            name: wanted.name.to_owned(),
            num_partitions: wanted.partitions,
            replication_factor: 1,
            configs: configs.collect(),
            ..Default::default()
        }],
        timeout_ms: 60_000,
        ..Default::default()
    };
    let answer = connection.call(&request)?;
    let code = answer.topics.first().map_or(0, |topic| topic.error_code);
    if code == ErrorCode::TopicAlreadyExists.code() {
        return Ok(());
    }
    Error::check(ApiKey::CreateTopics, code)
}

fn wait_again(topic: &str, code: i16, deadline: Monotonic) -> Result<(), Error> {
    if clock::now() >= deadline {
        return Err(Error::NotReady {
            topic: topic.to_owned(),
            code,
        });
    }
    clock::sleep(READY_POLL);
    Ok(())
}

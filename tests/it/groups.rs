//! Consumer groups through the socket: what a coordinator has acknowledged survives kill -9, also in
//! the middle of a rebalance; what it refuses it refuses with Kafka's codes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use types::ErrorCode;
use wire::messages::describe_configs::RESOURCE_TOPIC;
use wire::messages::incremental_alter_configs::OPERATION_SET;
use wire::messages::{
    create_topics, delete_groups, delete_records, delete_topics, heartbeat,
    incremental_alter_configs, join_group, leave_group, list_groups, list_offsets, offset_commit,
    offset_fetch, produce, sync_group,
};

use crate::support::coordinators::{self, await_coordinators};
use crate::support::librdkafka::PATIENCE;
use crate::support::requests::{create_topic, produce_request};
use crate::support::{Broker, Caller, Port, Scratch};

const TOPIC: &str = "read-by-groups";

/// How many pairs of members work at a time, each pair in a group of its own.
const GROUPS: usize = 6;

const NO_DELAY: &[&str] = &["--set", "group.initial.rebalance.delay.ms=0"];

/// How often the broker is killed; the release checks ask for more.
fn kills() -> usize {
    std::env::var("RIVERRUN_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(5)
}

/// A broker with the topic.
fn start(port: &Port, scratch: &Scratch) -> Broker {
    let broker = Broker::start_at(port, scratch.path(), NO_DELAY);
    let mut admin = Caller::new(broker.address(), "admin");
    let created = admin.call(
        &create_topics::Request {
            topics: vec![create_topics::Topic {
                name: TOPIC.to_owned(),
                num_partitions: 2,
                replication_factor: 1,
                ..Default::default()
            }],
            timeout_ms: 30_000,
            ..Default::default()
        },
        5,
    );
    assert_eq!(created.topics[0].error_code, 0, "{created:?}");
    await_coordinators(&mut admin);
    broker
}

/// Two members of a group that join, share out, commit and leave, over and over.
struct Pair {
    group: String,
    /// The last offset that was sent in a commit.
    sent: i64,
    /// The last offset whose commit was acknowledged.
    acknowledged: i64,
    /// How many pairs have a commit that was acknowledged.
    begun: Arc<AtomicUsize>,
}

/// One member: its connection and what it knows.
struct Member {
    caller: Caller,
    id: String,
    generation: i32,
    is_leader: bool,
}

impl Member {
    /// Connects; `None` if the broker does not accept.
    fn new(address: SocketAddr) -> Option<Self> {
        Some(Self {
            caller: Caller::try_new(address, "member")?,
            id: String::new(),
            generation: -1,
            is_leader: false,
        })
    }

    fn join_request(&self, group: &str) -> join_group::Request {
        join_group::Request {
            group_id: group.to_owned(),
            session_timeout_ms: 6_000,
            rebalance_timeout_ms: 6_000,
            member_id: self.id.clone(),
            protocol_type: "consumer".to_owned(),
            protocols: vec![join_group::Protocol {
                name: "range".to_owned(),
                metadata: Bytes::from_static(b"\0\0\0\0\0\0\0\0\0\0"),
            }],
            ..Default::default()
        }
    }

    /// Has the coordinator give an id, with which others then wait for its join.
    fn named(&mut self, group: &str) -> Option<()> {
        let request = self.join_request(group);
        self.id = self.caller.try_call(&request, 5)?.member_id;
        Some(())
    }

    fn send_join(&mut self, group: &str) {
        let request = self.join_request(group);
        self.caller.send(&request, 5);
    }

    /// Reads the answer to a join; asks again while the coordinator is not ready, or gives an id.
    fn joined(&mut self, group: &str) -> Option<i16> {
        loop {
            let joined = self.caller.answered::<join_group::Request>(5)?;
            match ErrorCode::from_wire(joined.error_code) {
                Some(ErrorCode::MemberIdRequired) => self.id = joined.member_id,
                Some(ErrorCode::CoordinatorLoadInProgress) => {}
                Some(ErrorCode::None) => {
                    self.id.clone_from(&joined.member_id);
                    self.generation = joined.generation_id;
                    self.is_leader = joined.leader == joined.member_id;
                    return Some(0);
                }
                // A member of before the crash that the log does not have.
                Some(ErrorCode::UnknownMemberId) => self.id.clear(),
                _ => return Some(joined.error_code),
            }
            self.send_join(group);
        }
    }

    fn sync(&mut self, group: &str, members: &[&str]) -> Option<i16> {
        let assignment = |id: &&str| sync_group::Assignment {
            member_id: (*id).to_owned(),
            assignment: Bytes::from((*id).to_owned()),
        };
        let request = sync_group::Request {
            group_id: group.to_owned(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            assignments: members.iter().map(assignment).collect(),
            ..Default::default()
        };
        let synced = self.caller.try_call(&request, 3)?;
        if synced.error_code == 0 {
            assert_eq!(synced.assignment, self.id.as_bytes(), "its own share");
        }
        Some(synced.error_code)
    }

    fn commit(&mut self, group: &str, partition: i32, offset: i64) -> Option<i16> {
        let request = commit_request(group, &self.id, self.generation, partition, offset);
        let committed = self.caller.try_call(&request, 7)?;
        Some(committed.topics[0].partitions[0].error_code)
    }

    fn leave(&mut self, group: &str) -> Option<()> {
        let request = leave_group::Request {
            group_id: group.to_owned(),
            members: vec![leave_group::Member {
                member_id: self.id.clone(),
                ..Default::default()
            }],
            ..Default::default()
        };
        self.caller.try_call(&request, 3).map(drop)
    }
}

fn commit_request(
    group: &str,
    member: &str,
    generation: i32,
    partition: i32,
    offset: i64,
) -> offset_commit::Request {
    offset_commit::Request {
        group_id: group.to_owned(),
        member_id: member.to_owned(),
        generation_id_or_member_epoch: generation,
        topics: vec![offset_commit::Topic {
            name: TOPIC.to_owned(),
            partitions: vec![offset_commit::Partition {
                partition_index: partition,
                committed_offset: offset,
                committed_metadata: Some(format!("note {offset}")),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn fetch_request(group: &str) -> offset_fetch::Request {
    offset_fetch::Request {
        group_id: group.to_owned(),
        topics: Some(vec![offset_fetch::Topic {
            name: TOPIC.to_owned(),
            partition_indexes: vec![0],
        }]),
        require_stable: true,
        ..Default::default()
    }
}

impl Pair {
    /// Works until told to stop or the broker is gone; `None` is the latter.
    fn work(&mut self, address: SocketAddr, stop: &AtomicBool) -> Option<()> {
        while !stop.load(Ordering::Relaxed) {
            let (mut one, mut two) = (Member::new(address)?, Member::new(address)?);
            // The first may be alone, or find what a crash has left of the group.
            one.send_join(&self.group);
            if one.joined(&self.group)? != 0 {
                continue;
            }
            let (own, rest) = (one.id.clone(), self.group.clone());
            one.sync(&rest, &[&own])?;
            self.commit(&mut one)?;
            two.named(&self.group)?;
            two.send_join(&self.group);
            one.send_join(&self.group);
            let joined = (one.joined(&self.group)?, two.joined(&self.group)?);
            if joined != (0, 0) || one.generation != two.generation {
                continue;
            }
            let ids = [one.id.clone(), two.id.clone()];
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            let (leader, follower) = if one.is_leader {
                (&mut one, &mut two)
            } else {
                (&mut two, &mut one)
            };
            if leader.sync(&self.group, &ids)? == 0 {
                follower.sync(&self.group, &[])?;
                self.commit(leader)?;
                self.commit(follower)?;
            }
            one.leave(&self.group)?;
            two.leave(&self.group)?;
        }
        Some(())
    }

    fn commit(&mut self, member: &mut Member) -> Option<()> {
        self.sent += 1;
        let group = self.group.clone();
        if member.commit(&group, 0, self.sent)? == 0 {
            if self.acknowledged < 0 {
                self.begun.fetch_add(1, Ordering::Relaxed);
            }
            self.acknowledged = self.sent;
        }
        Some(())
    }

    /// Asks what the group has committed.
    fn committed(&self, caller: &mut Caller) -> i64 {
        let fetched = caller.call(&fetch_request(&self.group), 7);
        assert_eq!(fetched.error_code, 0);
        let partition = &fetched.topics[0].partitions[0];
        if partition.committed_offset >= 0 {
            let note = format!("note {}", partition.committed_offset);
            assert_eq!(partition.metadata.as_deref(), Some(note.as_str()));
        }
        partition.committed_offset
    }
}

#[test]
fn acknowledged_commits_survive_kill_9_in_the_middle_of_rebalances() {
    let scratch = Scratch::new("group-kill");
    let port = Port::reserve();
    let mut broker = start(&port, &scratch);
    let address = port.address();
    let begun = Arc::new(AtomicUsize::new(0));
    let mut pairs: Vec<Pair> = (0..GROUPS)
        .map(|number| Pair {
            group: format!("pair-{number}"),
            sent: 0,
            acknowledged: -1,
            begun: Arc::clone(&begun),
        })
        .collect();
    for kill in 0..kills() {
        let stop = Arc::new(AtomicBool::new(false));
        let workers: Vec<_> = pairs
            .into_iter()
            .map(|mut pair| {
                let stop = Arc::clone(&stop);
                std::thread::spawn(move || {
                    let _killed = pair.work(address, &stop);
                    pair
                })
            })
            .collect();
        // A group that is killed before it has begun waits for its dead member longer than all kills take.
        let deadline = Instant::now() + PATIENCE;
        while begun.load(Ordering::Relaxed) < GROUPS {
            assert!(Instant::now() < deadline, "a group commits nothing");
            std::thread::park_timeout(Duration::from_millis(1));
        }
        let moment = 80 + 37 * u64::try_from(kill % 9).unwrap();
        std::thread::park_timeout(Duration::from_millis(moment));
        broker.kill();
        stop.store(true, Ordering::Relaxed);
        pairs = workers
            .into_iter()
            .map(|worker| worker.join().expect("a worker keeps its promises"))
            .collect();
        broker = Broker::start_at(&port, scratch.path(), NO_DELAY);
        let mut caller = Caller::new(address, "auditor");
        await_coordinators(&mut caller);
        for pair in &mut pairs {
            let found = pair.committed(&mut caller);
            let (least, most) = (pair.acknowledged, pair.sent);
            assert!(
                least <= found && found <= most,
                "kill {kill}: {} is at {found}, acknowledged {least}, sent {most}",
                pair.group
            );
            // What was on its way may have arrived; from here on it counts.
            pair.acknowledged = found;
        }
    }
    let has_begun = |pair: &Pair| pair.acknowledged > 0;
    assert!(pairs.iter().all(has_begun), "there was something to lose");
}

#[test]
fn what_a_coordinator_refuses_has_kafkas_code() {
    let scratch = Scratch::new("group-codes");
    let broker = start(&Port::reserve(), &scratch);
    let mut caller = Caller::new(broker.address(), "client");
    let mut commit = |member: &str, generation, partition| {
        let request = commit_request("codes", member, generation, partition, 5);
        caller.call(&request, 7).topics[0].partitions[0].error_code
    };
    assert_eq!(commit("", -1, 0), 0, "a consumer without a group commits");
    assert_eq!(commit("", -1, 7), ErrorCode::UnknownTopicOrPartition.code());
    assert_eq!(commit("who", 3, 0), ErrorCode::UnknownMemberId.code());

    let mut member = Member::new(broker.address()).unwrap();
    let mut join = member.join_request("codes");
    join.session_timeout_ms = 1;
    let joined = member.caller.call(&join, 5);
    assert_eq!(joined.error_code, ErrorCode::InvalidSessionTimeout.code());
    let joined = member.caller.call(&member.join_request(""), 5);
    assert_eq!(joined.error_code, ErrorCode::InvalidGroupId.code());
    member.send_join("codes");
    assert_eq!(member.joined("codes"), Some(0));
    let id = member.id.clone();
    assert_eq!(member.sync("codes", &[&id]), Some(0));

    assert_eq!(commit("", -1, 0), ErrorCode::UnknownMemberId.code());
    assert_eq!(commit(&id, 9, 0), ErrorCode::IllegalGeneration.code());
    let beat = heartbeat::Request {
        group_id: "codes".to_owned(),
        generation_id: 9,
        member_id: id.clone(),
        ..Default::default()
    };
    let beaten = member.caller.call(&beat, 3);
    assert_eq!(beaten.error_code, ErrorCode::IllegalGeneration.code());
    let mut other = Member::new(broker.address()).unwrap();
    let mut join = other.join_request("codes");
    join.protocols[0].name = "roundrobin".to_owned();
    let joined = other.caller.call(&join, 3);
    assert_eq!(
        joined.error_code,
        ErrorCode::InconsistentGroupProtocol.code()
    );

    let delete = delete_groups::Request {
        groups_names: vec!["codes".to_owned(), "nobody".to_owned()],
    };
    let deleted = other.caller.call(&delete, 2);
    let codes: Vec<i16> = deleted.results.iter().map(|it| it.error_code).collect();
    let expected = [ErrorCode::NonEmptyGroup, ErrorCode::GroupIdNotFound];
    assert_eq!(codes, expected.map(ErrorCode::code));
    member.leave("codes");
    let deleted = other.caller.call(&delete, 2);
    assert_eq!(deleted.results[0].error_code, 0);
    let listed = other.caller.call(&list_groups::Request::default(), 4);
    assert!(listed.groups.is_empty(), "{listed:?}");
}

#[test]
fn offsets_go_with_their_topic_and_clients_do_not_write_them() {
    let scratch = Scratch::new("group-topics");
    let broker = start(&Port::reserve(), &scratch);
    let mut caller = Caller::new(broker.address(), "client");
    let committed = caller.call(&commit_request("forgetful", "", -1, 0, 5), 7);
    assert_eq!(committed.topics[0].partitions[0].error_code, 0);
    let fetched = caller.call(&fetch_request("forgetful"), 7);
    assert_eq!(fetched.topics[0].partitions[0].committed_offset, 5);

    let delete = delete_topics::Request {
        topic_names: vec![TOPIC.to_owned()],
        timeout_ms: 30_000,
        ..Default::default()
    };
    assert_eq!(caller.call(&delete, 5).responses[0].error_code, 0);
    let until = Instant::now() + Duration::from_secs(30);
    while caller.call(&fetch_request("forgetful"), 7).topics[0].partitions[0].committed_offset >= 0
    {
        assert!(Instant::now() < until, "the offset outlives its topic");
    }

    let produce = produce::Request {
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![produce::TopicData {
            name: "__consumer_offsets".to_owned(),
            partition_data: vec![produce::PartitionData {
                index: 0,
                records: Some(Bytes::from_static(b"anything")),
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let produced = caller.call(&produce, 9);
    let code = produced.responses[0].partition_responses[0].error_code;
    assert_eq!(code, ErrorCode::InvalidTopic.code());
    let delete = delete_records::Request {
        topics: vec![delete_records::Topic {
            name: "__consumer_offsets".to_owned(),
            partitions: vec![delete_records::Partition {
                partition_index: 0,
                offset: -1,
            }],
        }],
        timeout_ms: 30_000,
    };
    let deleted = caller.call(&delete, 2);
    let code = deleted.topics[0].partitions[0].error_code;
    assert_eq!(code, ErrorCode::InvalidTopic.code());
}

#[test]
fn offsets_outlive_the_log_that_a_snapshot_replaces() {
    let scratch = Scratch::new("group-snapshot");
    let arguments = &[NO_DELAY, &["--set", "offsets.topic.num.partitions=1"]].concat();
    let port = Port::reserve();
    let broker = Broker::start_at(&port, scratch.path(), arguments);
    let address = port.address();
    let mut caller = Caller::new(address, "client");
    let created = create_topics::Request {
        topics: vec![create_topics::Topic {
            name: TOPIC.to_owned(),
            num_partitions: 1,
            replication_factor: 1,
            ..Default::default()
        }],
        timeout_ms: 30_000,
        ..Default::default()
    };
    assert_eq!(caller.call(&created, 5).topics[0].error_code, 0);
    await_coordinators(&mut caller);
    // Notes as long as they may be: a few snapshots' worth of log, and a group that commits only once.
    let note = "n".repeat(4_096);
    let mut commit = |group: &str, offset| {
        let mut request = commit_request(group, "", -1, 0, offset);
        request.topics[0].partitions[0].committed_metadata = Some(note.clone());
        let committed = caller.call(&request, 7);
        assert_eq!(committed.topics[0].partitions[0].error_code, 0);
    };
    commit("early", 7);
    for offset in 0..4_000 {
        commit("busy", offset);
    }
    let until = Instant::now() + Duration::from_secs(30);
    while log_start(&mut caller, "__consumer_offsets") == 0 {
        assert!(Instant::now() < until, "the log's beginning stays");
    }
    broker.kill();
    let _broker = Broker::start_at(&port, scratch.path(), arguments);
    let mut caller = Caller::new(address, "client");
    await_coordinators(&mut caller);
    for (group, offset) in [("early", 7), ("busy", 3_999)] {
        let fetched = caller.call(&fetch_request(group), 7);
        let partition = &fetched.topics[0].partitions[0];
        assert_eq!(partition.committed_offset, offset, "{group}");
        assert_eq!(partition.metadata.as_deref(), Some(note.as_str()));
    }
}

/// The first offset of a topic's first partition.
fn log_start(caller: &mut Caller, topic: &str) -> i64 {
    let list = list_offsets::Request {
        topics: vec![list_offsets::Topic {
            name: topic.to_owned(),
            partitions: vec![list_offsets::Partition {
                timestamp: list_offsets::EARLIEST,
                ..Default::default()
            }],
        }],
        ..Default::default()
    };
    caller.call(&list, 5).topics[0].partitions[0].offset
}

/// Has a topic keep as little as a topic can.
fn keep_nothing(caller: &mut Caller, topic: &str) {
    let configs = [
        ("cleanup.policy", "delete"),
        ("retention.ms", "1"),
        ("retention.bytes", "0"),
    ];
    let change = |(name, value): (&str, &str)| incremental_alter_configs::Change {
        name: name.to_owned(),
        config_operation: OPERATION_SET,
        value: Some(value.to_owned()),
    };
    let request = incremental_alter_configs::Request {
        resources: vec![incremental_alter_configs::Resource {
            resource_type: RESOURCE_TOPIC,
            resource_name: topic.to_owned(),
            configs: configs.map(change).to_vec(),
        }],
        ..Default::default()
    };
    assert_eq!(caller.call(&request, 1).responses[0].error_code, 0);
}

#[test]
fn retention_does_not_reach_the_log_of_the_groups() {
    let scratch = Scratch::new("group-retention");
    // One shard: a round of retention goes over both topics.
    let arguments = &[
        "--cores",
        "1",
        "--set",
        "offsets.topic.num.partitions=1",
        "--set",
        "log.retention.check.interval.ms=20",
    ];
    let port = Port::reserve();
    let broker = Broker::start_at(&port, scratch.path(), arguments);
    let mut caller = Caller::new(port.address(), "client");
    create_topic(&mut caller, TOPIC, 1);
    await_coordinators(&mut caller);
    coordinators::commit(&mut caller, "reader", TOPIC, 0, 7);
    for topic in ["__consumer_offsets", TOPIC] {
        keep_nothing(&mut caller, topic);
    }
    // A whole round lies between the second deletion and the first.
    for offset in 0..2 {
        let produced = caller.call(&produce_request(TOPIC, b"old"), 9);
        let produced = &produced.responses[0].partition_responses[0];
        assert_eq!((produced.error_code, produced.base_offset), (0, offset));
        let until = Instant::now() + Duration::from_secs(30);
        while log_start(&mut caller, TOPIC) <= offset {
            assert!(Instant::now() < until, "nothing is deleted");
        }
    }
    broker.kill();
    let _broker = Broker::start_at(&port, scratch.path(), arguments);
    let mut caller = Caller::new(port.address(), "client");
    await_coordinators(&mut caller);
    let fetched = caller.call(&fetch_request("reader"), 7);
    assert_eq!(fetched.error_code, 0);
    assert_eq!(fetched.topics[0].partitions[0].committed_offset, 7);
    assert_eq!(log_start(&mut caller, "__consumer_offsets"), 0);
}

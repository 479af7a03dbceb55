//! Several data directories: where partitions go, and what becomes of them when one is gone.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use types::{ErrorCode, TopicId};
use wire::messages::{
    alter_replica_log_dirs, create_topics, delete_topics, describe_groups, describe_log_dirs,
    describe_topic_partitions, fetch, list_groups, list_offsets, metadata, offset_fetch,
};

use crate::admin::{get, sample};
use crate::support::ask::ask_newest;
use crate::support::coordinators::{await_coordinators, commit};
use crate::support::librdkafka::{Consumed, PATIENCE, Producer, read_partition};
use crate::support::requests::produce_request;
use crate::support::{Broker, Caller, Scratch};

/// Puts something where the second directory was.
type Replace = fn(&Path);

const PARTITIONS: i32 = 4;
/// `KAFKA_STORAGE_ERROR`.
const OFFLINE: i16 = 56;
/// `LEADER_NOT_AVAILABLE`.
const LEADERLESS: i16 = 5;

/// A node with two directories.
struct Node {
    first: PathBuf,
    second: PathBuf,
    scratch: Scratch,
}

impl Node {
    fn new(name: &str) -> Self {
        let scratch = Scratch::new(name);
        let (first, second) = (scratch.path().join("a"), scratch.path().join("b"));
        Self {
            first,
            second,
            scratch,
        }
    }

    fn start(&self, arguments: &[&str]) -> Broker {
        let (first, second) = (self.first.display(), self.second.display());
        let directories = format!("data.dir={first},{second}");
        let both = ["--set", &directories, "--admin", "127.0.0.1:0"];
        Broker::start_with(&self.first, &[&both, arguments].concat())
    }

    fn away(&self) -> PathBuf {
        self.scratch.path().join("away")
    }

    /// Puts something else where the second directory was.
    fn replace_second(&self, replace: Replace) {
        fs::rename(&self.second, self.away()).unwrap();
        replace(&self.second);
    }

    /// Looks whether the admin port names the second directory as the one that is out of service.
    fn assert_told(&self, broker: &Broker) {
        let (status, page) = get(broker.admin(), "/healthz");
        assert_eq!(status, 503);
        let named = format!("offline: {}: ", self.second.display());
        assert!(page.contains(&named), "{page}");
        let (_, page) = get(broker.admin(), "/metrics");
        for (path, offline) in [(&self.first, 0_f64), (&self.second, 1_f64)] {
            let path = path.display();
            let labels = format!("{{shard=\"0\",directory=\"{path}\"}}");
            let told = sample(&page, &format!("riverrun_log_directory_offline{labels}"));
            assert_eq!(told.to_bits(), offline.to_bits(), "{path}");
        }
    }

    /// Puts the second directory back, over whatever is there.
    fn restore_second(&self) {
        let _is_a_file = fs::remove_dir_all(&self.second);
        let _was_a_directory = fs::remove_file(&self.second);
        fs::rename(self.away(), &self.second).unwrap();
    }
}

fn create(broker: &Broker, name: &str) -> TopicId {
    let topic = create_topics::Topic {
        name: name.to_owned(),
        num_partitions: PARTITIONS,
        replication_factor: 1,
        ..create_topics::Topic::default()
    };
    let request = create_topics::Request {
        topics: vec![topic],
        ..create_topics::Request::default()
    };
    let created = ask_newest(broker, &request).topics.remove(0);
    assert_eq!(created.error_code, 0, "{created:?}");
    created.topic_id
}

/// Writes to every partition and waits for the acknowledgements.
fn produce(broker: &Broker, topic: &str, count: usize) {
    let producer = Producer::new(&broker.bootstrap(), &[]);
    for number in 0..count {
        for partition in 0..PARTITIONS {
            let value = format!("{partition} {number}").repeat(1 + number % 50);
            producer.send(topic, partition, number, value.as_bytes());
        }
    }
    let reports = producer.flush();
    assert!(reports.iter().all(|report| report.place.is_some()));
}

fn read(broker: &Broker, topic: &str) -> Vec<Vec<Consumed>> {
    let read = |partition| read_partition(&broker.bootstrap(), topic, partition);
    (0..PARTITIONS).map(read).collect()
}

/// The code and the partitions of one topic in each directory, by path.
fn described(broker: &Broker, topic: &str) -> Vec<(String, i16, Vec<i32>)> {
    let response = ask_newest(broker, &describe_log_dirs::Request::default());
    let told = response.results.into_iter().map(|dir| {
        let topics = dir.topics.into_iter().filter(|it| it.name == topic);
        let partitions = topics.flat_map(|it| it.partitions);
        let partitions = partitions.map(|it| it.partition_index).collect();
        let is_known = dir.error_code == 0;
        assert_eq!(dir.total_bytes > 0, is_known);
        (dir.log_dir, dir.error_code, partitions)
    });
    told.collect()
}

fn move_to(broker: &Broker, path: &Path, partition: i32) -> i16 {
    let topic = alter_replica_log_dirs::Topic {
        name: "t".to_owned(),
        partitions: vec![partition],
    };
    let dir = alter_replica_log_dirs::LogDir {
        path: path.to_str().unwrap().to_owned(),
        topics: vec![topic],
    };
    let request = alter_replica_log_dirs::Request { dirs: vec![dir] };
    ask_newest(broker, &request).results[0].partitions[0].error_code
}

/// The code of a fetch from an offset.
fn fetch_code(broker: &Broker, topic: TopicId, partition: i32, from: i64) -> i16 {
    let request = fetch::Request {
        max_bytes: 1_000_000,
        topics: vec![fetch::Topic {
            topic: String::new(),
            topic_id: topic,
            partitions: vec![fetch::Partition {
                partition,
                fetch_offset: from,
                partition_max_bytes: 1_000_000,
                ..fetch::Partition::default()
            }],
        }],
        ..fetch::Request::default()
    };
    ask_newest(broker, &request).responses[0].partitions[0].error_code
}

/// The code of a question for an end of the log.
fn ends_code(broker: &Broker, partition: i32, which: i64) -> i16 {
    let request = list_offsets::Request {
        replica_id: -1,
        topics: vec![list_offsets::Topic {
            name: "t".to_owned(),
            partitions: vec![list_offsets::Partition {
                partition_index: partition,
                timestamp: which,
                ..list_offsets::Partition::default()
            }],
        }],
        ..list_offsets::Request::default()
    };
    ask_newest(broker, &request).topics[0].partitions[0].error_code
}

/// The code, the leader and the replicas out of service of one partition.
type Leader = (i16, i32, Vec<i32>);

/// What Metadata tells of each partition of a topic.
fn leaders(broker: &Broker, topic: &str) -> Vec<Leader> {
    let asked = metadata::RequestTopic {
        name: Some(topic.to_owned()),
        ..metadata::RequestTopic::default()
    };
    let request = metadata::Request {
        topics: Some(vec![asked]),
        ..metadata::Request::default()
    };
    let told = ask_newest(broker, &request).topics.remove(0).partitions;
    let told = told.into_iter();
    told.map(|it| (it.error_code, it.leader_id, it.offline_replicas))
        .collect()
}

/// What DescribeTopicPartitions tells of them.
fn leaders_by_page(broker: &Broker, topic: &str) -> Vec<Leader> {
    let asked = describe_topic_partitions::Topic {
        name: topic.to_owned(),
    };
    let request = describe_topic_partitions::Request {
        topics: vec![asked],
        response_partition_limit: 100,
        ..describe_topic_partitions::Request::default()
    };
    let told = ask_newest(broker, &request).topics.remove(0).partitions;
    let told = told.into_iter();
    told.map(|it| (it.error_code, it.leader_id, it.offline_replicas))
        .collect()
}

/// Waits until these partitions of `t` have no leader and the others have one.
fn assert_leaderless(broker: &Broker, partitions: &[i32]) {
    let leader = |partition| {
        if partitions.contains(&partition) {
            (LEADERLESS, -1, vec![1])
        } else {
            (0, 1, Vec::new())
        }
    };
    let wanted: Vec<Leader> = (0..PARTITIONS).map(leader).collect();
    let deadline = Instant::now() + PATIENCE;
    while leaders(broker, "t") != wanted {
        let told = leaders(broker, "t");
        assert!(Instant::now() < deadline, "{told:?}, not {wanted:?}");
    }
    assert_eq!(leaders_by_page(broker, "t"), wanted);
}

/// Runs a command against a broker; returns whether it succeeded, and what it printed to either side.
fn cli(broker: &Broker, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_riverrun"));
    command.args(arguments).args(["-b", &broker.bootstrap()]);
    let output = command.output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(printed).unwrap())
}

/// Our own commands name the partitions without a leader, and serve the others.
fn assert_told_by_cli(broker: &Broker, lost: &[i32]) {
    let (is_healthy, told) = cli(broker, &["cluster", "health"]);
    assert!(!is_healthy);
    let (is_described, described) = cli(broker, &["topic", "describe", "t"]);
    assert!(is_described, "{described}");
    for partition in 0..PARTITIONS {
        let problem = format!("t partition {partition}: no leader");
        assert_eq!(told.contains(&problem), lost.contains(&partition), "{told}");
        if !lost.contains(&partition) {
            let number = partition.to_string();
            let one = ["consume", "t", "-p", &number, "-o", "beginning", "--exit"];
            let (is_read, read) = cli(broker, &one);
            assert!(is_read, "{read}");
        }
    }
}

/// Everything that is asked of a partition out of service has one answer, whatever the offset: a
/// consumer that is told anything else begins anew.
fn assert_out_of_service(broker: &Broker, topic: TopicId, partitions: &[i32]) {
    for &partition in partitions {
        for from in [0, 5, 1_000_000] {
            let code = fetch_code(broker, topic, partition, from);
            assert_eq!(code, OFFLINE, "{partition} from {from}");
        }
        for which in [list_offsets::EARLIEST, list_offsets::LATEST, 0] {
            assert_eq!(ends_code(broker, partition, which), OFFLINE, "{partition}");
        }
    }
}

#[test]
fn partitions_are_shared_out_and_stay_where_they_are() {
    let node = Node::new("directories-share");
    let (first, second) = (node.first.clone(), node.second.clone());
    // A shard shares its own out; several begin with different directories.
    let broker = node.start(&["--cores", "1"]);
    create(&broker, "t");
    let before = described(&broker, "t");
    let [a, b] = before.as_slice() else {
        panic!("{before:?}");
    };
    assert_eq!((a.0.as_str(), a.1), (first.to_str().unwrap(), 0));
    assert_eq!((b.0.as_str(), b.1), (second.to_str().unwrap(), 0));
    assert_eq!((a.2.len(), b.2.len()), (2, 2), "{before:?}");
    let (in_a, in_b) = (a.2[0], b.2[0]);
    assert_eq!(move_to(&broker, &first, in_a), 0);
    assert_eq!(move_to(&broker, &second, in_b), 0);
    assert_eq!(move_to(&broker, &first, in_b), 44, "POLICY_VIOLATION");
    assert_eq!(move_to(&broker, &second, in_a), 44);
    assert_eq!(move_to(&broker, &second, PARTITIONS), 3);
    assert_eq!(move_to(&broker, Path::new("/nowhere"), PARTITIONS), 57);
    produce(&broker, "t", 20);
    let written = read(&broker, "t");
    // Killed, and with another number of shards: every partition is found where it is.
    broker.kill();
    let broker = node.start(&[]);
    assert_eq!(read(&broker, "t"), written);
    assert_eq!(described(&broker, "t"), before);
    let (status, _) = broker.terminate();
    assert!(status.success());
    let broker = node.start(&["--cores", "1"]);
    assert_eq!(read(&broker, "t"), written);
    assert_eq!(described(&broker, "t"), before);
}

#[test]
fn a_directory_that_cannot_be_used_takes_its_partitions_and_gives_them_back_whole() {
    let node = Node::new("directories-lost");
    let broker = node.start(&[]);
    let topic = create(&broker, "t");
    let idle = create(&broker, "idle");
    produce(&broker, "t", 200);
    let written = read(&broker, "t");
    let before = described(&broker, "t");
    let (in_a, in_b) = (before[0].2.clone(), before[1].2.clone());
    let idle_in = described(&broker, "idle").into_iter().map(|it| it.2);
    let idle_in: Vec<Vec<i32>> = idle_in.collect();
    broker.kill();
    let troubles: [(&str, Replace); 3] = [
        ("not mounted", |path| fs::create_dir(path).unwrap()),
        ("a file", |path| fs::write(path, "x").unwrap()),
        ("damaged", |path| {
            fs::create_dir(path).unwrap();
            fs::write(path.join("meta"), "x").unwrap();
        }),
    ];
    for (index, (trouble, replace)) in troubles.into_iter().enumerate() {
        node.replace_second(replace);
        let broker = node.start(if index == 0 { &["--cores", "1"] } else { &[] });
        assert_out_of_service(&broker, topic, &in_b);
        for &partition in &in_a {
            let index = usize::try_from(partition).unwrap();
            let found = read_partition(&broker.bootstrap(), "t", partition);
            assert_eq!(found, written[index], "{trouble}: {partition}");
        }
        assert_leaderless(&broker, &in_b);
        assert_told_by_cli(&broker, &in_b);
        // Where nothing was written to it is known too.
        for (partitions, code) in idle_in.iter().zip([0, OFFLINE]) {
            for &partition in partitions {
                assert_eq!(fetch_code(&broker, idle, partition, 0), code, "{trouble}");
            }
        }
        let now = described(&broker, "t");
        assert_eq!((now[0].1, &now[0].2), (0, &in_a), "{trouble}");
        assert_eq!((now[1].1, now[1].2.len()), (OFFLINE, 0), "{trouble}");
        assert_eq!(move_to(&broker, &node.second, in_a[0]), OFFLINE);
        assert_eq!(move_to(&broker, &node.first, in_b[0]), OFFLINE);
        node.assert_told(&broker);
        // What is new goes where it can, and stays there.
        let name = format!("new-{index}");
        create(&broker, &name);
        produce(&broker, &name, 5);
        assert_eq!(described(&broker, &name)[0].2.len(), 4, "{trouble}");
        if index == 1 {
            broker.kill();
        } else {
            assert!(broker.terminate().0.success());
        }
        if index == 0 {
            assert_eq!(fs::read_dir(&node.second).unwrap().count(), 0);
        }
        node.restore_second();
    }
    let broker = node.start(&[]);
    assert_eq!(described(&broker, "t"), before);
    assert_eq!(read(&broker, "t"), written, "byte for byte");
    assert_leaderless(&broker, &[]);
    for index in 0..3 {
        let name = format!("new-{index}");
        assert_eq!(described(&broker, &name)[0].2.len(), 4);
        assert_eq!(read_partition(&broker.bootstrap(), &name, 0).len(), 5);
    }
    produce(&broker, "t", 1);
    assert_eq!(get(broker.admin(), "/healthz").0, 200);
}

/// The code of a produce request to one partition of `t`.
fn produce_code(caller: &mut Caller, partition: i32, value: &[u8]) -> i16 {
    let mut request = produce_request("t", value);
    request.topic_data[0].partition_data[0].index = partition;
    let answer = caller.call(&request, 9);
    answer.responses[0].partition_responses[0].error_code
}

#[test]
fn a_directory_that_fails_while_the_node_runs_takes_its_partitions_alone() {
    let node = Node::new("directories-fail");
    // One shard: the directory fails as a whole.
    let broker = node.start(&["--cores", "1"]);
    let topic = create(&broker, "t");
    produce(&broker, "t", 10);
    let before = described(&broker, "t");
    let (in_a, in_b) = (before[0].2.clone(), before[1].2.clone());
    let written = read(&broker, "t");
    // No log of it has files yet: the first one that is to be made cannot be.
    node.replace_second(|path| fs::write(path, "x").unwrap());
    let producer = Producer::new(&broker.bootstrap(), &[]);
    let large = vec![b'.'; 100_000];
    for number in 0..20 {
        for &partition in &in_a {
            producer.send("t", partition, number, &large);
        }
    }
    let reports = producer.flush();
    assert!(reports.iter().all(|report| report.place.is_some()));
    // What is in the journal is acknowledged: the first write to a file shows that it cannot be.
    let mut caller = Caller::new(broker.address(), "client");
    let deadline = Instant::now() + PATIENCE;
    while produce_code(&mut caller, in_b[0], &large) != OFFLINE {
        assert!(
            Instant::now() < deadline,
            "a directory that is none takes everything"
        );
    }
    assert_out_of_service(&broker, topic, &in_b);
    node.assert_told(&broker);
    for &partition in &in_a {
        let found = read_partition(&broker.bootstrap(), "t", partition);
        assert_eq!(found.len(), 30, "{partition}");
    }
    assert_leaderless(&broker, &in_b);
    assert_eq!(described(&broker, "t")[1].1, OFFLINE);
    create(&broker, "new");
    assert_eq!(described(&broker, "new")[0].2.len(), 4);
    assert!(broker.terminate().0.success(), "the node stops in order");
    node.restore_second();
    let broker = node.start(&[]);
    for (now, then) in read(&broker, "t").iter().zip(&written) {
        assert!(now.starts_with(then), "what was acknowledged is there");
    }
    assert_eq!(get(broker.admin(), "/healthz").0, 200);
}

#[test]
fn partitions_of_a_directory_that_is_not_named_or_named_twice_are_out_of_service() {
    let node = Node::new("directories-twice");
    let broker = node.start(&[]);
    let topic = create(&broker, "t");
    produce(&broker, "t", 3);
    let before = described(&broker, "t");
    let written = read(&broker, "t");
    broker.kill();
    let copy = node.scratch.path().join("copy");
    let paths = [&node.second, &copy];
    let copied = Command::new("cp").arg("-a").args(paths).status();
    assert!(copied.unwrap().success());
    let [first, second, copy] = [&node.first, &node.second, &copy].map(|path| path.display());
    let three = format!("data.dir={first},{second},{copy}");
    let broker = node.start(&["--set", &three]);
    assert_out_of_service(&broker, topic, &before[1].2);
    for &partition in &before[0].2 {
        let found = read_partition(&broker.bootstrap(), "t", partition);
        assert_eq!(found.len(), 3, "{partition}");
    }
    assert!(broker.terminate().0.success());
    let broker = node.start(&["--set", &format!("data.dir={first}")]);
    assert_out_of_service(&broker, topic, &before[1].2);
    let (status, page) = get(broker.admin(), "/healthz");
    assert_eq!(status, 503);
    assert!(page.starts_with("offline: missing: "), "{page}");
    assert!(broker.terminate().0.success());
    let broker = node.start(&[]);
    assert_eq!(read(&broker, "t"), written);
}

/// The code, and the topics that a group has offsets of.
fn committed(caller: &mut Caller, group: &str) -> (i16, Vec<String>) {
    let request = offset_fetch::Request {
        group_id: group.to_owned(),
        topics: None,
        ..offset_fetch::Request::default()
    };
    let answer = caller.call(&request, 7);
    let topics = answer.topics.into_iter().map(|topic| topic.name);
    (answer.error_code, topics.collect())
}

/// Some groups have no coordinator; a list is of all others.
fn assert_lost_alone(caller: &mut Caller, groups: &[String]) {
    let list = list_groups::Request::default();
    let deadline = Instant::now() + PATIENCE;
    let listed = loop {
        let answer = caller.call(&list, 4);
        if answer.error_code != ErrorCode::CoordinatorLoadInProgress.code() {
            assert_eq!(answer.error_code, 0);
            break answer.groups;
        }
        assert!(Instant::now() < deadline, "the coordinators do not load");
    };
    let listed: BTreeSet<String> = listed.into_iter().map(|group| group.group_id).collect();
    let count = listed.len();
    assert!((1..groups.len()).contains(&count), "{count} are listed");
    for group in groups {
        let code = if listed.contains(group) {
            ErrorCode::None
        } else {
            ErrorCode::NotCoordinator
        };
        assert_eq!(committed(caller, group).0, code.code(), "{group}");
        let request = describe_groups::Request {
            groups: vec![group.clone()],
            ..describe_groups::Request::default()
        };
        let described = caller.call(&request, 5).groups.remove(0);
        assert_eq!(described.error_code, code.code(), "{group}");
    }
}

#[test]
fn groups_of_a_lost_directory_come_back_without_the_topics_deleted_meanwhile() {
    let node = Node::new("directories-groups");
    let arguments = ["--cores", "1", "--set", "offsets.topic.num.partitions=4"];
    let broker = node.start(&arguments);
    for topic in ["t", "deleted", "kept"] {
        create(&broker, topic);
    }
    let mut caller = Caller::new(broker.address(), "client");
    await_coordinators(&mut caller);
    let groups: Vec<String> = (0..20).map(|number| format!("group-{number}")).collect();
    for group in &groups {
        for topic in ["t", "deleted", "kept"] {
            commit(&mut caller, group, topic, 0, 7);
        }
    }
    broker.kill();
    node.replace_second(|path| fs::create_dir(path).unwrap());
    let broker = node.start(&arguments);
    let delete = delete_topics::Request {
        topic_names: vec!["t".to_owned(), "deleted".to_owned()],
        timeout_ms: 30_000,
        ..delete_topics::Request::default()
    };
    let mut caller = Caller::new(broker.address(), "client");
    for deleted in caller.call(&delete, 5).responses {
        assert_eq!(deleted.error_code, 0);
    }
    // One is made again: a reader that went on where the old one was left would miss records.
    create(&broker, "t");
    assert_lost_alone(&mut caller, &groups);
    broker.kill();
    node.restore_second();
    let broker = node.start(&arguments);
    let mut caller = Caller::new(broker.address(), "client");
    await_coordinators(&mut caller);
    for group in &groups {
        let kept = (0, vec!["kept".to_owned()]);
        assert_eq!(committed(&mut caller, group), kept, "{group}");
    }
}

#[test]
fn without_its_first_directory_a_node_does_not_start_and_nothing_is_written() {
    let node = Node::new("directories-first");
    let broker = node.start(&[]);
    create(&broker, "t");
    broker.kill();
    let (first, second) = (node.first.display(), node.second.display());
    let refusal = |directories: String| {
        let set = format!("data.dir={directories}");
        let output = Command::new(env!("CARGO_BIN_EXE_riverrun"))
            .args(["dev", "--listen", "127.0.0.1:0", "--set", &set])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let turned = refusal(format!("{second},{first}"));
    assert!(turned.contains("must be named first"), "{turned}");
    let alone = refusal(second.to_string());
    assert!(alone.contains("is it the first?"), "{alone}");
    fs::rename(&node.first, node.away()).unwrap();
    let unmounted = refusal(format!("{first},{second}"));
    assert!(unmounted.contains("is its disk mounted"), "{unmounted}");
    assert_eq!(fs::read_dir(&node.first).unwrap().count(), 0);
    fs::remove_dir(&node.first).unwrap();
    fs::rename(node.away(), &node.first).unwrap();
    let broker = node.start(&[]);
    assert_eq!(described(&broker, "t")[0].1, 0);
}

//! Goes through everything this client can do, against a running broker, and says what it saw.
//!
//! `cargo run -p client --example against_broker -- HOST:PORT`; any wrong answer is a panic.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "an error ends the program, which is what it is for"
)]
#![expect(clippy::disallowed_methods, reason = "times what it does")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use client::admin::{
    Committed, ConfigChange, ConfigResource, Election, EntityFilter, LeavingMember, NewTopic,
    OffsetQuery, QuotaChange, QuotaEntity, Quotas,
};
use client::blocking::{Admin, Cluster, ClusterOptions, Consumer, GroupConsumer, Producer};
use client::consumer::{ConsumedRecord, ConsumerOptions, OutOfRange, Start};
use client::group::MemberOptions;
use client::producer::{Acks, Idempotence, Outcome, ProducerOptions};
use record::{Compression, Header, NewRecord};
use types::{Offset, TimestampMs};

const TOPIC: &str = "against-broker";
const COUNT: u64 = 20_000;

fn main() {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:9092".to_owned());
    let connect = || Cluster::connect(&[&address], ClusterOptions::default()).unwrap();
    let mut cluster = connect();
    println!(
        "cluster {:?}, {} brokers",
        cluster.metadata().cluster_id,
        cluster.metadata().brokers.len()
    );
    topics(&mut cluster);
    groups(&mut cluster);
    quotas(&mut cluster);
    brokers(&mut cluster);
    let codecs = [
        Compression::None,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ];
    for (round, compression) in (0..).zip(codecs) {
        produce(connect(), compression, Idempotence::On, round);
    }
    produce(connect(), Compression::None, Idempotence::Off, 5);
    consume(connect(), 6);
    members(&address, &mut cluster);
    starts(connect);
    out_of_range(connect());
    without_acks(connect());
    Admin::new(&mut cluster).delete_topics(&[TOPIC]).unwrap()[0]
        .1
        .clone()
        .unwrap();
    println!("all as it should be");
}

fn topics(cluster: &mut Cluster) {
    let mut admin = Admin::new(cluster);
    // Left behind by a run that failed.
    let _was_there = admin
        .delete_topics(&[TOPIC, "against-broker-acks"])
        .unwrap();
    let topic = NewTopic {
        name: TOPIC.to_owned(),
        partitions: Some(2),
        replication: None,
        configs: BTreeMap::from([("retention.ms".to_owned(), "123456789".to_owned())]),
    };
    eventually(|| {
        let created = admin.create_topics(std::slice::from_ref(&topic)).unwrap();
        let created = created[0].1.as_ref();
        created.is_ok_and(|created| created.partitions == Some(2))
    });
    let again = admin.create_topics(&[topic]).unwrap();
    println!("created again: {}", again[0].1.as_ref().unwrap_err());
    admin.widen_topic(TOPIC, 3).unwrap();
    println!("narrowed: {:?}", admin.widen_topic(TOPIC, 1).unwrap_err());
    let value = |admin: &mut Admin<'_>, name: &str| {
        let configs = admin.topic_configs(TOPIC).unwrap();
        configs
            .into_iter()
            .find(|config| config.name == name)
            .unwrap()
    };
    assert_eq!(
        value(&mut admin, "retention.ms").value.as_deref(),
        Some("123456789")
    );
    assert!(value(&mut admin, "retention.ms").is_own);
    let change = ConfigChange {
        name: "retention.ms".to_owned(),
        value: None,
    };
    admin.alter_topic_configs(TOPIC, &[change]).unwrap();
    eventually(|| !value(&mut admin, "retention.ms").is_own);
    let unknown = ConfigChange {
        name: "no.such".to_owned(),
        value: Some("1".to_owned()),
    };
    println!(
        "unknown key: {:?}",
        admin.alter_topic_configs(TOPIC, &[unknown]).unwrap_err()
    );
    println!(
        "unknown topic: {:?}",
        admin.topic_configs("no-such-topic").unwrap_err()
    );
    cluster.await_topic(TOPIC, false).unwrap();
    assert_eq!(cluster.metadata().topics[TOPIC].partitions.len(), 3);
    println!(
        "missing: {:?}",
        cluster.await_topic("no-such-topic", false).unwrap_err()
    );
}

/// A group that has offsets and no members.
fn groups(cluster: &mut Cluster) {
    const GROUP: &str = "against-broker-group";
    let mut admin = Admin::new(cluster);
    // Left behind by a run that failed.
    let _was_there = admin.delete_group(GROUP);
    println!("no group: {}", refusal(admin.describe_group(GROUP)));
    println!("no group: {}", refusal(admin.delete_group(GROUP)));
    let place = |partition| (TOPIC.to_owned(), partition);
    let committed = Committed {
        metadata: "beside".to_owned(),
        ..Committed::at(Offset::new(7).unwrap())
    };
    let offsets = BTreeMap::from([
        (place(0), committed.clone()),
        (place(1), Committed::at(Offset::ZERO)),
        (place(99), Committed::at(Offset::ZERO)),
    ]);
    let results = admin.commit_offsets(GROUP, &offsets).unwrap();
    assert_eq!(results[&place(0)], Ok(()));
    println!(
        "no partition: {}",
        results[&place(99)].as_ref().unwrap_err()
    );
    let found = admin.committed_offsets(GROUP).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[&place(0)], Ok(committed));
    let listed = admin.list_groups().unwrap();
    let listed = listed.iter().find(|group| group.id == GROUP).unwrap();
    println!("listed: {listed:?}");
    let described = admin.describe_group(GROUP).unwrap();
    println!("described: {described:?}");
    assert_eq!(described.members, []);
    let nobody = [
        LeavingMember::Id("nobody".to_owned()),
        LeavingMember::Instance("nobody".to_owned()),
    ];
    println!(
        "nobody: {:?}",
        admin.remove_members(GROUP, &nobody, "a try")
    );
    let results = admin.delete_offsets(GROUP, &[place(0), place(98)]).unwrap();
    println!("offsets deleted: {results:?}");
    assert_eq!(admin.committed_offsets(GROUP).unwrap().len(), 1);
    admin.delete_group(GROUP).unwrap();
    println!("no group: {}", refusal(admin.describe_group(GROUP)));
    assert!(admin.committed_offsets(GROUP).unwrap().is_empty());
    for group in admin.list_groups().unwrap() {
        let Ok(described) = admin.describe_group(&group.id) else {
            continue;
        };
        for member in &described.members {
            println!("{} has {}: {:?}", group.id, member.id, member.partitions());
        }
    }
}

/// Asks again while the order is on its way from the controller to the broker.
fn eventually(mut holds: impl FnMut() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < give_up, "not even after 10 s");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn refusal<T: std::fmt::Debug>(result: Result<T, client::Error>) -> client::BrokerError {
    match result.unwrap_err() {
        client::Error::Refused { refusal, .. } => refusal,
        other => panic!("{other}"),
    }
}

fn quotas(cluster: &mut Cluster) {
    let mut admin = Admin::new(cluster);
    let entity = QuotaEntity::from([("client-id".to_owned(), Some("against-broker".to_owned()))]);
    let name = EntityFilter::Name("against-broker".to_owned());
    let filters = BTreeMap::from([("client-id".to_owned(), name)]);
    let change = |value| QuotaChange {
        key: "producer_byte_rate".to_owned(),
        value,
    };
    admin.alter_quotas(&entity, &[change(Some(1e9))]).unwrap();
    let quotas = |admin: &mut Admin<'_>| admin.quotas(&filters).unwrap();
    let want = Quotas::from([("producer_byte_rate".to_owned(), 1e9)]);
    eventually(|| quotas(&mut admin) == [(entity.clone(), want.clone())]);
    admin.alter_quotas(&entity, &[change(None)]).unwrap();
    eventually(|| quotas(&mut admin).is_empty());
    let unknown = QuotaChange {
        key: "no_such".to_owned(),
        value: Some(1.0),
    };
    println!(
        "unknown quota: {}",
        refusal(admin.alter_quotas(&entity, &[unknown]))
    );
}

fn brokers(cluster: &mut Cluster) {
    let node = *cluster.metadata().brokers.keys().next().unwrap();
    let mut admin = Admin::new(cluster);
    for resource in [ConfigResource::Broker(node), ConfigResource::Brokers] {
        let change = |value: Option<&str>| ConfigChange {
            name: "log.retention.ms".to_owned(),
            value: value.map(str::to_owned),
        };
        let is_own = |admin: &mut Admin<'_>| {
            let configs = admin.configs(&resource).unwrap();
            configs
                .iter()
                .any(|it| it.name == "log.retention.ms" && it.is_own)
        };
        eventually(|| !is_own(&mut admin));
        admin
            .alter_configs(&resource, &[change(Some("86400000"))])
            .unwrap();
        eventually(|| is_own(&mut admin));
        admin.alter_configs(&resource, &[change(None)]).unwrap();
        eventually(|| !is_own(&mut admin));
    }
    let places = [
        (TOPIC.to_owned(), 0),
        (TOPIC.to_owned(), 9),
        ("no-such-topic".to_owned(), 0),
    ];
    println!(
        "elected: {:?}",
        admin
            .elect_leaders(Election::Preferred, Some(&places))
            .unwrap()
    );
    println!(
        "elected: {:?}",
        admin.elect_leaders(Election::Preferred, None).unwrap()
    );
    for query in [
        OffsetQuery::Beginning,
        OffsetQuery::End,
        OffsetQuery::Since(TimestampMs(0)),
    ] {
        println!("{query:?}: {:?}", admin.offsets(&places, query).unwrap());
    }
}

/// Records `round * COUNT ..` with keys; the value says the number, the header the round.
fn produce(cluster: Cluster, compression: Compression, idempotence: Idempotence, round: u64) {
    let options = ProducerOptions {
        compression,
        idempotence,
        ..ProducerOptions::default()
    };
    let mut producer = Producer::new(cluster, options);
    let start = Instant::now();
    let round_text = round.to_string();
    for number in round * COUNT..(round + 1) * COUNT {
        let key = number.to_string();
        let value = format!("{number:0>100}");
        let headers = [
            Header {
                key: b"round",
                value: Some(round_text.as_bytes()),
            },
            Header {
                key: b"null",
                value: None,
            },
        ];
        let record = NewRecord {
            timestamp: TimestampMs(1_600_000_000_000 + i64::try_from(number).unwrap()),
            key: Some(key.as_bytes()),
            value: Some(value.as_bytes()),
            headers: &headers,
        };
        producer.send_record((TOPIC, None), &record).unwrap();
    }
    producer.flush().unwrap();
    let mut delivered = 0;
    while let Some(outcome) = producer.next_outcome() {
        match outcome {
            Outcome::Delivered {
                records,
                base_offset,
                ..
            } => {
                assert!(base_offset.is_some());
                delivered += records.len();
            }
            Outcome::Failed { refusal, .. } => panic!("{refusal}"),
        }
    }
    assert_eq!(u64::try_from(delivered).unwrap(), COUNT);
    println!(
        "produced {COUNT} with {compression:?}, {idempotence:?} in {:?}",
        start.elapsed()
    );
}

fn all(consumer: &mut Consumer) -> Vec<ConsumedRecord> {
    let mut records = Vec::new();
    loop {
        match consumer.next_record(Duration::from_secs(5)).unwrap() {
            Some(record) => records.push(record),
            None if consumer.is_at_end() => return records,
            None => panic!("nothing came for 5 s"),
        }
    }
}

fn consume(cluster: Cluster, rounds: u64) {
    let start = Instant::now();
    let mut consumer = Consumer::new(cluster, ConsumerOptions::default());
    assert_eq!(
        consumer.assign_topic(TOPIC, Start::Beginning).unwrap(),
        [0, 1, 2]
    );
    let records = all(&mut consumer);
    println!("consumed {} in {:?}", records.len(), start.elapsed());
    assert_eq!(u64::try_from(records.len()).unwrap(), rounds * COUNT);
    let mut next: BTreeMap<i32, (Offset, u64)> = BTreeMap::new();
    for record in &records {
        let number: u64 = std::str::from_utf8(record.value.as_ref().unwrap())
            .unwrap()
            .parse()
            .unwrap();
        let key = record.key.as_ref().unwrap();
        assert_eq!(&key[..], number.to_string().as_bytes());
        assert_eq!(
            client::murmur2(key) % 0x8000_0000 % 3,
            record.partition.cast_unsigned()
        );
        assert_eq!(
            record.timestamp.0,
            1_600_000_000_000 + i64::try_from(number).unwrap()
        );
        assert_eq!(record.headers.len(), 2);
        assert_eq!(&record.headers[0].0[..], b"round");
        assert_eq!(
            record.headers[0].1.as_deref(),
            Some((number / COUNT).to_string().as_bytes())
        );
        assert_eq!(record.headers[1].1, None);
        if let Some((offset, before)) = next.insert(record.partition, (record.offset, number)) {
            assert_eq!(record.offset.get(), offset.get() + 1);
            assert!(number > before, "in order");
        } else {
            assert_eq!(record.offset, Offset::ZERO);
        }
    }
}

/// Members of a group share the topic, come and go, and read every record once.
fn members(address: &str, cluster: &mut Cluster) {
    const GROUP: &str = "against-broker-members";
    let _was_there = Admin::new(cluster).delete_group(GROUP);
    let join = || {
        let member = MemberOptions::new(GROUP, &[TOPIC]);
        let (options, start) = (ClusterOptions::default(), Start::Beginning);
        let reading = ConsumerOptions::default();
        GroupConsumer::connect(&[address], &options, member, reading, start).unwrap()
    };
    let start = Instant::now();
    let mut seen = BTreeSet::new();
    let mut take = |member: &mut GroupConsumer, count| {
        for _ in 0..count {
            let wait = Duration::from_millis(10);
            if let Some(record) = member.next_record(wait).unwrap() {
                let place = (record.partition, record.offset);
                assert!(seen.insert(place), "{place:?} is read twice");
            }
        }
        seen.len()
    };
    let mut alone = join();
    while take(&mut alone, 1) < 30_000 {}
    alone.commit().unwrap();
    assert_eq!(alone.places().len(), 3);
    take(&mut alone, 1000);
    alone.close().unwrap();
    println!("a member read and left: {:?}", start.elapsed());
    let (mut one, mut other) = (join(), join());
    while one.places().len() * other.places().len() != 2 {
        take(&mut one, 100);
        take(&mut other, 100);
    }
    println!("two members share: {:?}", start.elapsed());
    let described = Admin::new(cluster).describe_group(GROUP).unwrap();
    for member in &described.members {
        println!("{} has {:?}", member.id, member.partitions());
    }
    while take(&mut one, 100) + take(&mut other, 100) < 200_000 {}
    one.close().unwrap();
    while take(&mut other, 100) < 120_000 || other.places().len() < 3 {}
    other.close().unwrap();
    println!("all was read once: {:?}", start.elapsed());
    let mut admin = Admin::new(cluster);
    let committed = admin.committed_offsets(GROUP).unwrap().into_values();
    let committed = committed.map(|it| it.unwrap().offset.get());
    assert_eq!(committed.sum::<i64>(), 120_000);
    assert_eq!(admin.describe_group(GROUP).unwrap().members, []);
    admin.delete_group(GROUP).unwrap();
}

fn starts(connect: impl Fn() -> Cluster) {
    let read = |start| {
        let mut consumer = Consumer::new(connect(), ConsumerOptions::default());
        consumer.assign(TOPIC, 1, start).unwrap();
        all(&mut consumer)
    };
    let whole = read(Start::Beginning);
    assert!(read(Start::End).is_empty());
    let middle = &whole[whole.len() / 2];
    assert_eq!(read(Start::At(middle.offset))[0], *middle);
    assert_eq!(read(Start::Since(middle.timestamp))[0], *middle);
    assert!(
        read(Start::Since(TimestampMs(i64::MAX / 2))).is_empty(),
        "nothing is that young"
    );
    let mut consumer = Consumer::new(connect(), ConsumerOptions::default());
    println!(
        "no partition: {:?}",
        consumer.assign(TOPIC, 9, Start::End).unwrap_err()
    );
    println!("beginning, end, offset and time are found");
}

fn out_of_range(cluster: Cluster) {
    let beyond = Start::At(Offset::new(1 << 40).unwrap());
    let mut consumer = Consumer::new(cluster, ConsumerOptions::default());
    consumer.assign(TOPIC, 0, beyond).unwrap();
    println!(
        "out of range: {:?}",
        consumer.next_record(Duration::from_secs(5)).unwrap_err()
    );
    consumer.assign(TOPIC, 0, Start::Beginning).unwrap();
    assert_eq!(
        consumer
            .next_record(Duration::from_secs(5))
            .unwrap()
            .unwrap()
            .offset,
        Offset::ZERO
    );
    let options = ConsumerOptions {
        out_of_range: OutOfRange::Beginning,
        ..ConsumerOptions::default()
    };
    let address = {
        let endpoint = consumer
            .cluster()
            .metadata()
            .brokers
            .values()
            .next()
            .unwrap();
        format!("{}:{}", endpoint.host, endpoint.port)
    };
    let cluster = Cluster::connect(&[&address], ClusterOptions::default()).unwrap();
    let mut consumer = Consumer::new(cluster, options);
    consumer.assign(TOPIC, 0, beyond).unwrap();
    assert_eq!(
        consumer
            .next_record(Duration::from_secs(5))
            .unwrap()
            .unwrap()
            .offset,
        Offset::ZERO
    );
}

/// Records without keys or answers, into a topic that is created by asking.
fn without_acks(cluster: Cluster) {
    let options = ProducerOptions {
        acks: Acks::None,
        idempotence: Idempotence::Off,
        ..ProducerOptions::default()
    };
    let mut producer = Producer::new(cluster, options);
    for _ in 0..1000 {
        producer
            .send(("against-broker-acks", None), None, Some(&[b'x'; 100]), &[])
            .unwrap();
    }
    producer.flush().unwrap();
    let endpoint = producer
        .cluster()
        .metadata()
        .brokers
        .values()
        .next()
        .unwrap()
        .clone();
    let address = format!("{}:{}", endpoint.host, endpoint.port);
    let cluster = Cluster::connect(&[&address], ClusterOptions::default()).unwrap();
    let mut consumer = Consumer::new(cluster, ConsumerOptions::default());
    consumer
        .assign_topic("against-broker-acks", Start::Beginning)
        .unwrap();
    let mut records = Vec::new();
    let give_up = Instant::now() + Duration::from_secs(10);
    while records.len() < 1000 && Instant::now() < give_up {
        records.extend(consumer.next_record(Duration::from_millis(100)).unwrap());
    }
    assert_eq!(records.len(), 1000);
    assert!(records.iter().all(|record| record.key.is_none()));
    println!("without acks: all arrived");
    let results = Admin::new(producer.cluster())
        .delete_topics(&["against-broker-acks"])
        .unwrap();
    results[0].1.clone().unwrap();
}

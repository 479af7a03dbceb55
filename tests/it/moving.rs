//! Connections move to the shard that does their work: two cores, one partition, many requests.

use std::time::Instant;

use wire::messages::{heartbeat, join_group, sync_group};

use crate::admin::get;
use crate::support::coordinators::await_coordinators;
use crate::support::librdkafka::{PATIENCE, Producer, read_partition};
use crate::support::requests::{create_topic, fetch_request, produce_request};
use crate::support::{Broker, Caller, Scratch};

/// Connections that write to one partition: they are dealt out to both shards, so half must move.
const PRODUCERS: usize = 4;

/// Requests of each: more than a move takes.
const REQUESTS: usize = 200;

fn moved(broker: &Broker) -> f64 {
    let (status, page) = get(broker.admin(), "/metrics");
    assert_eq!(status, 200);
    page.lines()
        .filter(|line| line.starts_with("riverrun_connections_moved_total{"))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

#[test]
fn connections_move_to_their_partition_and_lose_nothing() {
    let scratch = Scratch::new("moving");
    let arguments = ["--admin", "127.0.0.1:0", "--cores", "2"];
    let broker = Broker::start_with(scratch.path(), &arguments);
    let bootstrap = broker.bootstrap();
    // A request for each record, five under way at a time.
    let settings = [("enable.idempotence", "true"), ("batch.num.messages", "1")];
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|_| Producer::new(&bootstrap, &settings))
        .collect();
    let mut sent = 0;
    let deadline = Instant::now() + PATIENCE;
    // A shard that is busy takes no connection: once more then, until it has time.
    while sent < REQUESTS || moved(&broker) < 1.0 {
        assert!(Instant::now() < deadline, "no connection moved");
        for request in sent..sent + REQUESTS {
            for (index, producer) in producers.iter().enumerate() {
                let number = request * PRODUCERS + index;
                producer.send("moving", 0, number, number.to_string().as_bytes());
            }
        }
        sent += REQUESTS;
        for producer in &producers {
            let delivered = producer.flush();
            assert!(delivered.iter().all(|it| it.place.is_some()));
        }
    }
    let values: Vec<String> = read_partition(&bootstrap, "moving", 0)
        .into_iter()
        .map(|record| String::from_utf8(record.value).unwrap())
        .collect();
    // An idempotent producer's records stand in its order, each once.
    for index in 0..PRODUCERS {
        let of_one: Vec<usize> = values
            .iter()
            .filter_map(|value| value.parse().ok())
            .filter(|number: &usize| number % PRODUCERS == index)
            .collect();
        let wanted: Vec<usize> = (0..sent).map(|it| it * PRODUCERS + index).collect();
        assert_eq!(of_one, wanted);
    }
    let (status, _) = broker.terminate();
    assert_eq!(status.code(), Some(0));
}

/// Joins a group of its own, which is stable then; returns a heartbeat of the member.
fn join(caller: &mut Caller, group: String) -> heartbeat::Request {
    let join = join_group::Request {
        group_id: group.clone(),
        session_timeout_ms: 30_000,
        rebalance_timeout_ms: 30_000,
        protocol_type: "consumer".to_owned(),
        protocols: vec![join_group::Protocol {
            name: "range".to_owned(),
            ..join_group::Protocol::default()
        }],
        ..join_group::Request::default()
    };
    // Before version 4 nobody is sent away for an id.
    let joined = caller.call(&join, 3);
    assert_eq!(joined.error_code, 0);
    let sync = sync_group::Request {
        group_id: group.clone(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        ..sync_group::Request::default()
    };
    assert_eq!(caller.call(&sync, 3).error_code, 0);
    heartbeat::Request {
        group_id: group,
        generation_id: joined.generation_id,
        member_id: joined.member_id,
        ..heartbeat::Request::default()
    }
}

#[test]
fn members_move_to_their_coordinator_with_their_first_heartbeat() {
    const MEMBERS: usize = 16;
    let scratch = Scratch::new("members-move");
    let mut arguments = vec!["--admin", "127.0.0.1:0", "--cores", "2"];
    arguments.extend(["--set", "group.initial.rebalance.delay.ms=0"]);
    let broker = Broker::start_with(scratch.path(), &arguments);
    await_coordinators(&mut Caller::new(broker.address(), "boss"));
    let deadline = Instant::now() + PATIENCE;
    let mut round = 0;
    // A busy shard takes none: then all begin anew.
    while moved(&broker) < 1.0 {
        assert!(Instant::now() < deadline, "no member moved");
        round += 1;
        let mut members: Vec<_> = (0..MEMBERS)
            .map(|member| {
                let mut caller = Caller::new(broker.address(), "member");
                let beat = join(&mut caller, format!("{round}-{member}"));
                (caller, beat)
            })
            .collect();
        assert!(moved(&broker) < 1.0, "one that has only joined has moved");
        // Two of each: 32 in a row would move everybody.
        for (caller, beat) in &mut members {
            for _ in 0..2 {
                assert_eq!(caller.call(beat, 3).error_code, 0);
            }
        }
    }
}

#[test]
fn a_connection_that_fetches_stays_where_its_session_is() {
    let scratch = Scratch::new("staying");
    let arguments = ["--admin", "127.0.0.1:0", "--cores", "2"];
    let broker = Broker::start_with(scratch.path(), &arguments);
    create_topic(&mut Caller::new(broker.address(), "boss"), "t", 1);
    // One on each shard, so that one of them is not where the partition is.
    let mut callers = ["a", "b"].map(|name| Caller::new(broker.address(), name));
    let (produce, fetch) = (produce_request("t", b"value"), fetch_request("t", 1));
    for _ in 0..REQUESTS {
        for caller in &mut callers {
            let produced = caller.call(&produce, 9);
            assert_eq!(produced.responses[0].partition_responses[0].error_code, 0);
            caller.call(&fetch, 11);
        }
    }
    assert!(moved(&broker) < 1.0, "one that fetches has moved");
    let deadline = Instant::now() + PATIENCE;
    while moved(&broker) < 1.0 {
        assert!(Instant::now() < deadline, "none that only writes moves");
        for caller in &mut callers {
            caller.call(&produce, 9);
        }
    }
}

//! Connections move to the shard that does their work: two cores, one partition, many requests.

use crate::admin::get;
use crate::support::librdkafka::{Producer, read_partition};
use crate::support::{Broker, Scratch};

/// Connections that write to one partition: they are dealt out to both shards, so half must move.
const PRODUCERS: usize = 4;

/// Requests of each, one after another: more than a move takes.
const REQUESTS: usize = 200;

fn moved(page: &str) -> f64 {
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
    let settings = [("enable.idempotence", "true"), ("linger.ms", "0")];
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|_| Producer::new(&bootstrap, &settings))
        .collect();
    for request in 0..REQUESTS {
        for (index, producer) in producers.iter().enumerate() {
            let number = request * PRODUCERS + index;
            producer.send("moving", 0, number, number.to_string().as_bytes());
        }
        // Each on its way before the next: batches would make few requests of many records.
        for producer in &producers {
            let delivered = producer.flush();
            assert!(
                delivered.iter().all(|it| it.place.is_some()),
                "{delivered:?}"
            );
        }
    }
    let (status, page) = get(broker.admin(), "/metrics");
    assert_eq!(status, 200);
    assert!(moved(&page) >= 1.0, "{page}");
    let values: Vec<String> = read_partition(&bootstrap, "moving", 0)
        .into_iter()
        .map(|record| String::from_utf8(record.value).unwrap())
        .collect();
    // No two requests of one producer were under way together, so that their order is known.
    for index in 0..PRODUCERS {
        let of_one: Vec<usize> = values
            .iter()
            .filter_map(|value| value.parse().ok())
            .filter(|number: &usize| number % PRODUCERS == index)
            .collect();
        let sent: Vec<usize> = (0..REQUESTS).map(|it| it * PRODUCERS + index).collect();
        assert_eq!(of_one, sent);
    }
    let (status, _) = broker.terminate();
    assert_eq!(status.code(), Some(0));
}

//! The admin port: metrics that Prometheus reads, health, readiness.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::support::librdkafka::Producer;
use crate::support::{Broker, Scratch};

pub(crate) fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("the admin port accepts");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
    let mut text = String::new();
    stream
        .read_to_string(&mut text)
        .expect("an answer, then the end");
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .expect("a status");
    let body = text
        .split_once("\r\n\r\n")
        .map(|(_, body)| body.to_owned())
        .unwrap_or_default();
    (status, body)
}

/// The value of the one sample whose line starts so.
pub(crate) fn sample(page: &str, start: &str) -> f64 {
    let line = page.lines().find(|line| line.starts_with(start));
    let line = line.unwrap_or_else(|| panic!("no sample {start} in:\n{page}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn metrics_tell_what_happened() {
    let scratch = Scratch::new("metrics");
    let broker = Broker::start_with(scratch.path(), &["--admin", "127.0.0.1:0"]);
    let producer = Producer::new(&broker.bootstrap(), &[]);
    for number in 0..100 {
        producer.send("counted", 0, number, b"hello");
    }
    producer.flush();
    let (status, page) = get(broker.admin(), "/metrics");
    assert_eq!(status, 200);
    assert!(sample(&page, "riverrun_requests_total{api=\"Produce\"}") >= 1.0);
    assert!(sample(&page, "riverrun_request_seconds_count{api=\"Produce\"}") >= 1.0);
    let watermark = "riverrun_high_watermark{topic=\"counted\",partition=\"0\"}";
    assert_eq!(sample(&page, watermark).to_bits(), 100_f64.to_bits());
    assert!(sample(&page, "riverrun_memory_resident_bytes") > 1e6);
    let rounds: f64 = page
        .lines()
        .filter(|line| line.starts_with("riverrun_journal_rounds_total{"))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum();
    assert!(rounds >= 1.0, "{page}");
    // Every sample belongs to a family that says its type.
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        let base = name
            .trim_end_matches("_bucket")
            .trim_end_matches("_sum")
            .trim_end_matches("_count");
        let typed = |family: &str| page.contains(&format!("# TYPE {family} "));
        assert!(typed(name) || typed(base), "{name} has no type");
    }
}

#[test]
fn health_and_readiness_are_told() {
    let scratch = Scratch::new("health");
    let broker = Broker::start_with(scratch.path(), &["--admin", "127.0.0.1:0"]);
    assert_eq!(get(broker.admin(), "/healthz"), (200, "ok\n".to_owned()));
    // Asking for metadata waits until the node is ready; then it says so.
    let producer = Producer::new(&broker.bootstrap(), &[]);
    producer.send("x", 0, 0, b"x");
    producer.flush();
    assert_eq!(get(broker.admin(), "/readyz").0, 200);
    assert_eq!(get(broker.admin(), "/nothing").0, 404);
}

//! The cluster, described and checked.

use serde_json::json;

use super::bench::{Bench, stderr};

#[test]
fn a_cluster_is_described_with_its_brokers_and_directories() {
    let bench = Bench::new("cli-cluster");
    bench.produce("t", b"one\n");
    let told = bench.json("cluster describe -o json");
    assert_eq!(told["controller"], 1);
    assert_eq!(told["brokers"][0]["id"], 1);
    assert_eq!(told["brokers"][0]["fenced"], false);
    let directory = &told["log_directories"][0];
    assert_eq!(directory["error"], json!(null));
    assert!(directory["logs"].as_u64() >= Some(1), "{directory}");
    let text = bench.printed("cluster describe");
    let id = told["id"].as_str().expect("a cluster has an id");
    assert!(
        text.starts_with(&format!("cluster {id}, controller 1\n")),
        "{text}"
    );
    assert!(text.contains(&bench.broker.bootstrap()), "{text}");
}

#[test]
fn a_cluster_is_healthy_until_a_partition_wants_more_replicas_than_it_has() {
    let bench = Bench::new("cli-health");
    bench.printed("topic create t -p 2");
    let text = bench.printed("cluster health");
    assert!(text.starts_with("healthy: 1 broker, "), "{text}");
    assert_eq!(bench.json("cluster health -o json")["healthy"], true);

    bench.printed("config set --topic t min.insync.replicas=2");
    let told = bench.run("cluster health -o json");
    assert_eq!(told.status.code(), Some(1));
    assert!(stderr(&told).contains("not healthy"), "{}", stderr(&told));
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told["healthy"], false);
    let problem =
        |partition| json!({"kind": "under_min_in_sync", "topic": "t", "partition": partition});
    assert_eq!(told["problems"], json!([problem(0), problem(1)]));
}

//! Configurations of a topic and of brokers, read and changed.

use serde_json::json;

use super::bench::Bench;

#[test]
fn configurations_of_a_topic_are_read_set_and_put_back() {
    let bench = Bench::new("cli-config-topic");
    bench.printed("topic create t");
    assert!(bench.printed("config get --topic t").contains("--all"));
    let told = bench.printed("config set --topic t retention.ms=60000 segment.ms=1000000");
    assert_eq!(told, "t: retention.ms = 60000\nt: segment.ms = 1000000\n");

    let text = bench.printed("config get --topic t");
    let rows: Vec<Vec<&str>> = (text.lines())
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows[0], ["key", "value", "from", "default"]);
    assert_eq!(rows[1], ["retention.ms", "60000", "topic", "604800000"]);
    assert_eq!(rows.len(), 3, "{text}");
    let one = bench.json("config get --topic t retention.ms -o json");
    assert_eq!(
        one,
        json!({
            "resource": "t",
            "configs": { "retention.ms": {
                "value": "60000",
                "source": "topic",
                "default": "604800000",
                "own": true,
                "read_only": false,
                "secret": false,
            } },
        })
    );

    let told = bench.json("config unset --topic t retention.ms segment.ms -o json");
    assert_eq!(told["configs"]["retention.ms"], json!(null));
    let all = bench.json("config get --topic t --all -o json");
    assert_eq!(all["configs"]["retention.ms"]["source"], "default");
}

#[test]
fn what_has_no_configurations_is_named() {
    let bench = Bench::new("cli-config-refused");
    bench.printed("topic create t");
    for (typed, want) in [
        ("config get --topic nope", "there is no topic nope"),
        (
            "config set --topic nope retention.ms=1",
            "there is no topic nope",
        ),
        ("config get --topic t nope", "t has no configuration nope"),
        ("config set --topic t nope=1", "nope"),
        ("config set --topic t retention.ms=soon", "retention.ms"),
        ("config unset --topic t nope", "t has no configuration nope"),
        ("topic alter t -u nope", "t has no configuration nope"),
        ("topic alter nope -u retention.ms", "there is no topic nope"),
        (
            "config unset --brokers nope",
            "broker 1 has no configuration nope",
        ),
        ("config get --broker 7", "no broker 7"),
        (
            "config get --brokers nope",
            "nope is not set for all brokers",
        ),
    ] {
        let told = bench.refused(typed);
        assert!(told.contains(want), "{typed}: {told}");
    }
    for typed in [
        "config get",
        "config set --topic t",
        "config get --topic t --brokers",
    ] {
        assert_eq!(bench.run(typed).status.code(), Some(2), "{typed}");
    }
}

#[test]
fn a_broker_tells_what_it_was_started_with() {
    let bench = Bench::new("cli-config-broker");
    let told = bench.json("config get --broker 1 -o json");
    let listen = &told["configs"]["listen"];
    assert_eq!(listen["source"], "file");
    assert_eq!(listen["default"], "127.0.0.1:9092");
    assert_eq!(
        bench.printed("config get --brokers"),
        "nothing is set for all brokers\n"
    );
}

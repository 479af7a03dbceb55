//! The life of a topic.

use serde_json::Value;

use super::bench::Bench;

#[test]
fn topics_are_created_listed_described_altered_and_deleted() {
    let bench = Bench::new("cli-topic");
    let told = bench.printed("topic list");
    assert!(told.contains("riverrun topic create"), "{told}");
    let created = bench.json("topic create t -p 3 -c retention.ms=60000 -o json");
    assert_eq!(
        (&created["name"], &created["partitions"]),
        (&"t".into(), &3.into())
    );
    assert!(bench.refused("topic create t").contains("already exists"));
    let listed = bench.json("topic list -o json");
    assert_eq!(listed[0]["name"], "t");
    assert_eq!(listed[0]["id"], created["id"]);

    bench.produce("t -p 1", b"a\nb\n");
    let described = bench.json("topic describe t -o json");
    let second = &described["partitions"][1];
    assert_eq!(
        (&second["first_offset"], &second["next_offset"]),
        (&0.into(), &2.into())
    );
    let retention = |described: &Value| described["configs"]["retention.ms"].clone();
    assert_eq!(
        retention(&described),
        serde_json::json!({"value": "60000", "own": true})
    );
    let text = bench.printed("topic describe t");
    assert!(
        text.contains("3 partitions") && text.contains("retention.ms = 60000"),
        "{text}"
    );

    bench.printed("topic alter t --unset retention.ms --config segment.ms=1000000 -p 5");
    let described = bench.json("topic describe t -o json");
    assert_eq!(retention(&described)["own"], false);
    assert_eq!(described["configs"]["segment.ms"]["value"], "1000000");
    assert_eq!(described["partitions"].as_array().map(Vec::len), Some(5));
    assert!(
        bench
            .refused("topic alter t -p 2")
            .contains("INVALID_PARTITIONS")
    );
    assert!(
        bench
            .refused("topic alter t -c no.such=1")
            .contains("no.such")
    );
    assert_eq!(bench.run("topic alter t").status.code(), Some(2));

    assert_eq!(bench.printed("topic delete t"), "deleted t\n");
    for typed in [
        "topic describe t",
        "topic delete t",
        "topic alter t -p 9",
        "consume t --exit",
    ] {
        let told = bench.refused(typed);
        assert!(told.contains("there is no topic t"), "{typed}: {told}");
    }
}

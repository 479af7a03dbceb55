//! Groups: consumers that share a topic, and what is asked and done about them.

use serde_json::{Value, json};

use super::bench::Bench;
use super::following::following;

/// Ten records in each of two partitions.
fn two_partitions(name: &str) -> Bench {
    let bench = Bench::new(name);
    bench.printed("topic create t -p 2");
    for partition in 0..2 {
        let lines: Vec<_> = (0..10)
            .map(|number| format!("{partition} {number}\n"))
            .collect();
        bench.produce(&format!("t -p {partition}"), lines.concat().as_bytes());
    }
    bench
}

fn committed(bench: &Bench, group: &str) -> Vec<Value> {
    let told = bench.json(&format!("group lag {group} -o json"));
    let partitions = told["partitions"].as_array().cloned().unwrap_or_default();
    partitions
        .into_iter()
        .map(|row| row["committed"].clone())
        .collect()
}

#[test]
fn a_group_goes_on_where_it_stopped() {
    let bench = two_partitions("cli-group-resume");
    let first = String::from_utf8(bench.consumed("t --group g -n 7")).unwrap();
    assert_eq!(first.lines().count(), 7, "{first}");
    let rest = String::from_utf8(bench.consumed("t --group g")).unwrap();
    assert_eq!(rest.lines().count(), 13, "{rest}");
    assert_eq!(committed(&bench, "g"), [10, 10]);
    assert_eq!(bench.consumed("t --group g"), b"");
    assert_eq!(bench.consumed("t --group late -o end"), b"");
    let told = bench.refused("consume t --group g -o 5");
    assert!(told.contains("riverrun group reset g"), "{told}");
    assert_eq!(bench.run("consume t --group g -p 1").status.code(), Some(2));
}

#[test]
fn ctrl_c_commits_what_was_printed_and_leaves() {
    let bench = two_partitions("cli-group-ctrl-c");
    let mut reading = following(&bench, "t --group g");
    for _ in 0..20 {
        reading.line();
    }
    reading.interrupt();
    assert_eq!(committed(&bench, "g"), [10, 10]);
    assert_eq!(bench.json("group describe g -o json")["state"], "Empty");
}

#[test]
fn an_active_group_names_its_members_and_is_left_alone() {
    let bench = two_partitions("cli-group-active");
    let mut reading = following(&bench, "t --group g");
    reading.line();
    let described = bench.json("group describe g -o json");
    let member = &described["members"][0];
    assert_eq!(member["client_id"], "riverrun");
    assert_eq!(member["partitions"].as_array().map(Vec::len), Some(2));
    let id = member["id"].as_str().expect("a member has an id");
    for typed in [
        "group reset g --all-topics --to-earliest",
        "group reset g --topic t --to-earliest --execute",
        "group delete g",
    ] {
        let told = bench.refused(typed);
        let named = told.contains("riverrun at 127.0.0.1") && told.contains(id);
        assert!(named, "{typed}: {told}");
    }
    for _ in 1..20 {
        reading.line();
    }
    reading.interrupt();
    assert_eq!(bench.printed("group delete g"), "deleted g\n");
    for typed in ["group describe g", "group lag g", "group delete g"] {
        let told = bench.refused(typed);
        assert!(told.contains("there is no group g"), "{typed}: {told}");
    }
}

#[test]
fn lag_is_told_in_records_and_in_seconds() {
    let bench = Bench::new("cli-group-lag");
    // From the year 2026 on, one a second.
    let stamped = |number: i64| {
        let time = 1_767_225_600_000 + number * 1000;
        format!("{{\"value\":\"{number}\",\"timestamp\":{time}}}\n")
    };
    let input: String = (0..10).map(stamped).collect();
    bench.produce("t -f json", input.as_bytes());
    bench.printed("group reset g --topic t --to-offset 4 --execute");
    let told = bench.json("group lag g -o json");
    assert_eq!((&told["lag"], &told["state"]), (&json!(6), &json!("Empty")));
    let waits = told["lag_seconds"]
        .as_f64()
        .expect("there is something to read");
    bench.printed("group reset g --topic t --to-offset 7 --execute");
    let later = bench.json("group lag g -o json")["lag_seconds"].as_f64();
    // The fourth record is three seconds older than the seventh, and a test does not take an hour.
    let difference = waits - later.expect("there is something to read");
    assert!(difference > -3600.0 && difference <= 3.0, "{difference}");

    bench.printed("group reset g --topic t --to-latest --execute");
    let told = bench.json("group lag g -o json");
    assert_eq!(
        (&told["lag"], &told["lag_seconds"]),
        (&json!(0), &json!(0.0))
    );
    let listed = bench.json("group list -o json");
    assert_eq!(
        (&listed[0]["group"], &listed[0]["state"]),
        (&json!("g"), &json!("Empty"))
    );
}

#[test]
fn a_reset_is_shown_first_and_done_if_asked() {
    let bench = two_partitions("cli-group-reset");
    let text = bench.printed("group reset g --topic t --to-offset 3");
    assert!(
        text.ends_with("nothing is changed yet; to do it, add --execute\n"),
        "{text}"
    );
    assert!(bench.refused("group lag g").contains("there is no group g"));
    assert!(
        bench
            .refused("group reset g --all-topics --to-latest")
            .contains("--topic")
    );

    for (typed, want) in [
        ("--topic t --to-offset 3", [3, 3]),
        ("--topic t:1 --to-latest", [3, 10]),
        ("--all-topics --shift-by 2", [5, 10]),
        ("--all-topics --shift-by -4", [1, 6]),
        ("--topic t:0 --to-datetime 2000-01-01T00:00:00Z", [0, 6]),
        ("--topic t:0 --to-timestamp 9999999999999", [10, 6]),
        ("--topic t --by-duration 1d", [0, 0]),
        ("--topic t --to-offset 99", [10, 10]),
        ("--all-topics --to-earliest", [0, 0]),
    ] {
        let told = bench.json(&format!("group reset g {typed} --execute -o json"));
        assert_eq!(told["executed"], true);
        assert_eq!(committed(&bench, "g"), want, "{typed}");
    }
    for (typed, want) in [
        ("--topic nope --to-latest", "there is no topic nope"),
        ("--topic t:2 --to-latest", "no partition 2"),
    ] {
        let told = bench.refused(&format!("group reset g {typed}"));
        assert!(told.contains(want), "{typed}: {told}");
    }
    assert_eq!(bench.run("group reset g --topic t").status.code(), Some(2));
}

//! What goes in comes out: bytes, keys, headers, and a word about what cannot go in.

use std::io::Write as _;

use super::bench::{Bench, refusal};
use crate::support::librdkafka::Producer;

/// Text with every kind of line: empty, long, not UTF-8, with carriage returns and zeros.
fn awkward_text() -> Vec<u8> {
    let mut text = b"\n\nfirst\r\n\0\n\xff\xfe\n".to_vec();
    for number in 0..20_000_u32 {
        let length = usize::try_from(number % 97).unwrap();
        writeln!(text, "{number} {}", "x".repeat(length)).unwrap();
    }
    text.extend(vec![b'y'; 600_000]);
    text.extend(b"\n\n");
    text
}

#[test]
fn a_file_comes_back_byte_for_byte() {
    let bench = Bench::new("cli-file");
    let text = awkward_text();
    let file = bench.scratch.path().join("text");
    std::fs::write(&file, &text).unwrap();
    let file = file.to_str().unwrap();
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let told = bench.json(&format!("produce {codec} --from {file} -z {codec} -o json"));
        let lines = text.split(|&byte| byte == b'\n').count() - 1;
        assert_eq!(told["records"], lines, "{codec}");
        assert_eq!(told["bytes"], text.len());
        assert_eq!(told["partitions"][0]["last_offset"], lines - 1);
        assert!(
            bench.consumed(codec) == text,
            "{codec}: other bytes came back"
        );
    }
}

#[test]
fn a_missing_last_newline_is_added_and_nothing_else() {
    let bench = Bench::new("cli-newline");
    bench.produce("t", b"");
    bench.produce("t", b"one\n\ntwo");
    assert_eq!(bench.consumed("t"), b"one\n\ntwo\n");
}

#[test]
fn keys_choose_partitions_and_are_printed() {
    let bench = Bench::new("cli-keys");
    bench.printed("topic create t --partitions 8");
    bench.produce("t -K =>", b"a=>1\nb=>2\na=>3=>4\nno key\n");
    let records = bench.records("t");
    let place = |key: &str| {
        let of_key = records.iter().filter(|record| record["key"] == key);
        let mut places: Vec<_> = of_key.map(|record| record["partition"].clone()).collect();
        places.dedup();
        places
    };
    assert_eq!(place("a").len(), 1, "{records:?}");
    assert!(
        records
            .iter()
            .any(|record| record["key"].is_null() && record["value"] == "no key")
    );
    let mut lines: Vec<_> = bench
        .printed("consume t --exit -K :")
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort();
    assert_eq!(lines, [":no key", "a:1", "a:3=>4", "b:2"]);
}

#[test]
fn json_carries_keys_headers_nulls_and_bytes() {
    let bench = Bench::new("cli-json");
    let input = r#"{"key":"k","value":"v","headers":[{"key":"h","value":"1"},{"key":"h","value":null}],"timestamp":1767225600000}
{"key_base64":"/w==","value_base64":"AAH/"}
{"key":null}
{}
"#;
    bench.produce("t -f json -H added=x=y", input.as_bytes());
    let records = bench.records("t");
    let added = serde_json::json!({"key": "added", "value": "x=y"});
    assert_eq!(records[0]["key"], "k");
    assert_eq!(records[0]["timestamp"], 1_767_225_600_000_i64);
    let headers = serde_json::json!([{"key":"h","value":"1"}, {"key":"h","value":null}, added]);
    assert_eq!(records[0]["headers"], headers);
    assert_eq!(records[1]["key_base64"], "/w==");
    assert_eq!(records[1]["value_base64"], "AAH/");
    assert!(records[1].get("value").is_none());
    assert!(records[2]["key"].is_null() && records[2]["value"].is_null());
    assert_eq!(records[3]["headers"], serde_json::json!([added]));

    // What was printed can be produced again, and is the same but for where it lies.
    let printed = bench.consumed("t -f json");
    bench.produce("copy -f json", &printed);
    let mut copies = bench.records("copy");
    for copy in &mut copies {
        copy["topic"] = "t".into();
    }
    assert_eq!(copies, records);
}

#[test]
fn a_line_that_cannot_be_a_record_is_named() {
    let bench = Bench::new("cli-line");
    bench.printed("topic create t --config max.message.bytes=2000");
    let long = "x".repeat(3000);
    let told = refusal(&bench.fed("produce t", format!("one\ntwo\n{long}\nfour\n").as_bytes()));
    for want in [
        "line 3:",
        "3000",
        "2000",
        "max.message.bytes",
        "2 records written",
    ] {
        assert!(told.contains(want), "{want} in {told}");
    }
    // How small compression makes it only the broker finds out: bytes that zstd cannot shrink.
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'!' + u8::try_from((state >> 24) % 90).unwrap())
    };
    let incompressible: String = (0..4000).map(|_| noise()).collect();
    let input = format!("three\n{long}\n{incompressible}\nsix\n");
    let told = refusal(&bench.fed("produce t -z zstd", input.as_bytes()));
    for want in ["line 3:", "MESSAGE_TOO_LARGE", "max.message.bytes"] {
        assert!(told.contains(want), "{want} in {told}");
    }
    let text = String::from_utf8(bench.consumed("t")).unwrap();
    assert!(
        text.starts_with(&format!("one\ntwo\nthree\n{long}\n")),
        "{text}"
    );
    assert!(!text.contains(&incompressible));

    let told = refusal(&bench.fed("produce t -f json", b"{\"value\":\"a\"}\nhello\n"));
    assert!(
        told.contains("line 2:") && told.contains("1 record written"),
        "{told}"
    );
}

#[test]
fn what_other_clients_wrote_is_read() {
    let bench = Bench::new("cli-others");
    let producer = Producer::new(&bench.broker.bootstrap(), &[("compression.type", "zstd")]);
    for number in 0..1000 {
        producer.send("t", 0, number, number.to_string().as_bytes());
    }
    producer.flush();
    let text = String::from_utf8(bench.consumed("t")).unwrap();
    let numbers = text.lines().map(|line| line.parse::<usize>().unwrap());
    assert!(numbers.eq(0..1000), "{text}");
}

//! The process as its operator meets it: messages, exit codes, signals, locks.

use std::process::{Command, Output};

use crate::support::{Broker, Scratch};

fn riverrun(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_riverrun"))
        .args(arguments)
        .output()
        .expect("the built binary runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("messages are UTF-8")
}

#[test]
fn a_taken_port_says_by_whom_and_what_to_do() {
    let (first, second) = (Scratch::new("port-a"), Scratch::new("port-b"));
    let broker = Broker::start(first.path());
    let data = second.path().to_str().unwrap();
    let output = riverrun(&["dev", "--listen", &broker.bootstrap(), "--data", data]);
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    let owner = format!("riverrun (process {})", broker.pid());
    assert!(message.contains(&owner), "{message}");
    assert!(message.contains("--listen"), "{message}");
    assert_eq!(message.trim().lines().count(), 1, "{message}");
}

#[test]
fn a_data_directory_belongs_to_one_process() {
    let scratch = Scratch::new("lock");
    let broker = Broker::start(scratch.path());
    let data = scratch.path().to_str().unwrap();
    let output = riverrun(&["dev", "--listen", "127.0.0.1:0", "--data", data]);
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert!(
        message.contains(&format!("in use by process {}", broker.pid())),
        "{message}"
    );
}

#[test]
fn sigterm_ends_with_zero_and_a_clean_marker() {
    let scratch = Scratch::new("sigterm");
    let broker = Broker::start(scratch.path());
    let (status, _) = broker.terminate();
    assert_eq!(status.code(), Some(0));
    // The next start finds everything closed, and ends as well.
    let (status, _) = Broker::start(scratch.path()).terminate();
    assert_eq!(status.code(), Some(0));
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_name() {
    let scratch = Scratch::new("key");
    let data = scratch.path().to_str().unwrap();
    let output = riverrun(&["dev", "--data", data, "--set", "num.partition=3"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("did you mean num.partitions?"),
        "{}",
        stderr(&output)
    );

    let file = scratch.path().join("node.toml");
    std::fs::write(&file, "node.id = 1\nlisten.on = \"127.0.0.1:0\"\n").unwrap();
    let output = riverrun(&["serve", "--config", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("line 2"), "{}", stderr(&output));
}

#[test]
fn every_key_explains_itself() {
    let output = riverrun(&["config", "explain", "journal.max.bytes"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("67108864") && text.contains("bytes"),
        "{text}"
    );
    assert_eq!(
        riverrun(&["config", "explain", "nonsense"]).status.code(),
        Some(1)
    );
}

#[test]
fn the_doctor_checks_and_measures() {
    let scratch = Scratch::new("doctor");
    let data = scratch.path().to_str().unwrap();
    let data = format!("{data}/a,{data}/b");
    let output = riverrun(&["doctor", "--data", &data, "--output", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    for wanted in [
        "io_uring",
        "write and sync 4 KiB",
        "loopback round trip",
        "p99_us",
    ] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
    assert_eq!(text.matches("direct I/O").count(), 2, "one each: {text}");
    let left = std::fs::read_dir(scratch.path()).unwrap().count();
    assert_eq!(left, 0, "it leaves nothing behind");
}

#[test]
fn the_doctor_tells_what_is_well_beside_what_is_not() {
    let scratch = Scratch::new("doctor-unfit");
    let data = scratch.path().join("a/b");
    let data = format!("/proc/riverrun/a,{}", data.display());
    let output = riverrun(&["doctor", "--data", &data, "--output", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("cannot run a node yet"));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = told["checks"].as_array().unwrap();
    let unmade = checks
        .iter()
        .find(|check| check["name"] == "data directory");
    let unmade = unmade.expect("the directory that cannot be made is told");
    assert_eq!(unmade["ok"], false);
    assert!(unmade["fix"].is_string(), "{unmade}");
    assert!(checks.iter().any(|check| check["name"] == "direct I/O"));
    assert_eq!(told["measured"].as_array().map(Vec::len), Some(2), "{told}");
    assert!(!scratch.path().join("a").exists());
}

#[test]
fn what_cannot_be_listened_on_is_named_by_its_option() {
    let scratch = Scratch::new("listen-refused");
    let data = scratch.path().join("data");
    let data = data.to_str().unwrap();
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = held.local_addr().unwrap().to_string();
    let file = scratch.path().join("node.toml");
    let text = format!("listen = \"{taken}\"\ndata.dir = \"{data}-two,/proc\"\n");
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let dev = ["dev", "--data", data, "--listen", "127.0.0.1:0"];
    for (command, more, want) in [
        (
            &dev[..],
            ["--admin", &taken],
            "elsewhere: --admin 127.0.0.1:",
        ),
        (
            &dev[..3],
            ["--listen", &taken],
            "elsewhere: --listen 127.0.0.1:",
        ),
        (
            &["serve"],
            ["--config", file],
            "elsewhere: --set listen=127.0.0.1:",
        ),
        (
            &dev[..],
            ["--set", "tcp.congestion=nope"],
            "tcp.congestion = nope: ",
        ),
    ] {
        let output = riverrun(&[command, &more].concat());
        assert_eq!(output.status.code(), Some(1));
        let told = stderr(&output);
        assert!(told.contains(want), "{want} in {told}");
        // Of the second directory of the file the log warns.
        assert_eq!(
            command == ["serve"],
            told.contains("cannot be used"),
            "{told}"
        );
        assert!(!told.contains('\u{1b}'), "no colours in a file: {told:?}");
    }
    drop(held);
}

#[test]
fn data_of_a_newer_release_is_refused_and_left_alone() {
    let scratch = Scratch::new("newer");
    Broker::start(scratch.path()).terminate();
    let meta = scratch.path().join("meta");
    let mut bytes = std::fs::read(&meta).unwrap();
    let before = bytes.clone();
    // The version follows the magic of eight bytes (docs/formats/data_directory.md).
    bytes[8] = 0xff;
    std::fs::write(&meta, &bytes).unwrap();
    let data = scratch.path().to_str().unwrap();
    let output = riverrun(&["dev", "--listen", "127.0.0.1:0", "--data", data]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("format version"),
        "{}",
        stderr(&output)
    );
    assert_eq!(std::fs::read(&meta).unwrap(), bytes, "nothing was written");
    std::fs::write(&meta, &before).unwrap();
    Broker::start(scratch.path()).terminate();
}

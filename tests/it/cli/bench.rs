//! A broker, and commands typed at it.

use std::io::Write as _;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;

use serde_json::Value;

use crate::support::librdkafka::PATIENCE;
use crate::support::{Broker, Port, Scratch};

/// A broker, and the commands that are typed at it.
pub(super) struct Bench {
    pub(super) scratch: Scratch,
    pub(super) broker: Broker,
}

impl Bench {
    pub(super) fn new(name: &str) -> Self {
        Self::at(&Port::reserve(), name)
    }

    pub(super) fn at(port: &Port, name: &str) -> Self {
        let scratch = Scratch::new(name);
        let data = scratch.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let broker = Broker::start_at(port, &data, &[]);
        Self { scratch, broker }
    }

    /// Words, cut at blanks, followed by the broker's address.
    pub(super) fn command(&self, typed: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_riverrun"));
        command
            .args(typed.split_whitespace())
            .args(["-b", &self.broker.bootstrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(super) fn run(&self, typed: &str) -> Output {
        self.command(typed).output().expect("the built binary runs")
    }

    /// Runs a command that must succeed, and returns what it printed.
    pub(super) fn printed(&self, typed: &str) -> String {
        let output = self.run(typed);
        assert!(output.status.success(), "{typed}: {}", stderr(&output));
        String::from_utf8(output.stdout).expect("it prints UTF-8")
    }

    pub(super) fn json(&self, typed: &str) -> Value {
        serde_json::from_str(&self.printed(typed)).expect("one document")
    }

    /// Runs a command that must fail with one line, and returns the line.
    pub(super) fn refused(&self, typed: &str) -> String {
        refusal(&self.run(typed))
    }

    /// Runs a command with these bytes as its input.
    pub(super) fn fed(&self, typed: &str, input: &[u8]) -> Output {
        let mut child = self.command(typed).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().expect("stdin is piped");
        // A command that has failed reads no further.
        let _closed_early = stdin.write_all(input);
        drop(stdin);
        child.wait_with_output().unwrap()
    }

    pub(super) fn produce(&self, typed: &str, input: &[u8]) {
        let output = self.fed(&format!("produce {typed}"), input);
        assert!(output.status.success(), "{typed}: {}", stderr(&output));
    }

    /// What there is in a topic now.
    pub(super) fn consumed(&self, typed: &str) -> Vec<u8> {
        let output = self.run(&format!("consume --exit {typed}"));
        assert!(output.status.success(), "{typed}: {}", stderr(&output));
        output.stdout
    }

    /// The same as JSON.
    pub(super) fn records(&self, typed: &str) -> Vec<Value> {
        let text = String::from_utf8(self.consumed(&format!("{typed} -f json"))).unwrap();
        let records = text.lines().map(serde_json::from_str);
        records.collect::<Result<_, _>>().unwrap()
    }
}

pub(super) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("messages are UTF-8")
}

pub(super) fn refusal(output: &Output) -> String {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

pub(super) fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args([name, &pid]).status().unwrap();
    assert!(sent.success(), "{name} to {pid}");
}

/// Waits for a process, and fails the test if it does not end.
pub(super) fn ended(mut child: Child) -> ExitStatus {
    let (sender, receiver) = mpsc::channel();
    let pid = child.id().to_string();
    let waiter = std::thread::Builder::new().spawn(move || sender.send(child.wait().unwrap()));
    let Ok(status) = receiver.recv_timeout(PATIENCE) else {
        let _ended_since = Command::new("kill").args(["-KILL", &pid]).status();
        panic!("process {pid} does not end");
    };
    waiter.unwrap().join().unwrap().unwrap();
    status
}

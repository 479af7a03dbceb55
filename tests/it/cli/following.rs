//! A `consume` that waits for more.

use std::io::{BufRead as _, BufReader};
use std::process::Child;
use std::sync::mpsc;

use super::bench::{Bench, ended, signal};
use crate::support::librdkafka::PATIENCE;

/// A `consume` that waits for more.
pub(super) struct Following {
    pub(super) child: Child,
    lines: mpsc::Receiver<String>,
}

/// Starts to follow a topic, which must be there.
pub(super) fn following(bench: &Bench, typed: &str) -> Following {
    let mut child = bench.command(&format!("consume {typed}")).spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
    let (sender, lines) = mpsc::channel();
    let reader = std::thread::Builder::new();
    let forward = move || {
        stdout
            .lines()
            .try_for_each(|line| sender.send(line.unwrap()))
    };
    reader.spawn(forward).expect("a thread can be had");
    Following { child, lines }
}

impl Following {
    pub(super) fn line(&mut self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line comes")
    }

    /// Ctrl-C: ends cleanly, with nothing left to print.
    pub(super) fn interrupt(self) {
        signal(&self.child, "-INT");
        assert_eq!(ended(self.child).code(), Some(0));
        assert_eq!(self.lines.recv(), Err(mpsc::RecvError));
    }
}

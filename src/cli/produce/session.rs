//! Carries lines to a topic and keeps count.

use std::collections::VecDeque;
use std::time::Duration;

use client::Error;
use client::blocking::Producer;
use record::{Header, NewRecord};
use types::{ByteCount, Monotonic, TimestampMs};

use super::blocks::{Arrived, Blocks};
use super::written::Written;
use crate::cli::args::{Produce, RecordFormat};
use crate::cli::failure::Failure;
use crate::cli::interrupt::Interrupt;
use crate::cli::json_record;
use crate::cli::progress::Progress;

/// How often signals are looked at while nothing happens.
const IDLE_WAIT: Duration = Duration::from_millis(100);

/// How long input is waited for while answers are.
const BUSY_WAIT: Duration = Duration::from_millis(1);

/// Blocks whose records are under way; more wait, so that signals are still looked at.
const BLOCKS_UNDER_WAY_MAX: usize = 64;

/// Without an answer for so long, the user is told.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// How long answers are waited for after a signal.
const INTERRUPTED_WAIT_MAX: Duration = Duration::from_secs(2);

/// The user wants no more.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(super) struct Stopped;

/// Lines on their way to a topic.
pub(super) struct Session<'a> {
    args: &'a Produce,
    interrupt: &'a Interrupt,
    producer: Producer,
    /// The most that a batch of the topic may have, if the broker told.
    batch_size_max: Option<ByteCount>,
    /// Those that every record gets.
    headers: Vec<Header<'a>>,
    progress: Progress,
    written: Written,
    pushed: u64,
    /// What was taken from the input.
    bytes: ByteCount,
    /// For each block under way: how many records had been pushed behind its last.
    under_way: VecDeque<u64>,
    heard: Monotonic,
    silence_told: bool,
}

impl<'a> Session<'a> {
    /// Begins.
    pub(super) fn new(
        (args, interrupt): (&'a Produce, &'a Interrupt),
        mut producer: Producer,
        batch_size_max: Option<ByteCount>,
        progress: Progress,
    ) -> Self {
        let headers = args.headers.iter().map(|header| Header {
            key: header.key.as_bytes(),
            value: Some(header.value.as_bytes()),
        });
        let heard = producer.cluster().now();
        Self {
            args,
            interrupt,
            headers: headers.collect(),
            producer,
            batch_size_max,
            progress,
            written: Written::default(),
            pushed: 0,
            bytes: ByteCount::ZERO,
            under_way: VecDeque::new(),
            heard,
            silence_told: false,
        }
    }

    /// Carries everything there is, until the end, a failure or a signal.
    ///
    /// *Errors*: what is wrong with the input; refused records are told at the end.
    pub(super) fn carry(&mut self, blocks: &Blocks) -> Result<(), Failure> {
        while self.written.refused.is_none() {
            self.check_wanted()?;
            if self.under_way.len() >= BLOCKS_UNDER_WAY_MAX {
                self.tend(IDLE_WAIT)?;
                continue;
            }
            let wait = if self.under_way.is_empty() {
                IDLE_WAIT
            } else {
                BUSY_WAIT
            };
            match blocks.next(wait).map_err(|fault| self.at_line(fault))? {
                Arrived::Block(block) => self.push(&block)?,
                Arrived::Nothing => {}
                Arrived::End => return Ok(()),
            }
            if !self.under_way.is_empty() {
                self.tend(Duration::ZERO)?;
            }
        }
        Ok(())
    }

    /// Waits until every record that was pushed has its outcome; not for long after a signal, of
    /// which a second ends the process.
    pub(super) fn settle(&mut self) -> Result<(), Failure> {
        let mut give_up = None;
        while self.written.settled < self.pushed {
            if self.interrupt.is_asked() {
                let now = self.producer.cluster().now();
                if now >= *give_up.get_or_insert_with(|| now.after(INTERRUPTED_WAIT_MAX)) {
                    return Err(Stopped.into());
                }
            }
            self.tend(IDLE_WAIT)?;
        }
        Ok(())
    }

    /// Returns how many records were sent, or are about to be.
    pub(super) fn pushed(&self) -> u64 {
        self.pushed
    }

    fn check_wanted(&self) -> Result<(), Stopped> {
        if self.interrupt.is_asked() {
            return Err(Stopped);
        }
        Ok(())
    }

    /// Ends: wipes the bar, and gives what became of how many bytes after how long.
    pub(super) fn finish(mut self, started: Monotonic) -> (Written, ByteCount, Duration) {
        let took = self.producer.cluster().now().since(started);
        (self.written, self.bytes, took)
    }

    /// Carries requests and answers, and counts the outcomes.
    fn tend(&mut self, wait: Duration) -> Result<(), Failure> {
        self.producer.poll(wait)?;
        let now = self.producer.cluster().now();
        while let Some(outcome) = self.producer.next_outcome() {
            self.written.count(outcome);
            self.heard = now;
            self.silence_told = false;
        }
        let settled = self.written.settled;
        while self
            .under_way
            .pop_front_if(|last| *last <= settled)
            .is_some()
        {}
        if !self.silence_told && now.since(self.heard) >= SILENCE_MAX && settled < self.pushed {
            self.silence_told = true;
            let trouble = trying(self.producer.trouble());
            self.progress.note(&trouble);
        }
        Ok(())
    }

    fn push(&mut self, block: &[u8]) -> Result<(), Failure> {
        let now = self.producer.cluster().now();
        if self.under_way.is_empty() {
            self.heard = now;
        }
        let timestamp = self.producer.timestamp();
        for line in block.split_inclusive(|&byte| byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let pushed = match self.args.format {
                RecordFormat::Lines => self.push_line(line, timestamp),
                RecordFormat::Json => self.push_json(line, timestamp),
            };
            pushed.map_err(|cause| self.at_line(cause))?;
        }
        self.under_way.push_back(self.pushed);
        let size = ByteCount::of(block);
        self.bytes.0 += size.0;
        self.progress.advance(now, size.0);
        Ok(())
    }

    /// Every line is a record, so the line being read is the one behind those pushed. A signal has
    /// nothing to do with it.
    fn at_line(&self, cause: impl Into<Failure>) -> Failure {
        let cause = cause.into();
        if cause.is::<Stopped>() {
            return cause;
        }
        let cause = crate::causes::with_causes(cause.as_ref());
        format!("line {}: {cause}", self.pushed + 1).into()
    }

    fn push_line(&mut self, line: &[u8], timestamp: TimestampMs) -> Result<(), Failure> {
        let separator = self.args.key_separator.as_deref().map(str::as_bytes);
        let (key, value) = separator
            .and_then(|separator| cut(line, separator))
            .map_or((None, line), |(key, value)| (Some(key), value));
        self.check_size(key, Some(value))?;
        let headers = std::mem::take(&mut self.headers);
        let record = NewRecord {
            timestamp,
            key,
            value: Some(value),
            headers: &headers,
        };
        let sent = self.send(&record);
        self.headers = headers;
        sent
    }

    fn push_json(&mut self, line: &[u8], timestamp: TimestampMs) -> Result<(), Failure> {
        let typed = json_record::parse(line)?;
        let (key, value) = (typed.key.as_deref(), typed.value.as_deref());
        self.check_size(key, value)?;
        let own = typed.headers.iter().map(|(key, value)| Header {
            key,
            value: value.as_deref(),
        });
        let headers: Vec<Header<'_>> = own.chain(self.headers.iter().copied()).collect();
        let record = NewRecord {
            timestamp: typed.timestamp.map_or(timestamp, TimestampMs),
            key,
            value,
            headers: &headers,
        };
        self.send(&record)
    }

    /// Sends a record; waits while too much is under way, unless a signal comes.
    fn send(&mut self, record: &NewRecord<'_>) -> Result<(), Failure> {
        let place = (self.args.topic.as_str(), self.args.partition);
        while self.producer.offer_record(place, record)?.is_none() {
            self.check_wanted()?;
            self.tend(BUSY_WAIT)?;
        }
        self.pushed += 1;
        Ok(())
    }

    /// Refuses what the broker would refuse in any case, before it is sent.
    fn check_size(&self, key: Option<&[u8]>, value: Option<&[u8]>) -> Result<(), TooLong> {
        let size = |bytes: Option<&[u8]>| bytes.map_or(0, |bytes| ByteCount::of(bytes).0);
        let size = ByteCount(size(key) + size(value));
        match self.batch_size_max {
            // How small compression makes it is not known yet.
            Some(max) if size > max && !self.args.is_compressed() => Err(TooLong {
                size,
                max,
                topic: self.args.topic.clone(),
            }),
            _ => Ok(()),
        }
    }
}

/// A record that no batch of its topic can hold.
#[derive(Debug, thiserror::Error)]
#[error(
    "the record has {} bytes, and a batch of {topic} at most {}; to allow more: \
     riverrun topic alter {topic} --config max.message.bytes=N", size.0, max.0
)]
struct TooLong {
    size: ByteCount,
    max: ByteCount,
    topic: String,
}

/// Says why records are still not written.
fn trying(trouble: Option<&Error>) -> String {
    match trouble {
        None => "the broker does not answer; still trying".to_owned(),
        Some(Error::Refused { refusal, .. }) => {
            format!("the broker refuses: {refusal}; still trying")
        }
        Some(error) => format!("{}; still trying", crate::cli::connect::trouble(error)),
    }
}

/// Cuts a line at the first separator.
fn cut<'a>(line: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let place = line
        .windows(separator.len())
        .position(|window| window == separator)?;
    let (key, rest) = line.split_at_checked(place)?;
    Some((key, rest.strip_prefix(separator)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_are_not_written_have_a_reason() {
        assert_eq!(trying(None), "the broker does not answer; still trying");
        let refused = Error::Refused {
            subject: "t partition 0".into(),
            refusal: types::ErrorCode::KafkaStorageError.into(),
        };
        let told = trying(Some(&refused));
        assert!(
            told.starts_with("the broker refuses: KAFKA_STORAGE_ERROR"),
            "{told}"
        );
        let unreachable = Error::Unreachable {
            address: "h:1".into(),
            source: std::io::ErrorKind::ConnectionRefused.into(),
        };
        assert_eq!(
            trying(Some(&unreachable)),
            "cannot connect to h:1: connection refused; still trying"
        );
    }

    #[test]
    fn a_line_is_cut_at_its_first_separator() {
        assert_eq!(cut(b"k:v:w", b":"), Some((&b"k"[..], &b"v:w"[..])));
        assert_eq!(cut(b"k=>v", b"=>"), Some((&b"k"[..], &b"v"[..])));
        assert_eq!(cut(b":", b":"), Some((&b""[..], &b""[..])));
        assert_eq!(cut(b"=", b"=>"), None);
        assert_eq!(cut(b"", b":"), None);
    }
}

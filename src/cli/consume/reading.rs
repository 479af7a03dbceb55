//! Takes records and prints them, until there is a reason to stop.

use std::collections::BTreeMap;
use std::time::Duration;

use client::BrokerError;
use client::blocking::Consumer;
use client::consumer::ConsumedRecord;
use types::{ErrorCode, Monotonic, Offset};

use super::plan::Plan;
use crate::cli::args::{Consume, RecordFormat};
use crate::cli::connect::{missing, trouble};
use crate::cli::failure::Failure;
use crate::cli::interrupt::Interrupt;
use crate::cli::json_record::Printed;
use crate::cli::progress::Progress;
use crate::cli::stdout::Stdout;

/// How often signals are looked at while there are no records.
const IDLE_WAIT: Duration = Duration::from_millis(100);

/// How often the cluster is asked whether it and the topic are still there while there are none.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// How long a cluster that is gone is waited for if the end of the topic is wanted.
const ABSENCE_MAX: Duration = Duration::from_secs(30);

/// How many records are counted before the bar moves.
const PROGRESS_STEP: u64 = 1024;

/// Records on their way to standard output.
pub(super) struct Reading<'a> {
    args: &'a Consume,
    consumer: Consumer,
    stdout: Stdout,
    progress: Progress,
    /// Where partitions end that are not read to their end yet; empty without `--exit`.
    ends: BTreeMap<i32, Offset>,
    printed: u64,
    /// When a record came, or the cluster answered that all is well.
    heard: Monotonic,
    /// Since when the cluster is gone.
    gone_since: Option<Monotonic>,
}

impl<'a> Reading<'a> {
    /// Begins with nothing to read.
    pub(super) fn new(
        args: &'a Consume,
        mut consumer: Consumer,
        stdout: Stdout,
        progress: Progress,
    ) -> Self {
        let heard = consumer.cluster().now();
        Self {
            args,
            consumer,
            stdout,
            progress,
            ends: BTreeMap::new(),
            printed: 0,
            heard,
            gone_since: None,
        }
    }

    /// Prints what is planned, until its end, a failure or a signal.
    pub(super) fn run(mut self, plan: &Plan, interrupt: &Interrupt) -> Result<(), Failure> {
        for (&partition, share) in &plan.shares {
            self.consumer
                .assign(&self.args.topic, partition, share.start)?;
            self.ends.extend(share.end.map(|end| (partition, end)));
        }
        let read = self.print_all(interrupt);
        // What came before a failure is printed in any case.
        self.stdout.flush()?;
        read
    }

    fn print_all(&mut self, interrupt: &Interrupt) -> Result<(), Failure> {
        while !interrupt.is_asked() && !self.is_done() {
            if let Some(record) = self.consumer.next_record(Duration::ZERO)? {
                self.take(&record)?;
                continue;
            }
            self.stdout.flush()?;
            // Markers of transactions take offsets, so that no record may have the last one.
            if self.args.exit && self.consumer.is_at_end() {
                return Ok(());
            }
            match self.consumer.next_record(IDLE_WAIT)? {
                Some(record) => self.take(&record)?,
                None => self.check_cluster()?,
            }
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        let has_enough = self.args.count.is_some_and(|count| self.printed >= count);
        has_enough || (self.args.exit && self.ends.is_empty())
    }

    fn take(&mut self, record: &ConsumedRecord) -> Result<(), Failure> {
        let end = self.ends.get(&record.partition);
        let (is_wanted, is_last) = match end {
            Some(end) => (record.offset < *end, record.offset.advance(1) >= *end),
            None => (true, false),
        };
        if is_wanted {
            self.print(record)?;
        }
        if is_last {
            self.ends.remove(&record.partition);
            self.consumer.unassign(&record.topic, record.partition);
        }
        Ok(())
    }

    fn print(&mut self, record: &ConsumedRecord) -> Result<(), Failure> {
        match self.args.format {
            RecordFormat::Lines => {
                if let Some(separator) = &self.args.key_separator {
                    self.stdout
                        .write(record.key.as_deref().unwrap_or_default())?;
                    self.stdout.write(separator.as_bytes())?;
                }
                self.stdout
                    .write(record.value.as_deref().unwrap_or_default())?;
            }
            RecordFormat::Json => self.stdout.json(&Printed(record))?,
        }
        self.stdout.write(b"\n")?;
        self.printed += 1;
        if self.printed.is_multiple_of(PROGRESS_STEP) {
            self.heard = self.consumer.cluster().now();
            self.progress.advance(self.heard, PROGRESS_STEP);
        }
        Ok(())
    }

    /// Looks, now and then, whether the silence has a reason: a consumer tries for ever.
    fn check_cluster(&mut self) -> Result<(), Failure> {
        let now = self.consumer.cluster().now();
        if now.since(self.heard) < CHECK_INTERVAL {
            return Ok(());
        }
        self.heard = now;
        let topic = self.args.topic.as_str();
        let asked = self.consumer.cluster().refresh(Some(&[topic]), false);
        match (asked, self.gone_since) {
            (Ok(()), gone) => {
                if gone.is_some() {
                    self.gone_since = None;
                    self.progress.note("the cluster answers again");
                }
                let refusal = self.consumer.cluster().metadata().refused.get(topic);
                match refusal.filter(|refusal| is_final(refusal)).cloned() {
                    Some(refusal) => {
                        let subject = topic.to_owned();
                        Err(missing(topic, client::Error::Refused { subject, refusal }))
                    }
                    None => Ok(()),
                }
            }
            (Err(error), Some(since)) if self.args.exit && now.since(since) > ABSENCE_MAX => {
                Err(trouble(&error).into())
            }
            (Err(_), Some(_)) => Ok(()),
            (Err(error), None) => {
                self.gone_since = Some(now);
                let trouble = trouble(&error);
                self.progress.note(&format!("{trouble}; still trying"));
                Ok(())
            }
        }
    }
}

/// Returns whether a topic will not come back by itself.
fn is_final(refusal: &BrokerError) -> bool {
    refusal.known() == Some(ErrorCode::UnknownTopicOrPartition) || !refusal.is_retriable()
}

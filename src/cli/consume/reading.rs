//! Takes records of planned partitions and prints them, until there is a reason to stop.

use std::collections::BTreeMap;
use std::time::Duration;

use client::blocking::Consumer;
use client::consumer::ConsumedRecord;
use types::Offset;

use super::plan::Plan;
use super::printer::Printer;
use super::silence::Silence;
use crate::cli::args::Consume;
use crate::cli::failure::Failure;
use crate::cli::interrupt::Interrupt;
use crate::cli::progress::Progress;
use crate::cli::stdout::Stdout;

/// How often signals are looked at while there are no records.
const IDLE_WAIT: Duration = Duration::from_millis(100);

/// How many records are counted before the bar moves.
const PROGRESS_STEP: u64 = 1024;

/// Records of partitions that were planned.
pub(super) struct Reading<'a> {
    args: &'a Consume,
    consumer: Consumer,
    printer: Printer<'a>,
    progress: Progress,
    silence: Silence<'a>,
    /// Where partitions end that are not read to their end yet; empty without `--exit`.
    ends: BTreeMap<i32, Offset>,
}

impl<'a> Reading<'a> {
    /// Begins with nothing to read.
    pub(super) fn new(
        args: &'a Consume,
        mut consumer: Consumer,
        stdout: Stdout,
        progress: Progress,
    ) -> Self {
        let now = consumer.cluster().now();
        Self {
            args,
            consumer,
            printer: Printer::new(args, stdout),
            progress,
            silence: Silence::new(args, now),
            ends: BTreeMap::new(),
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
        self.printer.flush()?;
        read
    }

    fn print_all(&mut self, interrupt: &Interrupt) -> Result<(), Failure> {
        while !interrupt.is_asked() && !self.is_done() {
            if let Some(record) = self.consumer.next_record(Duration::ZERO)? {
                self.take(&record)?;
                continue;
            }
            self.printer.flush()?;
            // Markers of transactions take offsets, so that no record may have the last one.
            if self.args.exit && self.consumer.is_at_end() {
                return Ok(());
            }
            if let Some(record) = self.consumer.next_record(IDLE_WAIT)? {
                self.take(&record)?;
                continue;
            }
            self.printer.check_reader()?;
            let cluster = self.consumer.cluster();
            self.silence.check(cluster, &self.progress)?;
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.printer.has_enough() || (self.args.exit && self.ends.is_empty())
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
        self.printer.print(record)?;
        if self.printer.count().is_multiple_of(PROGRESS_STEP) {
            let now = self.consumer.cluster().now();
            self.silence.broken(now);
            self.progress.advance(now, PROGRESS_STEP);
        }
        Ok(())
    }
}

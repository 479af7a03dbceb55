//! Takes records as a member of a group: which partitions, the group says, and how far it has read
//! is committed.
//!
//! What is committed was printed: each record is handed to the reader of standard output before
//! the next is asked for, because from then on the group may commit it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use client::admin::Place;
use client::blocking::{Cluster, ClusterOptions, GroupConsumer, Peer};
use client::consumer::{ConsumedRecord, ConsumerOptions, OutOfRange, Start};
use client::group::MemberOptions;
use types::OffsetRange;
use wire::api::ApiKey;

use super::printer::Printer;
use super::silence::Silence;
use crate::cli::args::Consume;
use crate::cli::failure::Failure;
use crate::cli::interrupt::Interrupt;
use crate::cli::progress::Progress;
use crate::cli::stdout::Stdout;

/// How often signals are looked at while there are no records.
const IDLE_WAIT: Duration = Duration::from_millis(100);

/// An offset is typed for a topic whose partitions the group may share.
#[derive(Debug, thiserror::Error)]
#[error(
    "with --group, --offset is where partitions begin of which the group has read nothing: \
     beginning, end or a time; to move the group: riverrun group reset {group}"
)]
pub(super) struct NoStart {
    group: String,
}

/// Records of what the group gives to this member.
pub(super) struct Membership<'a> {
    args: &'a Consume,
    consumer: GroupConsumer,
    printer: Printer<'a>,
    progress: Progress,
    silence: Silence<'a>,
    /// What there was of each partition at the beginning.
    logs: BTreeMap<i32, OffsetRange>,
    /// The partitions of which all that is printed.
    past: BTreeSet<i32>,
}

impl<'a> Membership<'a> {
    /// Begins to join; `logs` is what there is of each partition.
    pub(super) fn join(
        (args, group): (&'a Consume, &str),
        mut cluster: Cluster,
        logs: BTreeMap<i32, OffsetRange>,
        stdout: Stdout,
    ) -> Result<Self, Failure> {
        if matches!(args.offset, Start::At(_)) {
            let group = group.to_owned();
            return Err(NoStart { group }.into());
        }
        // A member asks for ever, also those who serve no groups.
        cluster.version(Peer::Any, ApiKey::FindCoordinator)?;
        let options = ConsumerOptions {
            // What the group has committed may have been deleted since.
            out_of_range: match args.offset {
                Start::End => OutOfRange::End,
                _ => OutOfRange::Beginning,
            },
            ..ConsumerOptions::default()
        };
        let addresses = &args.bootstrap.addresses;
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let mut consumer = GroupConsumer::connect(
            &addresses,
            &ClusterOptions::default(),
            MemberOptions::new(group, &[&args.topic]),
            options,
            args.offset,
        )?;
        let now = consumer.cluster().now();
        Ok(Self {
            args,
            consumer,
            printer: Printer::new(args, stdout),
            progress: Progress::silent(now),
            silence: Silence::new(args, now),
            logs,
            past: BTreeSet::new(),
        })
    }

    /// Prints what comes, until its end, a failure or a signal; commits what was printed, and
    /// leaves.
    pub(super) fn run(mut self, interrupt: &Interrupt) -> Result<(), Failure> {
        let read = self.print_all(interrupt);
        let left = self.consumer.close();
        read?;
        Ok(left?)
    }

    fn print_all(&mut self, interrupt: &Interrupt) -> Result<(), Failure> {
        while !interrupt.is_asked() && !self.is_done() {
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
        self.printer.has_enough() || (self.args.exit && self.is_through())
    }

    /// Returns whether nothing is left to read now, or all is printed that there was of this
    /// member's partitions: others may be written to without end.
    fn is_through(&self) -> bool {
        let places = self.consumer.places();
        let is_printed = |(_, partition): &Place| self.past.contains(partition);
        let has_all = !places.is_empty() && places.iter().all(is_printed);
        has_all || self.consumer.is_at_end()
    }

    fn take(&mut self, record: &ConsumedRecord) -> Result<(), Failure> {
        let printed = self.printer.print(record);
        if let Err(failed) = printed.and_then(|()| self.printer.flush()) {
            // Nobody has seen it: it is left to the next member.
            self.consumer.give_back();
            return Err(failed.into());
        }
        let now = self.consumer.cluster().now();
        self.silence.broken(now);
        let end = self.logs.get(&record.partition).map(|range| range.end);
        if end.is_some_and(|end| record.offset.advance(1) >= end) {
            self.past.insert(record.partition);
        }
        Ok(())
    }
}

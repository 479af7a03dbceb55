//! What is to be read: which partitions, from where, up to where.

use std::collections::BTreeMap;

use client::consumer::Start;
use types::{Offset, OffsetRange};

use crate::cli::args::Consume;

/// What is to be read of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    /// Where to begin.
    pub(super) start: Start,
    /// The first offset that is not wanted any more; `None` to read on for ever.
    pub(super) end: Option<Offset>,
}

/// What is to be read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// By partition; those that have nothing to give are left out.
    pub(super) shares: BTreeMap<i32, Share>,
    /// How many offsets that spans, if it is known.
    pub(super) span: Option<u64>,
}

/// What cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoPlan {
    /// There is no such partition.
    #[error("{topic} has no partition {partition}, it has {count}, counted from 0")]
    NoPartition {
        topic: String,
        partition: i32,
        count: usize,
    },
    /// The offset to start at is outside of a partition.
    #[error(
        "{topic} partition {partition} has offsets from {start} up to {end} (the next), \
         {wanted} is not among them",
        start = range.start,
        end = range.end
    )]
    OutOfRange {
        topic: String,
        partition: i32,
        range: OffsetRange,
        wanted: Offset,
    },
}

impl Plan {
    /// Makes a plan for logs that lie so at the moment.
    pub(super) fn new(args: &Consume, logs: &BTreeMap<i32, OffsetRange>) -> Result<Self, NoPlan> {
        if let Some(partition) = args.partition.filter(|wanted| !logs.contains_key(wanted)) {
            return Err(NoPlan::NoPartition {
                topic: args.topic.clone(),
                partition,
                count: logs.len(),
            });
        }
        let mut shares = BTreeMap::new();
        let mut span = Some(0);
        for (&partition, &range) in logs {
            if args.partition.is_some_and(|wanted| wanted != partition) {
                continue;
            }
            let lowest = match args.offset {
                Start::Beginning | Start::Since(_) => range.start,
                Start::End => range.end,
                Start::At(wanted) if wanted < range.start || wanted > range.end => {
                    return Err(NoPlan::OutOfRange {
                        topic: args.topic.clone(),
                        partition,
                        range,
                        wanted,
                    });
                }
                Start::At(wanted) => wanted,
            };
            let left = range.end.since(lowest).unwrap_or(0);
            if args.exit && left == 0 {
                continue;
            }
            let end = args.exit.then_some(range.end);
            let start = args.offset;
            shares.insert(partition, Share { start, end });
            span = span.map(|span| span + left);
        }
        // How much lies behind a time is not known, nor what is still to come.
        let known = args.exit && !matches!(args.offset, Start::Since(_));
        let span = span.filter(|_| known);
        let span = span.into_iter().chain(args.count).min();
        Ok(Self { shares, span })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use types::TimestampMs;

    use super::*;
    use crate::cli::args::{Args, Command};

    fn plan(typed: &str) -> Result<Plan, NoPlan> {
        let words = ["riverrun", "consume", "t"]
            .into_iter()
            .chain(typed.split_whitespace());
        let Command::Consume(args) = Args::try_parse_from(words).unwrap().command else {
            panic!("consume is what was typed")
        };
        let range = |start, end| OffsetRange {
            start: at(start),
            end: at(end),
        };
        let logs = BTreeMap::from([(0, range(10, 20)), (1, range(0, 0)), (2, range(5, 15))]);
        Plan::new(&args, &logs)
    }

    fn at(offset: i64) -> Offset {
        Offset::new(offset).unwrap()
    }

    fn shares(plan: Plan) -> Vec<(i32, Start, Option<i64>)> {
        let shares = plan.shares.into_iter();
        shares
            .map(|(partition, share)| (partition, share.start, share.end.map(Offset::get)))
            .collect()
    }

    #[test]
    fn without_exit_every_partition_is_read_for_ever() {
        let read = plan("").unwrap();
        assert_eq!(read.span, None);
        let all = [0, 1, 2].map(|partition| (partition, Start::Beginning, None));
        assert_eq!(shares(read), all);
        assert_eq!(plan("-n 7").unwrap().span, Some(7));
    }

    #[test]
    fn with_exit_what_is_empty_is_left_out() {
        let read = plan("--exit").unwrap();
        assert_eq!(read.span, Some(20));
        let two = [
            (0, Start::Beginning, Some(20)),
            (2, Start::Beginning, Some(15)),
        ];
        assert_eq!(shares(read), two);
        assert_eq!(plan("--exit -n 7").unwrap().span, Some(7));
        assert_eq!(plan("--exit -o end").unwrap().shares.len(), 0);
        let since = plan("--exit -o @5").unwrap();
        assert_eq!(since.span, None);
        let start = Start::Since(TimestampMs(5));
        assert_eq!(shares(since), [(0, start, Some(20)), (2, start, Some(15))]);
    }

    #[test]
    fn an_offset_must_be_there_or_next() {
        let read = |typed| plan(typed).map(shares);
        let start = |offset| Start::At(at(offset));
        assert_eq!(read("-p 0 -o 20"), Ok(vec![(0, start(20), None)]));
        assert_eq!(read("-p 0 -o 20 --exit"), Ok(vec![]));
        assert_eq!(read("-p 2 -o 5 --exit"), Ok(vec![(2, start(5), Some(15))]));
        for typed in ["-p 0 -o 21", "-p 0 -o 9", "-o 12"] {
            assert!(
                matches!(read(typed), Err(NoPlan::OutOfRange { .. })),
                "{typed}"
            );
        }
        assert!(matches!(plan("-p 3"), Err(NoPlan::NoPartition { .. })));
    }
}

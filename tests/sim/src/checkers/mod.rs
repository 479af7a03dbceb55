//! What must hold of every history, one module for each promise.
//!
//! | checker | promise |
//! |---|---|
//! | [`acknowledged`] | what was acknowledged is there, at its offset, with its bytes |
//! | [`agreement`] | every read of an offset returns the same record |
//! | [`duplicates`] | an idempotent producer's record is there once |
//! | [`expected`] | nothing happened that no fault explains |
//! | [`gaps`] | offsets follow each other without gaps, from the log's start to its end |
//! | [`generations`] | the generations of a group go upwards |
//! | [`invented`] | what is read was sent, byte for byte |
//! | [`log_start`] | a log's start moves forth, as far as was asked, and stays there |
//! | [`metadata`] | topics, partitions and configs that were acknowledged stay as they are |
//! | [`offsets`] | what a group committed is there, until a later commit |
//! | [`order`] | the records of one producer are in the order in which they were sent |
//! | [`ownership`] | in one generation, a partition has one owner |
//! | [`settled`] | the members of a group come to share out everything in time |
//! | [`watermark`] | the high watermark never falls, nor below what was acknowledged |
//!
//! Each has a control in its tests: a history with exactly that fault, which it must find.

mod acknowledged;
mod agreement;
mod duplicates;
mod expected;
mod gaps;
mod generations;
mod invented;
mod log_start;
mod metadata;
mod offsets;
mod order;
mod ownership;
mod settled;
mod violation;
mod watermark;

#[cfg(test)]
mod samples;

pub(crate) use violation::{Violation, check};

//! The rules of a group: what a request, a timer or the log's answer does to it.
//!
//! Each rule works on one group in a [`Scope`]: it changes the soft state, sets timers, answers, and
//! may write once. What it writes changes the logged state when it is durable, not before; a rule
//! that must know that happened leaves an [`Effect`].
//!
//! *Source*: `GroupMetadataManager.classicGroup*`, `ClassicGroup` and `OffsetMetadataManager` of
//! Kafka 4.3, whose checks stand here in the same order.

mod absent;
mod describe;
mod join;
mod offsets;
mod presence;
mod rebalance;
mod retire;
mod scope;
mod sync;

pub(crate) use absent::Absence;
pub(crate) use describe::{describe, list};
pub(crate) use offsets::fetch;
pub(crate) use scope::{Effect, Outbox, Room, Scope, Takes, Write};

//! The mesh: bounded queues from every shard to every other, and a doorbell each.
//!
//! ```text
//!   shard a                                        shard b
//!   call ──► requests a→b (bounded) ─────────────► incoming
//!   Reply ◄─ pump ◄──────── answers b→a ◄───────── Responder
//!                 doorbell a: eventfd, rung only while a's pump sleeps
//! ```
//!
//! Queues are the standard library's lock-free channels, two per ordered pair of shards. Answers are
//! not bounded of their own: there are no more of them than open calls, and were they bounded, two
//! shards that fill each other's queues would wait for each other for ever.
//!
//! # No wake-up is lost
//!
//! The pump of a shard, before it sleeps, sets `asleep` and looks at the queues once more; who puts
//! something in sets it down first and then looks at `asleep`, with a fence between the two on either
//! side. So either the pump finds it, or the bell is rung. The same holds for a full queue: who waits
//! for room sets `wanted` and tries once more, who makes room looks at `wanted` after.

mod calls;
mod doorbell;
mod end;
mod lanes;

pub(crate) use calls::Reply;
pub(super) use doorbell::Doorbell;
pub(crate) use end::{Mesh, Responder};
#[cfg(test)]
pub(super) use lanes::LANE_REQUESTS_MAX;
pub(super) use lanes::{Port, fabric};

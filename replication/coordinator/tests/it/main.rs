//! The coordinator through its public interface: requests, timers, the log's answers.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it fails, its helpers too"
)]

mod durability;
mod join;
mod offsets;
mod presence;
mod records;
mod retirement;
mod scale;
mod simulation;
mod snapshots;
mod static_members;
mod support;
mod sync;
mod views;

//! The controller through its public interface: decide, write, apply.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it fails, its helpers too"
)]

mod configs;
mod golden;
mod hostile;
mod partitions;
mod quotas;
mod registration;
mod replay;
mod support;
mod topics;

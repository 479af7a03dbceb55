//! Promises to users, through the socket: the built binary, real clients, no internals.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in a function that it calls"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "these tests watch a real process from outside"
)]

mod admin;
mod amplifying;
mod cli;
mod directories;
mod durability;
mod groups;
mod hostile;
mod lag;
mod large_batches;
mod lone_node;
mod moving;
mod process;
mod produce_fetch;
mod quotas;
mod support;
mod versions;

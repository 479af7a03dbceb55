//! Promises to users, through the socket: the built binary, real clients, no internals.

mod admin;
mod cli;
mod durability;
mod hostile;
mod process;
mod produce_fetch;
mod support;
mod versions;
